"""What the jukebox takes up again after a restart: ``data/jukebox.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.core.atomic_files import write_text
from scripts.core.errors import StorageError
from scripts.jukebox.queue import REPEATS
from scripts.library.songs import seconds_in

_MOST = 20_000  # songs whose order is kept


@dataclass(frozen=True)
class Session:
    """Where the listener was.

    Parameters
    ----------
    song : str
        The file that played; empty for none.
    position : float
        Seconds.
    order : tuple of str
        Files in playing order.
    repeat : str
    shuffle : bool
    playlist : str
        Name or query of what is listened to; empty for all songs.
    """

    song: str = ""
    position: float = 0.0
    order: tuple[str, ...] = ()
    repeat: str = "all"
    shuffle: bool = False
    playlist: str = ""


def load_session(path: Path) -> Session:
    """The session kept in `path`; what is damaged in it is left out."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Session()
    if not isinstance(data, dict):
        return Session()
    song, order, playlist = data.get("song"), data.get("order"), data.get("playlist")
    return Session(
        song if isinstance(song, str) else "",
        seconds_in(data.get("position")),
        tuple(p for p in order if isinstance(p, str)) if isinstance(order, list) else (),
        data["repeat"] if data.get("repeat") in REPEATS else "all",
        data.get("shuffle") is True,
        playlist if isinstance(playlist, str) else "",
    )


def save_session(path: Path, session: Session) -> bool:
    """Write it; False when that cannot be done, which nobody needs to be told twice."""
    data = asdict(session)
    data["order"] = data["order"][:_MOST]
    try:
        write_text(path, json.dumps(data) + "\n", waits=())  # names may hold any bytes
    except StorageError:
        return False
    return True
