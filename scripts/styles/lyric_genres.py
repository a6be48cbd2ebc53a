"""What a genre of lyrics means for the song: ``data/lyrics/genres.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scripts.core.toml import parse_tables


@dataclass(frozen=True)
class LyricGenre:
    """The styles of a song with such lyrics, and the family of progressions for its chords."""

    styles: tuple[str, ...]
    family: str


@lru_cache(maxsize=2)
def load_lyric_genres(path: Path) -> Mapping[str, LyricGenre]:
    """Read all genres.

    Raises
    ------
    UsageError
        If an entry is invalid; the message names the file and the line.
    """
    return parse_tables(
        path, lambda _, row: LyricGenre(tuple(map(str, row["styles"])), str(row["family"]))
    )
