"""Result of a request to a model: finished texts and their price; callbacks on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ProgressCallback = Callable[[float, str], None]  # fraction done (0 to 1), end of a text so far
TextCallback = Callable[[int, str], None]  # index of a text, and the text, when it is finished


@dataclass(frozen=True)
class Reply:
    """Finished texts of a model.

    Parameters
    ----------
    texts : tuple of str
    bits : tuple of float
        Bits per character that the guide needs for each text; empty without a guide.
    tokens : int
        Number of tokens in all.
    seconds : float
        Time spent decoding.
    prompt_tokens, cached_tokens : int
        Tokens of the prompt, and how many of them were decoded before.
    """

    texts: tuple[str, ...]
    bits: tuple[float, ...]
    tokens: int
    seconds: float
    prompt_tokens: int
    cached_tokens: int
