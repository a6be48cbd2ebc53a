"""Light shows as files: ``NAME.light.json`` beside a song."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from scripts.core.atomic_files import write_text
from scripts.core.errors import StorageError
from scripts.core.input_files import read_input
from scripts.core.json_fields import INVALID_DATA
from scripts.lights.show import LightShow

LIGHT_SUFFIX = ".light.json"
_MAX_BYTES = 64 << 20


def format_show(show: LightShow) -> str:
    """Convert to the text of a file."""
    return msgspec.json.encode(show).decode() + "\n"


def save_show(song: Path, show: LightShow) -> None:
    """Write the light show of a song that is still being rendered; without it there is no light."""
    with contextlib.suppress(StorageError):
        write_text(show_path(song), format_show(show))


def show_path(song: Path) -> Path:
    """Where the light show of a song is kept."""
    return song.with_name(f"{song.stem}{LIGHT_SUFFIX}")


def load_show(song: Path) -> LightShow | None:
    """Read the light show of a song; None if it has none or the file is damaged."""
    try:
        data = read_input(show_path(song), _MAX_BYTES)
        return msgspec.json.decode(data, type=LightShow)
    except (OSError, ValueError, *INVALID_DATA):
        return None
