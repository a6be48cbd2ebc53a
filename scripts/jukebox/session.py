"""Jukebox session that survives restarts, stored in ``data/jukebox.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.core.atomic_files import write_text
from scripts.core.errors import StorageError
from scripts.jukebox.queue import REPEAT_MODES
from scripts.library.songs import parse_seconds

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
    position: float = 0.0
    order: tuple[str, ...] = ()
    repeat: str = "all"
    shuffle: bool = False
    playlist: str = ""


def load_session(path: Path) -> Session:
    """Load a session; missing or invalid values get their defaults."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Session()
    if not isinstance(data, dict):
        return Session()
    song, order, playlist = data.get("song"), data.get("order"), data.get("playlist")
    return Session(
        song if isinstance(song, str) else "",
        parse_seconds(data.get("position")),
        tuple(p for p in order if isinstance(p, str)) if isinstance(order, list) else (),
        data["repeat"] if data.get("repeat") in REPEAT_MODES else "all",
        data.get("shuffle") is True,
        playlist if isinstance(playlist, str) else "",
    )


def save_session(path: Path, session: Session) -> bool:
    """Save a session; False when the file cannot be written, which is no reason to stop."""
    data = asdict(session)
    data["order"] = data["order"][:_MAX_SONGS]
    try:
        write_text(path, json.dumps(data) + "\n", delays=())  # ASCII JSON: names may hold any bytes
    except StorageError:
        return False
    return True
