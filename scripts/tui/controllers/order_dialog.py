"""The dialog of the Generate Music screen: questions, answers, and the order before it begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from scripts.batch.order import Order
from scripts.batch.order_file import read_order_file
from scripts.core import paths
from scripts.core.errors import MusicGenError, UsageError
from scripts.llm.registry import find_model
from scripts.request.build import build_spec
from scripts.request.interpret.numbers import parse_count
from scripts.request.request import ENDLESS, MAX_SONGS, SongRequest
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
from scripts.tui.screens.generate import QUESTIONS
from scripts.tui.state import CONFIRM, GENERATE, WISHES, Field, State

# A file dropped on the window has quotes.
ORDER_FILE_SUFFIXES = (".csv", ".json", '.csv"', '.json"')
_MAX_SUGGESTIONS = 8  # completions of a style


class OrderDialog:
    """Asks what to make, shows how it is understood, and places the order.

    Parameters
    ----------
    state : State
    place_orders : callable
        Stores orders and starts making them.
    on_preview : callable
        Called with the path of a preview to play, and with None to stop it.
    """

    def __init__(
        self,
        state: State,
        place_orders: Callable[[Sequence[Order]], None],
        on_preview: Callable[[Path | None], None],
    ) -> None:
        self.state, self._place_orders = state, place_orders
        self.pending = PendingOrder(state, self._show, on_preview)
        self._lasting: dict[str, str] | None = None  # wishes before those of the next order alone
        self._before_editing: dict[str, str] = {}
        self._edited: set[str] = set()  # wishes that the user changed since the text was typed

    @property
    def styles(self) -> Mapping[str, Style]:
        """Styles of the data folder, by name."""
        return self.pending.interpreter.styles

    @cached_property
    def _style_words(self) -> list[str]:
        """Names of styles, then other words for them, each sorted."""
        words = {*self.styles, *(w for s in self.styles.values() for w in s.words)}
        return sorted(
            (w for w in words if w.isprintable()), key=lambda w: (w not in self.styles, w)
        )

    def update(self) -> None:
        """Take over what was made in the background."""
        self.pending.update()

    def close(self) -> None:
        """Stop what runs in the background."""
        self.pending.close()

    def _show(self, message: str) -> None:
        self.state.message = message

    def ask_styles(self) -> None:
        """Ask for the styles of the next order."""
        self.forget_order()
        self.state.answers = {}
        self.state.field = Field(QUESTIONS["styles"], "styles")
        self.pending.interpreter.start()

    def forget_order(self) -> None:
        """Forget the text of an order that is not placed, and what was edited for it."""
        self.pending.clear()
        self._edited.clear()
        if self._lasting is not None:
            self.state.wishes, self._lasting = self._lasting, None

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
            said = self.pending.understand(text, self._edited)
            songs = self.state.answers.get("songs", "")  # of a text that is reworded
            self.state.answers = {"styles": text}
            if said or songs:
                self.submit_answer(Field("", "songs"), said or songs)
            else:
                self.state.field = Field(QUESTIONS["songs"], "songs")
        elif field.name == "songs":
            self.state.answers["songs"] = self._parse_songs(text)
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

    def _parse_songs(self, text: str) -> str:
        """Parse a number of songs in digits or in words of any language, or "endless"."""
        if text.casefold() == ENDLESS:
            return ENDLESS
        number = int(text) if text.isascii() and text.isdigit() else parse_count(text)
        if number is None or not 1 <= number <= MAX_SONGS:
            raise UsageError(
                f"Please type a number from 1 to {MAX_SONGS:,}, or E for songs without end."
            )
        return str(number)

    def _load_wishes(self, name: str) -> None:
        """Replace the wishes by a set that was saved."""
        found = load_wish_sets().get(name)
        if found is None:
            raise UsageError(f'There are no wishes "{name[:40]}".')
        self.state.wishes = dict(found)
        self.state.field = None
        self.state.message = f'Wishes "{name}".'

    # -- the order before it begins --------------------------------------------------------

    def confirm_order(self) -> None:
        """Place the order that is shown; a very long one only at the second time."""
        if question := self.pending.ask_about_length():
            self._show(question)
            return
        self.pending.stop_preview()
        try:
            self._place_orders(self.pending.build_orders(self._build_order))
        except MusicGenError as error:
            self._show(str(error))
            return
        self.forget_order()
        self.state.screen = GENERATE

    def edit_order(self) -> None:
        """Show the wishes, to change what was understood, for this order alone."""
        if self._lasting is None:
            self._lasting = dict(self.state.wishes)
        self.open_wishes()

    def open_wishes(self) -> None:
        """Show the wishes."""
        self._before_editing = dict(self.state.wishes)
        self.state.screen = WISHES

    def reword_order(self) -> None:
        """Go back to the text, to change it; what was edited beside it stays."""
        self.pending.stop_preview()
        self.state.screen = GENERATE
        text = self.state.answers["styles"]
        self.state.field = Field(QUESTIONS["styles"], "styles", text, is_selected=True)

    def leave_order(self) -> None:
        """Go back to the question how many songs."""
        self.pending.stop_preview()
        self.state.screen = GENERATE
        songs = self.state.answers.pop("songs", "")
        self.state.field = Field(QUESTIONS["songs"], "songs", songs, is_selected=True)

    def return_from_wishes(self) -> None:
        """Go back from the wishes to where they were opened; the text is understood anew."""
        if "styles" not in self.state.answers or not self.pending.understood:
            self.state.screen = GENERATE
            return
        before = self._before_editing
        self._edited |= {n for n, wish in self.state.wishes.items() if before.get(n) != wish}
        try:
            self.pending.understand(self.state.answers["styles"], self._edited)
        except MusicGenError as error:  # the order that was shown is not what is wished now
            self._show(str(error))
            return
        if "songs" in self.state.answers:
            self.state.screen = CONFIRM
        else:
            self.state.screen = GENERATE
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
        self._place_orders([self._build_order(replace(request, length=length), songs, seed)])

    def _place_orders_from_file(self, path: Path) -> None:
        """Place all orders of a job file, or none if one is invalid."""
        seed = wished_seed(self.state.wishes)
        defaults = self._build_order(build_request(self.state.wishes, ""), 1, seed)
        plans = read_order_file(
            path.expanduser(), defaults, self.pending.interpreter, self._validate_order
        )
        self.state.field = None
        self._place_orders([plan.order for plan in plans])
        notes = [note for plan in plans if plan.understood for note in plan.understood.notes]
        self._show(" ".join((f"{len(plans)} orders from {path.name}.", *dict.fromkeys(notes))))

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
