"""Parallel sequences in one llama.cpp context.

Decoding a tiny model is bound by the cost of each call: a batch of several sequences takes hardly
longer than one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from scripts.core.errors import ModelError

_BATCH_SIZE = 512  # tokens
_CONTEXT_MULTIPLE = 256  # tokens; llama.cpp rounds a context up to a multiple of it

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SavedPrompt:
    """A decoded prompt that other sequences can continue.

    Parameters
    ----------
    length : int
        Number of tokens.
    state : bytes
        The model's memory of them, as llama.cpp stores it.
    logits : (vocabulary,) float32 array
        Logits of the token after the prompt.
    """

    length: int
    state: bytes
    logits: Logits


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
        CPU threads that decode the texts.
    prompt_threads : int, optional
        CPU threads that decode prompts; by default the same number.
    flash_attention : bool
        Whether flash attention may be used. On a processor it splits one sequence's cells by
        threads, so that the logits depend on how many there are.

    Raises
    ------
    ModelError
        When there is not enough memory.
    """

    def __init__(
        self,
        model: Any,
        sequences: int,
        context: int,
        threads: int,
        prompt_threads: int = 0,
        flash_attention: bool = True,
    ) -> None:
        size = -(-context // _CONTEXT_MULTIPLE) * _CONTEXT_MULTIPLE
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_seq_max = size * sequences, sequences
        params.kv_unified = False  # each sequence attends only to its own tokens
        params.n_batch = params.n_ubatch = min(_BATCH_SIZE, size)
        params.n_threads, params.n_threads_batch = threads, prompt_threads or threads
        if not flash_attention:
            params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._context = llama_cpp.llama_init_from_model(model, params)
        if not self._context:
            raise ModelError(
                f"not enough memory for a context of {size * sequences} tokens; try a smaller model"
            )
        self.context = context
        self._threads, self._prompt_threads = threads, prompt_threads or threads
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

    @property
    def threads(self) -> int:
        """CPU threads that decode the texts."""
        return self._threads

    @threads.setter
    def threads(self, count: int) -> None:
        self._threads = count
        llama_cpp.llama_set_n_threads(self._context, count, self._prompt_threads)

    def decode_prompt(self, prompt: Sequence[int], prefix: SavedPrompt | None = None) -> Logits:
        """Clear all sequences and decode `prompt` in sequence 0, after `prefix` if there is one.

        The prompt is always split into the same batches, so that the logits are reproducible.

        Returns
        -------
        (vocabulary,) float32 array
            Logits of the next token; valid until the next :meth:`decode`.
        """
        if prefix is None:
            self._clear()
        else:
            self.load(prefix)
        logits: Any = [prefix.logits] if prefix else None
        for at in range(0, len(prompt), self._batch_size):
            logits = self.decode({0: prompt[at : at + self._batch_size]})
        return np.asarray(logits[0])

    def save(self, logits: Logits) -> SavedPrompt:
        """Save the content of sequence 0, after which the model gave `logits`."""
        size = llama_cpp.llama_state_seq_get_size(self._context, 0)
        buffer = (ctypes.c_uint8 * size)()
        written = llama_cpp.llama_state_seq_get_data(self._context, buffer, size, 0)
        return SavedPrompt(self._lengths[0], bytes(buffer)[:written], logits.copy())

    def load(self, prompt: SavedPrompt) -> None:
        """Clear all sequences and let sequence 0 begin with a saved prompt.

        Raises
        ------
        ModelError
            When llama.cpp fails.
        """
        self._clear()
        buffer = (ctypes.c_uint8 * len(prompt.state)).from_buffer_copy(prompt.state)
        if not llama_cpp.llama_state_seq_set_data(self._context, buffer, len(buffer), 0):
            raise ModelError("llama.cpp could not restore a prompt; try another model")
        self._lengths[0] = prompt.length

    def copy_prompt(self, seq_id: int) -> None:
        """Replace the content of sequence `seq_id` with a copy of sequence 0."""
        llama_cpp.llama_memory_seq_rm(self._memory, seq_id, -1, -1)
        llama_cpp.llama_memory_seq_cp(self._memory, 0, seq_id, -1, -1)
        self._lengths[seq_id] = self._lengths[0]

    def truncate(self, seq_id: int, length: int) -> None:
        """Remove the tokens of a sequence from the `length`-th on."""
        llama_cpp.llama_memory_seq_rm(self._memory, seq_id, length, -1)
        self._lengths[seq_id] = length

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
        for seq_id, text in tokens.items():
            for token in text:
                self._set(n, token, seq_id, False)
                n += 1
            batch.logits[n - 1] = 1
        return self._run(n)[: len(tokens)]

    def decode_every(self, tokens: Sequence[int]) -> Logits:
        """Append tokens to sequence 0; the logits after each of them.

        Returns
        -------
        (tokens, vocabulary) float32 array
            Valid until the next call.

        Raises
        ------
        ModelError
            When llama.cpp fails.
        """
        for n, token in enumerate(tokens):
            self._set(n, token, 0, True)
        return self._run(len(tokens))[: len(tokens)]

    def close(self) -> None:
        """Free the context and the batch."""
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self._context)

    def _clear(self) -> None:
        llama_cpp.llama_memory_clear(self._memory, True)
        self._lengths = [0] * len(self._lengths)

    def _set(self, place: int, token: int, seq_id: int, wanted: bool) -> None:
        batch = self._batch
        batch.token[place], batch.pos[place] = token, self._lengths[seq_id]
        batch.n_seq_id[place], batch.seq_id[place][0] = 1, seq_id
        batch.logits[place] = int(wanted)
        self._lengths[seq_id] += 1

    def _run(self, count: int) -> Logits:
        self._batch.n_tokens = count
        status = llama_cpp.llama_decode(self._context, self._batch)
        if status:
            raise ModelError(f"llama.cpp could not decode (status {status}); try another model")
        return self._logits(sum(self._batch.logits[n] for n in range(count)))

    def _logits(self, rows: int) -> Logits:
        pointer = llama_cpp.llama_get_logits(self._context)
        address = ctypes.addressof(pointer.contents)
        if address != self._logits_address or rows > len(self._logits_view):
            # Creating the view costs as much as sampling.
            self._logits_address = address
            shape = (max(rows, len(self)), self._vocabulary_size)
            self._logits_view = np.ctypeslib.as_array(pointer, shape)
        return self._logits_view
