"""Constrained decoding: a loaded model writes text that a state machine accepts.

Runs in the model's own process (:mod:`scripts.llm.worker`).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import llama_cpp
import numpy as np

from scripts.core.errors import Cancelled, ModelError
from scripts.llm.character_model import CharacterModel
from scripts.llm.decoding_plan import DecodingPlan
from scripts.llm.drafts import Draft
from scripts.llm.guidance import Guidance
from scripts.llm.guide import Guide
from scripts.llm.llama_file import open_llama, token_pieces
from scripts.llm.reply import ProgressCallback, Reply, TextCallback
from scripts.llm.sampling import Sampling, sample_token
from scripts.llm.sequences import SavedPrompt, Sequences
from scripts.llm.state_machines import StateMachine
from scripts.llm.thread_tuner import ThreadTuner
from scripts.llm.vocabulary import TokenMasks, Vocabulary

_MIN_CONTEXT = 16  # tokens in the context that llama_cpp.Llama creates for itself
_SAVED_PREFIXES = 4  # of the questions about a song: sheet, title, form, riff
_MIN_REPLY = 16  # tokens that must fit after the prompt
_REPORT_INTERVAL = 0.02  # seconds


class Decoder:
    """Loaded GGUF model that writes constrained text.

    Parameters
    ----------
    path : Path
        The GGUF file.
    context : int
        Context size in tokens, for prompt and reply together.
    plan : DecodingPlan
        Contexts, sequences and threads.
    guide : Path, optional
        GGUF file of a model that can guide this one.
    gpu_layers : int
        Layers that run on graphics processors.

    Raises
    ------
    ModelError
        When llama.cpp cannot load a file or there is not enough memory.
    """

    def __init__(
        self,
        path: Path,
        context: int,
        plan: DecodingPlan,
        guide: Path | None = None,
        gpu_layers: int = 0,
    ) -> None:
        self.llama = _load(path, plan.threads, gpu_layers=gpu_layers)
        self.context = context
        self._contexts = [
            Sequences(
                self.llama.model,
                plan.sequences,
                context,
                plan.threads,
                plan.prompt_threads,
                flash_attention=gpu_layers > 0 or not plan.adapts,
            )
            for _ in range(plan.contexts)
        ]
        self._vocab = llama_cpp.llama_model_get_vocab(self.llama.model)
        self.vocabulary = Vocabulary(token_pieces(self.llama))
        self.vocabulary_size = len(self.vocabulary.pieces)
        self._masks: dict[Any, TokenMasks] = {}
        self._prefixes: OrderedDict[tuple[int, ...], SavedPrompt] = OrderedDict()
        self._guide = Guide(guide, context) if guide else None
        self._guides: list[CharacterModel] = []
        self._tuner = ThreadTuner(plan.threads) if plan.adapts and not gpu_layers else None

    def tokenize(self, text: str, special: bool, bos: bool) -> list[int]:
        """Tokenize `text`; `special` parses control tokens in it, `bos` adds the first token."""
        return list(self.llama.tokenize(text.encode("utf-8"), add_bos=bos, special=special))

    def write(
        self,
        prompt: Sequence[int],
        machine: StateMachine[Any],
        cache_key: Any,
        samplings: Sequence[Sampling],
        report: ProgressCallback,
        cancelled: Callable[[], bool],
        prefix: Sequence[int] = (),
        guidance: Guidance | None = None,
        on_text: TextCallback = lambda index, text: None,
    ) -> Reply:
        """Write one text after `prompt` for each of `samplings`.

        Parameters
        ----------
        prompt : sequence of int
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
        prefix : sequence of int
            Tokens before `prompt` that other requests share; the last few prefixes are saved.
        guidance : Guidance, optional
            Mixes the guide in, and rates the texts with it.
        on_text : callable
            Called with each text as soon as it is finished, in any thread.

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
        drafts = [Draft.start(masks, sampling) for sampling in samplings]
        opening, cached = self._decode_prompt(prompt, tuple(prefix))
        guides = self._open_guides(guidance)
        self._write_all(opening, drafts, guidance, report, cancelled, on_text)
        texts = tuple(draft.text for draft in drafts)
        return Reply(
            texts,
            tuple(guides[0].bits(text) for text in texts) if guides else (),
            sum(len(draft.tokens) for draft in drafts),
            time.perf_counter() - started,
            len(prefix) + len(prompt),
            cached,
        )

    def _open_guides(self, guidance: Guidance | None) -> list[CharacterModel]:
        """Open a guide for each sequence of each context and let them begin."""
        if guidance is None or self._guide is None:
            return []
        while len(self._guides) < len(self._contexts) * len(self._contexts[0]):
            self._guides.append(self._guide.open())
        for guide in self._guides:
            guide.begin(guidance.prompt)
        return self._guides

    def _write_all(
        self,
        opening: SavedPrompt,
        drafts: list[Draft],
        guidance: Guidance | None,
        report: ProgressCallback,
        cancelled: Callable[[], bool],
        on_text: TextCallback,
    ) -> None:
        """Write the texts, in each context as many as it has sequences at a time."""
        size = len(self._contexts[0])
        starts: SimpleQueue[int] = SimpleQueue()
        for at in range(0, len(drafts), size):
            starts.put(at)
        failed, lock = threading.Event(), threading.Lock()
        last = time.monotonic()

        def check(draft: Draft) -> None:
            nonlocal last
            if failed.is_set() or cancelled():
                raise Cancelled("stopped")
            with lock:
                if time.monotonic() - last >= _REPORT_INTERVAL:
                    last = time.monotonic()
                    report(sum(d.progress for d in drafts) / len(drafts), draft.text)

        def work(number: int) -> None:
            try:
                while True:
                    start = starts.get_nowait()
                    group = drafts[start : start + size]
                    if guidance and guidance.weight and self._guides:
                        for draft, guide in zip(group, self._guides[number * size :], strict=False):
                            draft.guide, draft.guide_weight = guide, guidance.weight

                    def on_finished(n: int, start: int = start) -> None:
                        on_text(start + n, drafts[start + n].text)

                    self._write(self._contexts[number], opening, group, check, on_finished)
            except Empty:
                pass
            except BaseException:
                failed.set()
                raise

        if len(self._contexts) == 1:
            work(0)
            return
        with ThreadPoolExecutor(len(self._contexts)) as pool:
            futures = [pool.submit(work, n) for n in range(len(self._contexts))]
        errors = [error for future in futures if (error := future.exception())]
        for error in sorted(errors, key=lambda e: isinstance(e, Cancelled)):
            raise error

    def _write(
        self,
        context: Sequences,
        opening: SavedPrompt,
        drafts: list[Draft],
        check: Callable[[Draft], None],
        on_finished: Callable[[int], None],
    ) -> None:
        """Write texts in one context, one per sequence."""
        context.load(opening)
        for draft in drafts:
            draft.extend(opening.logits)
        for seq_id in range(1, len(drafts)):
            context.copy_prompt(seq_id)
        while writing := [n for n, draft in enumerate(drafts) if not draft.is_complete]:
            check(drafts[writing[0]])
            for n in writing:
                if len(drafts[n].pending) >= context.remaining(n):
                    raise ModelError(
                        f"the model's context of {self.context} tokens is full; ask for fewer bars"
                    )
            started = time.perf_counter()
            logits = context.decode({n: drafts[n].pending for n in writing})
            if self._tuner and len(writing) == len(drafts[writing[0]].pending) == 1:
                self._tuner.add(time.perf_counter() - started)
                if self._tuner.threads != context.threads:
                    context.threads = self._tuner.threads
            for row, n in zip(logits, writing, strict=True):
                drafts[n].extend(row)
                if drafts[n].is_complete:
                    on_finished(n)

    def write_unconstrained(self, prompt: list[int], max_tokens: int, sampling: Sampling) -> str:
        """Write unconstrained text up to the end-of-text token or `max_tokens` tokens."""
        self._check_length(len(prompt))
        context = self._contexts[0]
        logits = context.decode_prompt(prompt)
        rng = np.random.default_rng(sampling.seed)
        out: list[bytes] = []
        for _ in range(max_tokens):
            token = sample_token(logits, sampling, rng)
            if llama_cpp.llama_vocab_is_eog(self._vocab, token):
                break
            out.append(self.vocabulary.pieces[token])
            logits = context.decode({0: [token]})[0]
        return b"".join(out).decode("utf-8", "replace")

    def _decode_prompt(
        self, prompt: Sequence[int], prefix: tuple[int, ...]
    ) -> tuple[SavedPrompt, int]:
        """Decode a prompt, and its prefix unless it is saved; count the tokens reused."""
        self._check_length(len(prefix) + len(prompt))
        context, cached, saved = self._contexts[0], 0, None
        if prefix:
            saved = self._prefixes.get(prefix)
            if saved is None:
                saved = context.save(context.decode_prompt(prefix))
                self._prefixes[prefix] = saved
                if len(self._prefixes) > _SAVED_PREFIXES:
                    self._prefixes.popitem(last=False)
            else:
                cached = len(prefix)
                self._prefixes.move_to_end(prefix)
        return context.save(context.decode_prompt(prompt, saved)), cached

    def _check_length(self, count: int) -> None:
        if count + _MIN_REPLY > self.context:
            raise ModelError(
                f"the prompt ({count} tokens) does not fit the model's "
                f"context of {self.context}; shorten the templates in data/prompts"
            )


def _load(path: Path, threads: int, context: int = _MIN_CONTEXT, gpu_layers: int = 0) -> Any:
    return open_llama(
        path,
        n_ctx=context,
        n_batch=context,
        n_threads=threads,
        n_threads_batch=threads,
        n_gpu_layers=gpu_layers,
    )


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
