"""State machines that constrain what a model writes, one character at a time.

They are deterministic finite automata. The decoder computes which tokens of a vocabulary the
machine accepts from a state (see :mod:`scripts.llm.vocabulary`) and samples among those only, so
that a model can write nothing else.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Hashable
from typing import NamedTuple, Protocol, TypeVar

State = TypeVar("State")
_TITLE_CHARS = string.ascii_letters + " '\n"
_MIN_TITLE, _MAX_WORDS = 4, 5  # characters, words
_MIN_WORD, _MAX_WORD, _MAX_AFTER_APOSTROPHE = 2, 12, 2  # characters
_NOT_LAST = (  # articles, prepositions and the like, between spaces
    " A An The And Or But Of In On At To By For From With Into Over Under Through My Your Its Is "
    "Are Was Were Be Not That This As If So No "
)


class StateMachine(Protocol[State]):
    """Automaton over characters, as the decoder needs it.

    Attributes
    ----------
    is_broad : bool
        Whether most states allow so many tokens that it is faster to test the likely ones only.
    """

    is_broad: bool

    def start(self) -> State:
        """Return the state before the first character."""

    def step(self, state: State, char: str) -> State | None:
        """Return the state after `char`, or None when `char` is not allowed in `state`."""

    def possible_chars(self, state: State) -> Collection[str]:
        """Return a superset of the characters that are allowed in `state`."""

    def is_complete(self, state: State) -> bool:
        """Whether the text is complete, so that nothing may follow."""

    def cache_key(self, state: State) -> Hashable:
        """Return a cache key: states with equal keys allow the same next tokens."""

    def progress(self, state: State) -> float:
        """Return the fraction written, 0 to 1."""


class TitleState(NamedTuple):
    """Title so far, and whether it has ended."""

    text: str
    is_complete: bool = False


class TitleMachine:
    """State machine for a title, ended by a line feed.

    A title has up to five capitalized words of letters and apostrophes, separated by single
    spaces. It neither repeats a word nor ends on an article, a preposition or a possessive, after
    which it may go on instead.

    Parameters
    ----------
    max_length : int
        Maximum length of the title in characters.
    """

    is_broad = True

    def __init__(self, max_length: int = 40) -> None:
        self.max_length = max_length

    def start(self) -> TitleState:
        return TitleState("")

    def step(self, state: TitleState, char: str) -> TitleState | None:
        text = state.text
        if state.is_complete:
            return None
        *before, word = text.split(" ")
        start, apostrophe, end = word.partition("'")
        has_room = len(text) + 1 + _MAX_WORD <= self.max_length  # for another word
        is_small = f" {word} " in _NOT_LAST
        is_open = (is_small or end == "s") and has_room
        may_repeat = is_small or bool(apostrophe) or len(word) == _MAX_WORD  # or it cannot end
        is_repeated = word in before and not may_repeat
        if char in " \n" and (not _is_word(word) or is_repeated):
            return None
        if char == "\n":
            return None if is_open or len(text) < _MIN_TITLE else TitleState(text, True)
        if char == " ":
            is_short = len(before) + 1 < _MAX_WORDS
            return TitleState(text + " ") if has_room and (is_short or is_open) else None
        if len(text) >= self.max_length or len(word) >= _MAX_WORD:
            return None
        if char == "'":
            is_allowed = len(start) in range(1, _MAX_WORD - 1) and not apostrophe
        else:
            is_allowed = char.isascii() and char.isalpha() and char.isupper() == (not word)
            is_allowed = is_allowed and len(end) < _MAX_AFTER_APOSTROPHE
        return TitleState(text + char) if is_allowed else None

    def possible_chars(self, state: TitleState) -> str:
        return _TITLE_CHARS

    def is_complete(self, state: TitleState) -> bool:
        return state.is_complete

    def cache_key(self, state: TitleState) -> Hashable:
        return state

    def progress(self, state: TitleState) -> float:
        return len(state.text) / self.max_length


def _is_word(word: str) -> bool:
    return word in ("A", "I") or (len(word) >= _MIN_WORD and not word.endswith("'"))


class ChoiceMachine:
    """State machine for one of `choices`, ended by a line feed."""

    is_broad = False

    def __init__(self, choices: tuple[str, ...]) -> None:
        self.choices = tuple(c + "\n" for c in choices)

    def start(self) -> str:
        return ""

    def step(self, state: str, char: str) -> str | None:
        text = state + char
        return text if any(c.startswith(text) for c in self.choices) else None

    def possible_chars(self, state: str) -> set[str]:
        return {c[len(state)] for c in self.choices if c.startswith(state) and c != state}

    def is_complete(self, state: str) -> bool:
        return state in self.choices

    def cache_key(self, state: str) -> Hashable:
        return state

    def progress(self, state: str) -> float:
        return float(self.is_complete(state))
