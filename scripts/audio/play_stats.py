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

from scripts.core.atomic_files import PART, flush, rename, storage_error
from scripts.core.errors import StorageError

BEST = 5
WINDOWS = "Windows Media Player 9 Series"  # the email field of POPM
_STARS = (0, 1, 64, 128, 196, 255)  # POPM ratings that Windows writes for 0 to 5 stars
_LEAST = (0, 1, 32, 96, 160, 224)  # lowest POPM rating of 0 to 5 stars
_THUMB, _LAST = "LLM-MUSIC-GEN THUMB", "LLM-MUSIC-GEN LAST PLAYED"
THUMBS = {"up": 1, "down": -1, "none": 0}
_PADDING = 1024  # spare bytes in a new tag, for later changes in place
MOST_PLAYS = (1 << 32) - 1


@dataclass(frozen=True)
class Heard:
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


def stars_of(popm: int) -> int:
    """Convert a POPM rating (0 to 255) to 0 to 5 stars."""
    return max(n for n, least in enumerate(_LEAST) if popm >= least)


def heard_in(tags: Any) -> Heard:
    """Read the play statistics from mutagen `tags`; missing or damaged tags give the defaults."""
    with contextlib.suppress(Exception):  # bad tags must not keep a song from playing
        if tags is None:
            return Heard()
        return _from_id3(tags) if hasattr(tags, "getall") else _from_words(tags)
    return Heard()


def write_heard(path: Path, heard: Heard) -> bool:
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
            _write_mp3(path, heard)
        elif not _write_copy(path, heard):
            return False
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    except OSError as error:
        raise storage_error(error, path) from error
    except Exception as error:  # mutagen raises many kinds of errors for damaged files
        raise StorageError(
            f"{path.name}: cannot write its tags ({type(error).__name__} "
            f"{error}); the file may be damaged"
        ) from error
    return True


def _from_id3(tags: Any) -> Heard:
    rating = plays = thumb = 0
    last = 0.0
    for frame in tags.getall("POPM"):
        rating = max(rating, stars_of(int(frame.rating)))
        plays = max(plays, int(getattr(frame, "count", 0) or 0))
    for frame in tags.getall("TXXX"):
        word = str(frame.text[0]) if frame.text else ""
        if frame.desc == _THUMB:
            thumb = THUMBS.get(word, 0)
        elif frame.desc == _LAST:
            last = _seconds(word)
    return Heard(rating, min(plays, MOST_PLAYS), last, thumb)


def _from_words(tags: Any) -> Heard:
    def word(name: str) -> str:
        found = tags.get(name)
        return str(found[0]) if isinstance(found, list) and found else ""

    rating = word("RATING")
    plays = word("PLAYCOUNT")
    return Heard(
        int(rating) if rating.isascii() and rating in "12345" and rating else 0,
        int(plays) if plays.isascii() and plays.isdigit() and len(plays) < 10 else 0,
        _seconds(word(_LAST)),
        THUMBS.get(word(_THUMB), 0),
    )


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if 0 < found < 1e11 else 0.0


def _write_mp3(path: Path, heard: Heard) -> None:
    from mutagen.id3 import ID3, ID3NoHeaderError

    try:
        tags = ID3(path)
    except ID3NoHeaderError:
        tags = ID3()
    _into_id3(tags, heard)
    version = 4 if getattr(tags, "version", (2, 3, 0))[1] == 4 else 3
    if version == 3:
        tags.update_to_v23()
    try:  # without room the whole file would be rewritten: do that in a copy
        with path.open("rb+") as file:
            tags.save(file, v2_version=version, padding=_in_place)
    except _NoRoom:
        _in_copy(
            path, lambda copy: tags.save(copy, v2_version=version, padding=lambda info: _PADDING)
        )


class _NoRoom(Exception):
    """The new tag does not fit into the space of the old one."""


def _in_place(info: Any) -> int:
    if info.padding < 0:
        raise _NoRoom
    return int(info.padding)


def _into_id3(tags: Any, heard: Heard) -> None:
    from mutagen.id3 import POPM, TXXX

    for frame in tags.getall("POPM"):  # ratings of other players would override ours
        if frame.email != WINDOWS:
            frame.rating = _STARS[heard.rating]
    tags.delall(f"POPM:{WINDOWS}")
    tags.add(POPM(email=WINDOWS, rating=_STARS[heard.rating], count=heard.plays))
    for name, word in _words(heard).items():
        tags.delall(f"TXXX:{name}")
        if word:
            tags.add(TXXX(encoding=1, desc=name, text=[word]))


def _words(heard: Heard) -> dict[str, str]:
    return {
        _THUMB: {1: "up", -1: "down"}.get(heard.thumb, ""),
        _LAST: f"{heard.last:.0f}" if heard.last else "",
    }


def _write_copy(path: Path, heard: Heard) -> bool:
    """Write the statistics to a file other than MP3; False when it cannot hold tags."""
    import mutagen

    def change(copy: Path) -> None:
        file = mutagen.File(copy)
        if file is None:
            raise ValueError("not an audio file")
        if file.tags is None:
            file.add_tags()
        if hasattr(file.tags, "getall"):
            _into_id3(file.tags, heard)
        else:
            words = {
                **_words(heard),
                "RATING": str(heard.rating or ""),
                "PLAYCOUNT": str(heard.plays or ""),
            }
            for name, word in words.items():
                if word:
                    file.tags[name] = [word]
                elif name in file.tags:
                    del file.tags[name]
        file.save()

    if mutagen.File(path) is None:
        return False
    _in_copy(path, change)
    return True


def _in_copy(path: Path, change: Any) -> None:
    copy = path.with_name(f"{path.name}.{os.getpid()}{PART}")
    try:
        shutil.copyfile(path, copy)
        change(copy)
        flush(copy)
        rename(copy, path, (0.1, 0.2))
    finally:
        copy.unlink(missing_ok=True)
