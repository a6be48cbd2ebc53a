"""Orders that go on: from other places, beside other programs, with what is told of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.batch.claims import claim_batch
from scripts.batch.order import Order
from scripts.batch.store import OrderState, OrderStore
from tests.conftest import ROOT, STARTER, TUNE
from tests.support.processes import interrupt, read_until, start
from tests.support.waiting import until
from tests.test_batch import SHORT, order, sound_of

Run = Callable[..., subprocess.CompletedProcess[str]]


def kept(home: Path, *orders: Order) -> OrderStore:
    """The list of a home, with orders in it."""
    jobs = OrderStore(home / "data" / "jobs.db")
    for one in orders:
        jobs.add(one)
    return jobs


def test_orders_go_on_in_a_program_that_was_moved(home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "4", *SHORT, "--json")
    read_until(process, '"event": "song"')
    interrupt(process)
    process.communicate(timeout=60)
    moved = home.with_name("moved")
    home.rename(moved)
    again = start(moved, "generate", "--resume")
    _, said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert len(list((moved / "output").glob("*.mp3"))) == 4
    assert not home.exists()


def test_what_another_program_is_at_stays_paused(run: Run, home: Path) -> None:
    jobs = kept(home, order(out=home / "output"))
    jobs.set_state(1, OrderState.PAUSED)
    held = claim_batch(jobs.path, jobs.get(1).batch)
    assert held
    done = run("generate", "--resume")
    assert done.returncode == 2
    assert "another program works on all unfinished orders" in done.stderr
    assert jobs.get(1).state == OrderState.PAUSED
    held.release()
    jobs.close()


def test_an_order_that_was_cancelled_with_ctrl_c_is_not_taken_over(home: Path) -> None:
    """The menu's program makes whatever is open and nobody is at."""
    jobs = kept(home, order("jazz", 200, out=home / "output"))
    menus = start(home, "generate", "--serve", "--json")
    read_until(menus, '"event": "song"')
    mine = start(home, "generate", "folk", "--songs", "30", *SHORT, "--json")
    read_until(mine, '"event": "song"')
    interrupt(mine)
    mine.communicate(timeout=60)
    left = jobs.get(2)
    for _ in range(3):
        read_until(menus, '"event": "song"')
    assert jobs.get(2) == left
    assert left.state == OrderState.PAUSED
    assert left.done < 30
    menus.kill()
    menus.communicate()
    jobs.close()


@pytest.mark.parametrize(
    "word",
    [
        ["--length", "2"],
        ["--songs", "9"],
        ["--out", "x"],
        ["--tuning", "432"],
        ["--loop"],
        ["--also", "mid"],
    ],
)
def test_going_on_takes_no_other_wishes(run: Run, home: Path, word: list[str]) -> None:
    kept(home, order(out=home / "output")).close()
    done = run("generate", "--resume", *word)
    assert done.returncode == 2
    assert word[0] in done.stderr
    assert not list(home.glob("output/*.mp3"))


def test_a_song_that_is_made_again_takes_no_other_wishes(run: Run, home: Path) -> None:
    done = run("render", str(home / "x.json"), "--key", "C major", "--also", "mid")
    assert done.returncode == 2
    assert "leave out --key" in done.stderr


def test_a_song_that_was_cancelled_says_how_it_goes_on(home: Path) -> None:
    process = start(home, "generate", "folk", "--length", "20", "--json")
    read_until(process, '"stage": "render"')
    interrupt(process)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "'generate --resume' continues with the song" in said


def test_a_cluster_that_is_not_there_leaves_no_order(run: Run) -> None:
    pytest.importorskip("distributed")
    done = run("generate", "folk", "--cluster", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert "no scheduler" in done.stderr
    assert run("jobs", "list").stdout == ""


def test_an_order_that_is_given_up_is_told_with_its_style(run: Run, home: Path) -> None:
    broken = home / "models" / "broken.gguf"
    jobs = kept(
        home,
        order("folk", 9, out=home / "output", model=str(broken)),
        order("jazz", 1, out=home / "output"),
    )
    done = run("generate", "--resume")
    assert done.returncode == 1
    assert jobs.get(1).state == OrderState.STOPPED
    assert 'song number 3 of 9, "folk", failed' in done.stderr
    assert 'order 1 ("folk") is stopped after 3 failures in a row' in done.stderr
    assert done.stderr.count("is stopped") == 1
    last = jobs.add(order("folk", 3, out=home / "output", model=str(broken))).id
    jobs.set_state(1, OrderState.CANCELLED)
    done = run("generate", "--resume")  # its third failure is its end
    assert jobs.get(last).state == OrderState.DONE
    assert "is stopped" not in done.stderr
    jobs.close()


def test_orders_that_were_opened_again_wait_when_nothing_comes_of_it(run: Run, home: Path) -> None:
    pytest.importorskip("distributed")
    jobs = kept(home, order(out=home / "output"))
    jobs.set_state(1, OrderState.PAUSED)
    done = run("generate", "--resume", "--cluster", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert jobs.get(1).state == OrderState.PAUSED
    process = start(home, "generate", "--resume", "--json")
    until(lambda: jobs.get(1).state == OrderState.OPEN or process.poll() is not None)
    interrupt(process)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert jobs.get(1).state == OrderState.PAUSED
    jobs.close()


def test_a_foreign_file_in_the_folder_stops_nothing(run: Run, home: Path) -> None:
    (home / "output").mkdir()
    (home / "output" / "x.mp3").write_bytes(b"")
    (home / "output" / "x.json").write_text('{"recipe": {"order": "somebody", "number": 1e999}}')
    jobs = kept(home, order("jazz", 2, out=home / "output"))
    jobs.save_failed(1, 1, "broken")
    done = run("generate", "--resume")
    assert done.returncode == 0, done.stderr
    jobs.close()


def test_a_lone_paused_order_says_what_it_waits_for(home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "30", *SHORT, "--json")
    read_until(process, '"event": "song"')
    jobs = OrderStore(home / "data" / "jobs.db")
    jobs.set_state(1, OrderState.PAUSED)
    read_until(process, "order 1 is paused; 'jobs continue 1'")
    jobs.set_state(1, OrderState.OPEN)
    read_until(process, '"event": "song"')
    process.kill()
    process.communicate()
    jobs.close()


def test_text_of_a_job_file_never_steers_the_console(run: Run, home: Path) -> None:
    (home / "plan.json").write_text(
        json.dumps({"styles": "Jazz \x1b]0;boo\x07\x1b[31mred", "songs": 2, "length": "0.17"})
    )
    made = run("generate", "--job-file", str(home / "plan.json"))
    listed = run("jobs", "list")
    assert made.returncode == 0
    assert "Jazz" in listed.stdout
    assert not any(c in made.stdout + made.stderr + listed.stdout for c in "\x1b\x07")


def test_numbers_that_no_order_can_have_are_a_slip(run: Run) -> None:
    done = run("jobs", "pause", "99999999999999999999")
    assert done.returncode == 2
    assert "fault" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="mounts a file system")
def test_orders_in_a_folder_that_cannot_be_written_are_listed_and_made_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    (home / "models").mkdir()
    (home / "models" / "starter.gguf").symlink_to(STARTER)
    kept(home, order(out=tmp_path / "out", songs=1)).close()
    if subprocess.run(["mount", "--bind", home, home], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", home], check=True)
        listed, *made = [
            subprocess.run(
                [sys.executable, "-m", "scripts.cli.main", *words],
                cwd=ROOT,
                env={**os.environ, "LLM_MUSIC_GEN_HOME": str(home)},
                capture_output=True,
                text=True,
                check=False,
            )
            for words in (["jobs", "list"], ["generate", "--resume"], ["generate", "--resume"])
        ]
    finally:
        subprocess.run(["umount", home], check=True)
    assert listed.returncode == 0
    assert "0 of 1 songs" in listed.stdout
    assert "cannot be written" in listed.stderr
    assert [d.returncode for d in made] == [0, 0], [d.stderr for d in made]
    assert len(list((tmp_path / "out").glob("*.mp3"))) == 1


def test_a_song_from_notes_is_made_again_when_they_have_changed(run: Run, home: Path) -> None:
    notes = home / "mine.abc"
    notes.write_text(TUNE)
    first = run("render", str(notes), "--style", "jazz", "--seed", "3")
    assert first.returncode == 0, first.stderr
    path = Path(first.stdout.splitlines()[-1])
    for change in (lambda: notes.write_text(TUNE.replace("A", "B")), notes.unlink):
        change()
        again = run("render", str(path.with_suffix(".json")), "--out", str(home / "again"))
        assert again.returncode == 0, again.stderr
        assert "pop" not in again.stderr, again.stderr
        assert sound_of(Path(again.stdout.splitlines()[-1])) == sound_of(path)
    until(lambda: len(list((home / "again").glob("*.mp3"))) == 2)
