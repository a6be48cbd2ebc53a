"""Benchmarks of a large library (startup and search) and of a batch (core utilization)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from scripts.audio.mp3 import Tags, write_tags
from scripts.core import paths
from scripts.library.index import LibraryIndex

SONG_COUNT = 20_000
BATCH_SIZE = 20
_STARTUP_RUNS = 5
_FRAME = b"\xff\xfb\x90\x00" + bytes(413)  # silent MP3 frame
_TITLE_WORDS = (
    "Amber",
    "Night",
    "Rain",
    "Harbour",
    "Static",
    "Blue",
    "Velvet",
    "Iron",
    "Glass",
    "Tide",
)
_STYLES = ("chill", "jazz", "dubstep", "folk", "techno", "waltz")
_QUERIES = (
    "a",
    "am",
    "amb",
    "rain",
    "style:jazz",
    "style:jazz tempo<100",
    "rating>=4",
    "key:minor",
    "tempo:90-120 made:2026",
    "harbour tide -style:folk",
    "zzz",
    "",
)


def measure_library() -> dict[str, float | str]:
    """Measure indexing, search and menu startup with 20,000 songs.

    Returns
    -------
    dict
        By description: seconds, and milliseconds of the slowest search. The startup is compared
        with an empty library; not on Windows.
    """
    with tempfile.TemporaryDirectory() as folder:
        empty, full = Path(folder) / "empty", Path(folder) / "full"
        (empty / "output").mkdir(parents=True)
        _create_songs(full / "output")
        library = LibraryIndex(_database_path(full), full / "output")
        started = time.perf_counter()
        library.scan()
        index_seconds = time.perf_counter() - started
        started = time.perf_counter()
        library.scan()
        rescan_seconds = time.perf_counter() - started
        search_seconds = []
        for query in _QUERIES * 3:
            started = time.perf_counter()
            library.find(query, 200)
            search_seconds.append(time.perf_counter() - started)
        library.close()
        rows: dict[str, float | str] = {
            "seconds to read 20,000 songs once": index_seconds,
            "seconds to look whether any has changed": rescan_seconds,
            "milliseconds of a search, the worst": 1000 * max(search_seconds),
        }
        if sys.platform != "win32":
            rows["seconds that 20,000 songs add to the start"] = _measure_startup(
                full
            ) - _measure_startup(empty)
    return rows


def _database_path(home: Path) -> Path:
    return home / "data" / "library.db"


def _create_songs(folder: Path) -> None:
    """Create the songs of a large library: four MP3 frames each, with tags and details."""
    folder.mkdir(parents=True)
    tagged = folder / "head.mp3"
    tagged.write_bytes(_FRAME * 4)
    write_tags(tagged, Tags("x", "Model", "Jazz", "Jazz", 90, "Dm", 2026, "words"))
    data = tagged.read_bytes()
    tagged.unlink()
    for n in range(SONG_COUNT):
        title = f"{_TITLE_WORDS[n % 10]} {_TITLE_WORDS[n // 10 % 10]} {n}"
        style = _STYLES[n % 6]
        (folder / f"{title}.mp3").write_bytes(data)
        (folder / f"{title}.json").write_text(
            json.dumps(
                {
                    "title": title,
                    "asked": style.title(),
                    "styles": [style],
                    "key": "D minor",
                    "meter": "4/4",
                    "tempo": 60 + n % 120,
                    "model": "Starter",
                    "seconds": 180.0,
                    "seed": n,
                    "made": "2026-11-21T10:00:00+00:00",
                    "summary": "x" * 3000,
                }
            )
        )


def _measure_startup(home: Path) -> float:
    """Measure the median time in seconds from the start until the menu is drawn."""
    from scripts.benchmarks.terminal import MenuProcess

    seconds = []
    for _ in range(_STARTUP_RUNS):
        started = time.monotonic()
        menu = MenuProcess(home)
        seconds.append(menu.wait_for("Exit Program = X:") - started)
        menu.close()
    return median(seconds)


def measure_batch(model: Path) -> dict[str, float | str]:
    """Measure a batch of three-minute songs with one model.

    Returns
    -------
    dict
        By description: number of songs, seconds, and those seconds divided by the total processor
        time per core (1 when all cores are always busy). Empty on Windows.
    """
    if sys.platform == "win32":
        return {}
    import resource

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "models").mkdir()
        shutil.copy(model, home / "models")
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [
                sys.executable,
                str(paths.ROOT / "launcher.py"),
                "generate",
                "Chill, Dubstep",
                "--songs",
                str(BATCH_SIZE),
                "--length",
                "3",
                "--seed",
                "1",
            ],
            check=True,
            capture_output=True,
            env={**os.environ, "LLM_MUSIC_GEN_HOME": str(home)},
        )
        elapsed = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        songs = len(list((home / "output").glob("*.mp3")))
    return {
        "songs of a batch": songs,
        "seconds of a batch": elapsed,
        "batch to all its work on all cores": elapsed / (cpu_seconds / (os.cpu_count() or 1)),
    }
