"""Vocabulary of a model as a trie, and the tokens that a state machine allows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.llm.state_machines import StateMachine

TokenIds = npt.NDArray[np.int64]

MAX_TOKEN_BYTES = 12  # bytes; longer tokens are never needed to write a sheet


class Vocabulary:
    """Trie of a model's tokens by their text.

    Parameters
    ----------
    pieces : iterable of bytes
        Text of token 0, 1, ...; empty for tokens that must not be written. Only ASCII tokens of
        at most :data:`MAX_TOKEN_BYTES` bytes are used.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = tuple(pieces)
        self._root: dict[str, Any] = {}
        for token, piece in enumerate(self.pieces):
            if not 0 < len(piece) <= MAX_TOKEN_BYTES or not piece.isascii():
                continue
            node = self._root
            for char in piece.decode("ascii"):
                node = node.setdefault(char, {})
            node.setdefault("", []).append(token)

    def allowed_tokens(self, machine: StateMachine[Any], state: Any) -> TokenIds:
        """Find the tokens whose whole text `machine` accepts from `state`; ids, ascending."""
        found: list[int] = []
        stack = [(self._root, state)]
        while stack:
            node, at = stack.pop()
            may = machine.possible_chars(at)
            for char, below in node.items():
                if char not in may or char == "":
                    continue
                after = machine.step(at, char)
                if after is not None:
                    tokens = below.get("", ())
                    found.extend(tokens)
                    if len(below) > bool(tokens):
                        stack.append((below, after))
        return np.array(sorted(found), dtype=np.int64)


class TokenMasks:
    """Cache of the tokens that one machine allows in each state."""

    def __init__(self, vocabulary: Vocabulary, machine: StateMachine[Any]) -> None:
        self.vocabulary, self.machine = vocabulary, machine
        self._cache: dict[Hashable, TokenIds] = {}

    def __call__(self, state: Any) -> TokenIds:
        key = self.machine.cache_key(state)
        ids = self._cache.get(key)
        if ids is None:
            ids = self._cache[key] = self.vocabulary.allowed_tokens(self.machine, state)
        return ids
