"""Outcomes of songs and orders: stored, logged and reported to the observer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from scripts.batch.executors.base import SongId
from scripts.batch.observer import BatchObserver
from scripts.batch.retry import MAX_FAILURES_IN_A_ROW, RetryPolicy
from scripts.batch.states import UNFINISHED_STATES, OrderState, StoredOrder
from scripts.batch.store import OrderStore
from scripts.core.errors import Cancelled, MusicGenError, StorageError
from scripts.core.log import loggable
from scripts.library.songs import Song

_log = logging.getLogger(__name__)


class BatchResults:
    """Records outcomes in the store and the log, and reports them.

    Parameters
    ----------
    store : OrderStore
    observer : BatchObserver
    cancelled : callable
        Whether the user has stopped the work.
    on_success : callable
        Called with each finished song and its path.

    Attributes
    ----------
    orders : dict of int to StoredOrder
        Orders seen so far by ID, finished ones included.
    failures : int
        Number of failed songs.
    storage_error : StorageError or None
        Error of the first folder that could not be written.
    """

    def __init__(
        self,
        store: OrderStore,
        observer: BatchObserver,
        cancelled: Callable[[], bool],
        on_success: Callable[[SongId, Path], None] = lambda song, path: None,
    ) -> None:
        self._on_success = on_success
        self.store, self.observer, self.cancelled = store, observer, cancelled
        self.orders: dict[int, StoredOrder] = {}
        self.retries = RetryPolicy()
        self.failures = 0
        self.storage_error: StorageError | None = None

    def raise_if_cancelled(self) -> None:
        """Raise :class:`Cancelled` when the user has stopped the work."""
        if self.cancelled():
            raise Cancelled("stopped")

    def order_state(self, song: SongId) -> OrderState:
        """Return the state of a song's order."""
        return self.store.get(song.order).state

    def record_success(self, song: SongId, finished_song: Song) -> None:
        """Record a song whose files have their final names."""
        self.store.save_done(song.order, song.number, finished_song.title)
        self.store.close_if_done(song.order)
        self.retries.record_success(song)
        self.observer.finished(self.orders[song.order], song.number, finished_song)
        self._on_success(song, finished_song.path)
        _log.info("order %d song %d: finished", *song)

    def record_failure(self, song: SongId, error: str | MusicGenError) -> None:
        """Record a failed song; stop its order after too many in a row."""
        reason = str(error)
        self.store.save_failed(song.order, song.number, reason)
        self.store.close_if_done(song.order)
        self.failures += 1
        _log.error("order %d song %d: failed: %s", *song, loggable(error))
        self.observer.failed(self.orders[song.order], song.number, reason)
        is_hopeless = self.retries.record_failure(song)
        order = self.store.get(song.order)
        if is_hopeless and order.state in (OrderState.OPEN, OrderState.PAUSED):
            self.store.set_state(order.id, OrderState.STOPPED, reason)
            _log.error("order %d: stopped after %d failures", order.id, MAX_FAILURES_IN_A_ROW)
            self.observer.notice(
                f'order {order.id} ("{order.order.request.label}") is stopped after '
                f"{MAX_FAILURES_IN_A_ROW} failures in a row; 'generate --resume' continues it",
                order,
            )

    def may_retry(self, song: SongId, error: MusicGenError) -> bool:
        """Whether a song is tried again after an error; reports the retry.

        Raises
        ------
        Cancelled
            When the user has stopped the work.
        """
        if self.cancelled():
            raise Cancelled("stopped") from error
        if not self.retries.may_retry(song, error):
            return False
        self.observer.notice(
            f"song number {song.number}: {error}; it is tried again", self.orders[song.order]
        )
        _log.warning("order %d song %d: tried again: %s", *song, loggable(error))
        return True

    def stop_folder_orders(self, order: StoredOrder, error: StorageError) -> None:
        """Stop all orders of a folder that cannot be written; the others continue."""
        self.storage_error = self.storage_error or error
        for other in self.store.get_many({order.id, *self.orders}):
            if other.order.out == order.order.out and other.state in UNFINISHED_STATES:
                self.store.set_state(other.id, OrderState.STOPPED, str(error))
                _log.error("order %d: stopped: %s", other.id, loggable(error))
