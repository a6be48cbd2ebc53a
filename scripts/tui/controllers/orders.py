"""Controller of the Generate Music screen: places and changes orders."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from scripts.batch.interpreter import Interpreter
from scripts.batch.order import Order, split_styles
from scripts.batch.order_file import read_order_file
from scripts.batch.states import OrderState
from scripts.batch.store import OrderStore
from scripts.core import paths
from scripts.core.atomic_files import ensure_writable_folder
from scripts.core.errors import MusicGenError, UsageError
from scripts.core.formatting import format_song_count
from scripts.llm.registry import find_model
from scripts.request.build import build_spec
from scripts.request.request import MAX_SONGS, SongRequest
from scripts.styles.lookup import find_styles
from scripts.styles.style import Style, load_styles
from scripts.tui.controllers.wishes import build_request, set_wish
from scripts.tui.screens.generate import QUESTIONS, selected_order
from scripts.tui.state import Field, OrderView, State
from scripts.tui.supervisor import OrderSupervisor, count_unfinished_songs

# A file dropped on the window has quotes.
ORDER_FILE_SUFFIXES = (".csv", ".json", '.csv"', '.json"')
_MAX_SUGGESTIONS = 8  # completions of a style


class OrdersController:
    """Places orders, and changes them as keys are pressed.

    Parameters
    ----------
    state : State
    on_song_finished : callable
        Called with the path of each finished song.
    """

    def __init__(self, state: State, on_song_finished: Callable[[Path], None]) -> None:
        self.state = state
        self._supervisor = OrderSupervisor(on_song_finished, self._show)

    @cached_property
    def styles(self) -> dict[str, Style]:
        """Styles of the data folder, by name."""
        return load_styles(paths.DATA / "styles")

    @cached_property
    def interpreter(self) -> Interpreter:
        """Understands what is typed."""
        settings = self.state.settings
        return Interpreter(self.styles, settings.reader, settings.song_length)

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

    def ask_styles(self) -> None:
        """Ask for the styles of the next order."""
        self.state.answers = {}
        self.state.field = Field(QUESTIONS["styles"], "styles")

    def cancel_order(self) -> None:
        """Cancel the selected order, or else the latest unfinished one."""
        order = self._target_order()
        if order:
            self._set_state(order, OrderState.CANCELLED)

    def cancel_all_orders(self) -> None:
        """Cancel all unfinished orders."""
        for order in self.state.orders:
            if not order.done:
                self._set_state(order, OrderState.CANCELLED)

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

    def complete_style(self, field: Field) -> None:
        """Replace the last style typed by the first suggestion."""
        if field.name == "styles" and field.suggestions:
            before = field.text[: len(field.text) - len(re.split(r"[,|]", field.text)[-1])]
            field.text = (f"{before} " if before else "") + field.suggestions[0].title()
            field.suggestions = ()

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
            for part in split_styles(text):
                find_styles(part, self.styles)
            self.state.answers["styles"] = text
            self.state.field = Field(QUESTIONS["songs"], "songs")
        elif field.name == "songs":
            if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_SONGS:
                raise UsageError(f"Please type a number from 1 to {MAX_SONGS:,}.")
            self.state.answers["songs"] = text
            self.state.field = None
            styles = split_styles(self.state.answers["styles"])
            self._place_orders(styles, int(text), self.state.wishes)
        else:
            set_wish(self.state, field.name.removeprefix("wish "), text, self.styles)
            self.state.field = None

    def place_order(self, styles: str, songs: int, wishes: Mapping[str, str]) -> None:
        """Place an order and start making it.

        Parameters
        ----------
        styles : str
            Comma-separated styles.
        songs : int
        wishes : mapping
            Wishes as typed, by name.

        Raises
        ------
        MusicGenError
            When a wish is invalid, there is no model, or the folder cannot be written.
        """
        self._place_orders([styles], songs, wishes)

    def _place_orders(
        self, style_lists: Sequence[str], songs: int, wishes: Mapping[str, str]
    ) -> None:
        """Place an order of `songs` songs for each entry of `style_lists`."""
        length = self.state.settings.song_length
        requests = [build_request(wishes, length, styles) for styles in style_lists]
        self._store_orders([self._build_order(request, songs) for request in requests])

    def _place_orders_from_file(self, path: Path) -> None:
        """Place all orders of a job file, or none if one is invalid."""
        defaults = self._build_order(build_request(self.state.wishes, "", ""), 1)
        orders = read_order_file(
            path.expanduser(), defaults, self.interpreter, self._validate_order
        )
        self.state.field = None
        self._store_orders(orders)
        self._show(f"{len(orders)} orders from {path.name}.")

    def _build_order(self, request: SongRequest, songs: int) -> Order:
        settings = self.state.settings
        return Order(
            request,
            songs,
            random.SystemRandom().randrange(1 << 31),
            settings.model,
            settings.temperature,
            paths.OUTPUT.absolute(),
            settings.bitrate,
        )

    def _validate_order(self, order: Order) -> None:
        """Raise a MusicGenError if an order's styles, wishes or model are invalid."""
        build_spec(order.request, self.styles, order.seed)
        find_model(order.model, paths.MODELS)

    def _store_orders(self, orders: Sequence[Order]) -> None:
        """Validate orders, add them to the store and start making them."""
        specs = [build_spec(order.request, self.styles, order.seed) for order in orders]
        for model in {order.model for order in orders}:
            find_model(model, paths.MODELS)
        ensure_writable_folder(paths.OUTPUT)
        stored = self._supervisor.place(orders, uuid.uuid4().hex)
        for order, spec in zip(stored, specs, strict=True):
            self._supervisor.add_notices(order.id, spec.warnings)
        self.state.selected_index = -1
        self.state.orders = self._supervisor.views
