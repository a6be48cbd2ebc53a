"""A llama.cpp context in which several texts are written side by side.

A small model reads its weights from memory once for all texts of a batch, which takes hardly
longer than for one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from scripts.core.errors import ModelError

_BATCH = 512  # tokens
_UNIT = 256  # llama.cpp rounds a context up to whole ones

Logits = npt.NDArray[np.float32]


class Lanes:
    """So many texts after one prompt.

    Parameters
    ----------
    model : llama_model pointer
    lanes : int
    context : int
        Tokens of prompt and text in each lane.
    threads : int

    Raises
    ------
    ModelError
        When there is no memory for it.
    """

    def __init__(self, model: Any, lanes: int, context: int, threads: int) -> None:
        size = -(-context // _UNIT) * _UNIT
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_seq_max = size * lanes, lanes
        params.kv_unified = False  # each lane looks only at its own tokens
        params.n_batch = params.n_ubatch = min(_BATCH, size)
        params.n_threads = params.n_threads_batch = threads
        self._context = llama_cpp.llama_init_from_model(model, params)
        if not self._context:
            raise ModelError(
                f"no memory for a context of {size * lanes} tokens; try a smaller model"
            )
        self.context = context
        self._vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._most = int(params.n_batch)
        self._batch = llama_cpp.llama_batch_init(self._most, 0, 1)
        self._lengths = [0] * lanes
        self._address, self._view = 0, np.zeros((0, 0), np.float32)

    def __len__(self) -> int:
        return len(self._lengths)

    def room(self, lane: int) -> int:
        """Tokens that still fit in a lane."""
        return self.context - self._lengths[lane]

    def begin(self, prompt: Sequence[int]) -> Logits:
        """Forget everything and read `prompt` in lane 0.

        It is always read from nothing and in the same pieces, so that the numbers are the same.

        Returns
        -------
        (vocabulary,) float32 array
            Logits of what comes next, good until anything else is read.
        """
        llama_cpp.llama_memory_clear(self._memory, True)
        self._lengths = [0] * len(self._lengths)
        for at in range(0, len(prompt), self._most):
            logits = self.read({0: prompt[at : at + self._most]})
        return np.asarray(logits[0])

    def branch(self, lane: int) -> None:
        """Have `lane` go on from what lane 0 has read, and from nothing else."""
        llama_cpp.llama_memory_seq_rm(self._memory, lane, -1, -1)
        llama_cpp.llama_memory_seq_cp(self._memory, 0, lane, -1, -1)
        self._lengths[lane] = self._lengths[0]

    def read(self, tokens: dict[int, Sequence[int]]) -> Logits:
        """Read tokens in some lanes at once.

        Returns
        -------
        (lanes read, vocabulary) float32 array
            Logits of what comes next, in the order of `tokens`; good until the next call.
        """
        batch, n = self._batch, 0
        for lane, text in tokens.items():
            for token in text:
                batch.token[n], batch.pos[n] = token, self._lengths[lane]
                batch.n_seq_id[n], batch.seq_id[n][0] = 1, lane
                batch.logits[n] = 0
                self._lengths[lane] += 1
                n += 1
            batch.logits[n - 1] = 1
        batch.n_tokens = n
        status = llama_cpp.llama_decode(self._context, batch)
        if status:
            raise ModelError(f"llama.cpp could not decode (status {status}); try another model")
        return self._logits()

    def close(self) -> None:
        """Give the memory back."""
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self._context)

    def _logits(self) -> Logits:
        pointer = llama_cpp.llama_get_logits(self._context)
        address = ctypes.addressof(pointer.contents)
        if address != self._address:  # making the view costs as much as choosing a token
            self._address = address
            self._view = np.ctypeslib.as_array(pointer, (len(self), self._vocabulary))
        return self._view
