"""Orders: what is asked for, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from scripts import paths
from scripts.brief import MOST_SONGS, Wishes, make_brief
from scripts.errors import UsageError
from scripts.styles.lookup import find_styles
from scripts.styles.style import Style, load_styles
from scripts.tui.jobs import Job
from scripts.tui.screens.generate import QUESTIONS, WISHES, shown_job
from scripts.tui.state import Field, State
from scripts.tuning import CONCERT

_YES = ("yes", "y", "on", "1", "true")
_NO = ("no", "n", "off", "0", "false", "none")
_NUMBERS = ("tempo", "tuning", "binaural")
_OFFERS = 8  # words that a style may become


class Making:
    """The orders behind the screens.

    Parameters
    ----------
    state : State
    finished : callable
        Called with the path of a song that is done.
    """

    def __init__(self, state: State, finished: Callable[[Path], None]) -> None:
        self.state, self._finished = state, finished
        self.jobs: list[Job] = []

    @cached_property
    def styles(self) -> dict[str, Style]:
        """What the data folder knows."""
        return load_styles(paths.DATA / "styles")

    @cached_property
    def _words(self) -> list[str]:
        """All words that mean a style."""
        words = {*self.styles, *(w for s in self.styles.values() for w in s.words)}
        return sorted(w for w in words if w.isprintable())

    @property
    def busy(self) -> bool:
        """Whether songs are being made."""
        return any(not job.state.done for job in self.jobs)

    def update(self) -> None:
        """Take in what the orders have done."""
        for job in self.jobs:
            job.poll()
        self.state.jobs = [job.state for job in self.jobs]

    def close(self) -> None:
        """Stop them all, and wait for each."""
        for job in self.jobs:
            job.cancel()
        for job in self.jobs:
            job.end()

    # -- keys ------------------------------------------------------------------------------

    def ask_styles(self) -> None:
        self.state.answers = {}
        self.state.field = Field(QUESTIONS["styles"], "styles")

    def cancel(self) -> None:
        """Stop the order that is looked at, or the latest that still goes."""
        going = [job for job in self.jobs if not job.state.done]
        shown = [job for job in going if job.state is shown_job(self.state)]
        for job in (shown or going)[-1:]:
            job.cancel()

    def cancel_all(self) -> None:
        for job in self.jobs:
            job.cancel()

    def look(self, by: int) -> None:
        """Look at another order."""
        if self.jobs:
            here = self.state.shown if self.state.shown >= 0 else len(self.jobs) - 1
            self.state.shown = min(max(here + by, 0), len(self.jobs) - 1)

    def usual(self) -> None:
        """Take all wishes back."""
        self.state.wishes.clear()
        self.state.message = "Everything is as usual."

    def ask_wish(self, name: str) -> None:
        """Ask for one wish."""
        label, hint, usual = WISHES[name]
        self.state.field = Field(f"{label} ({hint}; empty: {usual}):", f"wish {name}",
                                 self.state.wishes.get(name, ""))

    # -- answers ---------------------------------------------------------------------------

    def typed(self, field: Field) -> None:
        """Offer what the last word may become."""
        if field.name == "styles":
            word = field.text.rpartition(",")[2].strip().casefold()
            field.offers = tuple(w for w in self._words if w.startswith(word) and w != word
                                 )[:_OFFERS] if word else ()

    def complete(self, field: Field) -> None:
        """Take the first offer."""
        if field.name == "styles" and field.offers:
            before = field.text.rpartition(",")[0]
            field.text = (f"{before}, " if before else "") + field.offers[0].title()
            field.offers = ()

    def answer(self, field: Field, text: str) -> None:
        """Take an answer; a UsageError keeps the question open."""
        if field.name == "styles":
            find_styles(text, self.styles)
            self.state.answers["styles"] = text
            self.state.field = Field(QUESTIONS["songs"], "songs")
        elif field.name == "songs":
            if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_SONGS:
                raise UsageError(f"Please type a number from 1 to {MOST_SONGS:,}.")
            self.state.answers["songs"] = text
            self.state.field = None
            self.order(self.state.answers["styles"], int(text), self.state.wishes)
        else:
            self._wish(field.name.removeprefix("wish "), text)
            self.state.field = None

    def order(self, styles: str, songs: int, wishes: dict[str, str]) -> None:
        """Begin to make songs."""
        self.jobs = [j for j in self.jobs if not j.state.done]
        self.jobs.append(Job(styles, songs, words_of(wishes), self._finished))
        self.state.shown = -1
        self.update()

    def _wish(self, name: str, text: str) -> None:
        wishes = {**self.state.wishes, name: text}
        if name == "loop" and text:
            if text.lower() not in (*_YES, *_NO):
                raise UsageError("Please type yes or no.")
            wishes[name] = "yes" if text.lower() in _YES else ""
        wishes = {k: v for k, v in wishes.items() if v}
        make_brief(asked_for(wishes, self.state.settings.song_length,
                             self.state.answers.get("styles", "pop")), self.styles, 1)
        self.state.wishes = wishes


def asked_for(wishes: dict[str, str], length: str, styles: str) -> Wishes:
    """Wishes as the brief takes them.

    Raises
    ------
    UsageError
        When a number is none.
    """
    numbers = {}
    for name in _NUMBERS:
        if name in wishes:
            try:
                numbers[name] = float(_bare(wishes[name]))
            except ValueError:
                raise UsageError(f'"{wishes[name][:20]}" is not a number') from None
    return Wishes(styles, wishes.get("length", length), wishes.get("key"), numbers.get("tempo"),
                  wishes.get("meter"), numbers.get("tuning", CONCERT), wishes.get("form"),
                  wishes.get("chords"), numbers.get("binaural", 0.0), "loop" in wishes,
                  wishes.get("motif"))


def words_of(wishes: dict[str, str]) -> list[str]:
    """Wishes as options of the command line."""
    words = []
    for name, value in wishes.items():
        if name == "loop":
            words.append("--loop")
        else:
            words.append(f"--{name}={_bare(value) if name in _NUMBERS else value}")
    return words


def _bare(number: str) -> str:
    """A number without its unit."""
    return number.casefold().removesuffix("hz").strip()
