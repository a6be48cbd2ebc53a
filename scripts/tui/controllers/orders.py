"""Controller of the orders: stores them, and changes them as keys are pressed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts.batch.order import Order
from scripts.batch.states import OrderState
from scripts.batch.store import OrderStore
from scripts.core import paths
from scripts.core.atomic_files import ensure_writable_folder
from scripts.core.errors import MusicGenError
from scripts.core.formatting import format_song_count
from scripts.llm.registry import find_model
from scripts.request.build import build_spec
from scripts.styles.style import Style, load_styles
from scripts.tui.screens.generate import selected_order
from scripts.tui.state import OrderView, State
from scripts.tui.supervisor import OrderSupervisor, count_unfinished_songs


class OrdersController:
    """Stores orders, and changes them as keys are pressed.

    Parameters
    ----------
    state : State
    on_song_finished, on_song_playable : callable
        As for :class:`OrderSupervisor`.
    """

    def __init__(
        self,
        state: State,
        on_song_finished: Callable[[Path, Path | None], None],
        on_song_playable: Callable[[Mapping[str, Any]], None] = lambda live: None,
    ) -> None:
        self.state = state
        self._cancelled_ids: list[int] = []  # of the orders that were cancelled last
        self._supervisor = OrderSupervisor(on_song_finished, on_song_playable, self._show)

    @cached_property
    def styles(self) -> dict[str, Style]:
        """Styles of the data folder, by name."""
        return load_styles(paths.DATA / "styles")

    @property
    def is_busy(self) -> bool:
        """Whether songs are being made."""
        return self._supervisor.is_busy

    @property
    def has_actionable_orders(self) -> bool:
        """Whether there are orders that commands apply to."""
        return any(order.is_actionable for order in self.state.orders)

    def load_previous_orders(self) -> None:
        """Show unfinished orders of earlier sessions, paused until the user resumes them."""
        with self._shown_errors():
            self._supervisor.load_previous_orders()

    def prepare(self) -> None:
        """Load the model and the renderer for the next order."""
        self._supervisor.prepare()

    def forget_prepared(self) -> None:
        """Unload what was loaded for the next order."""
        self._supervisor.forget_prepared()

    def update(self) -> None:
        """Bring the state up to date with the orders."""
        with self._shown_errors():
            self._supervisor.update()

    def close(self) -> None:
        """Stop making songs; the orders stay in the store."""
        self._supervisor.close()

    def _show(self, message: str) -> None:
        self.state.message = message

    @contextmanager
    def _shown_errors(self) -> Iterator[None]:
        """Show errors of the order store as the message, and the orders as they are now."""
        try:
            yield
        except MusicGenError as error:
            self._show(str(error))
        self.state.orders = self._supervisor.views
        self.state.unfinished_songs = (
            0 if self.is_busy else count_unfinished_songs(self.state.orders)
        )

    # -- keys ------------------------------------------------------------------------------

    def cancel_order(self) -> None:
        """Cancel the selected order, or else the latest unfinished one."""
        order = self._target_order()
        if order:
            self._cancel([order])

    def cancel_all_orders(self) -> None:
        """Cancel all unfinished orders."""
        self._cancel([order for order in self.state.orders if not order.done])

    def _cancel(self, orders: Sequence[OrderView]) -> None:
        for order in orders:
            self._set_state(order, OrderState.CANCELLED)
        if orders:
            self._cancelled_ids = [order.id for order in orders]
            what = f'"{orders[0].styles}"' if len(orders) == 1 else f"{len(orders)} orders"
            self._show(f"Cancelled {what}; Z makes the songs after all.")

    def undo_cancel(self) -> None:
        """Continue the orders that were cancelled last."""
        ids, self._cancelled_ids = self._cancelled_ids, []
        if not ids:
            self._show("There is nothing to undo.")
            return
        with self._shown_errors():
            self._supervisor.reopen(ids)
            self._show("Continued what was cancelled.")

    def toggle_order_pause(self) -> None:
        """Pause or resume the selected order."""
        order = self._target_order()
        if order and order.paused:
            self._set_state(order, OrderState.OPEN)
            self._start()
        elif order:
            self._set_state(order, OrderState.PAUSED)

    def resume_orders(self) -> None:
        """Resume all unfinished orders."""
        unfinished = [order for order in self.state.orders if not order.done]
        for order in unfinished:
            self._set_state(order, OrderState.OPEN)
        if unfinished:
            self._start()
        else:
            self._show("There are no unfinished orders.")

    def move_order_first(self) -> None:
        """Move the selected order to the front of the queue."""
        self._move_order("front", OrderStore.move_to_front)

    def move_order_last(self) -> None:
        """Move the selected order to the back of the queue."""
        self._move_order("back", OrderStore.move_to_back)

    def _move_order(self, place: str, move: Callable[[OrderStore, int], None]) -> None:
        order = self._target_order()
        if order:
            with self._shown_errors():
                move(self._supervisor.store, order.id)
                self._show(f'Moved "{order.styles}" to the {place} of the queue.')

    def retry_failed_songs(self) -> None:
        """Retry the failed songs of the selected order."""
        order = selected_order(self.state)
        if order is None:
            return
        with self._shown_errors():
            count = self._supervisor.retry_failed(order.id)
            self._show(
                f"Retrying {format_song_count(count)}."
                if count
                else "This order has no failed songs."
            )

    def select_order(self, offset: int) -> None:
        """Select the order `offset` places after the current one."""
        count = len(self.state.orders)
        if count:
            current = self.state.selected_index if self.state.selected_index >= 0 else count - 1
            self.state.selected_index = min(max(current + offset, 0), count - 1)

    def _target_order(self) -> OrderView | None:
        """The selected order; without a selection the one shown, or the latest unfinished one."""
        shown = selected_order(self.state)
        if shown and (not shown.done or self.state.selected_index >= 0):
            if shown.done:
                self._show(f'"{shown.styles}" has already ended.')
            return None if shown.done else shown
        return next((order for order in reversed(self.state.orders) if not order.done), None)

    def _set_state(self, order: OrderView, state: OrderState) -> None:
        with self._shown_errors():
            self._show("")  # about the previous state
            self._supervisor.set_state(order.id, state)

    def _start(self) -> None:
        with self._shown_errors():
            self._supervisor.start()

    def place(self, orders: Sequence[Order]) -> None:
        """Validate orders, add them to the store and start making them.

        Raises
        ------
        MusicGenError
            When an order is invalid, there is no model, or a folder cannot be written.
        """
        specs = [build_spec(order.request, self.styles, order.seed) for order in orders]
        for model in {order.model for order in orders}:
            find_model(model, paths.MODELS)
        for out in {order.out for order in orders}:
            ensure_writable_folder(out)
        stored = self._supervisor.place(orders, uuid.uuid4().hex)
        for order, spec in zip(stored, specs, strict=True):
            self._supervisor.add_notices(order.id, spec.warnings)
        self.state.selected_index = -1
        self.state.orders = self._supervisor.views
