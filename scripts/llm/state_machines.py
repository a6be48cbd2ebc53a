"""Machines: what text may come next, one character at a time.

A machine is a deterministic automaton. The decoder asks it which tokens of a vocabulary it
would accept from a state (see :mod:`scripts.llm.vocabulary`), so a model can only write what
the machine allows, whatever its weights say.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Hashable
from typing import NamedTuple, Protocol, TypeVar

State = TypeVar("State")
_OF_LINES = string.ascii_letters + " '\n"


class Machine(Protocol[State]):
    """What the decoder needs of an automaton."""

    def start(self) -> State:
        """The state before the first character."""

    def step(self, state: State, char: str) -> State | None:
        """The state after `char`, or None when it may not stand here."""

    def chars(self, state: State) -> Collection[str]:
        """Characters of which some may stand here, and no others."""

    def done(self, state: State) -> bool:
        """True when the text is complete; nothing may follow."""

    def key(self, state: State) -> Hashable:
        """States with equal keys allow the same next tokens."""

    def progress(self, state: State) -> float:
        """How much is written, 0 to 1."""


class LineState(NamedTuple):
    length: int
    word: int
    last: str


class LineMachine:
    """A title: words of letters with single spaces and apostrophes, closed by a line feed.

    Parameters
    ----------
    most : int
        Longest line in characters.
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
    """One of a closed list of words, closed by a line feed."""

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
