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
_OF_LINES = string.ascii_letters + " '\n"


class Machine(Protocol[State]):
    """Automaton over characters, as the decoder needs it."""

    def start(self) -> State:
        """Return the state before the first character."""

    def step(self, state: State, char: str) -> State | None:
        """Return the state after `char`, or None when `char` is not allowed in `state`."""

    def chars(self, state: State) -> Collection[str]:
        """Return a superset of the characters that are allowed in `state`."""

    def done(self, state: State) -> bool:
        """Whether the text is complete, so that nothing may follow."""

    def key(self, state: State) -> Hashable:
        """Return a cache key: states with equal keys allow the same next tokens."""

    def progress(self, state: State) -> float:
        """Return the fraction written, 0 to 1."""


class LineState(NamedTuple):
    """Position in a title.

    Parameters
    ----------
    length : int
        Characters so far.
    word : int
        Characters of the current word.
    last : str
        Last character: ``a`` for a letter, ``s`` for a space, an apostrophe, or a line feed; empty
        at the start.
    """

    length: int
    word: int
    last: str


class LineMachine:
    """State machine for a title, ended by a line feed.

    A title is at least 4 characters long: capitalized words of letters and apostrophes, separated
    by single spaces.

    Parameters
    ----------
    most : int
        Maximum length of the title in characters.
    """

    def __init__(self, most: int = 32) -> None:
        self.most = most

    def start(self) -> LineState:
        return LineState(0, 0, "")

    def step(self, state: LineState, char: str) -> LineState | None:
        length, word, last = state
        if last == "\n":
            return None
        if char == "\n":
            ok = length >= 4 and word >= 2
            return LineState(length, 0, "\n") if ok else None
        if length >= self.most:
            return None
        if char == " ":
            room = length + 3 <= self.most
            return LineState(length + 1, 0, "s") if word >= 2 and room else None
        if char == "'":
            return LineState(length + 1, word + 1, "'") if last == "a" and word >= 2 else None
        if char.isascii() and char.isalpha():
            starts = length == 0 or last == "s"
            if word >= 12 or char.isupper() != starts:
                return None
            return LineState(length + 1, word + 1, "a")
        return None

    def chars(self, state: LineState) -> str:
        return _OF_LINES

    def done(self, state: LineState) -> bool:
        return state.last == "\n"

    def key(self, state: LineState) -> Hashable:
        return (min(self.most - state.length, 16), min(state.length, 4), state.word, state.last)

    def progress(self, state: LineState) -> float:
        return state.length / self.most


class ChoiceMachine:
    """State machine for one of `choices`, ended by a line feed."""

    def __init__(self, choices: tuple[str, ...]) -> None:
        self.choices = tuple(c + "\n" for c in choices)

    def start(self) -> str:
        return ""

    def step(self, state: str, char: str) -> str | None:
        text = state + char
        return text if any(c.startswith(text) for c in self.choices) else None

    def chars(self, state: str) -> set[str]:
        return {c[len(state)] for c in self.choices if c.startswith(state) and c != state}

    def done(self, state: str) -> bool:
        return state in self.choices

    def key(self, state: str) -> Hashable:
        return state

    def progress(self, state: str) -> float:
        return float(self.done(state))
