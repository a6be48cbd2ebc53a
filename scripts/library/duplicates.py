"""Finds duplicate songs: identical audio or similar melodies."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from scripts.audio.mp3_frames import behind_tags
from scripts.core.errors import MusicGenError
from scripts.library.songs import Song
from scripts.score.abc_reader import read_abc
from scripts.score.fingerprint import ALIKE, marks_of

_COMMON = 50  # a melodic turn shared by this many songs is ignored as too common
_BLOCK = 1 << 20


def duplicates(songs: Sequence[Song]) -> list[tuple[str, list[Song]]]:
    """Find groups of duplicate songs.

    Returns
    -------
    list of tuple
        ``"the same"`` (identical audio, tags apart) or ``"alike"`` (similar melodies), and songs.
    """
    groups = _same_sound(songs)
    seen = {frozenset(s.path for s in group) for _, group in groups}
    for group in _alike(songs):
        if not any({s.path for s in group} <= same for same in seen):
            groups.append(("alike", group))
    return groups


def _same_sound(songs: Sequence[Song]) -> list[tuple[str, list[Song]]]:
    by_size: dict[int, list[Song]] = defaultdict(list)
    for song in songs:
        size = sound_size(song.path)
        if size:
            by_size[size].append(song)
    found = []
    for group in by_size.values():
        by_sound: dict[str, list[Song]] = defaultdict(list)
        for song in group if len(group) > 1 else ():
            by_sound[_sound(song.path)].append(song)
        found += [("the same", same) for same in by_sound.values() if len(same) > 1]
    return found


def sound_size(path: Path) -> int:
    """Bytes of a file after its tags; 0 when it cannot be read."""
    try:
        with path.open("rb") as file:
            return path.stat().st_size - behind_tags(file)
    except OSError:
        return 0


def _sound(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            file.seek(behind_tags(file))
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError:
        return str(path)
    return digest.hexdigest()


def _alike(songs: Sequence[Song]) -> list[list[Song]]:
    """Group songs whose melodies share many turns; each song is in one group at most."""
    turns: dict[int, frozenset[int]] = {}
    having: dict[int, list[int]] = defaultdict(list)
    group_of: dict[int, int] = {}
    groups: dict[int, list[int]] = {}
    for n, song in enumerate(songs):
        own = _turns(song.path.with_suffix(".abc"))
        if not own:
            continue
        shared = Counter(m for turn in own for m in having[turn] if len(having[turn]) < _COMMON)
        for m, count in shared.most_common(1):
            if count / max(1, min(len(own), len(turns[m]))) >= ALIKE:
                group = group_of.setdefault(m, m)
                groups.setdefault(group, [m]).append(n)
                group_of[n] = group
        turns[n] = own
        for turn in own:
            having[turn].append(n)
    return [[songs[n] for n in group] for group in groups.values()]


def _turns(sheet: Path) -> frozenset[int]:
    try:
        return marks_of(read_abc(sheet.read_text(encoding="utf-8"))).turns
    except (OSError, UnicodeDecodeError, MusicGenError):
        return frozenset()
