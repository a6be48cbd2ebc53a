"""State machine for a JSON object whose values come from closed lists."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

Choices = Mapping[str, Sequence[str]]  # allowed values by field


class ObjectState(NamedTuple):
    """Position in an object.

    Parameters
    ----------
    segment : int
        Index of the fixed text or value that is being written.
    written : str
        What has been written of it.
    """

    segment: int
    written: str


class ObjectMachine:
    """State machine for one line such as ``{"mood": "sad", "tempo": "slow"}``.

    Parameters
    ----------
    fields : mapping of str to sequence of str
        Allowed values of each field, in the order of the object; no value begins another one.
    """

    is_broad = False

    def __init__(self, fields: Choices) -> None:
        segments: list[tuple[str, ...]] = []
        start = "{"
        for name, values in fields.items():
            segments.append((f"{start}{json.dumps(name)}: ",))
            segments.append(tuple(json.dumps(value) for value in values))
            start = ", "
        self._segments = (*segments, ("}\n",))

    def start(self) -> ObjectState:
        return ObjectState(0, "")

    def step(self, state: ObjectState, char: str) -> ObjectState | None:
        if self.is_complete(state):
            return None
        written = state.written + char
        options = self._segments[state.segment]
        if written in options:  # values end with a quote, so none begins another
            return ObjectState(state.segment + 1, "")
        if any(option.startswith(written) for option in options):
            return ObjectState(state.segment, written)
        return None

    def possible_chars(self, state: ObjectState) -> set[str]:
        if self.is_complete(state):
            return set()
        at = len(state.written)
        options = self._segments[state.segment]
        return {option[at] for option in options if option.startswith(state.written)}

    def is_complete(self, state: ObjectState) -> bool:
        return state.segment == len(self._segments)

    def cache_key(self, state: ObjectState) -> Hashable:
        return state

    def progress(self, state: ObjectState) -> float:
        return state.segment / len(self._segments)
