"""Client for a model that runs in a child process (:mod:`scripts.llm.worker`)."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from scripts.core.child import MODEL_WORKER, ChildProcess
from scripts.core.errors import ChatTemplateError, CrashError
from scripts.core.system import process_memory
from scripts.llm.chat import Prompt
from scripts.llm.chat_template import MAX_MEMORY_BYTES, MAX_SECONDS
from scripts.llm.decoding_plan import DecodingPlan
from scripts.llm.gpu import AUTO
from scripts.llm.guidance import Guidance
from scripts.llm.model_client import ModelClient
from scripts.llm.object_machine import Choices
from scripts.llm.reply import ProgressCallback, Reply, TextCallback
from scripts.llm.sampling import Sampling
from scripts.llm.sheet_machine import SheetGrammar

_TEMPLATE_TIMEOUT = 6.0  # seconds; the process itself stops earlier, unless it is blocked
_MEMORY_POLL_INTERVAL = 0.02  # seconds
_log = logging.getLogger(__name__)


class ModelProcess(ModelClient):
    """A model that writes text; a context manager.

    Any error or cancellation while waiting for the model ends the process.

    Parameters
    ----------
    path : Path
        The GGUF file.
    context : int
        Context size in tokens, for prompt and reply together.
    plan : DecodingPlan
        Contexts, sequences and threads.
    guide : Path, optional
        GGUF file of a model that can guide this one (:mod:`scripts.llm.guide`).
    gpu_layers : str or int
        Layers to run on graphics processors (:func:`scripts.llm.gpu.count_layers`).
    child : ChildProcess, optional
        A :data:`MODEL_WORKER` process that is already running; by default one is started.
    timeout : float
        Seconds without a message after which the process is considered hung.
    cancelled : callable
        Called about ten times a second while waiting; True cancels the work.
    """

    def __init__(
        self,
        path: Path,
        context: int,
        plan: DecodingPlan,
        guide: Path | None = None,
        gpu_layers: str | int = AUTO,
        child: ChildProcess | None = None,
        timeout: float = 900.0,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(path, child or ChildProcess(MODEL_WORKER), timeout, cancelled)
        self.plan, self.guide = plan, guide
        self._child.send(
            {
                "op": "load",
                "path": str(path.resolve()),
                "context": context,
                "guide": str(guide.resolve()) if guide else "",
                "plan": asdict(plan),
                "gpu_layers": gpu_layers,
            }
        )
        self._loaded_event: dict[str, Any] | None = None

    def wait_until_loaded(self) -> dict[str, Any]:
        """Wait until the model is loaded and return the worker's ``loaded`` event.

        Raises
        ------
        ModelError
            When it cannot be loaded.
        """
        if self._loaded_event is None:
            self._loaded_event = self._wait_for_result(lambda done, text: None)
        return self._loaded_event

    @property
    def context(self) -> int:
        """Context size in tokens."""
        return int(self.wait_until_loaded()["context"])

    @property
    def bos(self) -> str:
        """Text of the begin-of-sequence token; empty when there is none."""
        return str(self.wait_until_loaded()["bos"])

    def render_chat_template(self, question: str) -> str:
        """Render the file's own chat template with `question`; empty when it has none to use.

        Raises
        ------
        ChatTemplateError
            When the template fails, does not end, or needs too much memory.
        CrashError
            When the process died for another reason.
        """
        self.wait_until_loaded()
        self._child.send({"op": "chat", "question": question})
        with self._watched_memory():
            try:
                result = self._wait_for_result(lambda done, text: None, _TEMPLATE_TIMEOUT)
            except TimeoutError as error:
                raise ChatTemplateError(
                    self._named(f"its chat template takes longer than {MAX_SECONDS:g} s")
                ) from error
        if result["has_template"] and not result["text"]:
            _log.warning("%s: its chat template cannot be used", self.path.name)
        return str(result["text"])

    @contextmanager
    def _watched_memory(self) -> Iterator[None]:
        """End the process when it grows by much within the block."""
        limit = process_memory(self._child.pid) + 2 * MAX_MEMORY_BYTES
        done, exceeded = threading.Event(), threading.Event()

        def watch() -> None:
            while not done.wait(_MEMORY_POLL_INTERVAL):
                if process_memory(self._child.pid) > limit:
                    exceeded.set()
                    self._child.kill()
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        except CrashError as error:
            if not exceeded.is_set():
                raise
            needs = f"its chat template needs more than {MAX_MEMORY_BYTES >> 20} MB"
            raise ChatTemplateError(self._named(needs)) from error
        finally:
            done.set()

    def write_sheet(
        self,
        prompt: Prompt,
        grammar: SheetGrammar,
        sampling: Sampling,
        count: int,
        progress: ProgressCallback,
        guidance: Guidance | None = None,
        on_text: TextCallback = lambda index, text: None,
    ) -> Reply:
        """Write `count` sheets that follow `grammar`.

        With `guidance`, the guide takes part and rates the sheets. `on_text` is called with the
        index of each sheet and its text as soon as it is finished.

        Raises
        ------
        Cancelled
            When ``cancelled()`` was true.
        CrashError
            When the process died or did not respond.
        ModelError
            When the model cannot be loaded, or the prompt or a sheet does not fit its context.
        """
        machine = {"kind": "sheet", "grammar": grammar.to_json()}
        return self._write(prompt, machine, sampling, count, progress, guidance, on_text)

    def write_title(
        self, prompt: Prompt, max_length: int, sampling: Sampling, progress: ProgressCallback
    ) -> str:
        """Write a title of at most `max_length` characters."""
        reply = self._write(prompt, {"kind": "line", "most": max_length}, sampling, 1, progress)
        return reply.texts[0].strip()

    def write_sentence(self, prompt: Prompt, max_length: int, sampling: Sampling) -> str:
        """Write a sentence of at most `max_length` characters, in Latin letters."""
        machine = {"kind": "sentence", "most": max_length}
        return self._write(prompt, machine, sampling, 1, lambda d, t: None).texts[0].strip()

    def choose(self, prompt: Prompt, choices: tuple[str, ...], sampling: Sampling) -> str:
        """Let the model choose one of `choices`."""
        machine = {"kind": "choice", "choices": list(choices)}
        return self._write(prompt, machine, sampling, 1, lambda d, t: None).texts[0].strip()

    def write_object(self, prompt: Prompt, fields: Choices, sampling: Sampling) -> dict[str, str]:
        """Let the model write a JSON object with one of the values for each of `fields`."""
        machine = {"kind": "object", "fields": {name: list(v) for name, v in fields.items()}}
        reply = self._write(prompt, machine, sampling, 1, lambda d, t: None)
        found: dict[str, str] = json.loads(reply.texts[0])
        return found

    def measure_unconstrained_speed(self, prompt: Prompt, tokens: int, seed: int) -> float:
        """Measure the decoding speed without a grammar, in tokens per second."""
        self.wait_until_loaded()
        self._child.send({"op": "rate", "prompt": vars(prompt), "tokens": tokens, "seed": seed})
        return float(self._wait_for_result(lambda d, t: None)["rate"])

    def _write(
        self,
        prompt: Prompt,
        machine: dict[str, Any],
        sampling: Sampling,
        count: int,
        progress: ProgressCallback,
        guidance: Guidance | None = None,
        on_text: TextCallback = lambda index, text: None,
    ) -> Reply:
        self.wait_until_loaded()
        self._child.send(
            {
                "op": "write",
                "prompt": vars(prompt),
                "machine": machine,
                "sampling": sampling.to_json(),
                "count": count,
                "guidance": asdict(guidance) if guidance else None,
            }
        )
        result = self._wait_for_result(progress, on_text=on_text)
        return msgspec.convert(result, Reply)
