"""Jukebox session that survives restarts, stored in ``data/jukebox.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from scripts.core.atomic_files import write_text
from scripts.core.errors import StorageError
from scripts.core.input_files import read_input_text
from scripts.core.json_fields import convert_valid_fields
from scripts.jukebox.queue import RepeatMode

_MAX_BYTES = 16 << 20  # of the session file
_MAX_SONGS = 20_000  # songs whose order is saved


@dataclass(frozen=True)
class Session:
    """Saved state of the jukebox.

    Parameters
    ----------
    song : str
        Path of the current file; empty for none.
    position : float
        Seconds.
    order : tuple of str
        Paths in playing order.
    repeat : str
        ``all``, ``one`` or ``off``.
    shuffle : bool
    playlist : str
        Playlist name or query being played; empty for all songs.
    """

    song: str = ""
    position: Annotated[float, Meta(ge=0, le=1e7)] = 0.0
    order: tuple[str, ...] = ()
    repeat: RepeatMode = "all"
    shuffle: bool = False
    playlist: str = ""


def load_session(path: Path) -> Session:
    """Load a session; missing or invalid values get their defaults."""
    try:
        data = json.loads(read_input_text(path, _MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return Session()
    return convert_valid_fields(data, Session)


def save_session(path: Path, session: Session) -> bool:
    """Save a session; False when the file cannot be written, which is no reason to stop."""
    data = asdict(session)
    data["order"] = data["order"][:_MAX_SONGS]
    try:
        # ASCII JSON: names may hold any bytes.
        write_text(path, json.dumps(data) + "\n", delays=(), private=True)
    except StorageError:
        return False
    return True
