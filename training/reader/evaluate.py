"""Measures how well the reader understands phrases that it did not learn from."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.core import paths
from scripts.core.system import process_memory
from scripts.llm.gguf_file import read_gguf
from scripts.llm.reader import EmbeddingProcess, Reader, classifier_beside, read_phrases
from scripts.llm.reader_file import format_classifier
from scripts.request.interpret.meaning import fit_classifier

_FOLDS = 6
_TIMED_PHRASES = 200
_PREFIX = "query: "


@dataclass(frozen=True)
class ReaderFigures:
    """Figures for the model card.

    Parameters
    ----------
    phrases, labels : int
        How many there are.
    right, right_in_three : float
        Share of phrases in other folds whose label is the likeliest, or among the likeliest three.
    first_seconds : float
        From the start of the process to the first answer.
    milliseconds : float
        Per sentence, on one thread.
    megabytes : float
        Memory of the process.
    """

    phrases: int
    labels: int
    right: float
    right_in_three: float
    first_seconds: float
    milliseconds: float
    megabytes: float


def fit_reader(model: Path, seed: int) -> ReaderFigures:
    """Learn the phrases of ``data/meanings.toml``, write the classifier and measure it."""
    phrases = paths.DATA / "meanings.toml"
    labels, texts = read_phrases(phrases)
    reader = Reader(read_gguf(model), phrases)
    started = time.monotonic()
    with EmbeddingProcess(model, _PREFIX, threads=1) as process:
        process.embed(texts[:1])
        first = time.monotonic() - started
        started = time.monotonic()
        process.embed(texts[:_TIMED_PHRASES])
        each = (time.monotonic() - started) / _TIMED_PHRASES
        vectors = process.embed(texts)
        memory = process_memory(process.pid)
    classifier = fit_classifier(vectors, labels)
    text = format_classifier(classifier, reader.fingerprint)
    classifier_beside(model).write_text(text, encoding="utf-8", newline="\n")
    fold = np.random.default_rng(seed).integers(0, _FOLDS, len(texts))
    ranks = []
    for n in range(_FOLDS):
        known = [i for i in range(len(texts)) if fold[i] != n]
        other = fit_classifier(vectors[known], [labels[i] for i in known])
        for i in np.flatnonzero(fold == n):
            ranks.append([name for name, _ in other.rank(vectors[i])].index(labels[i]))
    found = np.array(ranks)
    return ReaderFigures(
        len(texts),
        len(classifier.labels),
        float((found == 0).mean()),
        float((found < 3).mean()),
        first,
        each * 1000,
        memory / 1e6,
    )
