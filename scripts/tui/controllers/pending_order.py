"""The order that is about to be placed: how it is understood, and its preview."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from scripts.batch.executors.base import default_workers
from scripts.batch.interpreter import Interpreter
from scripts.batch.order import ENDLESS_SONGS, MAX_SEED, Order, parse_until, split_styles
from scripts.batch.speed import load_speed
from scripts.batch.suggester import find_suggester, open_choices
from scripts.core import paths
from scripts.core.formatting import format_short_clock
from scripts.request.build import build_spec
from scripts.request.interpret.interpretation import SAID, Interpretation
from scripts.request.interpret.plan import describe_plan, said_wishes
from scripts.request.parse import longest_seconds
from scripts.request.request import ENDLESS, SongRequest
from scripts.styles.style import load_styles
from scripts.tui.controllers.wishes import apply_endless_wishes, build_request, wished_seed
from scripts.tui.preview import PreviewProcess
from scripts.tui.state import State
from scripts.tui.suggestions import Suggestions
from scripts.tui.wish_table import summarize_wishes

_LONG_SECONDS = 30 * 60  # songs longer than this are confirmed once more
_PLAYERS = ("instruments", "without")  # wishes that contradict each other

OrderBuilder = Callable[[SongRequest, int, int], Order]  # request, number of songs, seed


class PendingOrder:
    """Understands the text of the next order.

    Parameters
    ----------
    state : State
    show_message : callable
        Called with a line for the user.
    on_preview : callable
        Called with the path of a preview to play, and with None to stop it.

    Attributes
    ----------
    understood : list of Interpretation
        The parts of the text, one for each order.
    """

    def __init__(
        self,
        state: State,
        show_message: Callable[[str], None],
        on_preview: Callable[[Path | None], None],
    ) -> None:
        self.understood: list[Interpretation] = []
        self._state, self._show_message, self._on_preview = state, show_message, on_preview
        self._seed = 0  # of the first song
        self._is_length_confirmed = False
        self._preview: PreviewProcess | None = None
        self._suggestions: Suggestions | None = None

    @cached_property
    def interpreter(self) -> Interpreter:
        """Understands what is typed."""
        settings = self._state.settings
        return Interpreter(load_styles(paths.DATA / "styles"), settings.reader, tints=settings.tint)

    def understand(self, text: str, edited: Collection[str] = ()) -> str:
        """Understand a text with the wishes, and show how.

        What the text says comes before the wishes, but after those that were `edited` since.

        Parameters
        ----------
        text : str
        edited : collection of str
            Names of wishes.

        Returns
        -------
        str
            The number of songs that was said, ``endless`` or empty.

        Raises
        ------
        MusicGenError
            When the text or a wish is invalid.
        """
        self.interpreter.default_length = self._state.settings.song_length
        understood = [self._interpret(part, edited) for part in split_styles(text)]
        seed = wished_seed(self._state.wishes, self._seed if self.understood else None)
        for item in understood:  # a wish that does not go with the text is an error now
            build_spec(item.request, self.interpreter.styles, seed)
        self.understood, self._seed = understood, seed
        self._is_length_confirmed = False
        self._state.understood = said_wishes(understood[0]) if len(understood) == 1 else {}
        self.show_plan()
        self._ask_for_suggestions()
        said = [item.songs for item in understood]
        return said[0] if all(said) else ""

    def _interpret(self, text: str, edited: Collection[str]) -> Interpretation:
        """Understand a part of the text; its words come before the wishes not `edited` since."""
        wishes = self._state.wishes
        firm = {name: wish for name, wish in wishes.items() if name in edited}
        understood = self.interpreter.interpret(text, build_request(firm, ""))
        said = {name for name, source in understood.sources.items() if source.origin == SAID}
        if said & set(_PLAYERS):
            said |= set(_PLAYERS)
        left_out = {
            name: wish for name, wish in wishes.items() if name in said and name not in firm
        }
        kept = {name: wish for name, wish in wishes.items() if name not in left_out}
        if kept != firm:
            understood = self.interpreter.interpret(text, build_request(kept, ""))
        if left_out:
            note = f"said otherwise, and left out: {summarize_wishes(left_out)}"
            understood = replace(understood, notes=(*understood.notes, note))
        return understood

    def _ask_for_suggestions(self) -> None:
        """Ask the user's chat model, in the background, for what is still open."""
        self._stop_suggestions()
        settings, styles = self._state.settings, self.interpreter.styles
        suggester = find_suggester(settings, "", styles, paths.MODELS, paths.DATA)
        if suggester and any(open_choices(item, styles) for item in self.understood):
            self._show_message(f"Asking {suggester.info.name} what is still open...")
            self._suggestions = Suggestions(suggester, self.understood)

    def _stop_suggestions(self) -> None:
        if self._suggestions:
            self._suggestions.cancel()
            self._suggestions = None

    def update(self) -> None:
        """Take over suggestions and play the preview, once they are ready."""
        found = self._suggestions.result() if self._suggestions else None
        if found is not None:
            self.understood, self._suggestions = found, None
            self._show_message("")
            self.show_plan()
        self._update_preview()

    def show_plan(self) -> None:
        """Show how the text is understood, with the number of songs that is known."""
        speed, workers = load_speed(paths.SPEED), default_workers()
        lines = []
        for item, seed in zip(self.understood, self._seeds(), strict=True):
            spec = build_spec(item.request, self.interpreter.styles, seed)
            songs = self._songs(item)
            count = 1 if songs == ENDLESS else int(songs)
            seconds = speed.estimate(self._state.settings.model, count, spec.length, workers)
            lines += [describe_plan(item, spec, songs, seconds), *item.notes, *spec.warnings]
        problem = self.interpreter.problem
        self._state.plan = (*lines, *[problem] * bool(problem))

    def ask_about_length(self) -> str:
        """Return what to ask before very long songs are made; empty if there is nothing to ask."""
        longest = max(longest_seconds(item.request.length) for item in self.understood)
        if longest <= _LONG_SECONDS or self._is_length_confirmed:
            return ""
        self._is_length_confirmed = True
        return (
            f"Each song lasts {format_short_clock(longest)} (hours:minutes:seconds). "
            "Press Enter again to start."
        )

    def build_orders(self, build_order: OrderBuilder) -> list[Order]:
        """Build an order for each part of the text.

        Raises
        ------
        UsageError
            When a wish about the orders is invalid.
        """
        orders = []
        for item, seed in zip(self.understood, self._seeds(), strict=True):
            songs = self._songs(item)
            order = build_order(item.request, 1 if songs == ENDLESS else int(songs), seed)
            if songs == ENDLESS:
                until = parse_until(item.until, datetime.now()) if item.until else 0.0
                order = replace(order, endless=True, until=until)
            orders.append(apply_endless_wishes(order, self._state.wishes))
        return orders

    def clear(self) -> None:
        """Forget the text."""
        self.stop_preview()
        self._stop_suggestions()
        self.understood = []
        self._state.plan, self._state.understood = (), {}

    def close(self) -> None:
        """Stop the preview and the models."""
        self.stop_preview()
        self._stop_suggestions()
        if "interpreter" in self.__dict__:
            self.interpreter.close()

    def _songs(self, item: Interpretation) -> str:
        """Number of songs of a part of the text, or ``endless``; 1 while it is unknown.

        In a text of several parts, the answer is for those that say no number.
        """
        is_said = item.songs and len(self.understood) > 1
        return item.songs if is_said else self._state.answers.get("songs", "1")

    def _seeds(self) -> list[int]:
        """Seed of the first song of each part, so that no two parts make the same songs."""
        seeds = [self._seed]
        for item in self.understood[:-1]:
            songs = self._songs(item)
            count = ENDLESS_SONGS if songs == ENDLESS else int(songs)
            seeds.append((seeds[-1] + count) % MAX_SEED)
        return seeds[: len(self.understood)]

    # -- the preview -----------------------------------------------------------------------

    def start_preview(self, order: Order) -> None:
        """Make the first seconds of the first song, and play them when they are ready."""
        self.stop_preview()
        self._preview = PreviewProcess(order)

    def _update_preview(self) -> None:
        """Play the preview once it is ready."""
        if self._preview is None or self._preview.is_done or not self._preview.poll():
            return
        if self._preview.problem:
            self._show_message(self._preview.problem)
        else:
            self._show_message("The first 20 seconds. Enter starts, Esc goes back.")
            self._on_preview(self._preview.path)

    def stop_preview(self) -> None:
        """Stop the preview and delete it."""
        self._on_preview(None)
        if self._preview:
            self._preview.close()
            self._preview = None
