"""Texts being written under a state machine."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scripts.core.errors import ModelError
from scripts.llm.character_model import CharacterModel
from scripts.llm.guide import guided_token
from scripts.llm.sampling import Sampling, penalize_repeats, sample_token
from scripts.llm.sequences import Logits
from scripts.llm.vocabulary import TokenIds, TokenMasks

_MAX_STEP_TOKENS = 32  # maximum tokens of one text in a decoding step
_RECENT_TOKENS = 64  # tokens that the repeat penalty looks back on


@dataclass
class Draft:
    """Text being written.

    Parameters
    ----------
    masks : TokenMasks
        The tokens that may follow, of the machine that accepts the text.
    state : object
        Current state of the machine.
    sampling : Sampling
    rng : numpy.random.Generator
    guide : CharacterModel, optional
        Another model that is mixed in with the weight `guide_weight`.
    tokens : list of int
    decoded_count : int
        How many of `tokens` the model has decoded.
    """

    masks: TokenMasks
    state: Any
    sampling: Sampling
    rng: np.random.Generator
    guide: CharacterModel | None = None
    guide_weight: float = 0.0
    tokens: list[int] = field(default_factory=list)
    decoded_count: int = 0

    @staticmethod
    def start(masks: TokenMasks, sampling: Sampling) -> Draft:
        """Return an empty text."""
        return Draft(masks, masks.machine.start(), sampling, np.random.default_rng(sampling.seed))

    @property
    def text(self) -> str:
        pieces = self.masks.vocabulary.pieces
        return b"".join(pieces[t] for t in self.tokens).decode("ascii")

    @property
    def is_complete(self) -> bool:
        return self.masks.machine.is_complete(self.state)

    @property
    def progress(self) -> float:
        return self.masks.machine.progress(self.state)

    @property
    def pending(self) -> list[int]:
        """Tokens that the model has not decoded."""
        return self.tokens[self.decoded_count :]

    def extend(self, logits: Logits) -> None:
        """Sample the next token, then append the tokens that the machine forces after it.

        Parameters
        ----------
        logits : (vocabulary,) float32 array
            Of the token after the text.

        Raises
        ------
        ModelError
            When the vocabulary has no token that the machine accepts, or the logits are not
            finite.
        """
        self.decoded_count = len(self.tokens)
        machine, pieces = self.masks.machine, self.masks.vocabulary.pieces
        for n in range(_MAX_STEP_TOKENS):
            if not machine.is_broad:
                allowed = self.masks(self.state)
            elif n == 0:
                allowed = self.masks.likely(self.state, logits)
            else:
                break
            if not len(allowed):
                raise ModelError("this model's vocabulary cannot write ABC; choose another model")
            token = int(allowed[0])
            if len(allowed) > 1:
                if n:
                    break
                likely = logits[allowed]
                if not math.isfinite(likely.max()):
                    raise ModelError("the model's output is not finite; download the file again")
                token = int(allowed[self._sample(allowed, likely)])
            for char in pieces[token].decode("ascii"):
                self.state = machine.step(self.state, char)
            self.tokens.append(token)
            if machine.is_complete(self.state):
                break

    def _sample(self, allowed: TokenIds, logits: Logits) -> int:
        """Choose among the allowed tokens; index into `allowed`."""
        if self.sampling.repeat_penalty != 1:
            recent = self.tokens[-_RECENT_TOKENS:]
            logits = penalize_repeats(logits, allowed, recent, self.sampling.repeat_penalty)
        if self.guide is None:
            return sample_token(logits, self.sampling, self.rng)
        pieces = [self.masks.vocabulary.pieces[t].decode("ascii") for t in allowed]
        return guided_token(
            pieces,
            logits,
            self.masks.machine,
            self.state,
            self.guide,
            self.text,
            self.guide_weight,
            self.sampling,
            self.rng,
        )
