"""Which SoundFont the user has put in ``data/soundfonts/``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

SUFFIXES = (".sf2", ".sf3")
INSTALL = "python -m pip install --no-deps tinysoundfont==0.3.7"


def find_soundfont(folder: Path) -> tuple[Path | None, str]:
    """The SoundFont of `folder` to play with, and a note for the user; the first by name."""
    found = (
        sorted(p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES)
        if folder.is_dir()
        else []
    )
    if not found:
        return None, ""
    if find_spec("tinysoundfont") is None:
        return None, (f"{found[0].name} is not used: in the program's environment, {INSTALL}")
    return found[0], f"instruments from {found[0].name}"
