"""What the jukebox costs while it plays, and how soon it obeys: the real menu in a terminal."""

from __future__ import annotations

import contextlib
import os
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
from scripts.core import paths
from scripts.llm.chat import Prompt
from scripts.llm.client import ModelProcess
from scripts.llm.registry import find_model

_WATCHED = 15.0  # seconds
_LONG = 8 * 3600  # seconds of the long file
_PIECE = 10  # seconds it is put together from


def jukebox_costs() -> dict[str, float | str]:
    """Share of a core while playing and paused, delay of a key, start of an eight-hour file."""
    rows: dict[str, float | str] = _long_file()
    if sys.platform == "win32":
        return {**rows, "jukebox": "its cost is measured on Linux, where a terminal can be made"}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "output").mkdir()
        (home / "data").mkdir()
        (home / "data" / "persistent.json").write_text('{"output": "null"}')
        for n in range(12):
            _mp3(home / "output" / f"Song {n}.mp3", 240)
        from scripts.benchmarks.terminal import Menu

        menu = Menu(home)
        try:
            menu.wait("Main Menu")
            menu.press("2")
            menu.wait("Next 5 Songs")
            time.sleep(3)
            rows["percent of a core while playing"] = 100 * menu.share(_WATCHED)
            rows["milliseconds from key to frame"] = 1000 * menu.delay()
            with _decoding():
                rows["the same while a model decodes on all threads"] = 1000 * menu.delay()
            menu.press(" ")
            menu.wait("(paused)")
            time.sleep(3)
            rows["percent of a core while paused"] = 100 * menu.share(_WATCHED)
        finally:
            menu.close()
    return rows


@contextlib.contextmanager
def _decoding() -> Iterator[None]:
    """A model writes on all threads of the processor, again and again."""
    over = threading.Event()
    with ModelProcess(find_model("", paths.MODELS).path, 1024, os.cpu_count() or 1) as model:

        def write() -> None:
            while not over.is_set():
                model.measure_unconstrained_speed(
                    Prompt("X:1\nK:C\n", special=False, bos=True), 900, 1
                )

        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(1.0)
        try:
            yield
        finally:
            over.set()
            writer.join()


def _long_file() -> dict[str, float | str]:
    """Open an MP3 of eight hours at its beginning and near its end."""
    code = (
        "import resource, sys, time; from pathlib import Path; "
        "from scripts.benchmarks.jukebox import open_at; open_at(Path(sys.argv[2]), 1.0); "
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "took = [open_at(Path(sys.argv[1]), at) for at in (0.0, 28000.0)]; "
        "held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "print(max(took), (held - before) / 1024)"
    )
    if sys.platform == "win32":
        return {}
    with tempfile.TemporaryDirectory() as folder:
        short, long = Path(folder) / "short.mp3", Path(folder) / "long.mp3"
        _mp3(short, _PIECE)
        _mp3(long, _LONG)
        done = subprocess.run(
            [sys.executable, "-c", code, str(long), str(short)],
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    took, held = map(float, done.stdout.split())
    return {"seconds until 8 hours of MP3 play": took, "MB that they take": held}


def open_at(path: Path, second: float) -> float:
    """Seconds until the first sound of a file is there."""
    begun = time.perf_counter()
    deck = Deck(1.0)
    deck.play(Stream(path, second))
    deck.read(4410)
    took = time.perf_counter() - begun
    deck.close()
    return took


def _mp3(path: Path, seconds: float) -> None:
    """Noise of so many seconds, put together from pieces whose frames stand alone."""
    piece = subprocess.run(
        [
            ffmpeg_path(),
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            f"anoisesrc=d={_PIECE}:a=0.1",
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
        for _ in range(max(1, round(seconds / _PIECE))):
            file.write(piece)
