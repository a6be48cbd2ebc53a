"""An order: which songs to make, as plain data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.core.text import is_unicode
from scripts.request.request import MAX_SONGS, SongRequest
from scripts.request.request_json import request_from_json, request_to_json

EXTRA_FORMATS = ("wav", "mid", "abc", "musicxml", "stems")
MAX_SEED = 1 << 40
RECIPE_SUFFIX = ".json"
ENDLESS_SONGS = 1_000_000_000  # number of songs of an endless order
_SIZES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]B)", re.IGNORECASE)
_MIN_KEPT_BYTES = 10**7
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class Order:
    """An order: how many songs to make, of what kind, and where to save them.

    Parameters
    ----------
    request : SongRequest
    songs : int
    seed : int
        Of the first song; each further song has the next one.
    model : str
        Name in ``models/`` or path; empty selects the first that can compose.
    temperature : float
        0 to 2.
    out : Path
    bitrate : int
        kbit/s.
    extra_formats : tuple of str
        Formats to write in addition to MP3 and ABC, from :data:`EXTRA_FORMATS`.
    file : Path, optional
        ABC, MIDI or MusicXML file, or recipe, to render instead of composing.
    endless : bool
        Whether songs are made without end; `songs` is then :data:`ENDLESS_SONGS`.
    until : float
        Time (seconds since 1970) when an endless order ends; 0 for none.
    keep_bytes : int
        Bytes that the songs of an endless order may take; 0 for any.

    Raises
    ------
    UsageError
        When a value is out of range, or a name is not valid Unicode.
    """

    request: SongRequest
    songs: int
    seed: int
    model: str
    temperature: float
    out: Path
    bitrate: int = 192
    extra_formats: tuple[str, ...] = ()
    file: Path | None = None
    endless: bool = False
    until: float = 0.0
    keep_bytes: int = 0

    def __post_init__(self) -> None:
        for name, value in (("model", self.model), ("--out", self.out), ("file", self.file or "")):
            if not is_unicode(str(value)) or "\0" in str(value):
                raise UsageError(
                    f"{name}: the name {str(value)[-60:]!a} is not valid Unicode; rename it"
                )
        if not 0 <= self.temperature <= 2:
            raise UsageError(f"temperature {self.temperature:g} is out of range: expected 0 to 2")
        if self.endless:
            object.__setattr__(self, "songs", ENDLESS_SONGS)
        elif self.until or self.keep_bytes:
            raise UsageError("--until and --keep are for --songs endless")
        elif not 1 <= self.songs <= MAX_SONGS:
            raise UsageError(f"{self.songs} songs are out of range: expected 1 to {MAX_SONGS:,}")
        if not 0 <= self.seed < MAX_SEED:
            raise UsageError(f"seed {self.seed} is out of range: expected 0 to {MAX_SEED - 1}")
        unknown = [name for name in self.extra_formats if name not in EXTRA_FORMATS]
        if unknown:
            raise UsageError(
                f'unknown format "{unknown[0][:20]}" in also: expected {", ".join(EXTRA_FORMATS)}'
            )

    @property
    def is_recipe(self) -> bool:
        """Whether `file` is the recipe of a song to render again."""
        return self.file is not None and self.file.suffix.lower() == RECIPE_SUFFIX

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON data."""
        return {
            "wishes": request_to_json(self.request),
            "songs": self.songs,
            "seed": self.seed,
            "model": self.model,
            "temperature": self.temperature,
            # The default folder moves with the program.
            "out": "" if self.out == paths.OUTPUT.absolute() else str(self.out),
            "bitrate": self.bitrate,
            "also": list(self.extra_formats),
            "file": str(self.file) if self.file else None,
            **({"endless": True} if self.endless else {}),
            **({"until": self.until} if self.until else {}),
            **({"keep": self.keep_bytes} if self.keep_bytes else {}),
        }


def order_from_json(data: Any) -> Order:
    """Parse an order from JSON data.

    Raises
    ------
    UsageError
        When the data are invalid.
    """
    try:
        file = data["file"]
        return Order(
            request_from_json(data["wishes"]),
            int(data["songs"]),
            int(data["seed"]),
            str(data["model"]),
            float(data["temperature"]),
            Path(data["out"]) if data["out"] else paths.OUTPUT.absolute(),
            int(data["bitrate"]),
            tuple(map(str, data["also"])),
            Path(file) if file else None,
            bool(data.get("endless", False)),
            float(data.get("until", 0.0)),
            int(data.get("keep", 0)),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UsageError("the stored order is damaged; order the songs again") from error


def parse_until(text: str, now: datetime) -> float:
    """Parse a clock time such as ``23:30``: the next time that it comes, in seconds since 1970.

    Raises
    ------
    UsageError
        When it is no time.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise UsageError(f'invalid time "{text[:20]}": expected one such as 23:30')
    time = now.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
    return (time if time > now else time + timedelta(days=1)).timestamp()


def parse_size(text: str) -> int:
    """Parse a number of bytes, such as ``5GB`` or ``500 MB``.

    Raises
    ------
    UsageError
        When it is none, or less than 10 MB.
    """
    match = _SIZE.fullmatch(text.strip())
    size = round(float(match[1]) * _SIZES[match[2].upper()]) if match else 0
    if size < _MIN_KEPT_BYTES:
        raise UsageError(f'invalid size "{text[:20]}": expected 10MB or more, such as 5GB')
    return size


def split_styles(text: str) -> list[str]:
    """Split the styles of several orders: ``Chill, Dubstep | Jazz`` is two orders."""
    return [part.strip() for part in text.split("|") if part.strip()] or [text]


def parse_formats(text: str) -> tuple[str, ...]:
    """Parse comma-separated names of extra formats."""
    return tuple(w.strip().lower() for w in text.split(",") if w.strip())
