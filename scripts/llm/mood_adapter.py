"""The adapter that lets the reader feel moods: LoRA weights and a head, in one GGUF file."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from scripts.core.errors import ModelError
from scripts.core.json_fields import INVALID_DATA
from scripts.llm.gguf_file import GgufInfo, read_gguf
from scripts.request.interpret.mood_head import MoodHead

HEAD_KEY = "llm_music_gen.mood_head"  # metadata: the head as JSON
BASE_KEY = "llm_music_gen.base"  # metadata: name of the embedding model that it adapts


class _StoredHead(msgspec.Struct):
    """The head; arrays are base64 of little-endian float32."""

    moods: Annotated[tuple[str, ...], Meta(min_length=2, max_length=100)]
    center: str
    weights: str
    bias: str
    sharpness: Annotated[float, Meta(gt=0, lt=1e4)]


def adapter_beside(model: Path) -> Path:
    """Path of the adapter that ships with an embedding model."""
    return model.with_suffix(".moods")


def format_head(head: MoodHead) -> str:
    """Convert to the text that the adapter's file contains."""
    arrays = {
        name: base64.b64encode(np.asarray(getattr(head, name), "<f4").tobytes()).decode()
        for name in ("center", "weights", "bias")
    }
    return json.dumps({"moods": head.moods, "sharpness": head.sharpness, **arrays})


def load_head(model: GgufInfo) -> MoodHead | None:
    """Read the head of the adapter beside a model; None if it is missing or for another model."""
    try:
        metadata = read_gguf(adapter_beside(model.path)).metadata
        if metadata.get(BASE_KEY) != model.name:
            return None
        return _parse_head(str(metadata.get(HEAD_KEY, "")))
    except (ModelError, OSError, ValueError, *INVALID_DATA):
        return None


def _parse_head(text: str) -> MoodHead:
    stored = msgspec.json.decode(text.encode(), type=_StoredHead)
    center, weights, bias = (
        np.frombuffer(base64.b64decode(data, validate=True), "<f4").astype(np.float32)
        for data in (stored.center, stored.weights, stored.bias)
    )
    head = MoodHead(stored.moods, center, weights.reshape(len(bias), -1), bias, stored.sharpness)
    is_sound = len(bias) == len(head.moods) + 2 and head.weights.shape[1] == len(center)
    if not is_sound or not all(np.isfinite(a).all() for a in (center, weights, bias)):
        raise ValueError("the arrays of the head do not fit together")
    return head
