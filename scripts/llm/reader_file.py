"""Stores the reader's classifier as JSON beside the model: ``reader.meanings``."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import msgspec
import numpy as np

from scripts.core.input_files import read_input
from scripts.core.json_fields import INVALID_DATA
from scripts.request.interpret.meaning import MeaningClassifier, Vectors

_MAX_BYTES = 16 << 20


class _StoredClassifier(msgspec.Struct):
    """The file's content; arrays are base64 of little-endian float32."""

    fingerprint: str
    labels: tuple[str, ...]
    center: str
    weights: str
    bias: str


def format_classifier(classifier: MeaningClassifier, fingerprint: str) -> str:
    """Convert to the text of a file."""
    arrays = {
        name: base64.b64encode(np.asarray(array, "<f4").tobytes()).decode("ascii")
        for name, array in (
            ("center", classifier.center),
            ("weights", classifier.weights),
            ("bias", classifier.bias),
        )
    }
    content = {"fingerprint": fingerprint, "labels": classifier.labels, **arrays}
    return json.dumps(content, ensure_ascii=False) + "\n"


def load_classifier(path: Path, fingerprint: str) -> MeaningClassifier | None:
    """Read a classifier; None if the file is missing, damaged or was made from other phrases."""
    try:
        stored = msgspec.json.decode(read_input(path, _MAX_BYTES), type=_StoredClassifier)
        center, weights, bias = map(_decode, (stored.center, stored.weights, stored.bias))
        weights = weights.reshape(len(center), len(stored.labels))
    except (OSError, ValueError, *INVALID_DATA):
        return None
    is_sound = len(bias) == len(stored.labels) > 0 and np.isfinite(weights).all()
    if stored.fingerprint != fingerprint or not is_sound:
        return None
    return MeaningClassifier(stored.labels, center, weights, bias)


def _decode(text: str) -> Vectors:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)
