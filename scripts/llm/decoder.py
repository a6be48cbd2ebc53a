"""Decodes text from a loaded model under a machine. Runs in the model's own process."""

from __future__ import annotations

import ctypes
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from scripts.errors import Cancelled, ModelError
from scripts.installer.causes import ILLEGAL_WORDS, NO_AVX
from scripts.llm.machines import Machine
from scripts.llm.sampling import Sampling, pick
from scripts.llm.vocabulary import Masks, Vocabulary

Report = Callable[[float, str], None]


@dataclass(frozen=True)
class Decoded:
    """A finished text, its number of tokens, and the seconds spent on them."""

    text: str
    tokens: int
    seconds: float


def _load(path: Path, context: int, threads: int) -> Any:
    def load(name: str) -> Any:
        return llama_cpp.Llama(model_path=name, n_ctx=context, n_threads=threads,
                               n_threads_batch=threads, n_batch=512, verbose=True)
    try:
        return load(str(path))
    except (ValueError, RuntimeError, OSError) as error:
        if any(words in str(error) for words in ILLEGAL_WORDS):
            raise ModelError(NO_AVX) from error
        if str(path).isascii():
            raise ModelError(f"{path}: llama.cpp cannot load it ({error})") from error
    # Some builds for Windows open only names in its own code page (llama.cpp #18571): from
    # within the folder an ordinary file name is enough.
    here = Path.cwd()
    try:
        os.chdir(path.parent)
        return load(path.name)
    except (ValueError, RuntimeError, OSError) as error:
        raise ModelError(f"{path}: llama.cpp cannot load it ({error}); if other models load, "
                         "move it to a folder and name of plain letters") from error
    finally:
        os.chdir(here)


class Decoder:
    """A loaded GGUF model.

    Parameters
    ----------
    path : Path
        The GGUF file.
    context : int
        Tokens of prompt and reply together.
    threads : int
        CPU threads.
    """

    def __init__(self, path: Path, context: int, threads: int) -> None:
        self.llama = _load(path, context, threads)
        self.context = self.llama.n_ctx()
        self._model = self.llama.model
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self.size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self.vocabulary = Vocabulary(self._piece(t) for t in range(self.size))
        self._masks: dict[Any, Masks] = {}
        self._prompt: tuple[int, ...] = ()
        self._address = 0
        self._view = np.zeros(0, np.float32)

    def tokenize(self, text: str, special: bool, bos: bool) -> list[int]:
        """Tokens of `text`; `special` reads control tokens written in it."""
        return list(self.llama.tokenize(text.encode("utf-8"), add_bos=bos, special=special))

    def write(self, prompt: list[int], machine: Machine[Any], identity: Any, sampling: Sampling,
              report: Report, cancelled: Callable[[], bool]) -> Decoded:
        """Write one text after `prompt`.

        Parameters
        ----------
        prompt : list of int
            Tokens; the same prompt again costs nothing.
        identity : hashable
            Names the machine, so that its masks are kept for the next text.

        Raises
        ------
        ModelError
            When the context is too small or the vocabulary cannot write what is asked.
        """
        masks = self._masks.get(identity)
        if masks is None:
            self._masks.clear()
            masks = self._masks[identity] = Masks(self.vocabulary, machine)
        machine = masks.machine
        rng = np.random.default_rng(sampling.seed)
        state = machine.start()
        started = time.perf_counter()
        self._read(prompt)
        text: list[bytes] = []
        count = 0
        while not machine.done(state):
            if cancelled():
                raise Cancelled("stopped")
            allowed = masks(state)
            if not len(allowed):
                raise ModelError("this model's vocabulary cannot write ABC; choose another model")
            token = int(allowed[0])
            if len(allowed) > 1:
                logits = self._logits()[allowed]
                if not math.isfinite(logits.max()):
                    raise ModelError("the model's output is not a number: the file is damaged")
                token = int(allowed[pick(logits, sampling, rng)])
            piece = self.vocabulary.pieces[token]
            for char in piece.decode("ascii"):
                state = machine.step(state, char)
            text.append(piece)
            count += 1
            if count % 16 == 0:
                report(machine.progress(state), b"".join(text).decode("ascii"))
            if machine.done(state):
                break
            if self.llama.n_tokens + 1 >= self.context:
                raise ModelError(f"the model's context of {self.context} tokens is full; "
                                 "ask for fewer bars")
            self.llama.eval([token])
        return Decoded(b"".join(text).decode("ascii"), count, time.perf_counter() - started)

    def free_rate(self, prompt: list[int], count: int, seed: int) -> float:
        """Tokens a second of llama.cpp's own sampling without a machine, for comparison."""
        self._read(prompt)
        started = time.perf_counter()
        self.llama.set_seed(seed)
        for _ in range(count):
            self.llama.eval([self.llama.sample(temp=0.8, top_k=40, top_p=0.95)])
        return count / (time.perf_counter() - started)

    def free_text(self, prompt: list[int], most: int, sampling: Sampling) -> str:
        """Text without any machine, up to the end-of-text token or `most` tokens."""
        self._read(prompt)
        rng = np.random.default_rng(sampling.seed)
        out: list[bytes] = []
        for _ in range(most):
            token = pick(self._logits(), sampling, rng)
            if llama_cpp.llama_vocab_is_eog(self._vocab, token):
                break
            out.append(self.vocabulary.pieces[token])
            self.llama.eval([token])
        return b"".join(out).decode("utf-8", "replace")

    def _read(self, prompt: list[int]) -> None:
        """Evaluate the prompt; always in the same pieces, so that the numbers are the same."""
        if len(prompt) + 16 > self.context:
            raise ModelError(f"the prompt ({len(prompt)} tokens) does not fit the model's "
                             f"context of {self.context}; shorten data/prompts")
        if tuple(prompt) == self._prompt:
            self.llama.n_tokens = len(prompt) - 1
        else:
            self.llama.reset()
            self._prompt = ()
            if len(prompt) > 1:
                self.llama.eval(prompt[:-1])
        self.llama.eval(prompt[-1:])
        self._prompt = tuple(prompt)

    def _logits(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        pointer = llama_cpp.llama_get_logits_ith(self.llama.ctx, -1)
        address = ctypes.addressof(pointer.contents)
        if address != self._address:  # making the view costs as much as choosing a token
            self._address = address
            self._view = np.ctypeslib.as_array(pointer, shape=(self.size,))
        return self._view

    def _piece(self, token: int) -> bytes:
        if llama_cpp.llama_vocab_is_control(self._vocab, token) \
                or llama_cpp.llama_vocab_is_eog(self._vocab, token):
            return b""
        buffer = ctypes.create_string_buffer(64)
        count = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, 64, 0, False)
        return buffer.raw[:count] if count > 0 else b""
