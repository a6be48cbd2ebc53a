"""Stores the classifier of genres as JSON beside the reader: ``reader.genres``."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import msgspec
import numpy as np

from scripts.core.input_files import read_input
from scripts.core.json_fields import INVALID_DATA
from scripts.lyrics.genre import GenreHead

_MAX_BYTES = 4 << 20
_ARRAYS = ("mean", "scale", "weights", "bias")


class _StoredHead(msgspec.Struct):
    """The file's content; arrays are base64 of little-endian float32."""

    reader: str
    genres: tuple[str, ...]
    mean: str
    scale: str
    weights: str
    bias: str


def genres_beside(model: Path) -> Path:
    """Path of the classifier that ships with a model."""
    return model.with_suffix(".genres")


def format_genres(head: GenreHead, reader: str) -> str:
    """Convert to the text of a file; `reader` is the name of the embedding model."""
    arrays = {
        name: base64.b64encode(np.asarray(getattr(head, name), "<f4").tobytes()).decode()
        for name in _ARRAYS
    }
    return json.dumps({"reader": reader, "genres": head.genres, **arrays}) + "\n"


def load_genres(path: Path, reader: str) -> GenreHead | None:
    """Read a classifier; None if the file is missing, damaged or for another model."""
    try:
        stored = msgspec.json.decode(read_input(path, _MAX_BYTES), type=_StoredHead)
        mean, scale, weights, bias = (
            np.frombuffer(base64.b64decode(getattr(stored, name), validate=True), "<f4")
            for name in _ARRAYS
        )
        shaped = weights.reshape(len(mean), len(stored.genres))
        found = GenreHead(stored.genres, mean, scale, shaped, bias)
    except (OSError, ValueError, *INVALID_DATA):
        return None
    is_sound = len(scale) == len(mean) and len(bias) == len(stored.genres) > 0
    is_finite = all(bool(np.isfinite(a).all()) for a in (mean, scale, weights, bias))
    is_finite = is_finite and bool((scale > 0).all())
    return found if stored.reader == reader and is_sound and is_finite else None
