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
from scripts.batch.composing import ComposingService
from scripts.batch.executors.base import preload
from scripts.batch.order import Order
from scripts.batch.store import OrderStore
from scripts.composer.compose import Composition
from scripts.core import paths
from scripts.core.child import ChildProcess
from scripts.core.settings import Settings
from scripts.llm.gguf_file import GgufInfo
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec
from scripts.synth.bank import NoteBank
from scripts.synth.instruments import load_instruments
from scripts.synth.soundcheck import run_soundcheck

_SEEDS = range(1, 10)
_LOAD_SECONDS = 4.0  # in which a user types at least
_REQUEST = SongRequest("Chill, Dubstep", length="3")


def measure_first_sound(info: GgufInfo, settings: Settings) -> dict[str, float | str]:
    """Measure the first sound of three-minute songs against composing and the sound check alone.

    Returns
    -------
    dict
        Median seconds until samples can be read, and the median ratio to the bare parts.
    """
    preload()
    found, ratios = [], []
    with ComposingService(settings) as composing:
        _measure_bare_parts(composing, info, 99)  # loads everything
        for seed in _SEEDS:  # alternating, so that both run under the same conditions
            alone = _measure_bare_parts(composing, info, seed)
            found.append(_measure_order(info, seed))
            ratios.append(found[-1] / alone)
    return {
        "seconds_from_enter_to_sound": median(found),
        "enter_to_sound_to_bare_parts": median(ratios),
    }


def _measure_bare_parts(composing: ComposingService, info: GgufInfo, seed: int) -> float:
    """Seconds to compose a song and check its sound."""
    instruments = load_instruments(paths.DATA / "instruments")
    started = time.perf_counter()
    spec, made = _compose(composing, _order(info.path, seed))
    song = arrange(spec, made.sheet, paths.DATA, made.riff)
    bank = NoteBank(instruments, song.tempo, song.tuning, song.tonic)
    run_soundcheck(song, bank, os.cpu_count() or 1)
    return time.perf_counter() - started


def _compose(composing: ComposingService, order: Order) -> tuple[SongSpec, Composition]:
    spec = composing.build_spec(order, 1)
    return spec, composing.compose_sheet(order, spec, order.temperature, lambda *_: None)


def _order(model: Path, seed: int) -> Order:
    return Order(
        request=_REQUEST,
        songs=1,
        model=str(model),
        seed=seed,
        temperature=0.75,
        out=paths.OUTPUT,
    )


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
        store.add_batch([_order(Path(model), seed)], uuid.uuid4().hex)
        child.send({})
        while (message := child.receive(60.0)) is not None:
            if message["event"] == "live":
                assert Path(message["path"]).stat().st_size
                print(time.perf_counter() - started)
                break
    child.kill()
