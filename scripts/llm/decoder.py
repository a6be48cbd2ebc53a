"""Constrained decoding: a loaded model writes text that a state machine accepts.

Runs in the model's own process (:mod:`scripts.llm.worker`).
"""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from scripts.core.errors import Cancelled, ModelError
from scripts.llm.llama_file import open_llama
from scripts.llm.sampling import Sampling, sample_token
from scripts.llm.sequences import Logits, Sequences
from scripts.llm.state_machines import StateMachine
from scripts.llm.vocabulary import TokenMasks, Vocabulary

ProgressCallback = Callable[[float, str], None]  # fraction done (0 to 1), a text so far

_MIN_CONTEXT = 16  # tokens in the context that llama_cpp.Llama creates for itself
_MAX_STEP_TOKENS = 32  # maximum tokens of one text in a decoding step
_REPORT_STEPS = 16  # decoding steps between two progress reports


@dataclass(frozen=True)
class DecodingResult:
    """Finished texts, their number of tokens, and the seconds spent decoding."""

    texts: tuple[str, ...]
    tokens: int
    seconds: float


@dataclass
class _Draft:
    """Text being written.

    Parameters
    ----------
    state : object
        Current state of the machine.
    tokens : list of int
    decoded_count : int
        How many of `tokens` the model has decoded.
    """

    state: Any
    sampling: Sampling
    rng: np.random.Generator
    tokens: list[int] = field(default_factory=list)
    decoded_count: int = 0


def _load(path: Path, threads: int, context: int = _MIN_CONTEXT) -> Any:
    return open_llama(
        path, n_ctx=context, n_batch=context, n_threads=threads, n_threads_batch=threads
    )


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
    sequences : int
        Number of texts written in parallel.

    Raises
    ------
    ModelError
        When llama.cpp cannot load the file or there is not enough memory.
    """

    def __init__(self, path: Path, context: int, threads: int, sequences: int = 1) -> None:
        self.llama = _load(path, threads)
        self.context = context
        self._sequences = Sequences(self.llama.model, sequences, context, threads)
        self._vocab = llama_cpp.llama_model_get_vocab(self.llama.model)
        self.vocabulary_size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self.vocabulary = Vocabulary(self._piece(t) for t in range(self.vocabulary_size))
        self._masks: dict[Any, TokenMasks] = {}

    def tokenize(self, text: str, special: bool, bos: bool) -> list[int]:
        """Tokenize `text`; `special` parses control tokens in it, `bos` adds the first token."""
        return list(self.llama.tokenize(text.encode("utf-8"), add_bos=bos, special=special))

    def write(
        self,
        prompt: list[int],
        machine: StateMachine[Any],
        cache_key: Any,
        samplings: Sequence[Sampling],
        report: ProgressCallback,
        cancelled: Callable[[], bool],
    ) -> DecodingResult:
        """Write one text after `prompt` for each of `samplings`.

        Parameters
        ----------
        prompt : list of int
            Tokens.
        machine : StateMachine
            Accepts the texts.
        cache_key : hashable
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
        masks = self._masks.get(cache_key)
        if masks is None:
            self._masks.clear()
            masks = self._masks[cache_key] = TokenMasks(self.vocabulary, machine)
        started = time.perf_counter()
        texts = [
            _Draft(masks.machine.start(), sampling, np.random.default_rng(sampling.seed))
            for sampling in samplings
        ]
        for first in range(0, len(texts), len(self._sequences)):
            last = min(first + len(self._sequences), len(texts))

            def report_share(
                done: float, text: str, first: int = first, share: int = last - first
            ) -> None:
                report((first + share * done) / len(texts), text)

            self._write(prompt, masks, texts[first:last], report_share, cancelled)
        return DecodingResult(
            tuple(map(self._draft_text, texts)),
            sum(len(t.tokens) for t in texts),
            time.perf_counter() - started,
        )

    def _write(
        self,
        prompt: list[int],
        masks: TokenMasks,
        texts: list[_Draft],
        report: ProgressCallback,
        cancelled: Callable[[], bool],
    ) -> None:
        """Write texts in parallel, one per sequence."""
        machine = masks.machine
        opening = self._decode_prompt(prompt)
        for text in texts:
            self._extend(text, opening, masks)
        for lane in range(1, len(texts)):
            self._sequences.copy_prompt(lane)
        rounds = 0
        while writing := [n for n, t in enumerate(texts) if not machine.is_complete(t.state)]:
            if cancelled():
                raise Cancelled("stopped")
            for n in writing:
                if len(texts[n].tokens) - texts[n].decoded_count >= self._sequences.remaining(n):
                    raise ModelError(
                        f"the model's context of {self.context} tokens is full; ask for fewer bars"
                    )
            logits = self._sequences.decode(
                {n: texts[n].tokens[texts[n].decoded_count :] for n in writing}
            )
            for row, n in zip(logits, writing, strict=False):
                texts[n].decoded_count = len(texts[n].tokens)
                self._extend(texts[n], row, masks)
            rounds += 1
            if rounds % _REPORT_STEPS == 0:
                report(
                    sum(machine.progress(t.state) for t in texts) / len(texts),
                    self._draft_text(texts[writing[0]]),
                )

    def _extend(self, text: _Draft, logits: Logits, masks: TokenMasks) -> None:
        """Sample the next token, then append the tokens that the machine forces after it."""
        machine = masks.machine
        for n in range(_MAX_STEP_TOKENS):
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
                token = int(allowed[sample_token(likely, text.sampling, text.rng)])
            for char in self.vocabulary.pieces[token].decode("ascii"):
                text.state = machine.step(text.state, char)
            text.tokens.append(token)
            if machine.is_complete(text.state):
                break

    def _draft_text(self, text: _Draft) -> str:
        return b"".join(self.vocabulary.pieces[t] for t in text.tokens).decode("ascii")

    def write_unconstrained(self, prompt: list[int], max_tokens: int, sampling: Sampling) -> str:
        """Write unconstrained text up to the end-of-text token or `max_tokens` tokens."""
        logits = self._decode_prompt(prompt)
        rng = np.random.default_rng(sampling.seed)
        out: list[bytes] = []
        for _ in range(max_tokens):
            token = sample_token(logits, sampling, rng)
            if llama_cpp.llama_vocab_is_eog(self._vocab, token):
                break
            out.append(self.vocabulary.pieces[token])
            logits = self._sequences.decode({0: [token]})[0]
        return b"".join(out).decode("utf-8", "replace")

    def _decode_prompt(self, prompt: list[int]) -> Logits:
        if len(prompt) + 16 > self.context:
            raise ModelError(
                f"the prompt ({len(prompt)} tokens) does not fit the model's "
                f"context of {self.context}; shorten the templates in data/prompts"
            )
        return self._sequences.decode_prompt(prompt)

    def _piece(self, token: int) -> bytes:
        if llama_cpp.llama_vocab_is_control(self._vocab, token) or llama_cpp.llama_vocab_is_eog(
            self._vocab, token
        ):
            return b""
        buffer = ctypes.create_string_buffer(64)
        count = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, 64, 0, False)
        return buffer.raw[:count] if count > 0 else b""


def measure_unconstrained_speed(
    path: Path, threads: int, prompt: list[int], count: int, seed: int
) -> float:
    """Measure llama-cpp-python's own decoding of one text, in tokens per second, for comparison.

    Loads the model once more, and decodes `count` tokens without a machine.
    """
    llama = _load(path, threads, len(prompt) + count + _MIN_CONTEXT)
    llama.eval(prompt)
    started = time.perf_counter()
    llama.set_seed(seed)
    for _ in range(count):
        llama.eval([llama.sample(temp=0.8, top_k=40, top_p=0.95)])
    return count / (time.perf_counter() - started)
