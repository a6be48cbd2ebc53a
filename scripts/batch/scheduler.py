"""Schedules a batch: composes the next song while finished sheets are rendered."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from pathlib import Path

from scripts.batch.background_composer import BackgroundComposer
from scripts.batch.claims import Claims
from scripts.batch.composing import ComposingService
from scripts.batch.endless import EndlessOrders
from scripts.batch.executors.base import RenderExecutor, SongId
from scripts.batch.observer import BatchObserver
from scripts.batch.rendering import RenderQueue
from scripts.batch.results import BatchResults
from scripts.batch.states import OrderState, StoredOrder
from scripts.batch.store import OrderStore
from scripts.core.errors import Cancelled, StorageError
from scripts.core.file_lock import FileLock
from scripts.core.stages import LIVE_STAGE
from scripts.library.songs import read_song
from scripts.production.render_job import OutputFolders

_POLL_INTERVAL = 0.02  # seconds between checks of running work
_PAUSED_POLL_INTERVAL = 0.5  # seconds between checks while all orders are paused
_log = logging.getLogger(__name__)


class BatchScheduler:
    """Makes the songs of orders until all are finished or the user stops it.

    The calling thread owns the store and schedules; a second thread waits for the model, and
    `executor` renders. Memory use is independent of the number of songs: at most
    ``2 * workers + 1`` composed songs are queued, the others are only in the store.

    Parameters
    ----------
    store : OrderStore
    composing : ComposingService
    executor : RenderExecutor
    observer : BatchObserver
    cancelled : callable
        Whether the user has stopped the work.
    stop : Event
        Set when the work ends early; `composing` watches it too.
    endless : EndlessOrders
    batch : str, optional
        The batch to work on; by default all open orders, including those added meanwhile.
    lock : FileLock, optional
        Claim of that batch.
    submitted : sequence of int
        IDs of orders to pause when the user stops the work, even before they are started.
    live : Path, optional
        Folder for the audio of the first song of each order while it is rendered.
    """

    def __init__(
        self,
        store: OrderStore,
        composing: ComposingService,
        executor: RenderExecutor,
        observer: BatchObserver,
        cancelled: Callable[[], bool],
        stop: threading.Event,
        endless: EndlessOrders,
        batch: str = "",
        lock: FileLock | None = None,
        submitted: Sequence[int] = (),
        live: Path | None = None,
    ) -> None:
        self._store, self._executor, self._stop = store, executor, stop
        self._observer, self._cancelled, self._endless = observer, cancelled, endless
        self._batch, self._submitted_ids = batch, frozenset(submitted)
        self._claims = Claims(store.path)
        self._claims.add(batch, lock)
        self._results = BatchResults(store, observer, cancelled, self._record_endless_song)
        self._queue = RenderQueue(executor, self._results, live)
        self._composer = BackgroundComposer(composing, self._results, self._queue)
        self._active_ids: set[int] = set()
        self._open_orders: list[StoredOrder] = []  # of the active ones, the next first
        self._change_token: object = None
        self._stall_reason = ""

    def run(self) -> int:
        """Compose and render the songs.

        Returns
        -------
        int
            Number of failed songs.

        Raises
        ------
        Cancelled
            When the user stopped it; ``generate --resume`` continues it.
        StorageError
            When the disk is full or cannot be written.
        """
        try:
            while self._step():
                pass
        except BaseException as error:
            self._stop.set()
            self._executor.cancel_all()
            if isinstance(error, (Cancelled, KeyboardInterrupt)):
                self._pause_all()  # or another program would take them over
            raise
        finally:
            with contextlib.suppress(StorageError):  # reported already, or raised again
                self._shut_down()
        stopped_by = self._results.storage_error
        if stopped_by:
            raise type(stopped_by)(f"{stopped_by}; then run 'generate --resume'")
        return self._results.failures

    def _step(self) -> bool:
        """Start possible work, wait briefly, and collect results; False when all is done."""
        self._results.raise_if_cancelled()
        self._claim_orders()
        self._compose_next()
        self._queue.submit()
        composing = self._composer.future
        running = [*self._queue.running, *([composing] if composing else [])]
        if not running:
            return self._wait_for_orders()
        done, _ = wait(running, _POLL_INTERVAL, FIRST_COMPLETED)
        self._report_stall(self._executor.stall_reason())
        self._forward_events()
        for future in done:
            if future is self._composer.future:
                self._composer.collect()
            elif future in self._queue.running:
                self._queue.collect(future)
        return True

    def _compose_next(self) -> None:
        """Start the next composition, unless enough composed songs are queued."""
        waiting = self._queue.count_waiting({order.id for order in self._open_orders})
        if self._composer.future or waiting > 2 * self._executor.workers:
            return
        # Orders with an end come first, and those without take turns.
        by_turn = sorted(
            self._open_orders,
            key=lambda o: (o.order.endless, o.order.endless and self._endless.count_songs(o.id)),
        )
        for order in by_turn:
            in_progress = self._queue.count_in_progress(order.id)
            if not self._endless.may_compose(order.id, order.order, in_progress):
                continue
            found = self._store.next_song(order.id, order.order.songs)
            if found is not None:
                number, retries = found
                self._composer.start(SongId(order.id, number), retries)
                return

    def _wait_for_orders(self) -> bool:
        """Wait while all orders are paused; False when nothing is left to do."""
        states = self._store.states()
        paused = sorted(n for n in self._active_ids if states.get(n) == OrderState.PAUSED)
        if paused:
            self._report_stall(
                f"order {paused[0]} is paused; 'jobs continue {paused[0]}' continues it"
            )
            time.sleep(_PAUSED_POLL_INTERVAL)
            return True
        endless = [order for order in self._open_orders if order.order.endless]
        for order in endless:
            if self._endless.is_over(order.order):
                self._store.set_state(order.id, OrderState.DONE)
                _log.info("order %d: ended at its time", order.id)
        if endless:  # until more songs are played
            time.sleep(_PAUSED_POLL_INTERVAL)
            return True
        if self._queue.has_waiting:
            time.sleep(_POLL_INTERVAL)
        return self._queue.has_waiting

    def _report_stall(self, reason: str) -> None:
        """Report once why no work can continue."""
        if reason and reason != self._stall_reason:
            self._observer.notice(reason)
            _log.info("waiting: %s", reason)
        self._stall_reason = reason

    def _forward_events(self) -> None:
        """Forward progress events to the observer."""
        orders = self._results.orders
        for song, stage, done, text in [*self._composer.events(), *self._executor.events()]:
            if song.order in orders and stage == LIVE_STAGE:
                self._observer.playable(orders[song.order], song.number, json.loads(text))
            elif song.order in orders:
                self._observer.progress(orders[song.order], song.number, stage, done, text)

    # -- orders ----------------------------------------------------------------------------

    def _claim_orders(self) -> None:
        """Claim and start the orders that no other program has claimed."""
        token = self._store.change_token()
        if token == self._change_token and not self._claims.claimed_elsewhere:
            self._drop_closed_orders()
            return
        self._change_token = token
        found = [
            order
            for order in self._store.orders((OrderState.OPEN, OrderState.PAUSED))
            if not self._batch or order.batch == self._batch
        ]
        folders = OutputFolders(self._cancelled)
        for order in found:
            if not self._claim(order):
                continue
            self._results.orders[order.id] = order
            if order.id not in self._active_ids:
                self._start_order(order, folders)
            elif order.composed > sum(song.order == order.id for song in self._queue):
                self._load_composed(order.id)  # failed songs to render again
        self._open_orders = [
            o for o in found if o.id in self._active_ids and o.state == OrderState.OPEN
        ]
        self._drop_closed_orders()

    def _claim(self, order: StoredOrder) -> bool:
        if order.batch in self._claims:
            return True
        if order.state == OrderState.PAUSED and not self._batch:
            return False  # until the user continues it
        is_known = order.batch in self._claims.claimed_elsewhere
        is_claimed = self._claims.claim(order.batch)
        if not is_claimed and not is_known:
            self._observer.notice(f"order {order.id} is being made by another program")
            _log.info("order %d: claimed by another program", order.id)
        return is_claimed

    def _start_order(self, order: StoredOrder, folders: OutputFolders) -> None:
        """Start an order, or continue it with the songs that an earlier run left."""
        self._active_ids.add(order.id)
        self._results.retries.reset_order(order.id)
        # A store that is not persistent knows no songs of earlier runs.
        may_exist = bool(order.started) or not self._store.is_persistent
        try:
            finished = folders.finished_songs(order.order.out, order.uid, may_exist)
        except StorageError as error:
            self._results.stop_folder_orders(order, error)
            return
        if order.order.endless:
            self._endless.add_songs(order.id, [finished[n] for n in sorted(finished)])
        for number, path in finished.items():
            self._store.save_done(order.id, number, read_song(path).title)
        self._load_composed(order.id)
        self._store.close_if_done(order.id)
        _log.info(
            "order %d: started: %d of %d songs exist", order.id, len(finished), order.order.songs
        )

    def _record_endless_song(self, song: SongId, path: Path) -> None:
        """Count a finished song of an endless order, and keep its songs within their bound."""
        order = self._results.orders[song.order].order
        if not order.endless:
            return
        self._endless.add_songs(song.order, [path])
        moved = self._endless.keep_within_bound(song.order, order)
        if moved:
            self._observer.notice(f"moved to the bin, to keep within --keep: {', '.join(moved)}")

    def _load_composed(self, order_id: int) -> None:
        """Queue the composed songs of an order for rendering."""
        present = set(self._queue)
        for number, recipe in self._store.composed_songs(order_id):
            song = SongId(order_id, number)
            if song not in present:
                self._queue.add(song, recipe)

    def _drop_closed_orders(self) -> None:
        """Drop orders that were cancelled or stopped."""
        composing = self._composer.song
        busy = self._queue.running_orders() | ({composing.order} if composing else set())
        states = self._store.states()
        for order_id in list(self._active_ids):
            state = states.get(order_id, OrderState.CANCELLED)
            if state == OrderState.CANCELLED and order_id in busy:
                self._executor.cancel(order_id)
                if composing and composing.order == order_id:
                    self._composer.cancel()
            elif state not in (OrderState.OPEN, OrderState.PAUSED) and order_id not in busy:
                self._queue.drop_order(order_id)
                self._active_ids.discard(order_id)
                _log.info("order %d: %s", order_id, state)
        needed = {self._results.orders[order_id].batch for order_id in self._active_ids}
        self._claims.release_except({*needed, self._batch})

    def _pause_all(self) -> None:
        """Pause the orders until the user continues them."""
        with contextlib.suppress(StorageError):
            for order in self._store.orders((OrderState.OPEN,)):
                if order.id in self._active_ids | self._submitted_ids:
                    self._store.set_state(order.id, OrderState.PAUSED)
                    _log.info("order %d: paused: the program was stopped", order.id)

    def _shut_down(self) -> None:
        """Wait for running work, record its results and release the claims."""
        self._composer.shut_down()
        self._queue.shut_down()
        self._claims.release_except(())
