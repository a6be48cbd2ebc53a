"""Process that runs a model that writes text.

Requests:

``{"op": "load", "path", "context", "plan": {...}, "guide", "gpu_layers"}``
``{"op": "write", "prompt": {...}, "machine": {...}, "sampling": {...}, "count": n, "guidance"}``
``{"op": "chat", "question"}``
``{"op": "rate", "prompt": {...}, "tokens": n, "seed": n}``

Events: ``loaded``, ``progress``, ``text`` (one is finished), ``result``, ``error``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from scripts.core.errors import ModelError
from scripts.core.priority import lower_model_priority
from scripts.llm.decoding_plan import DecodingPlan
from scripts.llm.gpu import ALL_LAYERS, count_layers
from scripts.llm.guidance import Guidance
from scripts.llm.json_worker import JsonWorker, serve
from scripts.llm.object_machine import ObjectMachine
from scripts.llm.sampling import Sampling
from scripts.llm.sentence_machine import SentenceMachine
from scripts.llm.sheet_machine import SheetGrammar, SheetMachine
from scripts.llm.state_machines import ChoiceMachine, StateMachine, TitleMachine

_FEWER_LAYERS = 16  # to try after all of them
MIN_SHARED_TOKENS = 16  # of a prompt's start, to keep it for other songs


def build_machine(data: dict[str, Any]) -> StateMachine[Any]:
    """Build the state machine that a request describes."""
    kind = data["kind"]
    if kind == "sheet":
        return SheetMachine(SheetGrammar.from_json(data["grammar"]))
    if kind == "line":
        return TitleMachine(int(data["most"]))
    if kind == "sentence":
        return SentenceMachine(int(data["most"]))
    if kind == "object":
        return ObjectMachine(data["fields"])
    return ChoiceMachine(tuple(data["choices"]))


class _Worker(JsonWorker):
    def __init__(self, out: IO[str]) -> None:
        super().__init__(out)
        self.decoder: Any = None
        self.path, self.threads = Path(), 1

    def handlers(self) -> Mapping[str, Callable[[dict[str, Any]], None]]:
        return {
            "load": self.load,
            "write": self.write,
            "chat": self.render_chat_template,
            "rate": self.measure_speed,
        }

    def prepare(self) -> None:
        lower_model_priority()
        import scripts.llm.decoder  # noqa: F401

    def load(self, request: dict[str, Any]) -> None:
        from scripts.llm.decoder import Decoder

        plan = DecodingPlan(**request["plan"])
        guide = Path(request["guide"]) if request["guide"] else None
        self.path, self.threads = Path(request["path"]), plan.threads
        layers = count_layers(self.path, request["gpu_layers"])
        self.decoder = None  # free the one before
        while self.decoder is None:
            try:
                self.decoder = Decoder(self.path, request["context"], plan, guide, layers)
            except ModelError:
                if not layers:
                    raise
                # The estimate was too high, or another program took the memory.
                layers = layers // 2 if layers < ALL_LAYERS else _FEWER_LAYERS
        llama = self.decoder.llama
        self.send_event(
            "loaded",
            context=self.decoder.context,
            bos=_token_text(self.decoder, llama.token_bos()),
        )

    def render_chat_template(self, request: dict[str, Any]) -> None:
        from scripts.llm.chat_template import render_chat_template

        llama = self.decoder.llama
        template = str(llama.metadata.get("tokenizer.chat_template", ""))
        bos, eos = (_token_text(self.decoder, t) for t in (llama.token_bos(), llama.token_eos()))
        text = render_chat_template(template, str(request["question"]), bos, eos)
        self.send_event("result", text=text, has_template=bool(template))

    def tokenize(self, prompt: dict[str, Any]) -> tuple[list[int], list[int]]:
        """Tokenize a prompt; the tokens that other songs share, and the others."""

        def tokens(text: str) -> list[int]:
            return list(self.decoder.tokenize(text, prompt["special"], prompt["bos"]))

        whole, text = tokens(prompt["text"]), prompt["text"][: prompt["shared_length"]]
        shared = 0
        for ours, theirs in zip(whole, tokens(text) if text else [], strict=False):
            if ours != theirs:
                break
            shared += 1
        if shared < MIN_SHARED_TOKENS or shared == len(whole):
            return [], whole
        return whole[:shared], whole[shared:]

    def write(self, request: dict[str, Any]) -> None:
        prefix, prompt = self.tokenize(request["prompt"])
        machine = build_machine(request["machine"])
        identity = json.dumps(request["machine"], sort_keys=True)
        sampling = Sampling(**request["sampling"])
        samplings = [
            replace(sampling, seed=(sampling.seed + 7919 * n) % (1 << 63))
            for n in range(int(request.get("count", 1)))
        ]

        def report(done: float, text: str) -> None:
            self.send_event("progress", done=done, text=text[-400:])

        guidance = Guidance(**request["guidance"]) if request.get("guidance") else None
        decoded = self.decoder.write(
            prompt,
            machine,
            identity,
            samplings,
            report,
            self.input_closed.is_set,
            prefix,
            guidance,
            lambda index, text: self.send_event("text", index=index, text=text),
        )
        self.send_event("result", **vars(decoded))

    def measure_speed(self, request: dict[str, Any]) -> None:
        """Measure the decoding speed without a machine in tokens per second, for benchmarks."""
        from scripts.llm.decoder import measure_unconstrained_speed

        prefix, prompt = self.tokenize(request["prompt"])
        rate = measure_unconstrained_speed(
            self.path,
            self.threads,
            prefix + prompt,
            int(request["tokens"]),
            int(request["seed"]),
        )
        self.send_event("result", rate=rate)


def _token_text(decoder: Any, token: int) -> str:
    if token < 0:
        return ""
    return bytes(decoder.llama.detokenize([token], special=True)).decode("utf-8", "replace")


if __name__ == "__main__":
    serve(_Worker)
