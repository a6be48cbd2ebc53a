"""Benchmark of the first sound: from the Enter of an order to the samples of its first song."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path
from statistics import median

from scripts.arranger.arrange import arrange
from scripts.batch.order import Order
from scripts.batch.store import OrderStore
from scripts.composer.compose import Composer
from scripts.core import paths
from scripts.core.child import ChildProcess
from scripts.core.settings import Settings
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import plan_decoding
from scripts.llm.gguf_file import GgufInfo
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.styles.style import load_styles
from scripts.synth.bank import NoteBank
from scripts.synth.instruments import load_instruments
from scripts.synth.soundcheck import run_soundcheck

_SEEDS = range(1, 6)
_LOAD_SECONDS = 4.0  # in which a user types at least
_REQUEST = SongRequest("Chill, Dubstep", length="3")


def measure_first_sound(info: GgufInfo, settings: Settings) -> dict[str, float | str]:
    """Measure the first sound of three-minute songs against composing and the sound check alone.

    Returns
    -------
    dict
        Median seconds until samples can be read, and the median ratio to the bare parts.
    """
    bare = _measure_bare_parts(info, settings)
    found = [_measure_order(info, seed) for seed in _SEEDS]
    ratios = [ours / alone for ours, alone in zip(found, bare, strict=True)]
    return {
        "seconds_from_enter_to_sound": median(found),
        "enter_to_sound_to_bare_parts": median(ratios),
    }


def _measure_bare_parts(info: GgufInfo, settings: Settings) -> list[float]:
    """Seconds to compose each song and check its sound, with everything loaded."""
    styles = load_styles(paths.DATA / "styles")
    instruments = load_instruments(paths.DATA / "instruments")
    plan = plan_decoding(info.parameters, settings.threads)
    found = []
    with ModelProcess(info.path, 4096, plan) as process:
        composer = Composer(process, info, paths.DATA)
        composer.compose(build_spec(_REQUEST, styles, 99), 0.75, lambda done, text: None)
        for seed in _SEEDS:
            started = time.perf_counter()
            spec = build_spec(_REQUEST, styles, seed)
            made = composer.compose(spec, 0.75, lambda done, text: None)
            song = arrange(spec, made.sheet, paths.DATA, made.riff)
            bank = NoteBank(instruments, song.tempo, song.tuning, song.tonic)
            run_soundcheck(song, bank, os.cpu_count() or 1)
            found.append(time.perf_counter() - started)
    return found


def _measure_order(info: GgufInfo, seed: int) -> float:
    """Seconds from placing an order until its song can be played, as the menu does it."""
    with tempfile.TemporaryDirectory() as name:
        script = "from scripts.benchmarks.first_sound import time_order; import sys; time_order("
        done = subprocess.run(
            [sys.executable, "-c", f"{script}sys.argv[1], {seed})", str(info.path)],
            cwd=paths.ROOT,
            env={**os.environ, "LLM_MUSIC_GEN_HOME": name},
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout)


def time_order(model: str, seed: int) -> None:
    """Place an order in this process's home and print the seconds until its song is audible."""
    words = ("generate", "--serve", "--json", "--watch-input", "--wait")
    child = ChildProcess("scripts.cli", words)
    with closing(OrderStore(paths.ORDERS)) as store:
        time.sleep(_LOAD_SECONDS)
        started = time.perf_counter()
        order = Order(
            request=_REQUEST,
            songs=1,
            model=model,
            seed=seed,
            temperature=0.75,
            out=paths.OUTPUT,
        )
        store.add_batch([order], uuid.uuid4().hex)
        child.send({})
        while (message := child.receive(60.0)) is not None:
            if message["event"] == "live":
                assert Path(message["path"]).stat().st_size
                print(time.perf_counter() - started)
                break
    child.kill()
