"""Process that runs an embedding model: texts become vectors.

Requests:

``{"op": "load", "path", "threads"}``
``{"op": "embed", "texts": [...]}``

Events: ``loaded``, ``result`` with the vectors as base64 of little-endian float32, ``error``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scripts.core.errors import ModelError
from scripts.llm.json_worker import JsonWorker, serve

_MAX_CONTEXT = 128  # tokens of a text; a sentence of 500 characters may be cut off
_MEAN_POOLING = 1


class _EmbeddingWorker(JsonWorker):
    llama: Any = None

    def handlers(self) -> Mapping[str, Callable[[dict[str, Any]], None]]:
        return {"load": self.load, "embed": self.embed}

    def prepare(self) -> None:
        import llama_cpp  # noqa: F401

    def load(self, request: dict[str, Any]) -> None:
        from scripts.llm.llama_file import open_llama

        self.llama = open_llama(
            Path(request["path"]),
            n_ctx=_MAX_CONTEXT,
            n_batch=_MAX_CONTEXT,
            n_ubatch=_MAX_CONTEXT,
            n_threads=request["threads"],
            n_threads_batch=request["threads"],
            embedding=True,
            pooling_type=_MEAN_POOLING,
        )
        self.send_event("loaded", width=self.llama.n_embd())

    def embed(self, request: dict[str, Any]) -> None:
        vectors = np.stack([self._embed_text(str(text)) for text in request["texts"]])
        if not np.isfinite(vectors).all():
            raise ModelError("its vectors are not finite; download it again")
        data = base64.b64encode(vectors.astype("<f4").tobytes()).decode("ascii")
        self.send_event("result", vectors=data, count=len(vectors))

    def _embed_text(self, text: str) -> np.ndarray:
        try:
            vector = self.llama.embed(text, normalize=False, truncate=True)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"it cannot embed text ({error}); choose another model") from error
        return np.asarray(vector, dtype=np.float32)


if __name__ == "__main__":
    serve(_EmbeddingWorker)
