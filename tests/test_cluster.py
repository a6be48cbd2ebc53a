"""Songs rendered on a real Dask cluster on this computer: a scheduler and up to three workers."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import read_until, start
from tests.support.waiting import wait_until
from tests.test_batch import has_only_complete_songs, numbers, read_mp3_frames

pytest.importorskip("distributed")
from tests.support.dask_cluster import LocalDaskCluster

pytestmark = pytest.mark.slow

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_worker_killed_in_the_middle_of_a_song_costs_no_song(home: Path, run: Run) -> None:
    with LocalDaskCluster(home, 3) as dask:
        process = start(
            home,
            "generate",
            "folk",
            "--songs",
            "6",
            "--length",
            "1",
            "--seed",
            "5",
            "--cluster",
            dask.address,
            "--json",
            "--also",
            "mid",
        )
        wait_until(dask.find_busy_worker).kill()
        stdout, stderr = process.communicate(timeout=200)
        assert process.returncode == 0, stderr
    songs = [e for e in map(json.loads, stdout.splitlines()) if e["event"] == "song"]
    assert Counter(e["song"] for e in songs) == dict.fromkeys(range(1, 7), 1)
    assert set(numbers(home / "output").values()) == {1}
    assert len(numbers(home / "output")) == 6
    assert {p.suffix for p in (home / "output").iterdir()} == {".mp3", ".json", ".abc", ".mid"}
    local = run(
        "generate",
        "folk",
        "--songs",
        "1",
        "--length",
        "1",
        "--seed",
        "5",
        "--out",
        str(home / "here"),
    )
    (alone,) = (home / "here").glob("*.mp3")
    assert local.returncode == 0
    assert read_mp3_frames(alone) == read_mp3_frames(home / "output" / alone.name)


def test_a_batch_killed_on_a_cluster_resumes_without_it(home: Path, run: Run) -> None:
    with LocalDaskCluster(home, 1) as dask:
        process = start(
            home,
            "generate",
            "folk",
            "--songs",
            "3",
            "--length",
            "0.17",
            "--seed",
            "5",
            "--cluster",
            dask.address,
            "--json",
        )
        read_until(process, '"event": "song"')
        process.kill()
        process.communicate()
    done = run("generate", "--resume")
    assert done.returncode == 0, done.stderr
    assert set(numbers(home / "output").values()) == {1}
    assert len(numbers(home / "output")) == 3
    assert has_only_complete_songs(home / "output")


def test_a_lost_scheduler_is_reported_and_no_song_is_lost(home: Path, run: Run) -> None:
    with LocalDaskCluster(home, 1) as dask:
        process = start(
            home,
            "generate",
            "folk",
            "--songs",
            "3",
            "--length",
            "0.5",
            "--seed",
            "5",
            "--cluster",
            dask.address,
            "--json",
        )
        wait_until(dask.find_busy_worker)
        dask.scheduler.kill()
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == 1, stderr
    assert "the connection to the cluster was lost" in stderr, stderr
    assert "Traceback" not in stderr
    assert run("generate", "--resume").returncode == 0
    assert set(numbers(home / "output").values()) == {1}
    assert len(numbers(home / "output")) == 3


def test_a_cluster_that_does_not_answer_is_reported(run: Run) -> None:
    done = run("generate", "folk", "--songs", "2", "--cluster", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert "no scheduler" in done.stderr
    assert "Traceback" not in done.stderr
