"""Learns genres from lyrics: multinomial logistic regression on the reader and on form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from scripts.llm.reader import EmbeddingProcess
from scripts.lyrics.genre import FORM_FEATURES, GENRES, GenreHead, Vector, join_features, stanzas
from training.lyrics.texts import LabeledLyrics
from training.mood.sentences import READER_PREFIX

_PENALTY = 1e-3  # of the squared weights
_EMBEDDING_SCALE = 1 / 8  # features are divided by it
_FORM_SCALE = 8.0  # times the deviation: writers differ in form more than genres do


def embed_all(reader: Path, texts: Sequence[LabeledLyrics]) -> Vector:
    """Features of lyrics, of shape (n, d)."""
    with EmbeddingProcess(reader, READER_PREFIX, 2) as process:
        rows = [
            join_features(text.lyrics, text.language, process.embed(stanzas(text.lyrics)))
            for text in texts
        ]
    return np.stack(rows)


def fit(features: Vector, genres: Sequence[str]) -> GenreHead:
    """Fit a classifier."""
    mean = features.mean(axis=0)
    scale = np.full(features.shape[1], _EMBEDDING_SCALE, np.float32)
    scale[-FORM_FEATURES:] = _FORM_SCALE * (features[:, -FORM_FEATURES:].std(axis=0) + 1e-6)
    x = ((features - mean) / scale).astype(np.float64)
    labels = np.array([GENRES.index(genre) for genre in genres])
    rows, (count, width), classes = np.arange(len(x)), x.shape, len(GENRES)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = flat[:-classes].reshape(width, classes), flat[-classes:]
        scores = x @ weights + bias
        logs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        errors = np.exp(logs)
        errors[rows, labels] -= 1
        errors /= count
        slope = x.T @ errors + 2 * _PENALTY * weights
        value = -logs[rows, labels].mean() + _PENALTY * (weights**2).sum()
        return float(value), np.concatenate((slope.ravel(), errors.sum(axis=0)))

    start = np.zeros((width + 1) * classes)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    weights, bias = found[:-classes].reshape(width, classes), found[-classes:]
    return GenreHead(GENRES, mean, scale, weights.astype(np.float32), bias.astype(np.float32))


def score(truth: Sequence[str], found: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """Precision, recall and F1 of each genre."""
    figures = {}
    for genre in GENRES:
        hits = sum(t == f == genre for t, f in zip(truth, found, strict=True))
        precision = hits / max(1, sum(f == genre for f in found))
        recall = hits / max(1, sum(t == genre for t in truth))
        figures[genre] = (precision, recall, 2 * precision * recall / max(1e-9, precision + recall))
    return figures
