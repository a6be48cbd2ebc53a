"""Screens as text, keys against a fake terminal, and the real program in tmux."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.jukebox.player import Playing
from scripts.jukebox.queue import Queue
from scripts.library.songs import Song
from scripts.progress import percent_bar, time_bar
from scripts.settings import Settings
from scripts.tui import keys
from scripts.tui.app import App
from scripts.tui.layout import clip, width_of
from scripts.tui.screens import draw
from scripts.tui.state import JUKEBOX, Field, JobState, State
from tests.conftest import ROOT
from tests.terminal import Terminal

SONG = Song(Path("/s/a.mp3"), "Amber Lagoon", 185.0,
            {"asked": "Chill", "key": "D minor", "tempo": 84.0, "meter": "4/4", "model": "Starter"})
PLAYING = Playing(SONG, 65.0, 185.0, False, ("First", "Second"),
                  ("One", "Two", "Three", "Four", "Five"), "null", "")


class FakeScreen:
    """A terminal that remembers frames and types a script."""

    def __init__(self, script: list[str], size: tuple[int, int] = (80, 24)) -> None:
        self.script, self.frames, self._size = script, [], size
        self.sizes: dict[int, tuple[int, int]] = {}

    def size(self) -> tuple[int, int]:
        return self._size

    def show(self, lines: list[str]) -> None:
        self.frames.append(lines)

    def key(self, wait: float) -> str:
        if not self.script:
            return "x"
        return self.script.pop(0)


class FakePlayer:
    """A player that plays nothing."""

    def __init__(self, queue: Queue, output: str, volume: float) -> None:
        self.calls: list[str] = []
        self.ended = False

    def __getattr__(self, name: str) -> object:
        def call(*args: object) -> None:
            self.calls.append(name)
        return call

    def playing(self) -> Playing:
        return PLAYING


def app_of(home: Path, script: list[str], size: tuple[int, int] = (80, 24)) -> App:
    return App(FakeScreen(script, size), Settings(), FakePlayer)  # type: ignore[arg-type]


def test_the_main_menu_looks_like_the_original() -> None:
    lines = draw(State(Settings(), model="starter.gguf", songs=3, total_seconds=545), (80, 24))
    assert lines[0] == lines[2] == "=" * 80
    assert lines[1] == "    Llm-Music-Gen: Main Menu"
    assert lines[4:7] == ["    1. Generate Music", "    2. Output Jukebox",
                          "    3. Configure Options"]
    assert lines[-2] == "-" * 80
    assert lines[-1] == "Selection; Menu Option = 1-3, Refresh = R, Exit Program = X:"


def test_the_jukebox_shows_the_song_and_the_next_five() -> None:
    lines = draw(State(Settings(), screen=JUKEBOX, playing=PLAYING), (80, 24))
    assert "Playing song: Amber Lagoon" in lines
    assert "[##########--------------------] 01:05/03:05" in lines
    assert any(line.startswith("Next 5 Songs: One, Two, Three, Four, Five") for line in lines)
    assert lines[-1] == "Selection; Back to Main = B, Exit Program = X:"


def test_generating_shows_the_bars_of_the_original() -> None:
    job = JobState("Chill, Dubstep", 3, 2, {"compose": 1.0, "render": 0.34})
    lines = draw(State(Settings(), screen="generate", jobs=[job]), (80, 24))
    assert 'Llm-Music-Gen: Producing "Chill, Dubstep" themed song number 2...' in lines
    assert "[##########--------------------] 34% Complete" in lines
    assert "Llm-Music-Gen: Rendering song number 2..." in lines


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (120, 40), (59, 20), (80, 15), (20, 5),
                                  (1, 1)])
def test_every_screen_fits_every_size(size: tuple[int, int]) -> None:
    long = Song(Path("/s/b.mp3"), "長い題名" * 30 + "\x1b[2J", 9.0, {})
    playing = Playing(long, 1, 9, True, (long.title,) * 3, (long.title,) * 5, "null", "x" * 200)
    jobs = [JobState("s" * 300, 9, 1, {"compose": 0.5}, "abc|" * 50)]
    for screen in ("menu", "generate", "jukebox", "options"):
        for entry in (None, Field("q" * 200, "styles", "t" * 200, "p" * 200)):
            state = State(Settings(), screen=screen, playing=playing, jobs=jobs, field=entry,
                          latest=(long.title,), message="m" * 300)
            lines = draw(state, size)
            assert len(lines) == size[1]
            assert all(width_of(line) <= size[0] for line in lines)
            assert not any("\x1b" in line for line in lines)


def test_wide_letters_are_clipped_by_width() -> None:
    assert width_of(clip("日本語の歌", 7)) <= 7
    assert percent_bar(2.0).endswith("100% Complete") and time_bar(0, 0).endswith("00:00/00:00")


def test_the_unicode_theme_changes_rules_and_bars_and_nothing_else() -> None:
    plain = draw(State(Settings(), screen=JUKEBOX, playing=PLAYING), (80, 24))
    drawn = draw(State(Settings(theme="unicode"), screen=JUKEBOX, playing=PLAYING), (80, 24))
    assert drawn[0] == "═" * 80 and drawn[-2] == "─" * 80
    assert "[██████████░░░░░░░░░░░░░░░░░░░░] 01:05/03:05" in drawn
    back = str.maketrans("═─█░", "=-#-")
    assert [line.translate(back) for line in drawn] == plain


@pytest.mark.parametrize("screen", ["menu", "generate", "jukebox", "options"])
def test_the_ascii_theme_shows_on_a_console_without_unicode(screen: str) -> None:
    jobs = [JobState("Chill", 3, 2, {"compose": 1.0, "render": 0.3})]
    lines = draw(State(Settings(), screen=screen, playing=PLAYING, jobs=jobs), (80, 24))
    assert "\n".join(lines).isascii()


@pytest.mark.parametrize(("codes", "name"), [
    ((259, 450), "up"), ((258, 456), "down"), ((260, 452), "left"), ((261, 454), "right"),
    ((343, 459, 10, 13, "\n", "\r"), keys.ENTER), ((263, 8, 127, "\b", "\x7f"), keys.BACKSPACE),
    ((410, 546), keys.RESIZE), ((339, 451), "page up"), ((338, 457), "page down"),
    ((262, 449), "home"), ((360, 455, 358), "end"), ((465, "+"), "+"), ((464, "-"), "-"),
    ((27, "\x1b"), keys.ESCAPE), (("x",), "x"), ((9999,), "")])
def test_both_sets_of_key_codes_mean_the_same(codes: tuple[int | str, ...], name: str) -> None:
    assert {keys.name_of(code) for code in codes} == {name}


def test_the_theme_is_changed_with_one_key(home: Path) -> None:
    app = app_of(home, ["3", "8", "b", "x"])
    app.run()
    assert app.screen.frames[-1][0] == "═" * 80  # type: ignore[attr-defined]
    assert json.loads((home / "data" / "persistent.json").read_text(encoding="utf-8"))["theme"] \
        == "unicode"


def test_a_visit_to_every_screen_and_out(home: Path) -> None:
    app = app_of(home, ["2", "p", "n", "+", "b", "3", "b", "1", keys.ESCAPE, "r", "x"])
    assert app.run() == 0
    titles = [frame[1].split(": ")[1] for frame in app.screen.frames]  # type: ignore
    assert {"Main Menu", "Output Jukebox", "Configure Options", "Generate Music"} <= set(titles)


def test_options_are_checked_and_kept_at_once(home: Path) -> None:
    app = app_of(home, ["3", "2", *"9", keys.ENTER, *"1.1", keys.ENTER, "3", *"40%", keys.ENTER,
                        "5", *"4-6", keys.ENTER, "6", "b", "x"])
    app.run()
    saved = json.loads((home / "data" / "persistent.json").read_text())
    assert (saved["temperature"], saved["volume"], saved["song_length"], saved["auto_play"]) == \
        (1.1, 0.4, "4-6", False)
    assert any("temperature must be" in line for f in app.screen.frames for line in f)  # type: ignore


def test_a_bad_style_or_number_is_asked_again(home: Path) -> None:
    app = app_of(home, ["1", *"!!", keys.ENTER, *"jazz", keys.ENTER, *"0", keys.ENTER,
                        keys.ESCAPE, "x"])
    app.run()
    text = "\n".join(line for frame in app.screen.frames for line in frame)  # type: ignore
    assert "no style in" in text and "number from 1 to" in text


@pytest.mark.parametrize("seed", range(3))
def test_random_keys_never_break_it(home: Path, seed: int) -> None:
    rng = random.Random(seed)
    pool = [*"123456789bprcn+-<> yq%.", keys.ENTER, keys.ESCAPE, keys.BACKSPACE, keys.RESIZE, "",
            "up", "é", "日"]
    app = app_of(home, [])
    app.jobs = []
    # Answers would start real work or change the settings; typing is what is tried here.
    app._answer = lambda entry, text: None  # type: ignore
    for _ in range(1500):
        app.screen._size = rng.choice([(80, 24), (60, 16), (40, 10), (100, 30)])  # type: ignore
        app.press(rng.choice(pool))
        app.update()
        app.draw()
        assert app.state.screen in ("menu", "generate", "jukebox", "options")


@pytest.mark.parametrize(("code", "name"), [(410, keys.RESIZE), (450, "up"), (259, "up"),
                                            (459, keys.ENTER), (343, keys.ENTER),
                                            ("\r", keys.ENTER),
                                            ("a", "a"), (98, "b"), (8, keys.BACKSPACE)])
def test_keys_have_one_name_on_both_systems(code: int | str, name: str) -> None:
    assert keys.name_of(code) == name


@pytest.fixture
def tmux(home: Path) -> Iterator[Terminal]:
    """The real program in a real terminal."""
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    terminal = Terminal(f"cd {ROOT} && LLM_MUSIC_GEN_HOME={home} {sys.executable} -m "
                        "scripts.cli; echo status=$?; sleep 60")
    yield terminal
    terminal.close()


def test_an_evening_at_the_console(tmux: Terminal, home: Path) -> None:
    (home / "data").mkdir()
    (home / "data" / "persistent.json").write_text('{"song_length": "0.2", "output": "null"}')
    tmux.wait("Main Menu")
    tmux.type("r")
    tmux.order("Chill, Dubstep", 2)
    tmux.wait('Producing "Chill, Dubstep" themed song number 1...')
    tmux.wait("2 of 2 songs are done")
    tmux.type("b")
    shown = tmux.wait("Songs Made: 2")
    assert "Playing song:" in shown  # auto-play after convert
    tmux.type("2")
    shown = tmux.wait("Next 5 Songs:")
    assert "/00:12" in shown
    tmux.resize(40, 10)
    tmux.wait("at least 60 x 16")
    tmux.resize(100, 30)
    tmux.wait("Next 5 Songs:")
    tmux.type("p")
    tmux.wait("(paused)")
    tmux.type("x")
    tmux.wait("status=0")
    assert len(list((home / "output").glob("*.mp3"))) == 2
