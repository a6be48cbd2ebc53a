"""Controller of the Generate Music screen: places and changes orders."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from scripts.batch.order import Order
from scripts.batch.order_file import read_order_file
from scripts.batch.states import OrderState
from scripts.batch.store import OrderStore
from scripts.core import paths
from scripts.core.atomic_files import ensure_writable_folder
from scripts.core.errors import MusicGenError, UsageError
from scripts.core.formatting import format_song_count
from scripts.llm.registry import find_model
from scripts.request.build import build_spec
from scripts.request.interpret.counts import ENDLESS
from scripts.request.request import MAX_SONGS, SongRequest
from scripts.styles.style import Style
from scripts.tui.controllers.pending_order import PendingOrder
from scripts.tui.controllers.wishes import (
    apply_order_wishes,
    build_request,
    load_wish_sets,
    save_wish_set,
    set_wish,
    wished_seed,
)
from scripts.tui.line_editor import replace_line
from scripts.tui.screens.generate import QUESTIONS, selected_order
from scripts.tui.state import CONFIRM, GENERATE, WISHES, Field, OrderView, State
from scripts.tui.supervisor import OrderSupervisor, count_unfinished_songs

# A file dropped on the window has quotes.
ORDER_FILE_SUFFIXES = (".csv", ".json", '.csv"', '.json"')
_MAX_SUGGESTIONS = 8  # completions of a style
_LONG_SECONDS = 30 * 60  # songs longer than this are confirmed once more


class OrdersController:
    """Places orders, and changes them as keys are pressed.

    Parameters
    ----------
    state : State
    on_song_finished : callable
        Called with the path of each finished song.
    on_preview : callable
        Called with the path of a preview to play, and with None to stop it.
    """

    def __init__(
        self,
        state: State,
        on_song_finished: Callable[[Path], None],
        on_preview: Callable[[Path | None], None] = lambda path: None,
    ) -> None:
        self.state = state
        self._cancelled_ids: list[int] = []  # of the orders that were cancelled last
        self.pending = PendingOrder(state, self._show, on_preview)
        self._supervisor = OrderSupervisor(on_song_finished, self._show)

    @property
    def styles(self) -> Mapping[str, Style]:
        """Styles of the data folder, by name."""
        return self.pending.interpreter.styles

    @cached_property
    def _style_words(self) -> list[str]:
        """All names and aliases of styles, sorted."""
        words = {*self.styles, *(w for s in self.styles.values() for w in s.words)}
        return sorted(w for w in words if w.isprintable())

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

    def update(self) -> None:
        """Bring the state up to date with the orders."""
        self.pending.update()
        with self._shown_errors():
            self._supervisor.update()

    def close(self) -> None:
        """Stop making songs; the orders stay in the store."""
        self.pending.close()
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

    def ask_styles(self) -> None:
        """Ask for the styles of the next order."""
        self.pending.clear()
        self.state.answers = {}
        self.state.field = Field(QUESTIONS["styles"], "styles")
        self.pending.interpreter.start()

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

    # -- answers ---------------------------------------------------------------------------

    def suggest_styles(self, field: Field) -> None:
        """Suggest completions of the last style typed."""
        if field.name == "styles":
            word = re.split(r"[,|]", field.text)[-1].strip().casefold()
            found = [w for w in self._style_words if word and w.startswith(word) and w != word]
            field.suggestions = tuple(found[:_MAX_SUGGESTIONS])
            field.selected = 0

    def complete_style(self, field: Field) -> None:
        """Replace the last style typed by the first suggestion; the next time, by the next."""
        if field.name == "styles" and field.suggestions:
            before = field.text[: len(field.text) - len(re.split(r"[,|]", field.text)[-1])]
            chosen = field.suggestions[field.selected % len(field.suggestions)]
            replace_line(field, (f"{before} " if before else "") + chosen.title())
            field.selected += 1

    def submit_answer(self, field: Field, text: str) -> None:
        """Apply an answer and ask the next question.

        Raises
        ------
        MusicGenError
            When the answer is invalid or the order cannot be placed; the question stays open.
        """
        if field.name == "styles" and text.lower().endswith(ORDER_FILE_SUFFIXES):
            self._place_orders_from_file(Path(text.strip('"')))
        elif field.name == "styles":
            self.state.answers = {"styles": text}
            said = self.pending.understand(text)
            if said:
                self.submit_answer(Field("", "songs"), said)
            else:
                self.state.field = Field(QUESTIONS["songs"], "songs")
        elif field.name == "songs":
            if text.casefold() != ENDLESS and (
                not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_SONGS
            ):
                raise UsageError(
                    f"Please type a number from 1 to {MAX_SONGS:,}, or E for songs without end."
                )
            self.state.answers["songs"] = text.casefold()
            self.state.field = None
            self.state.screen = CONFIRM
            self.pending.show_plan()
        elif field.name == "save wishes":
            save_wish_set(self.state, text)
            self.state.field = None
        elif field.name == "load wishes":
            chosen = field.suggestions[field.selected] if field.suggestions else text
            self._load_wishes(chosen)
        else:
            set_wish(self.state, field.name.removeprefix("wish "), text, self.styles)
            self.state.field = None

    def _load_wishes(self, name: str) -> None:
        """Replace the wishes by a set that was saved."""
        found = load_wish_sets().get(name)
        if found is None:
            raise UsageError(f'There are no wishes "{name[:40]}".')
        self.state.wishes = dict(found)
        self.state.field = None
        self.state.message = f'Wishes "{name}".'

    # -- the order that is about to be placed ------------------------------------------------

    def confirm_order(self) -> None:
        """Place the order that is shown; a very long one only at the second time."""
        if question := self.pending.ask_about_length():
            self._show(question)
            return
        self.pending.stop_preview()
        try:
            self._store_orders(self.pending.build_orders(self._build_order))
        except MusicGenError as error:
            self._show(str(error))
            return
        self.pending.clear()
        self.state.screen = GENERATE

    def edit_order(self) -> None:
        """Show the wishes, to change what was understood."""
        self.state.screen = WISHES

    def leave_order(self) -> None:
        """Go back to the question how many songs."""
        self.pending.stop_preview()
        self.state.screen = GENERATE
        songs = self.state.answers.pop("songs", "")
        self.state.field = Field(QUESTIONS["songs"], "songs", songs)

    def return_from_wishes(self) -> None:
        """Go back from the wishes to where they were opened; the text is understood anew."""
        self.state.screen = GENERATE
        if "styles" not in self.state.answers or not self.pending.understood:
            return
        try:
            self.pending.understand(self.state.answers["styles"])
        except MusicGenError as error:
            self._show(str(error))
        if "songs" in self.state.answers:
            self.state.screen = CONFIRM
        else:
            self.state.field = Field(QUESTIONS["songs"], "songs")

    def start_preview(self) -> None:
        """Make and play the first seconds of the first song."""
        try:
            order = self.pending.build_orders(self._build_order)[0]
            self._validate_order(order)
        except MusicGenError as error:
            self._show(str(error))
            return
        self.pending.start_preview(order)
        self._show("Composing the first 20 seconds...")

    def place_order(self, styles: str, songs: int, wishes: Mapping[str, str]) -> None:
        """Place an order and start making it.

        Parameters
        ----------
        styles : str
        songs : int
        wishes : mapping
            Wishes as typed, by name.

        Raises
        ------
        MusicGenError
            When a wish is invalid, there is no model, or the folder cannot be written.
        """
        request = build_request(wishes, styles)
        length = request.length or self.state.settings.song_length
        seed = wished_seed({})
        self._store_orders([self._build_order(replace(request, length=length), songs, seed)])

    def _place_orders_from_file(self, path: Path) -> None:
        """Place all orders of a job file, or none if one is invalid."""
        seed = wished_seed(self.state.wishes)
        defaults = self._build_order(build_request(self.state.wishes, ""), 1, seed)
        orders = read_order_file(
            path.expanduser(), defaults, self.pending.interpreter, self._validate_order
        )
        self.state.field = None
        self._store_orders(orders)
        self._show(f"{len(orders)} orders from {path.name}.")

    def _build_order(self, request: SongRequest, songs: int, seed: int) -> Order:
        settings = self.state.settings
        order = Order(
            request,
            songs,
            seed,
            settings.model,
            settings.temperature,
            paths.OUTPUT.absolute(),
            settings.bitrate,
        )
        return apply_order_wishes(order, self.state.wishes)

    def _validate_order(self, order: Order) -> None:
        """Raise a MusicGenError if an order's styles, wishes or model are invalid."""
        build_spec(order.request, self.styles, order.seed)
        find_model(order.model, paths.MODELS)

    def _store_orders(self, orders: Sequence[Order]) -> None:
        """Validate orders, add them to the store and start making them."""
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
