"""Benchmark of the start: the help text and the first frame of the menu."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from scripts.core import paths

_ROUNDS = 7


def measure_start() -> dict[str, float | str]:
    """Measure ``--help``, the menu's first frame, and an empty Python program for comparison.

    Returns
    -------
    dict
        Median seconds.
    """
    rows: dict[str, float | str] = {
        "python_seconds": _time_command("-c", "pass"),
        "help_seconds": _time_command(str(paths.ROOT / "launcher.py"), "--help"),
    }
    if sys.platform != "win32":
        rows["first_frame_seconds"] = median(_time_first_frame() for _ in range(_ROUNDS))
    return rows


def _time_command(*arguments: str) -> float:
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return median(times)


def _time_first_frame() -> float:
    from scripts.benchmarks.terminal import MenuProcess

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "data").mkdir()
        (home / "data" / "persistent.json").write_text('{"output": "null"}')
        started = time.perf_counter()
        menu = MenuProcess(home)
        try:
            menu.wait_for("Main Menu")
            return time.perf_counter() - started
        finally:
            menu.close()
