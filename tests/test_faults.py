"""Faults during a batch: a full disk, a read-only folder, crashes, a clock that is set back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.batch.states import OrderState
from scripts.batch.store import OrderStore
from tests.conftest import ROOT, STARTER
from tests.faults.fuzz import fuzz_reader
from tests.faults.songs import find_leftovers, find_problems
from tests.support.processes import command_line, descendants, read_until, start
from tests.test_batch import SHORT, Run, has_only_complete_songs, numbers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="tests/windows has tests of its own"),
]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a small disk with the given options; returns its folder."""
    mount_point = tmp_path / "disk"
    mount_point.mkdir()

    def mount(options: str) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(mount_point)]
            if not os.path.ismount(mount_point)
            else ["mount", "-o", f"remount,{options}", str(mount_point)],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip("a small disk can only be mounted by root")
        return mount_point

    yield mount
    subprocess.run(["umount", "-l", str(mount_point)], capture_output=True, check=False)


def first_order(home: Path) -> tuple[str, int]:
    """Return the state of the first order and the number of its finished songs."""
    store = OrderStore(home / "data" / "jobs.db")
    try:
        return store.get(1).state, store.get(1).done
    finally:
        store.close()


@pytest.mark.parametrize("size", ["260k", "400k", "640k"])
def test_a_full_disk_stops_an_order_and_loses_no_song(
    run: Run, home: Path, disk: Callable[[str], Path], size: str
) -> None:
    out = disk(f"size={size}")
    done = run("generate", "folk", "--songs", "4", *SHORT, "--out", str(out))
    assert done.returncode == 1, done.stderr
    assert "the disk is full" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert has_only_complete_songs(out)
    assert find_leftovers(out) == []
    assert first_order(home)[0] == OrderState.STOPPED
    assert find_problems(out) == []
    disk("size=20m")
    again = run("generate", "--resume")
    assert again.returncode == 0, again.stderr
    assert first_order(home) == (OrderState.DONE, 4)
    assert set(numbers(out).values()) == {1}


@pytest.mark.parametrize("free_kib", [8, 40, 120, 300])
def test_a_disk_that_is_full_at_any_stage_is_reported(
    disk: Callable[[str], Path], free_kib: int
) -> None:
    """Orders, library and songs are on a disk with little free space from the start."""
    home = disk("size=20m")
    (home / "models").mkdir()
    (home / "models" / "starter.gguf").symlink_to(STARTER)
    (home / "output").mkdir()
    free = os.statvfs(home)
    (home / "other.bin").write_bytes(bytes(free.f_bavail * free.f_bsize - free_kib * 1024))
    environment = {**os.environ, "LLM_MUSIC_GEN_HOME": str(home)}

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "scripts.cli", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )

    done = command("generate", "folk", "--songs", "3", *SHORT)
    assert done.returncode == 1, done.stderr
    assert "full" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert has_only_complete_songs(home / "output")
    assert command("library", "list").returncode == 0
    (home / "other.bin").unlink()
    resumed = command("generate", "--resume")
    if resumed.returncode == 2:  # there was no space to store the order itself
        resumed = command("generate", "folk", "--songs", "3", *SHORT)
    assert resumed.returncode == 0, resumed.stderr
    assert len(list((home / "output").glob("*.mp3"))) == 3
    assert find_problems(home / "output") == []


def test_a_folder_that_becomes_read_only_stops_its_order_and_no_other(
    run: Run, home: Path, disk: Callable[[str], Path]
) -> None:
    out = disk("size=20m")
    store = OrderStore(home / "data" / "jobs.db")
    from tests.test_batch import order

    bad = store.add(order("folk", 3, out=out)).id
    good = store.add(order("jazz", 2, out=home / "output")).id
    disk("ro")
    done = run("generate", "--resume")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert store.get(bad).state == OrderState.STOPPED
    assert store.get(good).state == OrderState.DONE
    disk("rw")
    assert run("generate", "--resume").returncode == 0
    assert store.get(bad).done == 3
    assert has_only_complete_songs(out)
    store.close()


def test_a_data_folder_that_is_read_only_costs_no_song(
    disk: Callable[[str], Path], tmp_path: Path
) -> None:
    home = disk("size=20m")
    (home / "models").mkdir()
    (home / "models" / "starter.gguf").symlink_to(STARTER)
    disk("ro")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "scripts.cli",
            "generate",
            "folk",
            *SHORT,
            "--out",
            str(tmp_path / "out"),
        ],
        cwd=ROOT,
        env={**os.environ, "LLM_MUSIC_GEN_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    assert "fault" not in done.stderr
    assert "damaged" not in done.stderr
    assert "cannot be written" in done.stderr
    assert has_only_complete_songs(tmp_path / "out")


def test_a_clock_that_is_set_back_loses_no_song(run: Run, home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "4", *SHORT, "--json")
    read_until(process, '"event": "song"')
    process.kill()
    process.communicate()
    later = time.time() + 400 * 24 * 3600
    for path in home.rglob("*"):
        if path.is_file():
            os.utime(path, (later, later))
    done = run("generate", "--resume")
    assert done.returncode == 0, done.stderr
    assert set(numbers(home / "output").values()) == {1}
    assert len(numbers(home / "output")) == 4
    assert find_leftovers(home / "output") == []
    assert run("library", "list", "--json").stdout.count('"title"') == 4


def test_a_model_that_crashes_at_every_third_song_costs_no_song(home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "9", *SHORT, "--json")
    assert process.stdout
    killed: set[int] = set()
    notices = 0
    for line in process.stdout:
        event = json.loads(line)
        notices += "it is tried again" in str(event.get("text", ""))
        if (
            event.get("stage") == "compose"
            and event["song"] % 3 == 0
            and event["song"] not in killed
            and event["done"] < 1
        ):
            killed.add(event["song"])
            for member in descendants(process):
                if "scripts.llm.worker" in command_line(member):
                    member.kill()
    process.communicate()
    assert process.returncode == 0
    assert killed == {3, 6, 9}
    assert notices >= 1
    assert set(numbers(home / "output").values()) == {1}
    assert len(numbers(home / "output")) == 9


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_killed_ffmpeg_costs_no_song(home: Path, jobs: str) -> None:
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
        "--jobs",
        jobs,
        "--json",
    )
    assert process.stdout
    killed = False
    for line in process.stdout:
        if not killed and '"stage": "render"' in line:
            for member in descendants(process):
                if "ffmpeg" in command_line(member):
                    member.kill()
                    killed = True
                    break
    _, stderr = process.communicate()
    assert killed, stderr
    assert process.returncode == 0, stderr
    assert len(numbers(home / "output")) == 3
    assert find_problems(home / "output") == []


def test_a_locked_order_store_is_reported_and_works_after_unlocking(run: Run, home: Path) -> None:
    import sqlite3

    assert run("generate", "folk", *SHORT).returncode == 0
    other = sqlite3.connect(home / "data" / "jobs.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    done = run("generate", "folk", *SHORT)
    assert done.returncode == 1
    assert "locked by another program" in done.stderr
    assert "Traceback" not in done.stderr
    other.execute("ROLLBACK")
    other.close()
    assert run("generate", "folk", *SHORT).returncode == 0
    assert len(list((home / "output").glob("*.mp3"))) == 2


@pytest.mark.parametrize("damage", [b"", b"rubbish" * 1000, b"SQLite format 3\0" + b"\xff" * 9000])
def test_damaged_databases_are_set_aside_with_a_notice(run: Run, home: Path, damage: bytes) -> None:
    assert run("generate", "folk", *SHORT).returncode == 0
    for name in ("jobs.db", "library.db"):
        (home / "data" / name).write_bytes(damage)
    done = run("generate", "folk", *SHORT)
    listed = run("library", "list", "--json")
    assert done.returncode == listed.returncode == 0, done.stderr + listed.stderr
    assert ("set aside" in done.stderr) == bool(damage)
    assert listed.stdout.count('"title"') == 2


@pytest.mark.parametrize(
    "reader",
    [
        "requests",
        "ABC",
        "MIDI",
        "MusicXML",
        "settings",
        "job files",
        "tags",
        "GGUF headers",
        "song details",
        "playlists",
        "searches",
        "structured ABC",
        "MusicXML archives",
        "chat templates",
        "mailed recipes",
    ],
)
def test_damaged_input_is_rejected_in_one_line(reader: str) -> None:
    """Short form of ``python -m tests.faults fuzz``, which tries 10,000 inputs of each kind."""
    assert fuzz_reader(reader, 60, 7)["faults"] == {}
