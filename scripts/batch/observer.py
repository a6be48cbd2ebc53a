"""What follows the progress of a batch: the command line, a test."""

from __future__ import annotations

from typing import Protocol

from scripts.batch.store import StoredOrder
from scripts.library.songs import Song


class BatchObserver(Protocol):
    """Receives the events of a batch. Songs are numbered from 1."""

    def set_total(self, songs: int) -> None:
        """Number of songs to be made, as far as is known."""

    def notice(self, text: str, order: StoredOrder | None = None) -> None:
        """Something the user should know, of an order or of all: a guess, a retry."""

    def progress(self, order: StoredOrder, number: int, stage: str, done: float, text: str) -> None:
        """A stage of :data:`scripts.core.stages.STAGES` is `done` (0 to 1)."""

    def finished(self, order: StoredOrder, number: int, song: Song) -> None:
        """A song's files have their final names."""

    def failed(self, order: StoredOrder, number: int, reason: str) -> None:
        """A song could not be made."""
