"""Play statistics (rating, play count, last played, thumb) in a song's own tags.

MP3 files store rating and plays in a popularimeter frame (ID3v2 POPM) under the name that Windows
shows as stars; other formats use the customary fields ``RATING`` and ``PLAYCOUNT``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.audio.tag_file import open_for_tags
from scripts.core.atomic_files import PART_SUFFIX, fsync_file, rename, storage_error
from scripts.core.errors import StorageError

MAX_RATING = 5
WINDOWS_POPM_EMAIL = "Windows Media Player 9 Series"  # the email field of POPM
_POPM_FROM_STARS = (0, 1, 64, 128, 196, 255)  # POPM ratings that Windows writes for 0 to 5 stars
_POPM_THRESHOLDS = (0, 1, 32, 96, 160, 224)  # lowest POPM rating of 0 to 5 stars
_THUMB_TAG, _LAST_PLAYED_TAG = "LLM-MUSIC-GEN THUMB", "LLM-MUSIC-GEN LAST PLAYED"
THUMBS = {"up": 1, "down": -1, "none": 0}
_PADDING = 1024  # spare bytes in a new tag, for later changes in place
MAX_PLAYS = (1 << 32) - 1


@dataclass(frozen=True)
class PlayStats:
    """Play statistics of a song.

    Parameters
    ----------
    rating : int
        1 to 5; 0 for none.
    plays : int
        Play count.
    last : float
        When it was last played, seconds since 1970; 0 for never.
    thumb : int
        1 up, -1 down, 0 neither.
    """

    rating: int = 0
    plays: int = 0
    last: float = 0.0
    thumb: int = 0


def stars_from_popm(popm: int) -> int:
    """Convert a POPM rating (0 to 255) to 0 to 5 stars."""
    return max(n for n, least in enumerate(_POPM_THRESHOLDS) if popm >= least)


def read_stats(tags: Any) -> PlayStats:
    """Read the play statistics from mutagen `tags`; missing or damaged tags give the defaults."""
    with contextlib.suppress(Exception):  # bad tags must not keep a song from playing
        if tags is None:
            return PlayStats()
        return _stats_from_id3(tags) if hasattr(tags, "getall") else _stats_from_comments(tags)
    return PlayStats()


def write_stats(path: Path, stats: PlayStats) -> bool:
    """Write play statistics into a song's tags.

    An MP3 whose tag has room is changed in place by a single write; any other file is copied,
    changed and renamed. The modification time is kept, because the library is sorted by it.

    Returns
    -------
    bool
        False for formats that cannot hold tags.

    Raises
    ------
    StorageError
        When the file cannot be written.
    """
    try:
        before = path.stat()
        if path.suffix.lower() == ".mp3":
            _write_mp3(path, stats)
        elif not _write_other(path, stats):
            return False
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    except OSError as error:
        raise storage_error(error, path) from error
    except Exception as error:  # mutagen raises many kinds of errors for damaged files
        reason = str(error).strip() or type(error).__name__
        raise StorageError(
            f"{path.name}: cannot write its tags ({reason[:80]}); the file may be damaged"
        ) from error
    return True


def _stats_from_id3(tags: Any) -> PlayStats:
    rating = plays = thumb = 0
    last = 0.0
    for frame in tags.getall("POPM"):
        rating = max(rating, stars_from_popm(int(frame.rating)))
        plays = max(plays, int(getattr(frame, "count", 0) or 0))
    for frame in tags.getall("TXXX"):
        word = str(frame.text[0]) if frame.text else ""
        if frame.desc == _THUMB_TAG:
            thumb = THUMBS.get(word, 0)
        elif frame.desc == _LAST_PLAYED_TAG:
            last = _parse_timestamp(word)
    return PlayStats(rating, min(plays, MAX_PLAYS), last, thumb)


def _stats_from_comments(tags: Any) -> PlayStats:
    def word(name: str) -> str:
        found = tags.get(name)
        return str(found[0]) if isinstance(found, list) and found else ""

    rating = word("RATING")
    plays = word("PLAYCOUNT")
    return PlayStats(
        int(rating) if rating.isascii() and rating in "12345" and rating else 0,
        int(plays) if plays.isascii() and plays.isdigit() and len(plays) < 10 else 0,
        _parse_timestamp(word(_LAST_PLAYED_TAG)),
        THUMBS.get(word(_THUMB_TAG), 0),
    )


def _parse_timestamp(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if 0 < found < 1e11 else 0.0


def _write_mp3(path: Path, stats: PlayStats) -> None:
    from mutagen.id3 import ID3, ID3NoHeaderError

    try:
        with open_for_tags(path) as source:
            tags = ID3(source)
    except ID3NoHeaderError:
        tags = ID3()
    _update_id3(tags, stats)
    version = 4 if getattr(tags, "version", (2, 3, 0))[1] == 4 else 3
    if version == 3:
        tags.update_to_v23()
    try:  # without room the whole file would be rewritten: do that in a copy
        with path.open("rb+") as file:
            tags.save(file, v2_version=version, padding=_padding_in_place)
    except _TagTooLarge:
        _change_copy(
            path, lambda copy: tags.save(copy, v2_version=version, padding=lambda info: _PADDING)
        )


class _TagTooLarge(Exception):
    """The new tag does not fit into the space of the old one."""


def _padding_in_place(info: Any) -> int:
    if info.padding < 0:
        raise _TagTooLarge
    return int(info.padding)


def _update_id3(tags: Any, stats: PlayStats) -> None:
    from mutagen.id3 import POPM, TXXX

    for frame in tags.getall("POPM"):  # ratings of other players would override ours
        if frame.email != WINDOWS_POPM_EMAIL:
            frame.rating = _POPM_FROM_STARS[stats.rating]
    tags.delall(f"POPM:{WINDOWS_POPM_EMAIL}")
    tags.add(
        POPM(email=WINDOWS_POPM_EMAIL, rating=_POPM_FROM_STARS[stats.rating], count=stats.plays)
    )
    for name, word in _text_tags(stats).items():
        tags.delall(f"TXXX:{name}")
        if word:
            tags.add(TXXX(encoding=1, desc=name, text=[word]))


def _text_tags(stats: PlayStats) -> dict[str, str]:
    return {
        _THUMB_TAG: {1: "up", -1: "down"}.get(stats.thumb, ""),
        _LAST_PLAYED_TAG: f"{stats.last:.0f}" if stats.last else "",
    }


def _write_other(path: Path, stats: PlayStats) -> bool:
    """Write the statistics to a file other than MP3; False when it cannot hold tags."""
    import mutagen

    def change(copy: Path) -> None:
        with open_for_tags(copy) as source:
            file = mutagen.File(source)
        if file is None:
            raise ValueError("not an audio file")
        if file.tags is None:
            file.add_tags()
        if hasattr(file.tags, "getall"):
            _update_id3(file.tags, stats)
        else:
            texts = {
                **_text_tags(stats),
                "RATING": str(stats.rating or ""),
                "PLAYCOUNT": str(stats.plays or ""),
            }
            for name, word in texts.items():
                if word:
                    file.tags[name] = [word]
                elif name in file.tags:
                    del file.tags[name]
        file.save(copy)

    with open_for_tags(path) as source:
        if mutagen.File(source) is None:
            return False
    _change_copy(path, change)
    return True


def _change_copy(path: Path, change: Any) -> None:
    copy = path.with_name(f"{path.name}.{os.getpid()}{PART_SUFFIX}")
    try:
        shutil.copyfile(path, copy)
        change(copy)
        fsync_file(copy)
        rename(copy, path, (0.1, 0.2))
    finally:
        copy.unlink(missing_ok=True)
