"""Finds the user's SoundFont in ``data/soundfonts/``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

SOUNDFONT_SUFFIXES = (".sf2", ".sf3")
INSTALL_COMMAND = "python -m pip install --no-deps tinysoundfont==0.3.7"


def find_soundfont(folder: Path) -> tuple[Path | None, str]:
    """Find the first SoundFont (by file name) of `folder`.

    Returns
    -------
    tuple of (Path or None, str)
        The file, None if there is none or tinysoundfont is not installed; and a message for the
        user, empty if there is nothing to say.
    """
    found = (
        sorted(p for p in folder.glob("*") if p.suffix.lower() in SOUNDFONT_SUFFIXES)
        if folder.is_dir()
        else []
    )
    if not found:
        return None, ""
    if find_spec("tinysoundfont") is None:
        return None, (f"not using {found[0].name}: install tinysoundfont first: {INSTALL_COMMAND}")
    return found[0], f"using instruments from {found[0].name}"
