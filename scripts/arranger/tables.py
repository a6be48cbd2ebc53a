"""The tables of the ``data`` folder that the arranger reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scripts.arranger.grooves import Groove, load_grooves
from scripts.arranger.patterns import Patterns, load_patterns
from scripts.arranger.playing import Playing, load_playing


def load_arranger_tables(
    data: Path,
) -> tuple[Patterns, Mapping[str, Groove], Mapping[str, Playing]]:
    """Read patterns, grooves learned from recordings, and ways of playing; once per folder.

    Raises
    ------
    UsageError
        If a file is invalid; the message names the file, the line and the problem.
    """
    return (
        load_patterns(data / "grooves"),
        load_grooves(data / "grooves" / "played.toml"),
        load_playing(data / "playing.toml"),
    )
