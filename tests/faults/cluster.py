"""Throughput of a Dask cluster on this computer with one, two and three workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.cluster import DaskHere
from tests.conftest import ROOT, STARTER

SONGS = 12


def throughput(workers: int) -> dict[str, float]:
    """Songs of one minute a minute, and the bytes that a song takes on its way."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "models").mkdir()
        (home / "models" / "starter.gguf").symlink_to(STARTER)
        with DaskHere(home, workers) as dask:
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-m", "scripts.cli", "generate", "folk", "--songs",
                            str(SONGS), "--length", "1", "--seed", "1", "--cluster", dask.address],
                           cwd=ROOT, env={**os.environ, "LLM_MUSIC_GEN_HOME": folder}, check=True,
                           capture_output=True)
            took = time.perf_counter() - begun
        songs = list((home / "output").glob("*.mp3"))
        sent = sum(p.stat().st_size for p in (home / "output").iterdir()) / len(songs)
        recipes = [json.loads(p.with_suffix(".json").read_text(encoding="utf-8"))["recipe"]
                   for p in songs]
        told = sum(len(json.dumps(r)) for r in recipes) / len(songs)
    return {"workers": workers, "songs": len(songs), "seconds": round(took, 1),
            "songs_a_minute": round(60 * len(songs) / took, 1), "bytes_out": round(told),
            "bytes_back": round(sent)}


def main() -> int:
    """One JSON line for each number of workers."""
    for workers in (1, 2, 3):
        print(json.dumps(throughput(workers)), flush=True)
    return 0
