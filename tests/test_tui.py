"""The real program in a real terminal: tmux."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.tmux import Terminal
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow
BACKGROUND = re.compile(r"\x1b\[(?:[\d;]*;)?(4[0-7]|10[0-7]|48;[25];[\d;]+)m")


@pytest.fixture
def tmux(home: Path) -> Iterator[Terminal]:
    """The real program in a real terminal."""
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    terminal = Terminal(
        f"cd {ROOT} && LLM_MUSIC_GEN_HOME={home} {sys.executable} -m "
        "scripts.cli; echo status=$?; sleep 60"
    )
    yield terminal
    terminal.close()


def test_generating_and_listening_work_in_a_terminal(tmux: Terminal, home: Path) -> None:
    (home / "data").mkdir(exist_ok=True)
    (home / "data" / "persistent.json").write_text('{"song_length": "0.2", "output": "null"}')
    tmux.wait("Main Menu")
    tmux.type("r")
    tmux.place_order("Chill, Dubstep", 2)
    tmux.wait('Producing "Chill, Dubstep" themed song number 1...')
    tmux.wait("2 of 2 songs are done")
    tmux.type("b")
    tmux.wait("Songs Made: 2")
    tmux.wait("Playing song:")  # auto-play after convert
    tmux.type("2")
    shown = tmux.wait("Next 5 Songs:")
    assert "/00:12" in shown
    songs = sorted((home / "output").glob("*.mp3"))
    tmux.try_jukebox_keys(songs[0].stem)
    tmux.type("d")
    tmux.wait("from the queue")
    tmux.resize(40, 10)
    tmux.wait("at least 60 x 16")
    tmux.resize(100, 30)
    tmux.wait("Next 5 Songs:")
    tmux.type("p")
    tmux.wait("(paused)")
    tmux.type("x")
    tmux.wait("status=0")
    session = json.loads((home / "data" / "jukebox.json").read_text(encoding="utf-8"))
    assert session["shuffle"]
    assert session["song"] == str(songs[1])
    assert session["repeat"] == "all"
    assert len(list((home / "output").glob("*.mp3"))) == 2


def test_a_long_song_plays_while_it_is_rendered(tmux: Terminal, home: Path) -> None:
    (home / "data").mkdir(exist_ok=True)
    (home / "data" / "persistent.json").write_text('{"song_length": "15", "output": "null"}')
    live, songs = home / "data" / "live", home / "output"
    tmux.wait("Main Menu")
    tmux.place_order("folk", 1)
    tmux.wait("Playing song:")
    assert not [*songs.glob("*.mp3")]
    assert len([*live.glob("*.live")]) == 1
    tmux.type("b")
    tmux.type("2")
    tmux.wait("Next 5 Songs:")
    tmux.type("4")
    tmux.wait("is still being rendered")
    wait_until(lambda: [*songs.glob("*.mp3")], 120, tmux.screen)
    assert "Playing song:" in tmux.screen()

    def is_rated() -> bool:
        tmux.type("4")
        return "[****-]" in tmux.screen()

    wait_until(is_rated, 20, tmux.screen, poll=0.5)  # once the menu knows of the file
    tmux.type("Right")
    wait_until(lambda: not [*live.glob("*.live")], 20, tmux.screen)
    assert "Playing song:" in tmux.screen()
    tmux.type("x")
    tmux.wait("status=0")


def test_the_light_of_the_music_fills_the_console(tmux: Terminal, home: Path) -> None:
    (home / "data").mkdir(exist_ok=True)
    (home / "data" / "persistent.json").write_text('{"song_length": "0.5", "output": "null"}')
    tmux.wait("Main Menu")
    tmux.type("r")
    tmux.place_order("euphoric", 1)
    tmux.type("b")
    tmux.wait("Songs Made: 1")
    tmux.type("2")
    tmux.wait("Playing song")
    tmux.type("c")
    tmux.wait("Back to Jukebox = B")
    seen: set[str] = set()
    for _ in range(25):
        seen |= set(BACKGROUND.findall(tmux.screen(colors=True)))
        time.sleep(0.2)
    assert len(seen) >= 2  # the intro is dim, and tmux may have few colors
    tmux.type("c")
    tmux.wait("Lights calm")
    tmux.type("b")
    tmux.wait("Next 5 Songs")
    assert not BACKGROUND.search(tmux.screen(colors=True))
