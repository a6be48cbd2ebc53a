"""Interface of the executors, and the identifiers and events they share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, NamedTuple, Protocol

from scripts.core.allocator import reuse_freed_arrays
from scripts.production.render_job import RenderJob

MAX_WORKERS = 60  # Windows cannot wait for more than 63 handles at once


class SongId(NamedTuple):
    """Identifier of a song: the ID of its order, and its number in the order from 1."""

    order: int
    number: int


class ProgressEvent(NamedTuple):
    """Progress of a song: its stage, the fraction done (0 to 1) and the text so far."""

    song: SongId
    stage: str
    done: float
    text: str


class RenderExecutor(Protocol):
    """Renders songs in the background."""

    @property
    def workers(self) -> int:
        """Number of songs rendered at once."""

    @property
    def returns_bytes(self) -> bool:
        """Whether a result is a dict of file contents by suffix; otherwise the MP3's path."""

    def submit(self, job: RenderJob, song: SongId) -> Future[Any]:
        """Submit a song for rendering."""

    def events(self) -> Iterator[ProgressEvent]:
        """Yield the events since the last call."""

    def cancel(self, order: int) -> None:
        """Ask the songs of an order to stop soon."""

    def cancel_all(self) -> None:
        """Ask all songs to stop soon."""

    def stall_reason(self) -> str:
        """Return why no song can be rendered now; empty when rendering is possible."""

    def restart(self) -> None:
        """Restart after a process has crashed."""

    def close(self) -> None:
        """Wait for running renders, then release all resources."""


def default_workers() -> int:
    """Return the default number of songs to render at once: one per core."""
    return min(MAX_WORKERS, os.cpu_count() or 1)


def preload() -> None:
    """Import the renderer and its libraries and read its tables, which takes a second."""
    reuse_freed_arrays()
    import scripts.audio.streams  # noqa: F401  # which reads recordings; imports much
    from scripts.arranger.tables import load_arranger_tables
    from scripts.core import paths
    from scripts.production.render_song import load_tables

    load_tables()
    load_arranger_tables(paths.DATA)
