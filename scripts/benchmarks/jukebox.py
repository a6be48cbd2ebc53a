"""Benchmark of the jukebox in a real terminal: processor time and response time."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from scripts.audio.deck import Deck
from scripts.audio.mp3 import ffmpeg_path
from scripts.audio.streams import Stream
from scripts.composer.compose import Composer
from scripts.core import paths
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import plan_decoding
from scripts.llm.gguf_file import GgufInfo
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.styles.style import load_styles

_MEASURED_SECONDS = 15.0  # seconds over which processor time is measured
_LONG_FILE_SECONDS = 8 * 3600  # duration of the long file, in seconds
_SEGMENT_SECONDS = 10  # duration of the segment that test files repeat, in seconds


def measure_jukebox(model: GgufInfo, threads: int) -> dict[str, float | str]:
    """Measure the playing jukebox in the menu, and the opening of an eight-hour MP3.

    Parameters
    ----------
    model : GgufInfo
        Decodes meanwhile.
    threads : int
        CPU threads of the model.

    Returns
    -------
    dict
        By description: percent of a core while playing and paused, response time to a key in
        milliseconds, start of the long file in seconds and its memory in MB. Only on Linux.
    """
    rows: dict[str, float | str] = _measure_long_file()
    if sys.platform == "win32":
        return {**rows, "jukebox": "not measured on Windows: it has no pseudo-terminals"}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "output").mkdir()
        (home / "data").mkdir()
        (home / "data" / "persistent.json").write_text('{"output": "null"}')
        for n in range(12):
            _write_noise_mp3(home / "output" / f"Song {n}.mp3", 240)
        from scripts.benchmarks.terminal import MenuProcess

        menu = MenuProcess(home)
        try:
            menu.wait_for("Main Menu")
            menu.press("2")
            menu.wait_for("Next 5 Songs")
            time.sleep(3)
            rows["percent of a core while playing"] = 100 * menu.measure_cpu_share(
                _MEASURED_SECONDS
            )
            rows["milliseconds from key to frame"] = 1000 * menu.measure_key_latency()
            with _model_decoding(model, threads):
                rows["the same while a model decodes"] = 1000 * menu.measure_key_latency()
            menu.press("c")
            menu.wait_for("Back to Jukebox")
            rows["percent of a core for the light"] = 100 * menu.measure_cpu_share(
                _MEASURED_SECONDS
            )
            menu.press("b")
            menu.wait_for("Next 5 Songs")
            menu.press(" ")
            menu.wait_for("(paused)")
            time.sleep(3)
            rows["percent of a core while paused"] = 100 * menu.measure_cpu_share(_MEASURED_SECONDS)
        finally:
            menu.close()
    return rows


@contextlib.contextmanager
def _model_decoding(info: GgufInfo, threads: int) -> Iterator[None]:
    """Keep a model writing sheets, as the program runs it, while the block runs."""
    stop = threading.Event()
    with ModelProcess(info.path, 4096, plan_decoding(info.parameters, threads)) as model:
        composer = Composer(model, info, paths.DATA)
        spec = build_spec(SongRequest("pop"), load_styles(paths.DATA / "styles"), 1)

        def generate() -> None:
            while not stop.is_set():
                composer.compose(spec, 0.75, lambda done, text: None)

        generator = threading.Thread(target=generate)
        generator.start()
        time.sleep(1.0)
        try:
            yield
        finally:
            stop.set()
            generator.join()


def _measure_long_file() -> dict[str, float | str]:
    """Measure opening an eight-hour MP3 at its start and near its end, in a fresh process."""
    code = (
        "import resource, sys, time; from pathlib import Path; "
        "from scripts.benchmarks.jukebox import time_to_first_sound; "
        "time_to_first_sound(Path(sys.argv[2]), 1.0); "
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "took = [time_to_first_sound(Path(sys.argv[1]), at) for at in (0.0, 28000.0)]; "
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "print(max(took), (after - before) / 1024)"
    )
    if sys.platform == "win32":
        return {}
    with tempfile.TemporaryDirectory() as folder:
        short, long = Path(folder) / "short.mp3", Path(folder) / "long.mp3"
        _write_noise_mp3(short, _SEGMENT_SECONDS)
        _write_noise_mp3(long, _LONG_FILE_SECONDS)
        completed = subprocess.run(
            [sys.executable, "-c", code, str(long), str(short)],
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    seconds, megabytes = map(float, completed.stdout.split())
    return {"seconds until 8 hours of MP3 play": seconds, "MB that they take": megabytes}


def time_to_first_sound(path: Path, second: float) -> float:
    """Return the seconds until the first block of a file is decoded, from `second` on."""
    started = time.perf_counter()
    deck = Deck(1.0)
    deck.play(Stream(path, second))
    deck.read(4410)
    elapsed = time.perf_counter() - started
    deck.close()
    return elapsed


def _write_noise_mp3(path: Path, seconds: float) -> None:
    """Write an MP3 of noise that repeats one segment; its frames use no bit reservoir."""
    segment = subprocess.run(
        [
            ffmpeg_path(),
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            f"anoisesrc=d={_SEGMENT_SECONDS}:a=0.1",
            "-ac",
            "2",
            "-ar",
            "44100",
            "-b:a",
            "64k",
            "-reservoir",
            "0",
            "-write_xing",
            "0",
            "-f",
            "mp3",
            "-",
        ],
        capture_output=True,
        check=True,
    ).stdout
    with path.open("wb") as file:
        for _ in range(max(1, round(seconds / _SEGMENT_SECONDS))):
            file.write(segment)
