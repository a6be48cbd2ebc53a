"""Supervisor of the menu's orders: the order store says how far they are, a child makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.batch.claims import is_unclaimed
from scripts.batch.order import Order
from scripts.batch.states import OrderState, StoredOrder
from scripts.batch.store import OrderStore
from scripts.core import paths
from scripts.core.errors import StorageError
from scripts.tui.generate_process import GenerateProcess
from scripts.tui.order_progress import LiveProgress
from scripts.tui.state import OrderView

_LOCK_TIMEOUT = 1.0  # seconds to wait while another process locks the store
_MAX_CRASHES = 3  # consecutive crashes of the child process before its orders are paused
_TITLES_SHOWN = 5
_MAX_FAILED_SHOWN = 10  # latest orders with failed songs shown after a start


class OrderSupervisor:
    """Follows orders in the store and keeps a child process working on them.

    Parameters
    ----------
    on_song_finished : callable
        Called with the path of each finished song, and with the file under which it could be
        played before, or None.
    on_song_playable : callable
        Called with the details of a song that can be played while it is rendered.
    show_message : callable
        Called with a line for the user.

    Attributes
    ----------
    views : list of OrderView
        The followed orders, as the screens show them.
    """

    def __init__(
        self,
        on_song_finished: Callable[[Path, Path | None], None],
        on_song_playable: Callable[[Mapping[str, Any]], None],
        show_message: Callable[[str], None],
    ) -> None:
        self._on_song_finished, self._show_message = on_song_finished, show_message
        self._on_song_playable = on_song_playable
        self._playable_files: dict[tuple[int, int], Path] = {}  # by order ID and number of the song
        self._opened_store: OrderStore | None = None
        self._process: GenerateProcess | None = None
        self._waiting_process: GenerateProcess | None = None  # loaded, for the next order
        self._live: dict[int, LiveProgress] = {}  # by order ID
        self._stored: dict[int, StoredOrder] = {}
        # Latest titles and failures of each order, read when it has changed.
        self._details: dict[int, tuple[list[str], list[tuple[int, str]]]] = {}
        self._change_token: object = None
        self._crashes = 0
        self.views: list[OrderView] = []

    @property
    def store(self) -> OrderStore:
        """Order store, opened on first use."""
        if self._opened_store is None:
            self._opened_store = OrderStore(paths.ORDERS, _LOCK_TIMEOUT)
            if self._opened_store.notice:
                self._show_message(self._opened_store.notice)
        return self._opened_store

    @property
    def is_busy(self) -> bool:
        """Whether songs are being made."""
        return self._process is not None and any(
            view.songs_in_progress or not (view.done or view.paused) for view in self.views
        )

    def load_previous_orders(self) -> None:
        """Follow unfinished orders of earlier sessions, paused until the user resumes them."""
        if not paths.ORDERS.exists():
            return
        with_failures = [o for o in self.store.orders((OrderState.DONE,)) if o.failed]
        for order in with_failures[-_MAX_FAILED_SHOWN:]:
            self._follow(order)
        for order in self.store.orders():
            if is_unclaimed(paths.ORDERS, order.batch):
                self._follow(order)
                self.store.set_state(order.id, OrderState.PAUSED, order.reason)
        self.refresh()

    def place(self, orders: Sequence[Order], batch: str) -> list[StoredOrder]:
        """Store orders and start making them; orders that are over are no longer followed.

        Raises
        ------
        StorageError
            When orders cannot be stored.
        """
        self.store.raise_if_newer()
        if not self.store.is_persistent:
            raise StorageError(
                f"cannot save orders in {paths.ORDERS.parent}: "
                "check the folder's permissions, or free some space"
            )
        actionable = {view.id for view in self.views if view.is_actionable}
        self._live = {n: live for n, live in self._live.items() if n in actionable}
        stored = self.store.add_batch(orders, batch)
        for order in stored:
            self._follow(order)
        self.start()
        return stored

    def add_notices(self, order_id: int, notices: Sequence[str]) -> None:
        """Show notices with an order."""
        self._live[order_id].notices += notices
        self._build_views()

    def set_state(self, order_id: int, state: OrderState) -> None:
        """Change the state of an order."""
        self.store.set_state(order_id, state)
        self.refresh()

    def reopen(self, order_ids: Sequence[int]) -> None:
        """Continue orders that were cancelled."""
        for order_id in order_ids:
            self.store.reopen(order_id)
        self.refresh()
        self.start()

    def retry_failed(self, order_id: int) -> int:
        """Retry the failed songs of an order; how many there are."""
        count = self.store.retry_failed(order_id)
        if count:
            self._follow(self.store.get(order_id))
            self.start()
        return count

    def start(self, after_crash: bool = False) -> None:
        """Start the child process unless it runs; `after_crash` keeps the crash count."""
        if not after_crash:
            self._crashes = 0
        if self._process is None:
            self._process = self._waiting_process or GenerateProcess()
            if self._waiting_process:
                self._waiting_process.begin()
                self._waiting_process = None
        self._change_token = None  # open orders are no longer idle
        self.refresh()

    def prepare(self) -> None:
        """Start a child process that waits for the next order, so that it begins at once."""
        if self._process is None and self._waiting_process is None:
            self._waiting_process = GenerateProcess(waits=True)

    def forget_prepared(self) -> None:
        """Stop a child process that waits, as when the settings that it has read changed."""
        if self._waiting_process:
            self._waiting_process.release()
            self._waiting_process = None

    def update(self) -> None:
        """Apply the events of the child process, and changes of the order store."""
        process = self._process
        if process is not None:
            events = process.read_events()
            for message in events:
                self._apply_event(message)
            if process.ended:
                self._handle_process_end(process)
            elif events:
                self._build_views()
        if self._live:
            self.refresh()

    def refresh(self) -> None:
        """Read the followed orders when any process has changed the store."""
        token = self.store.change_token()
        if token != self._change_token:
            self._change_token = token
            for order in self.store.get_many(self._live):
                if order != self._stored.get(order.id) or order.id not in self._details:
                    titles = self.store.latest_titles(order.id, _TITLES_SHOWN)
                    self._details[order.id] = titles, self.store.failures(order.id)
                self._stored[order.id] = order
            self._build_views()

    def close(self) -> None:
        """Stop the child process and wait for it; the orders stay in the store."""
        self.forget_prepared()
        if self._process:
            self._process.stop()
            self._process = None
        if self._opened_store:
            self._opened_store.close()

    def _follow(self, order: StoredOrder) -> None:
        notices = self._live[order.id].notices if order.id in self._live else []
        self._live[order.id] = LiveProgress(order.done, notices=notices)
        self._stored[order.id] = order
        self._details.pop(order.id, None)
        self._change_token = None

    def _build_views(self) -> None:
        self.views = []
        for order_id, live in self._live.items():
            order = self._stored[order_id]
            titles, failures = self._details.get(order_id, ((), ()))
            is_idle = (
                order.state == OrderState.OPEN
                and self._process is None
                and is_unclaimed(paths.ORDERS, order.batch)
            )
            self.views.append(live.view(order, titles, failures, is_idle))

    def _apply_event(self, message: dict[str, Any]) -> None:
        event, order_id = message.get("event"), message.get("order")
        if isinstance(order_id, int) and order_id not in self._live:
            self._follow(self.store.get(order_id))  # placed elsewhere and taken over
        live = self._live.get(order_id) if isinstance(order_id, int) else None
        if event == "note" and live:
            live.notices.append(str(message["text"]))
        elif event == "note":
            self._show_message(str(message["text"]))
        elif live and event in ("progress", "song", "failed"):
            live.apply_event(message)
        if event == "live" and isinstance(order_id, int):
            self._playable_files[order_id, int(message["song"])] = Path(str(message["path"]))
            self._on_song_playable(message)
        if event == "song":
            self._crashes = 0
            live_file = self._playable_files.pop(
                (int(message["order"]), int(message["song"])), None
            )
            self._on_song_finished(Path(str(message["path"])), live_file)

    def _handle_process_end(self, process: GenerateProcess) -> None:
        """Handle the end of the child process: all done, a crash, or an error."""
        failure, crashed = process.failure_message(), process.crashed
        self._process = None
        for live in self._live.values():
            live.stages_by_song.clear()
        self._change_token = None
        self.refresh()
        waiting = [n for n in self._live if self._stored[n].state == OrderState.OPEN]
        if not waiting:
            return
        self._crashes += crashed
        if crashed and self._crashes < _MAX_CRASHES:
            self._show_message(f"The composing process crashed ({failure}); restarting it.")
            self.start(after_crash=True)
        elif failure:
            if crashed:
                self._show_message(f"The composing process crashed {self._crashes} times.")
            for order_id in waiting:
                self.store.set_state(order_id, OrderState.PAUSED, failure)
            self.refresh()
        elif process.saw_orders:
            self.start()  # an order was added while it was shutting down
        else:  # another process has claimed them
            for order_id in waiting:
                self.add_notices(order_id, ["Another process is working on this order."])


def count_unfinished_songs(views: Sequence[OrderView]) -> int:
    """Count the songs of unfinished orders that are still to be made; an endless order as one."""
    return sum(
        1 if view.endless else view.songs - view.finished_count - view.failed
        for view in views
        if not view.done
    )
