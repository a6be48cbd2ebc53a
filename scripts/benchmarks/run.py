"""``launcher.py bench``: speeds as ratios within one run, comparable between machines."""

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
from scripts.benchmarks.first_sound import measure_first_sound
from scripts.benchmarks.jukebox import measure_jukebox
from scripts.benchmarks.library import measure_batch, measure_library
from scripts.benchmarks.model import measure_model
from scripts.benchmarks.sound import compare_with_fluidsynth, measure_long_pieces
from scripts.benchmarks.start import measure_start
from scripts.benchmarks.understanding import measure_understanding
from scripts.composer.compose import Composer
from scripts.composer.grammar import build_sheet_grammar
from scripts.core import paths
from scripts.core.settings import Settings
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import plan_decoding
from scripts.llm.registry import find_model
from scripts.llm.sampling import Sampling
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.styles.style import load_styles
from scripts.synth.instruments import load_instruments
from scripts.synth.render import render

ROUNDS = 5


def run_bench(model: str, settings: Settings, as_json: bool, long: bool = False) -> int:
    """Measure and print decoding speed, the stages of a three-minute song, synth and jukebox.

    Parameters
    ----------
    model : str
        Name or path; empty selects the one in the settings.
    settings : Settings
    as_json : bool
        Print one JSON object instead of a table.
    long : bool
        Also render pieces of up to eight hours, index a large library and run a batch, which
        takes several minutes.

    Returns
    -------
    int
        Exit status, always 0.
    """
    info = find_model(model or settings.model, paths.MODELS)
    spec = build_spec(SongRequest("Chill, Dubstep"), load_styles(paths.DATA / "styles"), 1)
    plan = plan_decoding(info.parameters, settings.threads)
    grammar_rates, free_rates = [], []
    with ModelProcess(info.path, 4096, plan) as process:
        composer = Composer(process, info, paths.DATA)
        started = time.perf_counter()
        composition = composer.compose(spec, 0.8, lambda done, text: None)
        composing = time.perf_counter() - started
        prompt = composer.build_sheet_prompt(spec)
        for n in range(ROUNDS):  # alternating, so that both run under the same conditions
            reply = process.write_sheet(
                prompt,
                build_sheet_grammar(spec),
                Sampling(0.8, seed=n),
                plan.candidates,
                lambda done, text: None,
            )
            grammar_rates.append(reply.tokens / reply.seconds)
            free_rates.append(process.measure_unconstrained_speed(prompt, 200, n))
    arrangement = arrange(spec, composition.sheet, paths.DATA, composition.riff)
    with tempfile.TemporaryDirectory() as folder:
        wav, mp3 = Path(folder) / "a.wav", Path(folder) / "a.mp3"
        started = time.perf_counter()
        write_wav(
            wav,
            render(arrangement, load_instruments(paths.DATA / "instruments")),
            lambda done: None,
        )
        rendering = time.perf_counter() - started
        encoding = min(_time_encoding(wav, mp3, settings.bitrate) for _ in range(3))
    prompt_to_mp3 = _measure_prompt_to_mp3(info.path, median(free_rates), encoding / spec.length)
    rows: dict[str, str | float] = {
        "model": info.name,
        "grammar_tokens_per_second": median(grammar_rates),
        "free_tokens_per_second": median(free_rates),
        "grammar_to_free": median(grammar_rates) / median(free_rates),
        "compose_seconds": composing,
        "render_seconds": rendering,
        "encode_seconds": encoding,
        "render_to_real_time": rendering / spec.length,
        "render_to_encode": rendering / encoding,
        **prompt_to_mp3,
        **measure_understanding(float(prompt_to_mp3["prompt_to_mp3_seconds"])),
        **compare_with_fluidsynth(),
        **measure_first_sound(info, settings),
        **measure_start(),
        **measure_model(info, settings),
        **measure_jukebox(info, settings.threads),
    }
    if long:
        rows |= {**measure_long_pieces(), **measure_library(), **measure_batch(info.path)}
    for name, value in rows.items():
        printed = value if isinstance(value, str) else round(value, 3)
        if not as_json:
            print(f"{name.replace('_', ' '):<36} {printed}")
    if as_json:
        print(json.dumps(rows))
    return 0


def _time_encoding(wav: Path, mp3: Path, bitrate: int) -> float:
    """Measure the seconds that ffmpeg takes to encode an MP3."""
    started = time.perf_counter()
    subprocess.run(
        [ffmpeg_path(), "-v", "error", "-y", "-i", str(wav), "-b:a", f"{bitrate}k", str(mp3)],
        check=True,
    )
    return time.perf_counter() - started


def _measure_prompt_to_mp3(model: Path, rate: float, encoding: float) -> dict[str, str | float]:
    """Compare ``generate`` for a three-minute song with decoding and encoding alone.

    Parameters
    ----------
    model : Path
    rate : float
        Tokens per second of the model without a grammar.
    encoding : float
        Seconds of encoding per second of audio.
    """
    ratios, seconds = [], []
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
            seconds.append(time.perf_counter() - started)
            song = max(Path(folder).glob("*.mp3"), key=lambda p: p.stat().st_mtime)
            details = song.with_suffix(".json")
            tokens = json.loads(details.read_text(encoding="utf-8"))["tokens"]
            ratios.append(seconds[-1] / (tokens / rate + 180 * encoding))
    return {"prompt_to_mp3_seconds": median(seconds), "prompt_to_mp3_to_bare_parts": median(ratios)}
