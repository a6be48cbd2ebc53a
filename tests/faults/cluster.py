"""Throughput of a Dask cluster on this computer with one, two and three workers."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT, STARTER
from tests.support.dask_cluster import DaskHere

SONGS = 12
_GROUPS = Path("/sys/fs/cgroup/cpu")  # control groups, version 1
_PERIOD = 100_000  # microseconds


@contextlib.contextmanager
def held_to(pids: list[int], share: float) -> Iterator[None]:
    """Give each process (and what it starts) so much of a core: as slow desktops have."""
    places = [_GROUPS / f"llm-music-gen-{pid}" for pid in pids] if share < 1 else []
    for place, pid in zip(places, pids, strict=False):
        place.mkdir()
        (place / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (place / "cpu.cfs_quota_us").write_text(str(round(_PERIOD * share)))
        (place / "cgroup.procs").write_text(str(pid))
    try:
        yield
    finally:
        for place in places:
            for pid in (place / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):
                    (_GROUPS / "cgroup.procs").write_text(pid)
            place.rmdir()


def throughput(workers: int, share: float) -> dict[str, float]:
    """Songs of one minute a minute, and the bytes that a song takes on its way."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "models").mkdir()
        (home / "models" / "starter.gguf").symlink_to(STARTER)
        with DaskHere(home, workers) as dask, held_to([w.pid for w in dask.workers], share):
            begun = time.perf_counter()
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "scripts.cli.main",
                    "generate",
                    "folk",
                    "--songs",
                    str(SONGS),
                    "--length",
                    "1",
                    "--seed",
                    "1",
                    "--cluster",
                    dask.address,
                ],
                cwd=ROOT,
                env={**os.environ, "LLM_MUSIC_GEN_HOME": folder},
                check=True,
                capture_output=True,
            )
            took = time.perf_counter() - begun
        songs = list((home / "output").glob("*.mp3"))
        sent = sum(p.stat().st_size for p in (home / "output").iterdir()) / len(songs)
        recipes = [
            json.loads(p.with_suffix(".json").read_text(encoding="utf-8"))["recipe"] for p in songs
        ]
        told = sum(len(json.dumps(r)) for r in recipes) / len(songs)
    return {
        "workers": workers,
        "share_of_a_core": share,
        "songs": len(songs),
        "seconds": round(took, 1),
        "songs_a_minute": round(60 * len(songs) / took, 1),
        "bytes_out": round(told),
        "bytes_back": round(sent),
    }


def main() -> int:
    """One JSON line for each number of workers, slow ones first."""
    for share in ([0.4] if os.access(_GROUPS, os.W_OK) else []) + [1.0]:
        for workers in (1, 2, 3):
            print(json.dumps(throughput(workers, share)), flush=True)
    return 0
