"""Command line: measures a model, or twins of an 8B model that are deleted afterwards."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from scripts.composer.compose import Composer
from scripts.composer.grammar import build_sheet_grammar
from scripts.core import paths
from scripts.core.settings import Settings
from scripts.core.system import process_memory
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import plan_decoding
from scripts.llm.gguf_file import read_language_model
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.styles.style import load_styles
from tests.conftest import STARTER, VOCABS
from tests.models.twin import write_twin

_TOKENS = 24  # decoded without a grammar


def measure(path: Path, sheets: int) -> dict[str, float | str]:
    """Measure a model as the program runs it, guided by the starter."""
    info, settings = read_language_model(path), Settings()
    plan = plan_decoding(info.parameters, settings.threads)
    styles = load_styles(paths.DATA / "styles")
    rows: dict[str, float | str] = {"model": info.name, "threads": plan.threads}
    with ModelProcess(path, 2048, plan, STARTER) as process:
        started = time.perf_counter()
        process.wait_until_loaded()
        rows["load seconds"] = time.perf_counter() - started
        composer = Composer(process, info, paths.DATA, guide=settings.guide)
        for n in range(1, sheets + 1):
            spec = build_spec(SongRequest("folk", length="1"), styles, n)
            prompt = composer.build_sheet_prompt(spec)
            started = time.perf_counter()
            reply = process.write_sheet(
                prompt,
                build_sheet_grammar(spec),
                composer.profile.sheet_sampling(settings.temperature, n),
                plan.candidates,
                lambda done, text: None,
                composer.guidance(spec),
            )
            rows[f"sheet {n} seconds"] = time.perf_counter() - started
            rows[f"sheet {n} tokens"] = reply.tokens
            rows[f"sheet {n} prompt tokens"] = reply.prompt_tokens
            rows[f"sheet {n} of these decoded before"] = reply.cached_tokens
        rows["free tokens per second"] = process.measure_unconstrained_speed(prompt, _TOKENS, 1)
        rows["megabytes"] = process_memory(process.pid) / 1e6
    return {k: v if isinstance(v, str) else round(v, 2) for k, v in rows.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.models", description=__doc__)
    parser.add_argument("--model", type=Path, help="a GGUF file; else twins of an 8B model")
    parser.add_argument("--twins", nargs="*", default=["Q4_K", "Q6_K"], metavar="QUANTIZATION")
    parser.add_argument("--sheets", type=int, default=2)
    args = parser.parse_args()
    if args.model:
        print(json.dumps(measure(args.model, args.sheets), indent=1))
        return
    for quantization in args.twins:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"twin-{quantization}.gguf"
            write_twin(VOCABS / "ggml-vocab-llama-bpe.gguf", path, quantization)
            print(json.dumps(measure(path, args.sheets), indent=1))


if __name__ == "__main__":
    main()
