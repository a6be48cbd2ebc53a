"""Resuming orders: after the program was moved, beside other processes, and the messages shown."""

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
from scripts.batch.states import OrderState
from scripts.batch.store import OrderStore
from tests.conftest import ROOT, STARTER, TUNE
from tests.support.processes import interrupt, read_until, start
from tests.support.waiting import wait_until
from tests.test_batch import SHORT, order, read_mp3_frames

pytestmark = pytest.mark.slow

Run = Callable[..., subprocess.CompletedProcess[str]]


def add_orders(home: Path, *orders: Order) -> OrderStore:
    """Open the order store of a home folder and add orders."""
    store = OrderStore(home / "data" / "jobs.db")
    for one in orders:
        store.add(one)
    return store


def test_orders_resume_after_the_program_was_moved(home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "4", *SHORT, "--json")
    read_until(process, '"event": "song"')
    interrupt(process)
    process.communicate(timeout=60)
    moved = home.with_name("moved")
    home.rename(moved)
    resumed = start(moved, "generate", "--resume")
    _, stderr = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, stderr
    assert len(list((moved / "output").glob("*.mp3"))) == 4
    assert not home.exists()


def test_an_order_claimed_by_another_program_stays_paused(run: Run, home: Path) -> None:
    store = add_orders(home, order(out=home / "output"))
    store.set_state(1, OrderState.PAUSED)
    claim = claim_batch(store.path, store.get(1).batch)
    assert claim
    done = run("generate", "--resume")
    assert done.returncode == 2
    assert "another program works on all unfinished orders" in done.stderr
    assert store.get(1).state == OrderState.PAUSED
    claim.release()
    store.close()


def test_an_order_interrupted_with_ctrl_c_is_not_taken_over(home: Path) -> None:
    """The process of the menu works on every order that is open and unclaimed."""
    store = add_orders(home, order("jazz", 200, out=home / "output"))
    menu_process = start(home, "generate", "--serve", "--json")
    read_until(menu_process, '"event": "song"')
    own_process = start(home, "generate", "folk", "--songs", "30", *SHORT, "--json")
    read_until(own_process, '"event": "song"')
    interrupt(own_process)
    own_process.communicate(timeout=60)
    paused = store.get(2)
    for _ in range(3):
        read_until(menu_process, '"event": "song"')
    assert store.get(2) == paused
    assert paused.state == OrderState.PAUSED
    assert paused.done < 30
    menu_process.kill()
    menu_process.communicate()
    store.close()


@pytest.mark.parametrize(
    "option",
    [
        ["--length", "2"],
        ["--songs", "9"],
        ["--out", "x"],
        ["--tuning", "432"],
        ["--loop"],
        ["--also", "mid"],
    ],
)
def test_resume_rejects_the_options_of_a_new_order(run: Run, home: Path, option: list[str]) -> None:
    add_orders(home, order(out=home / "output")).close()
    done = run("generate", "--resume", *option)
    assert done.returncode == 2
    assert option[0] in done.stderr
    assert not list(home.glob("output/*.mp3"))


def test_rendering_a_recipe_rejects_other_song_options(run: Run, home: Path) -> None:
    done = run("render", str(home / "x.json"), "--key", "C major", "--also", "mid")
    assert done.returncode == 2
    assert "leave out --key" in done.stderr


def test_an_interrupted_command_says_how_to_resume(home: Path) -> None:
    process = start(home, "generate", "folk", "--length", "20", "--json")
    read_until(process, '"stage": "render"')
    interrupt(process)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "'generate --resume' continues with the song" in stderr


def test_an_unreachable_cluster_stores_no_order(run: Run) -> None:
    pytest.importorskip("distributed")
    done = run("generate", "folk", "--cluster", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert "no scheduler" in done.stderr
    assert run("jobs", "list").stdout == ""


def test_a_stopped_order_is_reported_with_its_style(run: Run, home: Path) -> None:
    broken = home / "models" / "broken.gguf"
    store = add_orders(
        home,
        order("folk", 9, out=home / "output", model=str(broken)),
        order("jazz", 1, out=home / "output"),
    )
    done = run("generate", "--resume")
    assert done.returncode == 1
    assert store.get(1).state == OrderState.STOPPED
    assert 'song number 3 of 9, "folk", failed' in done.stderr
    assert 'order 1 ("folk") is stopped after 3 failures in a row' in done.stderr
    assert done.stderr.count("is stopped") == 1
    last = store.add(order("folk", 3, out=home / "output", model=str(broken))).id
    store.set_state(1, OrderState.CANCELLED)
    done = run("generate", "--resume")  # it ends with its third failure
    assert store.get(last).state == OrderState.DONE
    assert "is stopped" not in done.stderr
    store.close()


def test_resumed_orders_are_paused_again_when_nothing_could_start(run: Run, home: Path) -> None:
    pytest.importorskip("distributed")
    store = add_orders(home, order(out=home / "output"))
    store.set_state(1, OrderState.PAUSED)
    done = run("generate", "--resume", "--cluster", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert store.get(1).state == OrderState.PAUSED
    process = start(home, "generate", "--resume", "--json")
    wait_until(lambda: store.get(1).state == OrderState.OPEN or process.poll() is not None)
    interrupt(process)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert store.get(1).state == OrderState.PAUSED
    store.close()


def test_a_foreign_file_in_the_output_folder_is_ignored(run: Run, home: Path) -> None:
    (home / "output").mkdir()
    (home / "output" / "x.mp3").write_bytes(b"")
    (home / "output" / "x.json").write_text('{"recipe": {"order": "somebody", "number": 1e999}}')
    store = add_orders(home, order("jazz", 2, out=home / "output"))
    store.save_failed(1, 1, "broken")
    done = run("generate", "--resume")
    assert done.returncode == 0, done.stderr
    store.close()


def test_a_paused_order_says_how_to_continue_it(home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "30", *SHORT, "--json")
    read_until(process, '"event": "song"')
    store = OrderStore(home / "data" / "jobs.db")
    store.set_state(1, OrderState.PAUSED)
    read_until(process, "order 1 is paused; 'jobs continue 1'")
    store.set_state(1, OrderState.OPEN)
    read_until(process, '"event": "song"')
    process.kill()
    process.communicate()
    store.close()


def test_control_characters_of_an_order_file_are_not_printed(run: Run, home: Path) -> None:
    (home / "plan.json").write_text(
        json.dumps({"styles": "Jazz \x1b]0;boo\x07\x1b[31mred", "songs": 2, "length": "0.17"})
    )
    made = run("generate", "--job-file", str(home / "plan.json"))
    listed = run("jobs", "list")
    assert made.returncode == 0
    assert "Jazz" in listed.stdout
    assert not any(c in made.stdout + made.stderr + listed.stdout for c in "\x1b\x07")


def test_an_order_number_out_of_range_is_rejected(run: Run) -> None:
    done = run("jobs", "pause", "99999999999999999999")
    assert done.returncode == 2
    assert "fault" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="mounts a file system")
def test_orders_in_a_read_only_home_are_listed_and_rendered_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    (home / "models").mkdir()
    (home / "models" / "starter.gguf").symlink_to(STARTER)
    add_orders(home, order(out=tmp_path / "out", songs=1)).close()
    if subprocess.run(["mount", "--bind", home, home], check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", home], check=True)
        listed, *resumed = [
            subprocess.run(
                [sys.executable, "-m", "scripts.cli", *arguments],
                cwd=ROOT,
                env={**os.environ, "LLM_MUSIC_GEN_HOME": str(home)},
                capture_output=True,
                text=True,
                check=False,
            )
            for arguments in (["jobs", "list"], ["generate", "--resume"], ["generate", "--resume"])
        ]
    finally:
        subprocess.run(["umount", home], check=True)
    assert listed.returncode == 0
    assert "0 of 1 songs" in listed.stdout
    assert "cannot be written" in listed.stderr
    assert [d.returncode for d in resumed] == [0, 0], [d.stderr for d in resumed]
    assert len(list((tmp_path / "out").glob("*.mp3"))) == 1


def test_a_recipe_from_notes_renders_the_same_song_after_the_notes_changed(
    run: Run, home: Path
) -> None:
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
        assert read_mp3_frames(Path(again.stdout.splitlines()[-1])) == read_mp3_frames(path)
    wait_until(lambda: len(list((home / "again").glob("*.mp3"))) == 2)
