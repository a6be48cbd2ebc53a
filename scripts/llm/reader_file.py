"""Stores the reader's classifier as JSON beside the model: ``reader.meanings``."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import msgspec
import numpy as np

from scripts.core.input_files import read_input
from scripts.core.json_fields import INVALID_DATA
from scripts.request.interpret.meaning import MeaningClassifier

_MAX_BYTES = 16 << 20
_TYPES = {
    "center": "<f4",
    "weights": "<f4",
    "bias": "<f4",
    "projection": "<f2",
    "examples": "i1",
    "example_labels": "<u2",
}


class _StoredClassifier(msgspec.Struct):
    """The file's content; arrays are base64 of the types in :data:`_TYPES`."""

    fingerprint: str
    labels: tuple[str, ...]
    center: str
    weights: str
    bias: str
    projection: str
    examples: str
    example_labels: str


def format_classifier(classifier: MeaningClassifier, fingerprint: str) -> str:
    """Convert to the text of a file."""
    arrays = {
        name: base64.b64encode(np.asarray(getattr(classifier, name), kind).tobytes()).decode()
        for name, kind in _TYPES.items()
    }
    content = {"fingerprint": fingerprint, "labels": classifier.labels, **arrays}
    return json.dumps(content, ensure_ascii=False) + "\n"


def load_classifier(path: Path, fingerprint: str) -> MeaningClassifier | None:
    """Read a classifier; None if the file is missing, damaged or was made from other phrases."""
    try:
        stored = msgspec.json.decode(read_input(path, _MAX_BYTES), type=_StoredClassifier)
        center, weights, bias, projection, examples, classes = (
            np.frombuffer(base64.b64decode(getattr(stored, name), validate=True), kind)
            for name, kind in _TYPES.items()
        )
        found = MeaningClassifier(
            stored.labels,
            center.astype(np.float32),
            weights.reshape(len(center), len(stored.labels)).astype(np.float32),
            bias.astype(np.float32),
            projection.reshape(len(center), -1).astype(np.float32),
            examples.reshape(len(classes), -1),
            classes.astype(np.int64),
        )
    except (OSError, ValueError, *INVALID_DATA):
        return None
    return found if stored.fingerprint == fingerprint and _is_sound(found) else None


def _is_sound(found: MeaningClassifier) -> bool:
    """Whether the arrays fit together."""
    counts = len(found.labels)
    numbers = (found.center, found.weights, found.bias, found.projection)
    return (
        len(found.bias) == counts > 0
        and len(found.examples) > 0
        and found.examples.shape[1] == found.projection.shape[1]
        and int(found.example_labels.max()) < counts
        and all(bool(np.isfinite(array).all()) for array in numbers)
    )
