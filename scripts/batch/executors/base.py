"""What the scheduler needs of an executor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, NamedTuple, Protocol

from scripts.production.render_job import RenderJob

MAX_WORKERS = 60  # Windows cannot wait for more than 63 handles at once


class SongId(NamedTuple):
    """A song of a batch: its order's ID and its number in the order, from 1."""

    order: int
    number: int


class ProgressEvent(NamedTuple):
    """Progress of one song: the stage, the fraction done (0 to 1), and the text so far."""

    song: SongId
    stage: str
    done: float
    text: str


class RenderExecutor(Protocol):
    """Renders songs in the background."""

    @property
    def workers(self) -> int:
        """Songs that are rendered at once."""

    @property
    def returns_bytes(self) -> bool:
        """Whether results are the files' content; otherwise the path of the MP3."""

    def submit(self, job: RenderJob, song: SongId) -> Future[Any]:
        """Start rendering a song."""

    def events(self) -> Iterator[ProgressEvent]:
        """Yield the events since the last call."""

    def cancel(self, order: int) -> None:
        """Ask the songs of an order to stop soon."""

    def cancel_all(self) -> None:
        """Ask all songs to stop soon."""

    def stall_reason(self) -> str:
        """Return what all songs wait for; empty when they do not wait."""

    def restart(self) -> None:
        """Start anew after a process has died."""

    def close(self) -> None:
        """Wait for the songs being rendered, then release everything."""


def default_workers() -> int:
    """Return the number of songs to render at once: one per core."""
    return min(MAX_WORKERS, os.cpu_count() or 1)


def preload() -> None:
    """Import what renders and encodes, which takes a second."""
    import scripts.production.render_song  # noqa: F401
