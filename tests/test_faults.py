"""What a night can bring: a full disk, a read-only folder, crashes, a clock that jumps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.batch.store import OrderState, OrderStore
from tests.conftest import ROOT, STARTER
from tests.faults.fuzz import try_reader
from tests.faults.songs import leftovers, problems_of
from tests.support.processes import descendants, read_until, start, words_of
from tests.test_batch import SHORT, Run, numbers, only_whole_songs

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the lab has tests of its own")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options: str) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
            if not os.path.ismount(place)
            else ["mount", "-o", f"remount,{options}", str(place)],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip("a small disk can only be mounted by root")
        return place

    yield mount
    subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)


def job(home: Path) -> tuple[str, int]:
    """State of the first order, and how many of its songs are done."""
    jobs = OrderStore(home / "data" / "jobs.db")
    try:
        return jobs.get(1).state, jobs.get(1).done
    finally:
        jobs.close()


@pytest.mark.parametrize("size", ["260k", "400k", "640k"])
def test_a_full_disk_stops_an_order_and_costs_nothing(
    run: Run, home: Path, disk: Callable[[str], Path], size: str
) -> None:
    out = disk(f"size={size}")
    done = run("generate", "folk", "--songs", "4", *SHORT, "--out", str(out))
    assert done.returncode == 1, done.stderr
    assert "the disk is full" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert only_whole_songs(out)
    assert leftovers(out) == []
    assert job(home)[0] == OrderState.STOPPED
    assert problems_of(out) == []
    disk("size=20m")
    again = run("generate", "--resume")
    assert again.returncode == 0, again.stderr
    assert job(home) == (OrderState.DONE, 4)
    assert set(numbers(out).values()) == {1}


@pytest.mark.parametrize("room", [8, 40, 120, 300])
def test_a_disk_that_is_full_at_any_stage_is_told(disk: Callable[[str], Path], room: int) -> None:
    """List of orders, library and songs on it, with little room from the beginning."""
    home = disk("size=20m")
    (home / "models").mkdir()
    (home / "models" / "starter.gguf").symlink_to(STARTER)
    (home / "output").mkdir()
    free = os.statvfs(home)
    (home / "other.bin").write_bytes(bytes(free.f_bavail * free.f_bsize - room * 1024))
    environment = {**os.environ, "LLM_MUSIC_GEN_HOME": str(home)}

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "scripts.cli.main", *words],
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
    assert only_whole_songs(home / "output")
    assert command("library", "list").returncode == 0
    (home / "other.bin").unlink()
    resumed = command("generate", "--resume")
    if resumed.returncode == 2:  # there was no room to keep the order itself
        resumed = command("generate", "folk", "--songs", "3", *SHORT)
    assert resumed.returncode == 0, resumed.stderr
    assert len(list((home / "output").glob("*.mp3"))) == 3
    assert problems_of(home / "output") == []


def test_a_folder_that_becomes_read_only_stops_its_order_and_no_other(
    run: Run, home: Path, disk: Callable[[str], Path]
) -> None:
    out = disk("size=20m")
    jobs = OrderStore(home / "data" / "jobs.db")
    from tests.test_batch import order

    bad = jobs.add(order("folk", 3, out=out)).id
    good = jobs.add(order("jazz", 2, out=home / "output")).id
    disk("ro")
    done = run("generate", "--resume")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert jobs.get(bad).state == OrderState.STOPPED
    assert jobs.get(good).state == OrderState.DONE
    disk("rw")
    assert run("generate", "--resume").returncode == 0
    assert jobs.get(bad).done == 3
    assert only_whole_songs(out)
    jobs.close()


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
            "scripts.cli.main",
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
    assert only_whole_songs(tmp_path / "out")


def test_a_clock_that_is_set_back_confuses_nothing(run: Run, home: Path) -> None:
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
    assert leftovers(home / "output") == []
    assert run("library", "list", "--json").stdout.count('"title"') == 4


def test_a_model_that_crashes_at_every_third_song_costs_no_song(home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "9", *SHORT, "--json")
    assert process.stdout
    killed: set[int] = set()
    notes = 0
    for line in process.stdout:
        event = json.loads(line)
        notes += "it is tried again" in str(event.get("text", ""))
        if (
            event.get("stage") == "compose"
            and event["song"] % 3 == 0
            and event["song"] not in killed
            and event["done"] < 1
        ):
            killed.add(event["song"])
            for member in descendants(process):
                if "scripts.llm.worker" in words_of(member):
                    member.kill()
    process.communicate()
    assert process.returncode == 0
    assert killed == {3, 6, 9}
    assert notes >= 1
    assert set(numbers(home / "output").values()) == {1}
    assert len(numbers(home / "output")) == 9


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_ffmpeg_that_is_killed_costs_no_song(home: Path, jobs: str) -> None:
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
                if "ffmpeg" in words_of(member):
                    member.kill()
                    killed = True
                    break
    _, said = process.communicate()
    assert killed, said
    assert process.returncode == 0, said
    assert len(numbers(home / "output")) == 3
    assert problems_of(home / "output") == []


def test_a_locked_library_and_list_are_told_and_the_songs_are_made(run: Run, home: Path) -> None:
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
def test_damaged_databases_are_told_and_set_aside(run: Run, home: Path, damage: bytes) -> None:
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
        "briefs",
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
    ],
)
def test_torn_input_is_refused_in_one_line(reader: str) -> None:
    """A little of what ``python -m tests.faults fuzz`` does with 10,000 of each."""
    assert try_reader(reader, 60, 7)["faults"] == {}
