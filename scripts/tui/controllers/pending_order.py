"""The order that is about to be placed: how it is understood, and its preview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from scripts.batch.executors.base import default_workers
from scripts.batch.interpreter import Interpreter
from scripts.batch.order import MAX_SEED, Order, split_styles
from scripts.batch.speed import load_speed
from scripts.batch.suggester import find_suggester, open_choices
from scripts.core import paths
from scripts.core.formatting import format_short_clock
from scripts.request.build import build_spec
from scripts.request.interpret.counts import ENDLESS
from scripts.request.interpret.interpretation import Interpretation
from scripts.request.interpret.plan import describe_plan, said_wishes
from scripts.request.request import SongRequest
from scripts.styles.style import load_styles
from scripts.tui.controllers.wishes import apply_endless_wishes, build_request, wished_seed
from scripts.tui.preview import PreviewProcess
from scripts.tui.state import State
from scripts.tui.suggestions import Suggestions

_LONG_SECONDS = 30 * 60  # songs longer than this are confirmed once more

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
        return Interpreter(load_styles(paths.DATA / "styles"), self._state.settings.reader)

    def understand(self, text: str) -> str:
        """Understand a text with the wishes as they are, and show how.

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
        given = build_request(self._state.wishes, "")
        understood = [self.interpreter.interpret(part, given) for part in split_styles(text)]
        seed = wished_seed(self._state.wishes)
        for item in understood:  # a wish that does not go with the text is an error now
            build_spec(item.request, self.interpreter.styles, seed)
        self.understood, self._seed = understood, seed
        self._is_length_confirmed = False
        self._state.understood = said_wishes(understood[0]) if len(understood) == 1 else {}
        self.show_plan()
        self._ask_for_suggestions()
        said = {item.songs for item in understood}
        return said.pop() if len(said) == 1 else ""

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
        for item in self.understood:
            spec = build_spec(item.request, self.interpreter.styles, self._seed)
            seconds = speed.estimate(self._count(), spec.length, workers)
            songs = ENDLESS if self._is_endless else self._count()
            lines += [describe_plan(item, spec, songs, seconds), *item.notes, *spec.warnings]
        problem = self.interpreter.problem
        self._state.plan = (*lines, *[problem] * bool(problem))

    def ask_about_length(self) -> str:
        """Return what to ask before very long songs are made; empty if there is nothing to ask."""
        styles = self.interpreter.styles
        longest = max(build_spec(u.request, styles, self._seed).length for u in self.understood)
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
        self._stop_suggestions()
        count = self._count()
        orders = [
            build_order(item.request, count, (self._seed + n * count) % MAX_SEED)
            for n, item in enumerate(self.understood)
        ]
        if self._is_endless:
            orders = [replace(order, endless=True) for order in orders]
        return [apply_endless_wishes(order, self._state.wishes) for order in orders]

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

    @property
    def _is_endless(self) -> bool:
        return self._state.answers.get("songs") == ENDLESS

    def _count(self) -> int:
        """Number of songs that was answered; 1 while it is unknown."""
        answer = self._state.answers.get("songs", "")
        return int(answer) if answer.isdigit() else 1

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
