"""Process that runs an embedding model: texts become vectors.

Requests:

``{"op": "load", "path", "threads", "adapter": LoRA file or ""}``
``{"op": "embed", "texts": [...], "adapted": whether with the adapter}``

Events: ``loaded``, ``result`` with the vectors as base64 of little-endian float32, ``error``.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
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
    adapter: Any = None

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
        if request["adapter"]:
            self.adapter = self._load_adapter(request["adapter"])
        self.send_event("loaded", width=self.llama.n_embd())

    def _load_adapter(self, path: str) -> Any:
        from llama_cpp import llama_adapter_lora_init

        # Some Windows builds open only paths in the system code page; see open_llama.
        with contextlib.chdir(Path(path).parent):
            adapter = llama_adapter_lora_init(self.llama.model, Path(path).name.encode())
        if not adapter:
            raise ModelError(f"its adapter {Path(path).name} cannot be loaded; download it again")
        return adapter

    def embed(self, request: dict[str, Any]) -> None:
        self._use_adapter(request["adapted"])
        vectors = np.stack([self._embed_text(str(text)) for text in request["texts"]])
        if not np.isfinite(vectors).all():
            raise ModelError("its vectors are not finite; download it again")
        data = base64.b64encode(vectors.astype("<f4").tobytes()).decode("ascii")
        self.send_event("result", vectors=data, count=len(vectors))

    def _use_adapter(self, is_used: bool) -> None:
        from llama_cpp import llama_adapter_lora_p_ctypes, llama_set_adapters_lora

        count = int(is_used and self.adapter is not None)
        adapters = (llama_adapter_lora_p_ctypes * count)(*[self.adapter] * count)
        scales = (ctypes.c_float * count)(*[1.0] * count)
        llama_set_adapters_lora(self.llama.ctx, adapters, count, scales)

    def _embed_text(self, text: str) -> np.ndarray:
        try:
            vector = self.llama.embed(text, normalize=False, truncate=True)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"it cannot embed text ({error}); choose another model") from error
        return np.asarray(vector, dtype=np.float32)


if __name__ == "__main__":
    serve(_EmbeddingWorker)
