"""``launcher.py bench``: speeds as ratios of one run, so that the machine hardly matters."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from scripts.arranger.arrange import arrange
from scripts.audio.mp3 import ffmpeg_path
from scripts.audio.wav import write_wav
from scripts.benchmarks.jukebox import jukebox_costs
from scripts.benchmarks.library import batch_costs, library_costs
from scripts.benchmarks.sound import against_fluidsynth, long_pieces
from scripts.composer.compose import Composer, candidate_count, sequence_count, thread_count
from scripts.composer.grammar import build_sheet_grammar
from scripts.core import paths
from scripts.core.settings import Settings
from scripts.llm.client import ModelProcess
from scripts.llm.registry import find_model
from scripts.llm.sampling import Sampling
from scripts.request.spec import SongRequest, build_spec
from scripts.styles.style import load_styles
from scripts.synth.instruments import load_instruments
from scripts.synth.render import render

ROUNDS = 5


def run_bench(model: str, settings: Settings, as_json: bool, long: bool = False) -> int:
    """Measure decoding with and without grammar, each stage of a three-minute song, and the synth.

    `long` also renders pieces of up to eight hours, fills a library and makes a batch, which takes
    some minutes.
    """
    info = find_model(model or settings.model, paths.MODELS)
    spec = build_spec(SongRequest("Chill, Dubstep"), load_styles(paths.DATA / "styles"), 1)
    threads = thread_count(info.parameters, settings.threads)
    bound, free = [], []
    with ModelProcess(info.path, 4096, threads, sequence_count(info.parameters)) as process:
        composer = Composer(process, info, paths.DATA)
        started = time.perf_counter()
        composition = composer.compose(spec, 0.8, lambda done, text: None)
        composing = time.perf_counter() - started
        prompt = composer.build_sheet_prompt(spec)
        for n in range(ROUNDS):  # by turns, so that both meet the same machine
            reply = process.write_sheet(
                prompt,
                build_sheet_grammar(spec),
                Sampling(0.8, seed=n),
                candidate_count(info.parameters),
                lambda done, text: None,
            )
            bound.append(reply.tokens / reply.seconds)
            free.append(process.measure_unconstrained_speed(prompt, 200, n))
    arrangement = arrange(spec, composition.sheet, paths.DATA)
    with tempfile.TemporaryDirectory() as folder:
        wav, mp3 = Path(folder) / "a.wav", Path(folder) / "a.mp3"
        started = time.perf_counter()
        write_wav(
            wav,
            render(arrangement, load_instruments(paths.DATA / "instruments")),
            lambda done: None,
        )
        rendering = time.perf_counter() - started
        encoding = min(_encoded(wav, mp3, settings.bitrate) for _ in range(3))
    rows: dict[str, str | float] = {
        "model": info.name,
        "grammar_tokens_per_second": median(bound),
        "free_tokens_per_second": median(free),
        "grammar_to_free": median(bound) / median(free),
        "compose_seconds": composing,
        "render_seconds": rendering,
        "encode_seconds": encoding,
        "render_to_real_time": rendering / spec.length,
        "render_to_encode": rendering / encoding,
        **_prompt_to_mp3(info.path, median(free), encoding / spec.length),
        **against_fluidsynth(),
        **jukebox_costs(),
    }
    if long:
        rows |= {**long_pieces(), **library_costs(), **batch_costs(info.path)}
    for name, value in rows.items():
        shown = value if isinstance(value, str) else round(value, 3)
        if not as_json:
            print(f"{name.replace('_', ' '):<36} {shown}")
    if as_json:
        print(json.dumps(rows))
    return 0


def _encoded(wav: Path, mp3: Path, bitrate: int) -> float:
    """Seconds that LAME alone takes."""
    started = time.perf_counter()
    subprocess.run(
        [ffmpeg_path(), "-v", "error", "-y", "-i", str(wav), "-b:a", f"{bitrate}k", str(mp3)],
        check=True,
    )
    return time.perf_counter() - started


def _prompt_to_mp3(model: Path, rate: float, encoding: float) -> dict[str, str | float]:
    """The whole command for a song of three minutes, against its bare parts.

    Parameters
    ----------
    rate : float
        Tokens a second of the model without a grammar.
    encoding : float
        Seconds that LAME takes for a second of sound.
    """
    ratios, took = [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, 4):
            started = time.perf_counter()
            subprocess.run(
                [
                    sys.executable,
                    str(paths.ROOT / "launcher.py"),
                    "generate",
                    "Chill, Dubstep",
                    "--length",
                    "3",
                    "--seed",
                    str(seed),
                    "--model",
                    str(model),
                    "--out",
                    folder,
                ],
                check=True,
                capture_output=True,
            )
            took.append(time.perf_counter() - started)
            made = max(Path(folder).glob("*.json"), key=lambda p: p.stat().st_mtime)
            tokens = json.loads(made.read_text(encoding="utf-8"))["tokens"]
            ratios.append(took[-1] / (tokens / rate + 180 * encoding))
    return {"prompt_to_mp3_seconds": median(took), "prompt_to_mp3_to_bare_parts": median(ratios)}
