"""Guidance: a small model that knows music mixes into what a larger one writes.

The two have different tokens, so that they are mixed by characters. A token of the larger model is
chosen in steps: the next character, or that the token ends here. In each step both models give the
options a probability, and their product is sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.llm.character_model import CharacterModel, CharacterVocabulary, Probabilities
from scripts.llm.llama_file import open_llama, token_pieces
from scripts.llm.sampling import Logits, Sampling, sample_token
from scripts.llm.state_machines import StateMachine

_FLOOR = 1e-9  # least probability of an option, so that logarithms are finite
_END = ""  # option: the token ends here


class Guide:
    """A loaded model that guides others.

    Parameters
    ----------
    path : Path
        Its GGUF file.
    context : int
        Context size in tokens.

    Raises
    ------
    ModelError
        When llama.cpp cannot load the file.
    """

    def __init__(self, path: Path, context: int) -> None:
        self._llama = open_llama(path, n_ctx=16, n_batch=16, n_threads=1, n_threads_batch=1)
        self._vocabulary = CharacterVocabulary(token_pieces(self._llama))
        self._context = context

    def open(self) -> CharacterModel:
        """Open a context, for one text at a time."""
        return CharacterModel(self._llama, self._vocabulary, self._context)


def guided_token(
    pieces: Sequence[str],
    logits: Logits,
    machine: StateMachine[Any],
    state: Any,
    guide: CharacterModel,
    text: str,
    weight: float,
    sampling: Sampling,
    rng: np.random.Generator,
) -> int:
    """Sample one of the allowed tokens from both models.

    Parameters
    ----------
    pieces : sequence of str
        Texts of the allowed tokens.
    logits : (n,) float32 array
        The larger model's logits of these tokens.
    machine : StateMachine
        Which characters may follow.
    state : object
        Its state after `text`.
    guide : CharacterModel
    text : str
        What has been written so far.
    weight : float
        0 for the larger model alone, 1 for the guide alone, 0.5 for the product of both.
    sampling : Sampling
        Applies to the mixture, in each step.
    rng : numpy.random.Generator

    Returns
    -------
    int
        Index into `pieces`.
    """
    own_power, guide_power = 1 - weight, weight
    chances = np.exp(logits.astype(np.float64) - logits.max())
    remaining = [*range(len(pieces))]
    depth = 0
    while True:
        options: dict[str, list[int]] = {}
        for n in remaining:
            options.setdefault(pieces[n][depth : depth + 1], []).append(n)
        chars = [*options]
        char = chars[0]
        if len(chars) > 1:
            own = np.array([chances[options[c]].sum() for c in chars])
            guided = _guide_chances(guide.next_chars(text), chars, machine, state)
            mixed = own_power * _log(own) + guide_power * _log(guided)
            char = chars[sample_token(mixed.astype(np.float32), sampling, rng)]
        remaining = options[char]
        if char == _END:
            return remaining[0]
        state = machine.step(state, char)
        text += char
        depth += 1


def _guide_chances(
    next_chars: Probabilities, chars: Sequence[str], machine: StateMachine[Any], state: Any
) -> Probabilities:
    """The guide's probabilities of the options; the end gets those of what may follow it."""
    chances = np.array([next_chars[ord(c)] if c else 0.0 for c in chars])
    if _END in chars:
        others = {*machine.possible_chars(state)} - {*chars}
        chances[chars.index(_END)] = sum(
            next_chars[ord(c)] for c in others if machine.step(state, c) is not None
        )
    return chances


def _log(chances: Probabilities) -> Probabilities:
    total = chances.sum() or 1.0
    return np.asarray(np.log(np.maximum(chances / total, _FLOOR)))
