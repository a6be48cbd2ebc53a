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


class StateMachine(Protocol[State]):
    """Automaton over characters, as the decoder needs it."""

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
    """Position in a title.

    Parameters
    ----------
    length : int
        Characters so far.
    word_length : int
        Characters of the current word.
    last : str
        Last character: ``a`` for a letter, ``s`` for a space, an apostrophe, or a line feed; empty
        at the start.
    """

    length: int
    word_length: int
    last: str


class TitleMachine:
    """State machine for a title, ended by a line feed.

    A title is at least 4 characters long: capitalized words of letters and apostrophes, separated
    by single spaces.

    Parameters
    ----------
    max_length : int
        Maximum length of the title in characters.
    """

    def __init__(self, max_length: int = 32) -> None:
        self.max_length = max_length

    def start(self) -> TitleState:
        return TitleState(0, 0, "")

    def step(self, state: TitleState, char: str) -> TitleState | None:
        length, word, last = state
        if last == "\n":
            return None
        if char == "\n":
            ok = length >= 4 and word >= 2
            return TitleState(length, 0, "\n") if ok else None
        if length >= self.max_length:
            return None
        if char == " ":
            room = length + 3 <= self.max_length
            return TitleState(length + 1, 0, "s") if word >= 2 and room else None
        if char == "'":
            return TitleState(length + 1, word + 1, "'") if last == "a" and word >= 2 else None
        if char.isascii() and char.isalpha():
            starts = length == 0 or last == "s"
            if word >= 12 or char.isupper() != starts:
                return None
            return TitleState(length + 1, word + 1, "a")
        return None

    def possible_chars(self, state: TitleState) -> str:
        return _TITLE_CHARS

    def is_complete(self, state: TitleState) -> bool:
        return state.last == "\n"

    def cache_key(self, state: TitleState) -> Hashable:
        return (
            min(self.max_length - state.length, 16),
            min(state.length, 4),
            state.word_length,
            state.last,
        )

    def progress(self, state: TitleState) -> float:
        return state.length / self.max_length


class ChoiceMachine:
    """State machine for one of `choices`, ended by a line feed."""

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
