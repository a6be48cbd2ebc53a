"""Vocabulary of a model as a trie, and the tokens that a state machine allows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.llm.state_machines import StateMachine

TokenIds = npt.NDArray[np.int64]

Logits = npt.NDArray[np.float32]

MAX_TOKEN_BYTES = 12  # bytes; longer tokens are never needed to write a sheet
_LIKELY_TOKENS = 256


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
            if not _is_usable(piece):
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


def _is_usable(piece: bytes) -> bool:
    return 0 < len(piece) <= MAX_TOKEN_BYTES and piece.isascii()


class TokenMasks:
    """The tokens that one machine allows in each state, cached unless it is a broad one."""

    def __init__(self, vocabulary: Vocabulary, machine: StateMachine[Any]) -> None:
        self.vocabulary, self.machine = vocabulary, machine
        self._cache: dict[Hashable, TokenIds] = {}

    def __call__(self, state: Any) -> TokenIds:
        """All allowed tokens; ids, ascending."""
        key = self.machine.cache_key(state)
        ids = self._cache.get(key)
        if ids is None:
            ids = self.vocabulary.allowed_tokens(self.machine, state)
            if not self.machine.is_broad:
                self._cache[key] = ids
        return ids

    def likely(self, state: Any, logits: Logits) -> TokenIds:
        """Those of the likeliest tokens that are allowed, or all if none of them is.

        Parameters
        ----------
        state : object
        logits : (vocabulary,) float32 array

        Returns
        -------
        (n,) int64 array
            Ids, ascending.
        """
        count = min(_LIKELY_TOKENS, len(logits))
        likeliest = np.sort(np.argpartition(logits, -count)[-count:])
        allowed = [token for token in likeliest if self._accepts(state, int(token))]
        return np.array(allowed, dtype=np.int64) if allowed else self(state)

    def _accepts(self, state: Any, token: int) -> bool:
        piece = self.vocabulary.pieces[token]
        if not _is_usable(piece):
            return False
        for char in piece.decode("ascii"):
            state = self.machine.step(state, char)
            if state is None:
                return False
        return True
