"""Finds the style or mood that a sentence is nearest to in meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

NOTHING = "none"  # label of texts that ask for no music
_SHRINKAGE = 1.0  # of the covariance towards a multiple of the identity
_SCALE = 0.5  # of the scores before the softmax; makes the probabilities true on average

Vectors = NDArray[np.float32]


class MeaningReader(Protocol):
    """What :func:`scripts.request.interpret.interpret` needs of an embedding model."""

    def rank(self, text: str) -> list[tuple[str, float]]:
        """Styles and moods with their probabilities, the likeliest first."""
        ...

    def known_words(self) -> frozenset[str]:
        """Words of any language that are spelled correctly, folded."""
        ...


@dataclass(frozen=True)
class MeaningClassifier:
    """Linear classifier over sentence embeddings.

    Parameters
    ----------
    labels : tuple of str, length c
        Styles, moods and :data:`NOTHING`.
    center : ndarray of float32, shape (d,)
        Mean of the embeddings, which is subtracted first: those of unrelated sentences are alike
        (their cosine is 0.8).
    weights : ndarray of float32, shape (d, c)
    bias : ndarray of float32, shape (c,)
    """

    labels: tuple[str, ...]
    center: Vectors
    weights: Vectors
    bias: Vectors

    def rank(self, vector: Vectors) -> list[tuple[str, float]]:
        """Labels with their probabilities, the likeliest first.

        Parameters
        ----------
        vector : ndarray of float, shape (d,)
        """
        centered = _normalize(_normalize(vector[None]) - self.center)[0]
        scores = (centered @ self.weights + self.bias) * _SCALE
        exponentials = np.exp(scores - scores.max())
        probabilities = exponentials / exponentials.sum()
        order = np.argsort(-probabilities)
        return [(self.labels[i], float(probabilities[i])) for i in order]


def fit_classifier(vectors: Vectors, labels: Sequence[str]) -> MeaningClassifier:
    """Fit a classifier to example phrases by linear discriminant analysis.

    Parameters
    ----------
    vectors : ndarray of float, shape (n, d)
        Embeddings of the phrases.
    labels : sequence of str, length n
    """
    names = tuple(sorted(set(labels)))
    index = {name: i for i, name in enumerate(names)}
    classes = np.array([index[name] for name in labels])
    unit = _normalize(vectors)
    center = unit.mean(axis=0)
    centered = _normalize(unit - center)
    means = np.stack([centered[classes == i].mean(axis=0) for i in range(len(names))])
    rest = centered - means[classes]
    covariance = rest.T @ rest / len(rest)
    size = len(covariance)
    covariance += _SHRINKAGE * np.trace(covariance) / size * np.eye(size)
    weights = np.linalg.solve(covariance, means.T)
    bias = -0.5 * np.einsum("cd,dc->c", means, weights)
    kind = np.float32
    return MeaningClassifier(names, center.astype(kind), weights.astype(kind), bias.astype(kind))


def _normalize(vectors: Vectors) -> Vectors:
    """Scale each row to length 1."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
