"""Tells the mood, valence and arousal of a sentence from its embedding."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from scripts.request.interpret.meaning import Vectors


@dataclass(frozen=True)
class MoodReading:
    """What a sentence says about how somebody feels.

    Parameters
    ----------
    ranked : tuple of (str, float)
        Identifiers of all moods with their probabilities, the likeliest first.
    valence : float
        -1 to 1.
    arousal : float
        0 to 1.
    """

    ranked: tuple[tuple[str, float], ...]
    valence: float
    arousal: float

    @property
    def mood(self) -> str:
        """The likeliest mood."""
        return self.ranked[0][0]

    def with_first(self, name: str) -> MoodReading:
        """The reading with another mood as the likeliest; its probability stays."""
        first = [item for item in self.ranked if item[0] == name]
        return replace(self, ranked=(*first, *(i for i in self.ranked if i[0] != name)))

    def without(self, names: Collection[str]) -> MoodReading:
        """The reading with some moods as the unlikeliest; it stays as it is if they are all."""
        kept = tuple(item for item in self.ranked if item[0] not in names)
        denied = tuple((name, 0.0) for name, _ in self.ranked if name in names)
        total = sum(probability for _, probability in kept)
        if not total:
            return self
        shares = tuple((name, probability / total) for name, probability in kept)
        return replace(self, ranked=(*shares, *denied))


@dataclass(frozen=True)
class MoodHead:
    """Linear classifier of moods, and regressions of valence and arousal.

    Parameters
    ----------
    moods : tuple of str, length c
        Identifiers.
    center : ndarray of float32, shape (d,)
        Mean of the embeddings, which is subtracted first.
    weights : ndarray of float32, shape (c + 2, d)
        Of the moods, valence and arousal.
    bias : ndarray of float32, shape (c + 2,)
    sharpness : float
        Factor of the moods' scores that makes the probabilities true on average.
    """

    moods: tuple[str, ...]
    center: Vectors
    weights: Vectors
    bias: Vectors
    sharpness: float

    def read(self, vector: Vectors) -> MoodReading:
        """Read an embedding, of shape (d,)."""
        unit = vector / max(float(np.linalg.norm(vector)), 1e-12)
        values = (self.weights @ (unit - self.center) + self.bias).astype(np.float64)
        scores = values[: len(self.moods)] * self.sharpness
        probabilities = np.exp(scores - scores.max())
        probabilities /= probabilities.sum()
        order = np.argsort(-probabilities, kind="stable")
        valence, arousal = values[len(self.moods) :]
        return MoodReading(
            tuple((self.moods[i], float(probabilities[i])) for i in order),
            float(min(1.0, max(-1.0, valence))),
            float(min(1.0, max(0.0, arousal))),
        )
