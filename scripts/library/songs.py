"""A song's files: where they are, how they are written whole, and reading them back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.errors import StorageError
from scripts.files import flush, legal_name, rename, storage_error, write_text

AUDIO = (".mp3", ".wav", ".ogg", ".flac")


@dataclass(frozen=True)
class Song:
    """A song in the library.

    Parameters
    ----------
    path : Path
        The audio file.
    title : str
    seconds : float
        0 when nothing says how long it is.
    details : mapping
        The ``.json`` beside it; empty for songs from elsewhere.
    """

    path: Path
    title: str
    seconds: float
    details: Mapping[str, Any]


def list_songs(folder: Path) -> list[Song]:
    """Every playable file of `folder`, oldest first. Unreadable details are passed over."""
    try:
        files = [p for p in folder.iterdir() if p.suffix.lower() in AUDIO and p.is_file()]
    except OSError:
        return []
    wav_twins = {p for p in files if p.suffix.lower() == ".wav" and p.with_suffix(".mp3") in files}
    stamped = []
    for path in files:
        if path not in wav_twins:
            try:
                stamped.append((path.stat().st_mtime, path.name, path))
            except OSError:
                continue
    return [read_song(path) for _, _, path in sorted(stamped)]


def read_song(path: Path) -> Song:
    """A song from its audio file and the ``.json`` beside it."""
    try:
        details = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if not isinstance(details, dict):
            details = {}
    except (OSError, ValueError, RecursionError):
        details = {}
    title = details.get("title")
    seconds = details.get("seconds")
    return Song(path, printable(title) if isinstance(title, str) and title else
                printable(path.stem),
                float(seconds) if isinstance(seconds, (int, float)) else 0.0, details)


def printable(text: str) -> str:
    """`text` without control characters, so that it cannot steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)[:200]


class SongFiles:
    """The files of one song while it is made: temporary names first, final names at the end.

    Parameters
    ----------
    folder : Path
        Made when it is not there.
    title : str
        The files are called after it; a number is added when the name is taken.
    """

    def __init__(self, folder: Path, title: str) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            base = legal_name(title)
            name, n = base, 1
            while True:
                self.final = folder / f"{name}.mp3"
                self._lock = folder / f"{name}.lmg-lock"
                taken = any(self.final.with_suffix(s).exists()
                            for s in (".mp3", ".json", ".wav", ".abc", ".musicxml"))
                if not taken:
                    try:
                        self._lock.touch(exist_ok=False)  # two programs never take one name
                        break
                    except FileExistsError:
                        pass
                n += 1
                name = f"{base} ({n})"
        except OSError as error:
            raise storage_error(error, folder / "song") from error
        self.name = name

    def part(self, suffix: str) -> Path:
        """The temporary name for a file of the song."""
        return self.final.with_name(f"{self.name}{suffix}.lmg-part")

    def finish(self, texts: Mapping[str, str], keep_wav: bool) -> Path:
        """Write the texts beside the song and give every file its name, the MP3 last."""
        try:
            for suffix, text in texts.items():
                write_text(self.final.with_suffix(suffix), text)
            if keep_wav:
                flush(self.part(".wav"))
                rename(self.part(".wav"), self.final.with_suffix(".wav"))
            flush(self.part(".mp3"))
            rename(self.part(".mp3"), self.final)
        except (OSError, StorageError) as error:
            for suffix in texts:
                self.final.with_suffix(suffix).unlink(missing_ok=True)
            if keep_wav:
                self.final.with_suffix(".wav").unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise storage_error(error, self.final) from error
            raise
        return self.final

    def tidy(self) -> None:
        """Take away what is unfinished."""
        for suffix in (".wav", ".mp3"):
            try:
                self.part(suffix).unlink(missing_ok=True)
            except OSError:
                pass
        try:
            self._lock.unlink(missing_ok=True)
        except OSError:
            pass


def sweep(folder: Path, older_than: float, now: float) -> int:
    """Take away parts that a killed program left more than `older_than` seconds ago."""
    removed = 0
    try:
        for path in folder.iterdir():
            ours = path.suffix in (".lmg-part", ".lmg-lock")
            if ours and now - path.stat().st_mtime > older_than:
                path.unlink(missing_ok=True)
                removed += 1
    except OSError:
        pass
    return removed
