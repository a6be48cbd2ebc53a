"""Token sampling from logits: temperature, min-p, top-k, top-p and repeat penalty."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sampling:
    """Sampling parameters.

    Parameters
    ----------
    temperature : float
        0 always takes the likeliest token; 0.05 to 2 is usual.
    top_k : int
        Keep the k likeliest tokens; 0 keeps all.
    top_p : float
        Keep the smallest set of tokens with at least this probability, 0 to 1.
    min_p : float
        Drop tokens less likely than this fraction of the likeliest one's probability, 0 to 1.
    repeat_penalty : float
        Factor by which the logits of recent tokens are lowered; 1 lowers none.
    seed : int
        0 to 2**63 - 1.
    """

    temperature: float = 0.75
    top_k: int = 0
    top_p: float = 0.95
    min_p: float = 0.02
    repeat_penalty: float = 1.0
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def sample_token(logits: Logits, sampling: Sampling, rng: np.random.Generator) -> int:
    """Sample one token.

    Parameters
    ----------
    logits : (n,) float32 array
        Of the allowed tokens only; n is at least 1.
    sampling : Sampling
    rng : numpy.random.Generator

    Returns
    -------
    int
        Index into `logits` of the sampled token.
    """
    if len(logits) == 1:
        return 0
    if sampling.temperature <= 0:
        return int(np.argmax(logits))
    scaled = logits.astype(np.float64) / sampling.temperature
    weights = np.exp(scaled - scaled.max())
    likely = np.flatnonzero(weights >= sampling.min_p)  # the likeliest has weight 1
    order = likely[np.argsort(-weights[likely], kind="stable")]
    if sampling.top_k:
        order = order[: sampling.top_k]
    weights = weights[order]
    total = np.cumsum(weights)
    keep = int(np.searchsorted(total, sampling.top_p * total[-1])) + 1
    total = total[:keep]
    chosen = np.searchsorted(total, rng.random() * total[-1], side="right")
    return int(order[min(int(chosen), len(total) - 1)])


def penalize_repeats(
    logits: Logits, tokens: npt.NDArray[np.int64], recent: Collection[int], penalty: float
) -> Logits:
    """Lower the logits of recent tokens (the CTRL paper, Keskar et al. 2019, section 4.1).

    Parameters
    ----------
    logits : (n,) float32 array
    tokens : (n,) int64 array
        The tokens they belong to.
    recent : collection of int
        Tokens that were written lately.
    penalty : float
        Positive logits are divided by it, negative ones multiplied.
    """
    repeated = np.isin(tokens, [*recent])
    return np.where(repeated, np.where(logits > 0, logits / penalty, logits * penalty), logits)
