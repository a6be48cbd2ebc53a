"""Interface for following the progress of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from scripts.batch.states import StoredOrder
from scripts.library.songs import Song


class BatchObserver(Protocol):
    """Receives the events of a batch. Song numbers start at 1."""

    def set_total(self, songs: int) -> None:
        """Called with the number of songs to make, once it is known."""

    def notice(self, text: str, order: StoredOrder | None = None) -> None:
        """Called with a message for the user, about one order or all: a warning, a retry."""

    def progress(self, order: StoredOrder, number: int, stage: str, done: float, text: str) -> None:
        """Called when a stage (one of :data:`~scripts.core.stages.STAGES`) is `done` (0 to 1)."""

    def playable(self, order: StoredOrder, number: int, live: Mapping[str, Any]) -> None:
        """Called when a song that is being rendered can be played: its file and details."""

    def finished(self, order: StoredOrder, number: int, song: Song) -> None:
        """Called when the files of a song have their final names."""

    def failed(self, order: StoredOrder, number: int, reason: str) -> None:
        """Called when a song could not be made."""
