"""Measures the throughput of a Dask cluster on this computer with one, two and three workers."""

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
from tests.support.dask_cluster import LocalDaskCluster

SONGS = 12
_GROUPS = Path("/sys/fs/cgroup/cpu")  # control groups, version 1
_PERIOD = 100_000  # microseconds


@contextlib.contextmanager
def limited_cpu(pids: list[int], share: float) -> Iterator[None]:
    """Limit each process and its children to a share of a core, like a slow desktop."""
    groups = [_GROUPS / f"llm-music-gen-{pid}" for pid in pids] if share < 1 else []
    for group, pid in zip(groups, pids, strict=False):
        group.mkdir()
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(round(_PERIOD * share)))
        (group / "cgroup.procs").write_text(str(pid))
    try:
        yield
    finally:
        for group in groups:
            for pid in (group / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):
                    (_GROUPS / "cgroup.procs").write_text(pid)
            group.rmdir()


def measure_throughput(workers: int, share: float) -> dict[str, float]:
    """Measure one-minute songs per minute, and the bytes sent and received per song."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "models").mkdir()
        (home / "models" / "starter.gguf").symlink_to(STARTER)
        with (
            LocalDaskCluster(home, workers) as dask,
            limited_cpu([w.pid for w in dask.workers], share),
        ):
            started = time.perf_counter()
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "scripts.cli",
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
            seconds = time.perf_counter() - started
        songs = list((home / "output").glob("*.mp3"))
        song_bytes = sum(p.stat().st_size for p in (home / "output").iterdir()) / len(songs)
        recipes = [
            json.loads(p.with_suffix(".json").read_text(encoding="utf-8"))["recipe"] for p in songs
        ]
        recipe_bytes = sum(len(json.dumps(r)) for r in recipes) / len(songs)
    return {
        "workers": workers,
        "share_of_a_core": share,
        "songs": len(songs),
        "seconds": round(seconds, 1),
        "songs_a_minute": round(60 * len(songs) / seconds, 1),
        "bytes_out": round(recipe_bytes),
        "bytes_back": round(song_bytes),
    }


def main() -> int:
    """Print one JSON line for each number of workers, slow workers first."""
    for share in ([0.4] if os.access(_GROUPS, os.W_OK) else []) + [1.0]:
        for workers in (1, 2, 3):
            print(json.dumps(measure_throughput(workers, share)), flush=True)
    return 0
