"""Parallel sequences in one llama.cpp context.

Decoding a small model is bound by memory bandwidth: a batch reads the weights once for all its
sequences, so that several texts take hardly longer than one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from scripts.core.errors import ModelError

_BATCH_SIZE = 512  # tokens
_CONTEXT_MULTIPLE = 256  # tokens; llama.cpp rounds a context up to a multiple of it

Logits = npt.NDArray[np.float32]


class Sequences:
    """Sequences that continue one prompt, decoded in batches.

    ``len()`` gives the number of sequences.

    Parameters
    ----------
    model : llama_model pointer
    sequences : int
        Number of sequences.
    context : int
        Context size of each sequence in tokens, for prompt and text together.
    threads : int
        CPU threads.

    Raises
    ------
    ModelError
        When there is not enough memory.
    """

    def __init__(self, model: Any, sequences: int, context: int, threads: int) -> None:
        size = -(-context // _CONTEXT_MULTIPLE) * _CONTEXT_MULTIPLE
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_seq_max = size * sequences, sequences
        params.kv_unified = False  # each sequence attends only to its own tokens
        params.n_batch = params.n_ubatch = min(_BATCH_SIZE, size)
        params.n_threads = params.n_threads_batch = threads
        self._context = llama_cpp.llama_init_from_model(model, params)
        if not self._context:
            raise ModelError(
                f"not enough memory for a context of {size * sequences} tokens; try a smaller model"
            )
        self.context = context
        self._vocabulary_size = llama_cpp.llama_vocab_n_tokens(
            llama_cpp.llama_model_get_vocab(model)
        )
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch_size = int(params.n_batch)
        self._batch = llama_cpp.llama_batch_init(self._batch_size, 0, 1)
        self._lengths = [0] * sequences
        self._logits_address, self._logits_view = 0, np.zeros((0, 0), np.float32)

    def __len__(self) -> int:
        return len(self._lengths)

    def remaining(self, seq_id: int) -> int:
        """Count the tokens that still fit in a sequence."""
        return self.context - self._lengths[seq_id]

    def decode_prompt(self, prompt: Sequence[int]) -> Logits:
        """Clear all sequences and decode `prompt` in sequence 0.

        The prompt is never taken from a cache and always split into the same batches, so that the
        logits are reproducible.

        Returns
        -------
        (vocabulary,) float32 array
            Logits of the next token; valid until the next :meth:`decode`.
        """
        llama_cpp.llama_memory_clear(self._memory, True)
        self._lengths = [0] * len(self._lengths)
        for at in range(0, len(prompt), self._batch_size):
            logits = self.decode({0: prompt[at : at + self._batch_size]})
        return np.asarray(logits[0])

    def copy_prompt(self, seq_id: int) -> None:
        """Replace the content of sequence `seq_id` with a copy of sequence 0."""
        llama_cpp.llama_memory_seq_rm(self._memory, seq_id, -1, -1)
        llama_cpp.llama_memory_seq_cp(self._memory, 0, seq_id, -1, -1)
        self._lengths[seq_id] = self._lengths[0]

    def decode(self, tokens: dict[int, Sequence[int]]) -> Logits:
        """Append tokens to some sequences and decode them in one batch.

        Parameters
        ----------
        tokens : dict of int to sequence of int
            New tokens of each sequence, at least one for each and no more than a batch in all.

        Returns
        -------
        (sequences, vocabulary) float32 array
            Logits of the next tokens: the first ``len(tokens)`` rows, in the order of `tokens`;
            valid until the next call.

        Raises
        ------
        ModelError
            When llama.cpp fails.
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
        """Free the context and the batch."""
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self._context)

    def _logits(self) -> Logits:
        pointer = llama_cpp.llama_get_logits(self._context)
        address = ctypes.addressof(pointer.contents)
        if address != self._logits_address:  # creating the view costs as much as sampling
            self._logits_address = address
            self._logits_view = np.ctypeslib.as_array(pointer, (len(self), self._vocabulary_size))
        return self._logits_view
