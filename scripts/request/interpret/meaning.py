"""Finds the style or mood that a sentence is nearest to in meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

NOTHING = "none"  # label of texts that ask for no music
EXAMPLE_SCALE = 127  # of the examples, which are stored as 8-bit integers
_SHRINKAGE = 1.0  # of the covariance towards a multiple of the identity
_SCALE = 0.5  # of the scores before the softmax; makes the probabilities true on average
_DIMENSIONS = 96  # of the space in which examples are compared
_NEIGHBORS = 8  # examples that vote
_NEIGHBOR_SHARPNESS = 16.0  # of the vote: how much more a nearer example counts
_NEIGHBOR_SHARE = 0.5  # of the vote in the probability

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
    """Classifier of sentence embeddings: a linear one and the nearest examples, half each.

    Parameters
    ----------
    labels : tuple of str, length c
        Styles, moods and :data:`NOTHING`.
    center : ndarray of float32, shape (d,)
        Mean of the embeddings, which is subtracted first: those of unrelated sentences are alike
        (their cosine is 0.8).
    weights : ndarray of float32, shape (d, c)
    bias : ndarray of float32, shape (c,)
    projection : ndarray of float32, shape (d, p)
        To the space in which examples are compared, where labels differ most.
    examples : ndarray of int8, shape (n, p)
        Unit vectors times :data:`EXAMPLE_SCALE`.
    example_labels : ndarray of int, shape (n,)
        Indices of labels.
    """

    labels: tuple[str, ...]
    center: Vectors
    weights: Vectors
    bias: Vectors
    projection: Vectors
    examples: NDArray[np.int8]
    example_labels: NDArray[np.int64]

    def rank(self, vector: Vectors) -> list[tuple[str, float]]:
        """Labels with their probabilities, the likeliest first.

        Parameters
        ----------
        vector : ndarray of float, shape (d,)
        """
        centered = _normalize(_normalize(vector[None]) - self.center)[0]
        scores = (centered @ self.weights + self.bias) * _SCALE
        linear = _softmax(scores)
        probabilities = (1 - _NEIGHBOR_SHARE) * linear + _NEIGHBOR_SHARE * self._vote(centered)
        order = np.argsort(-probabilities)
        return [(self.labels[i], float(probabilities[i])) for i in order]

    def _vote(self, centered: Vectors) -> NDArray[np.float64]:
        """Probability of each label among the nearest examples."""
        projected = _normalize((centered @ self.projection)[None])[0]
        cosines = self.examples.astype(np.float32) @ projected / EXAMPLE_SCALE
        nearest = np.argsort(-cosines)[:_NEIGHBORS]
        votes = np.zeros(len(self.labels))
        weights = _softmax(_NEIGHBOR_SHARPNESS * cosines[nearest])
        np.add.at(votes, self.example_labels[nearest], weights)
        return votes


def fit_classifier(vectors: Vectors, labels: Sequence[str]) -> MeaningClassifier:
    """Fit a classifier to example phrases.

    The linear part is linear discriminant analysis. The examples are compared after the
    transformation that makes the covariance within the labels the identity.

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
    whitening = np.linalg.cholesky(np.linalg.inv(covariance))
    whitened = centered @ whitening
    _, axes = np.linalg.eigh(np.cov(whitened.T))
    # Rounded as it is stored, so that a stored classifier equals a fitted one.
    projection = (whitening @ axes[:, ::-1][:, :_DIMENSIONS]).astype(np.float16)
    projection = projection.astype(np.float32)
    examples = np.round(_normalize(centered @ projection) * EXAMPLE_SCALE)
    kind = np.float32
    return MeaningClassifier(
        names,
        center.astype(kind),
        weights.astype(kind),
        bias.astype(kind),
        projection,
        examples.astype(np.int8),
        classes,
    )


def _softmax(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    exponentials = np.exp(scores - scores.max(), dtype=np.float64)
    found: NDArray[np.float64] = exponentials / exponentials.sum()
    return found


def _normalize(vectors: Vectors) -> Vectors:
    """Scale each row to length 1."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
