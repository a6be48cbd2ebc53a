"""What a large library and a batch cost: starting, searching, and how busy the line keeps."""

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

SONGS = 20_000
BATCH = 20
_STARTS = 5
_FRAME = b"\xff\xfb\x90\x00" + bytes(413)  # of an MP3, silent
_WORDS = ("Amber", "Night", "Rain", "Harbour", "Static", "Blue", "Velvet", "Iron", "Glass", "Tide")
_STYLES = ("chill", "jazz", "dubstep", "folk", "techno", "waltz")
_TYPED = (
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


def library_costs() -> dict[str, float | str]:
    """Start of the menu and search with 20,000 songs, against an empty library."""
    with tempfile.TemporaryDirectory() as folder:
        empty, full = Path(folder) / "empty", Path(folder) / "full"
        (empty / "output").mkdir(parents=True)
        _songs(full / "output")
        library = LibraryIndex(_path(full), full / "output")
        begun = time.perf_counter()
        library.scan()
        reading = time.perf_counter() - begun
        begun = time.perf_counter()
        library.scan()
        looking = time.perf_counter() - begun
        typed = []
        for words in _TYPED * 3:
            begun = time.perf_counter()
            library.find(words, 200)
            typed.append(time.perf_counter() - begun)
        library.close()
        rows: dict[str, float | str] = {
            "seconds to read 20,000 songs once": reading,
            "seconds to look whether any has changed": looking,
            "milliseconds of a search, the worst": 1000 * max(typed),
        }
        if sys.platform != "win32":
            rows["seconds that 20,000 songs add to the start"] = _starts(full) - _starts(empty)
    return rows


def _path(home: Path) -> Path:
    return home / "data" / "library.db"


def _songs(folder: Path) -> None:
    """Very short songs with real tags and details."""
    folder.mkdir(parents=True)
    head = folder / "head.mp3"
    head.write_bytes(_FRAME * 4)
    write_tags(head, Tags("x", "Model", "Jazz", "Jazz", 90, "Dm", 2026, "words"))
    data = head.read_bytes()
    head.unlink()
    for n in range(SONGS):
        title = f"{_WORDS[n % 10]} {_WORDS[n // 10 % 10]} {n}"
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


def _starts(home: Path) -> float:
    """Seconds until the menu is drawn, the middle of some starts."""
    from scripts.benchmarks.terminal import Menu

    took = []
    for _ in range(_STARTS):
        begun = time.monotonic()
        menu = Menu(home)
        took.append(menu.wait("Exit Program = X:") - begun)
        menu.close()
    return median(took)


def batch_costs(model: Path) -> dict[str, float | str]:
    """A batch of three-minute songs: its time against all its work shared among the cores."""
    if sys.platform == "win32":
        return {}
    import resource

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "models").mkdir()
        shutil.copy(model, home / "models")
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [
                sys.executable,
                str(paths.ROOT / "launcher.py"),
                "generate",
                "Chill, Dubstep",
                "--songs",
                str(BATCH),
                "--length",
                "3",
                "--seed",
                "1",
            ],
            check=True,
            capture_output=True,
            env={**os.environ, "LLM_MUSIC_GEN_HOME": str(home)},
        )
        wall = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        work = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        made = len(list((home / "output").glob("*.mp3")))
    return {
        "songs of a batch": made,
        "seconds of a batch": wall,
        "batch to all its work on all cores": wall / (work / (os.cpu_count() or 1)),
    }
