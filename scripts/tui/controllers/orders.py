"""Controller of the Generate Music screen: placing, following and steering orders."""

from __future__ import annotations

import random
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts.batch.claims import is_unclaimed
from scripts.batch.order import Order, split_styles
from scripts.batch.order_file import read_order_file
from scripts.batch.store import OrderState, OrderStore, StoredOrder
from scripts.core import paths
from scripts.core.atomic_files import ensure_writable_folder
from scripts.core.errors import MusicGenError, StorageError, UsageError
from scripts.core.formatting import count_songs
from scripts.llm.registry import find_model
from scripts.request.spec import MAX_SONGS, SongRequest, build_spec
from scripts.score.tuning import CONCERT_PITCH
from scripts.styles.lookup import find_styles
from scripts.styles.style import Style, load_styles
from scripts.tui.screens.generate import QUESTIONS, WISH_ROWS, selected_order
from scripts.tui.state import Field, OrderView, State
from scripts.tui.supervisor import GenerateProcess, OrderProgress

_YES = ("yes", "y", "on", "1", "true")
_NO = ("no", "n", "off", "0", "false", "none")
_NUMERIC_WISHES = ("tempo", "tuning", "binaural")
ORDER_FILE_SUFFIXES = (
    ".csv",
    ".json",
    '.csv"',
    '.json"',
)  # a file dropped on the window has quotes
_MAX_SUGGESTIONS = 8  # completions of a style
_POLL_INTERVAL = 1.0  # seconds between reads of the order store
_LOCK_TIMEOUT = 1.0  # seconds to wait while another process locks the store
_MAX_CRASHES = 3  # consecutive crashes of the child process before its orders are paused
_MAX_FAILED_SHOWN = 10  # latest orders with failed songs shown after a start


class OrdersController:
    """Places orders, follows the child process that makes them, and updates the state.

    Parameters
    ----------
    state : State
    on_song_finished : callable
        Called with the path of each finished song.
    """

    def __init__(self, state: State, on_song_finished: Callable[[Path], None]) -> None:
        self.state, self._on_song_finished = state, on_song_finished
        self._opened_store: OrderStore | None = None
        self._process: GenerateProcess | None = None
        self._progress_by_id: dict[int, OrderProgress] = {}  # by order number
        self._last_poll = 0.0
        self._crashes = 0

    @property
    def _store(self) -> OrderStore:
        """Order store, opened on first use."""
        if self._opened_store is None:
            self._opened_store = OrderStore(paths.ORDERS, _LOCK_TIMEOUT)
            self.state.message = self._opened_store.notice or self.state.message
        return self._opened_store

    @cached_property
    def styles(self) -> dict[str, Style]:
        """Styles of the data folder, by name."""
        return load_styles(paths.DATA / "styles")

    @cached_property
    def _style_words(self) -> list[str]:
        """All names and aliases of styles, sorted."""
        words = {*self.styles, *(w for s in self.styles.values() for w in s.words)}
        return sorted(w for w in words if w.isprintable())

    @property
    def busy(self) -> bool:
        """Whether songs are being made."""
        return self._process is not None and any(
            order.songs_in_progress or not (order.done or order.paused)
            for order in self.state.orders
        )

    @property
    def has_actionable_orders(self) -> bool:
        """Whether there are orders that commands apply to."""
        return any(order.is_actionable for order in self.state.orders)

    def load_previous_orders(self) -> None:
        """Load unfinished orders of earlier sessions, paused until the user resumes them."""
        if not paths.ORDERS.exists():
            return
        with self._show_errors():
            for stored in [job for job in self._store.orders((OrderState.DONE,)) if job.failed][
                -_MAX_FAILED_SHOWN:
            ]:
                self._track_order(stored).state.done = True
            for stored in self._store.orders():
                if not is_unclaimed(paths.ORDERS, stored.batch):
                    continue
                progress = self._track_order(stored)
                self._store.set_state(stored.id, OrderState.PAUSED, stored.reason)
                progress.apply_stored_order(self._store.get(stored.id))
        self._update_state()

    def _finished_with_failures(self) -> list[StoredOrder]:
        """The latest finished orders whose failed songs can be made again."""
        done = self._store.orders((OrderState.DONE,))
        return [order for order in done if order.failed][-_MAX_FAILED_SHOWN:]

    def update(self) -> None:
        """Apply the events of the child process, and changes of the order store."""
        process = self._process
        if process is not None:
            for message in process.read_events():
                self._handle_event(message)
            if process.ended:
                self._handle_process_end(process)
        if time.monotonic() - self._last_poll > _POLL_INTERVAL and self._progress_by_id:
            self._poll_store()
        self._update_state()

    def close(self) -> None:
        """Stop the child process and wait for it; the orders stay in the store."""
        if self._process:
            self._process.stop()
            self._process = None
        if self._opened_store:
            self._opened_store.close()

    def _handle_event(self, message: dict[str, Any]) -> None:
        order_id = message.get("order")
        if isinstance(order_id, int) and order_id not in self._progress_by_id:
            with self._show_errors():  # an order placed by another process and taken over
                self._track_order(self._store.get(order_id))
            if message.get("event") == "song":  # already counted in the store
                self._on_song_finished(Path(str(message["path"])))
                return
        progress = self._progress_by_id.get(order_id) if isinstance(order_id, int) else None
        if message.get("event") == "note" and progress:
            progress.state.notices.append(str(message["text"]))
        elif message.get("event") == "note":
            self.state.message = str(message["text"])
        elif progress:
            progress.apply_event(message)
            if message.get("event") == "song":
                self._crashes = 0

    def _handle_process_end(self, process: GenerateProcess) -> None:
        """Handle the end of the child process: all done, a crash, or an error."""
        failure, crashed = process.failure_message(), process.crashed
        self._process = None
        for progress in self._progress_by_id.values():
            progress.clear_songs_in_progress()
        self._poll_store()
        unfinished = [
            progress
            for progress in self._progress_by_id.values()
            if not progress.state.done and not progress.state.paused
        ]
        if not unfinished:
            return
        self._crashes += crashed
        if crashed and self._crashes < _MAX_CRASHES:
            self.state.message = f"The composing process crashed ({failure}); restarting it."
            self._ensure_process(after_crash=True)
        elif failure:
            for progress in unfinished:
                progress.state.failures.append(failure)
                with self._show_errors():
                    self._store.set_state(progress.state.id, OrderState.PAUSED)
            self._poll_store()
        elif process.saw_orders:
            self._ensure_process()  # an order was added while it was shutting down
        else:  # another process has locked them
            for progress in unfinished:
                progress.state.notices.append("Another process is working on this order.")

    def _poll_store(self) -> None:
        """Read the orders' states from the store."""
        self._last_poll = time.monotonic()
        with self._show_errors():
            states = self._store.states()
            for order_id, progress in [*self._progress_by_id.items()]:
                if not progress.state.done:
                    progress.apply_stored_order(self._store.get(order_id))
                elif states.get(order_id) in (
                    OrderState.OPEN,
                    OrderState.PAUSED,
                ):
                    self._track_order(self._store.get(order_id))

    def _track_order(self, stored: StoredOrder) -> OrderProgress:
        failures = [f"song {number}: {why}" for number, why in self._store.failures(stored.id)]
        state = OrderView(
            stored.order.request.styles,
            stored.order.songs,
            id=stored.id,
            finished_before=stored.done,
            songs_in_progress=0,
            failures=failures,
            failed=stored.failed,
        )
        self._progress_by_id[stored.id] = progress = OrderProgress(state, self._on_song_finished)
        progress.apply_stored_order(stored)
        return progress

    def _ensure_process(self, after_crash: bool = False) -> None:
        """Start the child process unless it runs; `after_crash` keeps the crash count."""
        if not after_crash:
            self._crashes = 0
        if self._process is None:
            self._process = GenerateProcess()

    def _update_state(self) -> None:
        self.state.orders = [progress.state for progress in self._progress_by_id.values()]
        self.state.unfinished_songs = (
            0
            if self.busy
            else sum(
                order.songs - order.finished_before - len(order.finished_titles) - order.failed
                for order in self.state.orders
                if not order.done
            )
        )

    @contextmanager
    def _show_errors(self) -> Iterator[None]:
        """Show errors of the order store as the message."""
        try:
            yield
        except MusicGenError as error:
            self.state.message = str(error)

    # -- keys ------------------------------------------------------------------------------

    def ask_styles(self) -> None:
        self.state.answers = {}
        self.state.field = Field(QUESTIONS["styles"], "styles")

    def cancel_order(self) -> None:
        """Cancel the selected order, or else the latest unfinished one."""
        order = self._target_order()
        if order:
            self._cancel_order(order)

    def cancel_all_orders(self) -> None:
        for order in self.state.orders:
            self._cancel_order(order)

    def toggle_order_pause(self) -> None:
        """Pause or resume the selected order."""
        order = self._target_order()
        if order and order.paused:
            self._set_order_state(order, OrderState.OPEN)
            self._ensure_process()
        elif order:
            self._set_order_state(order, OrderState.PAUSED)

    def resume_orders(self) -> None:
        """Resume all unfinished orders."""
        unfinished = [job for job in self.state.orders if not job.done]
        for order in unfinished:
            self._set_order_state(order, OrderState.OPEN)
        if unfinished:
            self._ensure_process()
        else:
            self.state.message = "There are no unfinished orders."

    def move_order_first(self) -> None:
        """Move the selected order to the front of the queue."""
        self._move_order("front", OrderStore.put_first)

    def move_order_last(self) -> None:
        """Move the selected order to the back of the queue."""
        self._move_order("back", OrderStore.put_last)

    def _move_order(self, place: str, move: Callable[[OrderStore, int], None]) -> None:
        order = self._target_order()
        if order:
            with self._show_errors():
                move(self._store, order.id)
                self.state.message = f'Moved "{order.styles}" to the {place} of the queue.'

    def retry_failed_songs(self) -> None:
        """Retry the failed songs of the selected order."""
        order = selected_order(self.state)
        if order is None:
            return
        with self._show_errors():
            count = self._store.retry_failed(order.id)
            if count:
                self._track_order(self._store.get(order.id))
                self._ensure_process()
                self.state.message = f"Retrying {count_songs(count)}."
            else:
                self.state.message = "This order has no failed songs."

    def _target_order(self) -> OrderView | None:
        """The selected order; without a selection the one shown, or the latest unfinished one."""
        shown = selected_order(self.state)
        if shown and (not shown.done or self.state.selected_index >= 0):
            if shown.done:
                self.state.message = f'"{shown.styles}" has already ended.'
            return None if shown.done else shown
        return next((order for order in reversed(self.state.orders) if not order.done), None)

    def _cancel_order(self, order: OrderView) -> None:
        if not order.done:
            self._set_order_state(order, OrderState.CANCELLED)
            order.stopping = order.songs_in_progress > 0 and not order.done

    def _set_order_state(self, order: OrderView, state: OrderState) -> None:
        with self._show_errors():
            self._store.set_state(order.id, state)
            self._progress_by_id[order.id].apply_stored_order(self._store.get(order.id))

    def select_order(self, offset: int) -> None:
        """Select the order `offset` places after the current one."""
        count = len(self.state.orders)
        if count:
            current = self.state.selected_index if self.state.selected_index >= 0 else count - 1
            self.state.selected_index = min(max(current + offset, 0), count - 1)

    def clear_wishes(self) -> None:
        """Clear all wishes."""
        self.state.wishes.clear()
        self.state.message = "All wishes cleared."

    def ask_wish(self, name: str) -> None:
        """Ask for the wish called `name`."""
        label, hint, default = WISH_ROWS[name]
        self.state.field = Field(
            f"{label} ({hint}; empty: {default}):", f"wish {name}", self.state.wishes.get(name, "")
        )

    # -- answers ---------------------------------------------------------------------------

    def suggest_styles(self, field: Field) -> None:
        """Suggest completions of the last style typed."""
        if field.name == "styles":
            word = re.split(r"[,|]", field.text)[-1].strip().casefold()
            field.suggestions = (
                tuple(w for w in self._style_words if w.startswith(word) and w != word)[
                    :_MAX_SUGGESTIONS
                ]
                if word
                else ()
            )

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
            self._place_orders(
                split_styles(self.state.answers["styles"]), int(text), self.state.wishes
            )
        else:
            self._set_wish(field.name.removeprefix("wish "), text)
            self.state.field = None

    def place_order(self, styles: str, songs: int, wishes: dict[str, str]) -> None:
        """Place an order and start making it.

        Parameters
        ----------
        styles : str
            Comma-separated styles.
        songs : int
        wishes : dict
            Wishes as typed, by name.

        Raises
        ------
        MusicGenError
            When a wish is invalid, there is no model, or the folder cannot be written.
        """
        self._place_orders([styles], songs, wishes)

    def _place_orders(self, style_lists: Sequence[str], songs: int, wishes: dict[str, str]) -> None:
        """Place an order of `songs` songs for each entry of `style_lists`."""
        length = self.state.settings.song_length
        self._store_orders(
            [
                self._build_order(build_request(wishes, length, styles), songs)
                for styles in style_lists
            ]
        )

    def _place_orders_from_file(self, path: Path) -> None:
        """Place all orders of a job file, or none if one is invalid."""
        defaults = self._build_order(
            build_request(self.state.wishes, self.state.settings.song_length, ""), 1
        )
        orders = read_order_file(path.expanduser(), defaults, self._validate_order)
        self.state.field = None
        self._store_orders(orders)
        self.state.message = f"{len(orders)} orders from {path.name}."

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
        briefs = [build_spec(order.request, self.styles, order.seed) for order in orders]
        for model in {order.model for order in orders}:
            find_model(model, paths.MODELS)
        ensure_writable_folder(paths.OUTPUT)
        self._progress_by_id = {
            n: w for n, w in self._progress_by_id.items() if w.state.is_actionable
        }
        if not self._store.is_persistent:
            raise StorageError(
                f"cannot save orders in {paths.ORDERS.parent}: "
                "check the folder's permissions, or free some space"
            )
        batch = uuid.uuid4().hex
        for stored, spec in zip(self._store.add_batch(orders, batch), briefs, strict=True):
            self._track_order(stored).state.notices += spec.warnings
        self.state.selected_index = -1
        self._ensure_process()
        self._update_state()

    def _set_wish(self, name: str, text: str) -> None:
        wishes = {**self.state.wishes, name: text}
        if name == "loop" and text:
            if text.lower() not in (*_YES, *_NO):
                raise UsageError("Please type yes or no.")
            wishes[name] = "yes" if text.lower() in _YES else ""
        wishes = {k: v for k, v in wishes.items() if v}
        build_spec(
            build_request(
                wishes, self.state.settings.song_length, self.state.answers.get("styles", "pop")
            ),
            self.styles,
            1,
        )
        self.state.wishes = wishes


def build_request(wishes: dict[str, str], length: str, styles: str) -> SongRequest:
    """Build a request from typed wishes.

    Parameters
    ----------
    wishes : dict
        Wishes as typed, by name.
    length : str
        Song length for when there is no such wish.
    styles : str
        Comma-separated styles.

    Raises
    ------
    UsageError
        When tempo, tuning or binaural is not a number.
    """
    numbers = {}
    for name in _NUMERIC_WISHES:
        if name in wishes:
            try:
                numbers[name] = float(_strip_unit(wishes[name]))
            except ValueError:
                raise UsageError(f'"{wishes[name][:20]}" is not a number') from None
    return SongRequest(
        styles,
        wishes.get("length", length),
        wishes.get("key"),
        numbers.get("tempo"),
        wishes.get("meter"),
        numbers.get("tuning", CONCERT_PITCH),
        wishes.get("form"),
        wishes.get("chords"),
        numbers.get("binaural", 0.0),
        "loop" in wishes,
        wishes.get("motif"),
    )


def _strip_unit(number: str) -> str:
    """Remove the unit (Hz) from a number."""
    return number.casefold().removesuffix("hz").strip()
