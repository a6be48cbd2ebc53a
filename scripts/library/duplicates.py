"""Finds duplicate songs: identical audio or similar melodies."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from scripts.audio.mp3_frames import id3v2_size
from scripts.core.errors import MusicGenError
from scripts.core.input_files import open_input, read_input_text
from scripts.library.songs import Song
from scripts.score.abc_reader import read_abc
from scripts.score.fingerprint import SIMILARITY_THRESHOLD, fingerprint

_MAX_SHARING_SONGS = 50  # a melodic turn shared by this many songs is ignored as too common
_BLOCK = 1 << 20


def find_duplicates(songs: Sequence[Song]) -> list[tuple[str, list[Song]]]:
    """Find groups of duplicate songs.

    Returns
    -------
    list of tuple
        ``"the same"`` (identical audio, tags apart) or ``"alike"`` (similar melodies), and songs.
    """
    groups = _find_identical(songs)
    seen = {frozenset(s.path for s in group) for _, group in groups}
    for group in _find_similar(songs):
        if not any({s.path for s in group} <= same for same in seen):
            groups.append(("alike", group))
    return groups


def _find_identical(songs: Sequence[Song]) -> list[tuple[str, list[Song]]]:
    by_size: dict[int, list[Song]] = defaultdict(list)
    for song in songs:
        size = audio_size(song.path)
        if size:
            by_size[size].append(song)
    found = []
    for group in by_size.values():
        by_sound: dict[str, list[Song]] = defaultdict(list)
        for song in group if len(group) > 1 else ():
            by_sound[_hash_audio(song.path)].append(song)
        found += [("the same", same) for same in by_sound.values() if len(same) > 1]
    return found


def audio_size(path: Path) -> int:
    """Bytes of a file after its tags; 0 when it cannot be read."""
    try:
        with open_input(path) as file:
            return path.stat().st_size - id3v2_size(file)
    except OSError:
        return 0


def _hash_audio(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with open_input(path) as file:
            file.seek(id3v2_size(file))
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError:
        return str(path)
    return digest.hexdigest()


def _find_similar(songs: Sequence[Song]) -> list[list[Song]]:
    """Group songs whose melodies share many turns; each song is in one group at most."""
    turns: dict[int, frozenset[int]] = {}
    having: dict[int, list[int]] = defaultdict(list)
    group_of: dict[int, int] = {}
    groups: dict[int, list[int]] = {}
    for n, song in enumerate(songs):
        own = _read_turns(song.path.with_suffix(".abc"))
        if not own:
            continue
        shared = Counter(
            m for turn in own for m in having[turn] if len(having[turn]) < _MAX_SHARING_SONGS
        )
        for m, count in shared.most_common(1):
            if count / max(1, min(len(own), len(turns[m]))) >= SIMILARITY_THRESHOLD:
                group = group_of.setdefault(m, m)
                groups.setdefault(group, [m]).append(n)
                group_of[n] = group
        turns[n] = own
        for turn in own:
            having[turn].append(n)
    return [[songs[n] for n in group] for group in groups.values()]


def _read_turns(sheet: Path) -> frozenset[int]:
    try:
        return fingerprint(read_abc(read_input_text(sheet, 1 << 20))).ngrams
    except (OSError, UnicodeDecodeError, MusicGenError):
        return frozenset()
