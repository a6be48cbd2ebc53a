"""Constrained decoding: a loaded model writes text that a state machine accepts.

Runs in the model's own process (:mod:`scripts.llm.worker`).
"""

from __future__ import annotations

import ctypes
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from scripts.core.cpu import ILLEGAL_WORDS, NO_AVX
from scripts.core.errors import Cancelled, ModelError
from scripts.llm.sampling import Sampling, pick
from scripts.llm.sequences import Lanes, Logits
from scripts.llm.state_machines import Machine
from scripts.llm.vocabulary import Masks, Vocabulary

Report = Callable[[float, str], None]  # fraction done (0 to 1), a text so far


_UNUSED = 16  # tokens in the context that llama_cpp.Llama creates for itself
_AT_ONCE = 32  # maximum tokens of one text in a decoding step
_REPORT = 16  # decoding steps between two progress reports


@dataclass(frozen=True)
class Decoded:
    """Finished texts, their number of tokens, and the seconds spent decoding."""

    texts: tuple[str, ...]
    tokens: int
    seconds: float


@dataclass
class _Text:
    """Text being written.

    Parameters
    ----------
    state : object
        Current state of the machine.
    tokens : list of int
    read : int
        How many of `tokens` the model has decoded.
    """

    state: Any
    sampling: Sampling
    rng: np.random.Generator
    tokens: list[int] = field(default_factory=list)
    read: int = 0


def _load(path: Path, threads: int, context: int = _UNUSED) -> Any:
    def load(name: str) -> Any:
        return llama_cpp.Llama(
            model_path=name,
            n_ctx=context,
            n_batch=context,
            n_threads=threads,
            n_threads_batch=threads,
            verbose=True,
        )

    try:
        return load(str(path))
    except (ValueError, RuntimeError, OSError) as error:
        if any(words in str(error) for words in ILLEGAL_WORDS):
            raise ModelError(NO_AVX) from error
        if str(path).isascii():
            raise ModelError(
                f"llama.cpp cannot load {path} ({error}); download it again or choose another model"
            ) from error
    # Some Windows builds open only paths in the system code page (llama.cpp #18571); from
    # within the folder, the bare file name is enough.
    here = Path.cwd()
    try:
        os.chdir(path.parent)
        return load(path.name)
    except (ValueError, RuntimeError, OSError) as error:
        raise ModelError(
            f"llama.cpp cannot load {path} ({error}); if other models load, "
            "move it to a folder and file name of plain letters"
        ) from error
    finally:
        os.chdir(here)


class Decoder:
    """Loaded GGUF model that writes constrained text.

    Parameters
    ----------
    path : Path
        The GGUF file.
    context : int
        Context size in tokens, for prompt and reply together.
    threads : int
        CPU threads.
    lanes : int
        Number of texts written in parallel.

    Raises
    ------
    ModelError
        When llama.cpp cannot load the file or there is not enough memory.
    """

    def __init__(self, path: Path, context: int, threads: int, lanes: int = 1) -> None:
        self.llama = _load(path, threads)
        self.context = context
        self._lanes = Lanes(self.llama.model, lanes, context, threads)
        self._vocab = llama_cpp.llama_model_get_vocab(self.llama.model)
        self.size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self.vocabulary = Vocabulary(self._piece(t) for t in range(self.size))
        self._masks: dict[Any, Masks] = {}

    def tokenize(self, text: str, special: bool, bos: bool) -> list[int]:
        """Tokenize `text`; `special` parses control tokens in it, `bos` adds the first token."""
        return list(self.llama.tokenize(text.encode("utf-8"), add_bos=bos, special=special))

    def write(
        self,
        prompt: list[int],
        machine: Machine[Any],
        identity: Any,
        samplings: Sequence[Sampling],
        report: Report,
        cancelled: Callable[[], bool],
    ) -> Decoded:
        """Write one text after `prompt` for each of `samplings`.

        Parameters
        ----------
        prompt : list of int
            Tokens.
        machine : Machine
            Accepts the texts.
        identity : hashable
            Cache key of `machine`: a request with the same key reuses the token masks.
        samplings : sequence of Sampling
            With different seeds, for different texts.
        report : callable
            Called with the overall fraction done (0 to 1) and one of the texts so far.
        cancelled : callable
            Called before every decoding step; True cancels the work.

        Raises
        ------
        Cancelled
        ModelError
            When the context is too small, the vocabulary cannot write what the machine accepts,
            or the model's output is not finite.
        """
        masks = self._masks.get(identity)
        if masks is None:
            self._masks.clear()
            masks = self._masks[identity] = Masks(self.vocabulary, machine)
        started = time.perf_counter()
        texts = [
            _Text(masks.machine.start(), sampling, np.random.default_rng(sampling.seed))
            for sampling in samplings
        ]
        for first in range(0, len(texts), len(self._lanes)):
            last = min(first + len(self._lanes), len(texts))

            def hear(done: float, text: str, first: int = first, share: int = last - first) -> None:
                report((first + share * done) / len(texts), text)

            self._write(prompt, masks, texts[first:last], hear, cancelled)
        return Decoded(
            tuple(map(self._words, texts)),
            sum(len(t.tokens) for t in texts),
            time.perf_counter() - started,
        )

    def _write(
        self,
        prompt: list[int],
        masks: Masks,
        texts: list[_Text],
        report: Report,
        cancelled: Callable[[], bool],
    ) -> None:
        """Write texts in parallel, one per sequence."""
        machine = masks.machine
        opening = self._read(prompt)
        for text in texts:
            self._go_on(text, opening, masks)
        for lane in range(1, len(texts)):
            self._lanes.branch(lane)
        rounds = 0
        while writing := [n for n, t in enumerate(texts) if not machine.done(t.state)]:
            if cancelled():
                raise Cancelled("stopped")
            for n in writing:
                if len(texts[n].tokens) - texts[n].read >= self._lanes.room(n):
                    raise ModelError(
                        f"the model's context of {self.context} tokens is full; ask for fewer bars"
                    )
            logits = self._lanes.read({n: texts[n].tokens[texts[n].read :] for n in writing})
            for row, n in zip(logits, writing, strict=False):
                texts[n].read = len(texts[n].tokens)
                self._go_on(texts[n], row, masks)
            rounds += 1
            if rounds % _REPORT == 0:
                report(
                    sum(machine.progress(t.state) for t in texts) / len(texts),
                    self._words(texts[writing[0]]),
                )

    def _go_on(self, text: _Text, logits: Logits, masks: Masks) -> None:
        """Sample the next token, then append the tokens that the machine forces after it."""
        machine = masks.machine
        for n in range(_AT_ONCE):
            allowed = masks(text.state)
            if not len(allowed):
                raise ModelError("this model's vocabulary cannot write ABC; choose another model")
            token = int(allowed[0])
            if len(allowed) > 1:
                if n:
                    break
                likely = logits[allowed]
                if not math.isfinite(likely.max()):
                    raise ModelError("the model's output is not finite; download the file again")
                token = int(allowed[pick(likely, text.sampling, text.rng)])
            for char in self.vocabulary.pieces[token].decode("ascii"):
                text.state = machine.step(text.state, char)
            text.tokens.append(token)
            if machine.done(text.state):
                break

    def _words(self, text: _Text) -> str:
        return b"".join(self.vocabulary.pieces[t] for t in text.tokens).decode("ascii")

    def free_text(self, prompt: list[int], most: int, sampling: Sampling) -> str:
        """Write unconstrained text up to the end-of-text token or `most` tokens."""
        logits = self._read(prompt)
        rng = np.random.default_rng(sampling.seed)
        out: list[bytes] = []
        for _ in range(most):
            token = pick(logits, sampling, rng)
            if llama_cpp.llama_vocab_is_eog(self._vocab, token):
                break
            out.append(self.vocabulary.pieces[token])
            logits = self._lanes.read({0: [token]})[0]
        return b"".join(out).decode("utf-8", "replace")

    def _read(self, prompt: list[int]) -> Logits:
        if len(prompt) + 16 > self.context:
            raise ModelError(
                f"the prompt ({len(prompt)} tokens) does not fit the model's "
                f"context of {self.context}; shorten the templates in data/prompts"
            )
        return self._lanes.begin(prompt)

    def _piece(self, token: int) -> bytes:
        if llama_cpp.llama_vocab_is_control(self._vocab, token) or llama_cpp.llama_vocab_is_eog(
            self._vocab, token
        ):
            return b""
        buffer = ctypes.create_string_buffer(64)
        count = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, 64, 0, False)
        return buffer.raw[:count] if count > 0 else b""


def free_rate(path: Path, threads: int, prompt: list[int], count: int, seed: int) -> float:
    """Measure llama-cpp-python's own decoding of one text, in tokens per second, for comparison.

    Loads the model once more, and decodes `count` tokens without a machine.
    """
    llama = _load(path, threads, len(prompt) + count + _UNUSED)
    llama.eval(prompt)
    started = time.perf_counter()
    llama.set_seed(seed)
    for _ in range(count):
        llama.eval([llama.sample(temp=0.8, top_k=40, top_p=0.95)])
    return count / (time.perf_counter() - started)
