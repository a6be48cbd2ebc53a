"""The menu program: keys and resizes replayed on a fake screen."""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scripts.audio.live_audio import LiveWriter
from scripts.audio.wav import write_wav
from scripts.batch.claims import claim_batch
from scripts.batch.order import ENDLESS_SONGS, Order
from scripts.batch.states import OrderState, StoredOrder
from scripts.batch.store import OrderStore
from scripts.core import paths
from scripts.core.audio_format import RATE
from scripts.core.settings import Settings
from scripts.core.stages import overall_fraction
from scripts.jukebox.player import PlayerStatus
from scripts.jukebox.queue import Queue
from scripts.jukebox.session import Session, load_session, save_session
from scripts.library.songs import read_song
from scripts.request.request import SongRequest
from scripts.tui import keys
from scripts.tui.app import App
from scripts.tui.bindings import BINDINGS
from scripts.tui.light_canvas import LightRow
from scripts.tui.order_progress import estimate_seconds_left
from scripts.tui.screens.draw import draw
from scripts.tui.state import JUKEBOX, LIGHT, WISHES, OrderView
from tests.support.waiting import wait_until
from tests.test_screens import PLAYING


class FakeScreen:
    """Terminal that records frames and types the keys of a script."""

    def __init__(self, script: list[str], size: tuple[int, int] = (80, 24)) -> None:
        self.script, self._size = script, size
        self.frames: list[list[str]] = []
        self.remaining = 20  # times X is pressed after the script, at most

    def size(self) -> tuple[int, int]:
        return self._size

    def show(self, lines: list[str], colored: bool) -> None:
        self.frames.append(lines)

    def show_light(self, rows: list[LightRow]) -> None:
        self.frames.append([row.text for row in rows])

    def read_key(self, timeout: float) -> str:
        if not timeout:  # no pending keys, so that every key gets a frame
            return ""
        self.remaining -= not self.script
        assert self.remaining, "\n".join(self.frames[-1])
        return self.script.pop(0) if self.script else "x"


class FakePlayer:
    """Player that plays nothing and records its calls."""

    calls: list[str]

    def __init__(self, queue: Queue, output: str, volume: float, crossfade: float) -> None:
        self.queue, self.calls = queue, []
        self.ended, self.now = False, PLAYING

    def __getattr__(self, name: str) -> Callable[..., None]:
        def call(*args: object, **options: object) -> None:
            self.calls.append(" ".join(map(str, (name, *args, *options))))

        return call

    def play_order(self) -> tuple[Path, ...]:
        return tuple(s.path for s in self.queue.play_order)

    def edit_queue(self, action: Callable[[Queue], object]) -> None:
        action(self.queue)

    def heard(self) -> tuple[tuple[Path, float, float], ...]:
        return ((Path("a.mp3"), 1.0, 1.0),)

    def recent_samples(self) -> object:
        return np.zeros(4096, np.float32)

    def status(self) -> PlayerStatus:
        return replace(self.now, repeat=self.queue.repeat, shuffle=self.queue.shuffle)


class FakeProcess:
    """Child process that makes no songs; tests decide on its events and its end."""

    def __init__(self, waits: bool = False) -> None:
        self.waits = waits
        self.events: list[dict[str, object]] = []
        self.ended, self.failure, self.crashed, self.saw_orders = False, "", False, False

    def read_events(self) -> list[dict[str, object]]:
        events, self.events = self.events, []
        return events

    def failure_message(self) -> str:
        return self.failure

    def begin(self) -> None:
        self.waits = False

    def release(self) -> None:
        self.ended = True

    def stop(self) -> None:
        self.ended = True


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.tui.supervisor.GenerateProcess", FakeProcess)


def fake_process(app: App) -> FakeProcess:
    """The child process of a program, which must be running."""
    process = app.orders._supervisor._process
    assert isinstance(process, FakeProcess)
    return process


def stored_orders() -> list[StoredOrder]:
    """All stored orders."""
    store = OrderStore(paths.ORDERS)
    try:
        return store.orders(("open", "paused", "stopped", "cancelled", "done"))
    finally:
        store.close()


def make_app(home: Path, script: list[str], size: tuple[int, int] = (80, 24)) -> App:
    app = App(FakeScreen(script, size), Settings(), FakePlayer)  # type: ignore[arg-type]
    app.first_frame_timeout = (
        20.0  # seconds, so that the first frame lists the songs even on a busy machine
    )
    return app


def frames(app: App) -> list[str]:
    return ["\n".join(frame) for frame in app.screen.frames]  # type: ignore[attr-defined]


def read_settings(home: Path) -> dict[str, object]:
    settings: dict[str, object] = json.loads(
        (home / "data" / "persistent.json").read_text(encoding="utf-8")
    )
    return settings


def write_songs(home: Path, count: int) -> list[Path]:
    songs = []
    for n in range(count):
        path = home / "output" / f"Song {n}.mp3"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
        path.with_suffix(".json").write_text(
            json.dumps(
                {
                    "title": f"Song {n}",
                    "asked": "Chill" if n % 2 else "Jazz",
                    "key": "D minor",
                    "tempo": 84.0,
                    "meter": "3/4",
                    "summary": "Title: Song\nForm: verse",
                }
            )
        )
        path.with_suffix(".abc").write_text("X:1\nT:Song\x1b[2J\nK:Dm\nDEFG|\n")
        songs.append(path)
    return songs


def test_every_screen_can_be_opened_and_x_exits(home: Path) -> None:
    app = make_app(home, ["2", "p", "n", "+", "b", "3", "b", "1", keys.ESCAPE, "r", "?", "b", "x"])
    assert app.run() == 0
    titles = {frame.split("\n")[1].split(": ")[1] for frame in frames(app)}
    assert {"Main Menu", "Output Jukebox", "Configure Options", "Generate Music", "Keys"} <= titles


def test_the_theme_is_changed_with_one_key(home: Path) -> None:
    app = make_app(home, ["3", *"888", "b", "x"])
    app.run()
    assert {frame[0] for frame in frames(app)} == {"=", "═"}
    assert read_settings(home)["theme"] == "unicode"


def test_options_are_validated_and_saved_at_once(home: Path) -> None:
    app = make_app(
        home,
        [
            "3",
            "2",
            *"9",
            keys.ENTER,
            *"1.1",
            keys.ENTER,
            "3",
            *"40%",
            keys.ENTER,
            "5",
            *"4-6",
            keys.ENTER,
            "6",
            "9",
            *"2.5",
            keys.ENTER,
            "b",
            "x",
        ],
    )
    app.run()
    found = read_settings(home)
    assert (
        found["temperature"],
        found["volume"],
        found["song_length"],
        found["auto_play"],
        found["crossfade"],
    ) == (1.1, 0.4, "4-6", False, 2.5)


def test_an_invalid_option_is_reported_while_it_is_typed(home: Path) -> None:
    app = make_app(
        home, ["3", "2", "9", ".", keys.BACKSPACE, keys.BACKSPACE, "1", keys.ESCAPE, "x"]
    )
    app.run()
    reported = [
        "expected a number from 0 to 2" in frame
        for frame in frames(app)
        if "Temperature (0 to 2)" in frame
    ]
    assert reported[:2] == [False, True]
    assert reported[-1] is False
    assert "temperature" not in str(list((home / "data").glob("*.json")))


def test_the_models_of_the_folder_are_listed(home: Path) -> None:
    (home / "models").mkdir(exist_ok=True)
    (home / "models" / "broken.gguf").write_bytes(b"no")
    app = make_app(
        home,
        [
            "3",
            "4",
            *"start",
            keys.ENTER,
            "4",
            "down",
            "up",
            keys.ENTER,
            "4",
            *"nothing",
            keys.ENTER,
            keys.ESCAPE,
            "4",
            *"brok",
            keys.ENTER,
            keys.ESCAPE,
            "b",
            "x",
        ],
    )
    app.run()
    shown = frames(app)
    text = "\n".join(shown)
    assert "weights, llama, Q8_0, fits in memory" in text
    assert "broken.gguf: " in text
    assert "Model: starter.gguf" in text
    assert 'no model "nothing"' in text
    assert (
        read_settings(home)["model"] == ""
    )  # automatic, chosen with the arrows; the broken one is not


def test_a_sound_device_is_chosen_from_a_list(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "scripts.tui.controllers.settings.device_names",
        lambda: ("Speakers (High: Definition)", "Headset"),
    )
    app = make_app(home, ["2", "b", "3", "0", "down", keys.ENTER, "b", "x"])
    app.run()
    assert read_settings(home)["device"] == "Speakers (High: Definition)"
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    assert "set_output auto@Speakers (High: Definition)" in player.calls
    app = make_app(
        home, ["3", "0", *"radio", keys.ENTER, keys.ESCAPE, "0", *"syst", keys.ENTER, "b", "x"]
    )
    app.run()
    assert 'no such sound device: "radio"' in "\n".join(frames(app))
    assert read_settings(home)["device"] == ""


def test_an_invalid_style_or_number_is_asked_for_again(home: Path) -> None:
    app = make_app(
        home,
        ["1", *"!!", keys.ENTER, "ctrl-u", *"jazz", keys.ENTER, "0", keys.ENTER, keys.ESCAPE, "x"],
    )
    app.run()
    text = "\n".join(frames(app))
    assert "no words in" in text
    assert "number from 1 to" in text


def test_tab_completes_styles_and_w_opens_the_wishes(home: Path, runner: None) -> None:
    app = make_app(
        home,
        [
            "1",
            *"Chill, dubs",
            keys.TAB,
            keys.ENTER,
            "w",
            "2",
            *"H minor",
            keys.ENTER,
            *[keys.BACKSPACE] * 7,
            *"f minor",
            keys.ENTER,
            "3",
            *"140",
            keys.ENTER,
            "5",
            *"432 Hz",
            keys.ENTER,
            "0",
            *"yes",
            keys.ENTER,
            "b",
            *"12",
            keys.ENTER,
            keys.ENTER,
            "a",
            "b",
            "x",
            "y",
        ],
    )
    app.run()
    text = "\n".join(frames(app))
    assert "Tab: dubstep" in text
    assert 'invalid key "H minor"' in text
    (stored,) = stored_orders()
    request = stored.order.request
    assert (request.styles, stored.order.songs, request.key) == ("Chill, Dubstep", 12, "f minor")
    assert (request.tempo, request.tuning, request.loop) == (140.0, 432.0, True)
    assert "Wishes: key f minor, tempo 140" in text
    assert stored.state == "cancelled"


def test_exit_asks_for_confirmation_while_songs_are_made(home: Path, runner: None) -> None:
    app = make_app(
        home, ["1", *"jazz", keys.ENTER, "2", keys.ENTER, keys.ENTER, "x", "n", "b", "x", "y"]
    )
    app.run()
    assert sum("Stop them and exit?" in frame for frame in frames(app)) == 2
    assert "Main Menu" in frames(app)[-2]


def test_jukebox_keys_control_the_player(home: Path) -> None:
    write_songs(home, 3)
    app = make_app(
        home,
        [
            "2",
            "right",
            "left",
            "page up",
            "page down",
            "n",
            "<",
            "p",
            "s",
            "r",
            "+",
            "-",
            "-",
            "t",
            "t",
            "v",
            "x",
        ],
    )
    app.run()
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    commands = [call.split(" ")[0] if "set" not in call else call for call in player.calls]
    assert [c for c in player.calls if "seek" in c] == [
        "seek_by 5.0",
        "seek_by -5.0",
        "seek_by 30.0",
        "seek_by -30.0",
    ]
    assert {"next", "previous", "toggle_pause", "close"} <= {*commands}
    assert [c for c in commands if "volume" in c] == [
        "set_volume 0.7",
        "set_volume 0.65",
        "set_volume 0.6",
    ]
    assert (player.queue.shuffle, player.queue.repeat) == (True, "one")
    text = "\n".join(frames(app))
    assert "Silence in 15 minutes." in text
    assert "Sleep 14:59" in text
    assert "Sleep 29:" in text


def test_a_rating_is_shown_and_saved(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    song = read_song(write_songs(home, 1)[0])
    monkeypatch.setattr("tests.test_app.PLAYING", replace(PLAYING, song=song))
    app = make_app(home, ["2", "4", "x"])
    app.run()
    assert "[****-]" in frames(app)[-1]
    app = make_app(home, ["2", "k", "k", "j", "x"])
    app.run()
    shown = frames(app)
    assert any("[****-]  [up]" in frame for frame in shown)
    assert "[down]" in shown[-1]
    app = make_app(home, ["2", "0", "x"])
    app.run()
    shown = frames(app)
    assert any("[****-]" in frame for frame in shown)
    assert "[****-]" not in shown[-1]


def test_a_song_is_found_and_played(home: Path) -> None:
    write_songs(home, 12)
    app = make_app(home, ["2", "/", *"song jazz 1", "down", keys.ENTER, "x"])
    app.run()
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    assert "Song 10" in player.calls[-2]
    assert sum(call.startswith("start") for call in player.calls) == 2  # 2 and Enter, no more
    searched = [f for f in frames(app) if "Which song?" in f]
    assert " > Song 10 (Jazz, D minor, 84 bpm, 3/4)" in searched[-1]
    assert "Song 1 (" not in searched[-1]


@pytest.mark.slow
def test_song_details_are_shown(home: Path) -> None:
    song = read_song(write_songs(home, 1)[0])
    app = make_app(home, [])
    app.press("2")
    assert isinstance(app.playback._player, FakePlayer)
    app.playback._player.now = replace(PLAYING, song=song)
    app.press("i")
    app.draw()
    page = frames(app)[-1]
    assert "About Song 0" in page
    assert "Form: verse" in page
    assert "DEFG|" in page
    assert "\x1b" not in page
    app.press("down")
    app.press("i")
    assert app.state.overlay is None


def test_more_like_this_orders_a_similar_song(home: Path, runner: None) -> None:
    app = make_app(home, ["2", "m", "x", "y"])
    app.run()
    (stored,) = stored_orders()
    request = stored.order.request
    assert (request.styles, stored.order.songs, request.key, request.meter, request.tempo) == (
        "Chill",
        1,
        "D minor",
        "4/4",
        84.0,
    )


def test_a_song_can_be_dropped_from_the_queue(home: Path) -> None:
    songs = write_songs(home, 3)
    app = make_app(home, ["2"])
    app.refresh()
    app.press("2")
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    player.now = replace(PLAYING, song=read_song(songs[1]))
    app.press("d")
    assert [s.title for s in player.queue.play_order] == ["Song 0", "Song 2"]
    assert songs[1].exists()


def test_the_last_session_is_restored(home: Path) -> None:
    songs = write_songs(home, 4)
    (home / "data").mkdir(exist_ok=True)
    order = (songs[2], songs[0], songs[3], songs[1])
    save_session(paths.SESSION, Session(str(songs[3]), 42.5, tuple(map(str, order)), "one", True))
    app = make_app(home, ["x"])
    app.run()
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    assert [s.path for s in player.queue.play_order] == list(order)
    assert (player.queue.repeat, player.queue.shuffle) == ("one", True)
    assert "42.5 paused" in player.calls[0]
    assert "Song 3" in player.calls[0]


def test_songs_added_to_the_folder_are_listed_automatically(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.library.watcher.SCAN_INTERVAL", 0.02)
    write_songs(home, 1)
    app = make_app(home, [])
    app.library_watcher.start()

    def songs(count: int) -> bool:
        app.update()
        return app.state.song_count == count

    wait_until(lambda: songs(1))
    (home / "output" / "Their Own.mp3").write_bytes(b"")
    (home / "output" / "notes.txt").write_bytes(b"")
    wait_until(lambda: songs(2))
    assert app.state.latest_titles[0] == "Their Own"
    app.press("2")
    (home / "output" / "Their Own.mp3").unlink()
    wait_until(lambda: songs(1))
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    assert player.calls[-1].startswith("refresh")
    app.library_watcher.close()


def test_a_finished_song_is_played_unless_another_is_playing(home: Path) -> None:
    songs = write_songs(home, 2)
    (home / "data").mkdir(exist_ok=True)
    save_session(paths.SESSION, Session(str(songs[0]), 9.0))
    app = make_app(home, [])
    app.refresh()
    app.playback.restore_session()
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    app._on_song_finished(write_songs(home, 3)[-1], None)
    app.update()
    app._sync_library()
    assert "Song 2" in player.calls[-1]  # the last session's song was only preloaded
    count = len(player.calls)
    app._on_song_finished(write_songs(home, 4)[-1], None)
    app.update()
    assert not [c for c in player.calls[count:] if c.startswith("start")]


def test_a_session_loses_only_the_songs_that_are_no_names(tmp_path: Path) -> None:
    path = tmp_path / "jukebox.json"
    path.write_text('{"order": [1, "x.mp3"], "song": "x.mp3", "position": "late"}')
    assert load_session(path) == Session(song="x.mp3", order=("x.mp3",))


def test_a_session_with_undecodable_file_names_is_saved(tmp_path: Path) -> None:
    session = Session("/a/\udcff.mp3", 3.0, ("/a/\udcff.mp3", "/a/歌.mp3"), "one", True)
    assert save_session(tmp_path / "jukebox.json", session)
    assert load_session(tmp_path / "jukebox.json") == session


def test_the_play_order_is_restored_when_the_song_is_missing(home: Path) -> None:
    songs = write_songs(home, 3)
    (home / "data").mkdir(exist_ok=True)
    order = tuple(str(p) for p in reversed(songs))
    save_session(paths.SESSION, Session("/gone.mp3", 42.5, order, "off", True))
    app = make_app(home, ["x"])
    app.run()
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    assert player.queue.repeat == "off"
    assert [str(s.path) for s in player.queue.play_order] == list(order)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "[]",
        "[" * 5000,
        '{"song": 5, "order": [1, "a"]}',
        '{"position": 1e999, "repeat": "x", "shuffle": 1}',
        '{"position": -3, "order": {}}',
        '{"position": NaN}',
    ],
)
def test_a_damaged_session_file_gives_the_defaults(tmp_path: Path, text: str) -> None:
    path = tmp_path / "jukebox.json"
    path.write_text(text)
    found = load_session(path)
    assert (found.song, found.position, found.repeat, found.shuffle) == ("", 0.0, "all", False)
    assert found.order in ((), ("a",))
    assert load_session(tmp_path / "none.json") == Session()


@pytest.mark.parametrize("seed", range(4))
def test_random_keys_never_break_the_app(home: Path, seed: int, runner: None) -> None:
    """Ten thousand keys over all screens, in windows of all sizes."""
    write_songs(home, 5)
    rng = random.Random(seed)
    pool = [
        *"0123456789abcdefgijklmnprstuvwxyz/?+-<>,= q%.!",
        keys.ENTER,
        keys.ESCAPE,
        keys.BACKSPACE,
        keys.RESIZE,
        keys.TAB,
        "",
        "up",
        "down",
        "left",
        "right",
        "page up",
        "page down",
        "é",
        "日",
        "\x1b[2J",
        "delete",
        "home",
        "wheel up",
        "wheel down",
        "click 5 5",
        "click 20 6",
        "click 40 23",
    ]
    app = make_app(home, [])
    app.refresh()
    for _ in range(2500):
        app.screen._size = rng.choice([(80, 24), (60, 16), (40, 10), (100, 30)])  # type: ignore
        app.press(rng.choice(pool))
        app.update()
        app.draw()
        assert app.state.screen in BINDINGS
        shown = app.screen.frames[-1]  # type: ignore[attr-defined]
        assert len(shown) == app.screen.size()[1]
        assert "\x1b" not in "".join(shown)
        if len(app.state.orders) > 3:
            app.orders.cancel_all_orders()
            app.orders._supervisor._live.clear()
    # Nothing is stuck: Escape returns to the menu, and X exits.
    app._running, app.screen._size = True, (80, 24)  # type: ignore[attr-defined]
    for _ in range(4):
        app.press(keys.ESCAPE)
    app.orders._supervisor._process = None
    app.press("x")
    assert not app._running
    assert app.state.settings.volume in [n / 100 for n in range(101)]


def test_the_time_left_is_estimated_from_progress() -> None:
    assert estimate_seconds_left(5.0, 0.1, 3) is None  # too early to estimate
    assert estimate_seconds_left(5.0, 0.5, 3) == 25.0
    assert estimate_seconds_left(40.0, 4.0, 5) == 10.0
    assert estimate_seconds_left(9.0, 3.0, 3) is None
    assert overall_fraction({"compose": 1.0, "render": 1.0, "convert": 1.0}) == 1.0


def test_several_orders_and_a_job_file_are_placed_at_once(home: Path, runner: None) -> None:
    (home / "plan.csv").write_text("styles,songs,key\nfolk,2,D major\njazz,3,\n")
    (home / "bad.csv").write_text("styles,songs\nfolk,2\njazz,no\n")
    app = make_app(
        home,
        [
            "1",
            *"Chill, Dubstep | jaz",
            keys.TAB,
            keys.ENTER,
            "4",
            keys.ENTER,
            keys.ENTER,
            "m",
            *str(home / "bad.csv"),
            keys.ENTER,
            "ctrl-u",
            *str(home / "plan.csv"),
            keys.ENTER,
            "x",
            "y",
        ],
    )
    app.run()
    assert [
        (j.order.request.styles, j.order.songs, j.order.request.key) for j in stored_orders()
    ] == [
        ("Chill, Dubstep", 4, None),
        ("Jazz", 4, None),
        ("folk", 2, "D major"),
        ("jazz", 3, None),
    ]
    assert 'line 3: invalid value "no"' in "\n".join(frames(app))


def test_keys_pause_move_and_cancel_orders(home: Path, runner: None) -> None:
    app = make_app(home, [])
    for styles in ("jazz", "folk"):
        for key in ("1", "m", *styles, keys.ENTER, "5", keys.ENTER, keys.ENTER):
            if key != "m" or styles == "folk":
                app.press(key)
    app.press("p")
    assert [j.state for j in stored_orders()] == ["open", "paused"]
    assert "paused" in "\n".join(draw(app.state, (80, 24)))
    app.press("p")
    app.press("f")
    assert [j.order.request.styles for j in stored_orders()] == ["folk", "jazz"]
    app.press("l")
    assert [j.order.request.styles for j in stored_orders()] == ["jazz", "folk"]
    app.press("up")
    app.press("c")
    assert {j.order.request.styles: j.state for j in stored_orders()} == {
        "folk": "open",
        "jazz": "cancelled",
    }
    app.orders.close()


def test_parallel_songs_show_the_progress_of_the_first(home: Path, runner: None) -> None:
    app = make_app(home, [])
    app.dialog.place_order("jazz", 5, {})
    song = home / "output" / "One.mp3"
    messages = [
        {"event": "progress", "order": 1, "song": 1, "stage": "render", "done": 0.5},
        {
            "event": "progress",
            "order": 1,
            "song": 2,
            "stage": "compose",
            "done": 0.1,
            "text": "abc",
        },
    ]
    fake_process(app).events = messages
    app.update()
    (order,) = app.state.orders
    assert (
        order.current_song,
        order.songs_in_progress,
        order.stages["render"],
        order.sheet_text,
    ) == (
        1,
        2,
        0.5,
        "abc",
    )
    fake_process(app).events = [
        {"event": "song", "order": 1, "song": 1, "title": "One", "path": str(song)},
        {"event": "failed", "order": 1, "song": 2, "reason": "the model died"},
    ]
    store = OrderStore(paths.ORDERS)  # the child stores results before it reports them
    store.save_done(1, 1, "One")
    store.save_failed(1, 2, "the model died")
    store.close()
    app.update()
    (order,) = app.state.orders
    assert order.finished_titles == ("One",)
    assert order.failures == ("song 2: the model died",)
    assert order.songs_in_progress == 0
    app.orders.close()


def test_unfinished_orders_wait_until_the_user_resumes_them(home: Path, runner: None) -> None:
    store = OrderStore(paths.ORDERS)
    one = store.add(Order(SongRequest("jazz"), 5, 1, "", 0.75, home / "output")).id
    store.add(Order(SongRequest("folk"), 2, 1, "", 0.75, home / "output"))
    store.save_done(one, 1, "Rain")
    store.close()
    app = make_app(home, ["g", "x", "y"])
    app.run()
    assert "Unfinished: 6 songs left from the last session; G resumes" in frames(app)[0]
    assert "Unfinished" not in frames(app)[-1]
    assert [j.state for j in stored_orders()] == ["open", "open"]


def test_failed_orders_of_earlier_sessions_show_reasons_and_can_be_retried(
    home: Path, runner: None
) -> None:
    store = OrderStore(paths.ORDERS)
    stopped = store.add(Order(SongRequest("jazz"), 4, 1, "", 0.75, home / "output")).id
    store.save_failed(stopped, 1, "reason one")
    store.save_failed(stopped, 2, "reason two")
    store.set_state(stopped, OrderState.STOPPED, "reason two")
    finished = store.add(Order(SongRequest("folk"), 1, 1, "", 0.75, home / "output")).id
    store.save_failed(finished, 1, "the model died")
    store.close_if_done(finished)
    store.close()
    app = make_app(home, [])
    app.orders.load_previous_orders()
    app.draw()
    menu = "\n".join(frames(app)[-1:])
    assert "Unfinished: 2 songs left" in menu
    assert "Failed: 3 songs; Generate Music, then Esc, shows why" in menu
    app.press("1")
    app.draw()
    assert "plan.csv is a job file" in frames(app)[-1]
    assert "See the Orders = Esc" in frames(app)[-1]
    app.press(keys.ESCAPE)
    app.draw()
    assert "reason one" in frames(app)[-1]
    assert "reason two" in frames(app)[-1]
    app.press("up")  # to the finished order
    app.draw()
    for key in "cpfl":
        app.press(key)
    assert "has already ended" in app.state.message
    assert {j.id: j.state for j in stored_orders()} == {stopped: "paused", finished: "done"}
    assert "the model died" in frames(app)[-1]
    assert "Retry = T" in frames(app)[-1]
    app.press("t")
    assert {j.id: j.state for j in stored_orders()} == {stopped: "paused", finished: "open"}
    app.press("down")
    app.press("c")
    assert {j.id: j.state for j in stored_orders()} == {stopped: "cancelled", finished: "open"}
    app.press("b")
    assert app.state.screen == "menu"
    app.orders.close()


def test_an_order_stopped_by_failures_can_be_resumed(home: Path, runner: None) -> None:
    app = make_app(home, [])
    app.dialog.place_order("jazz", 5, {})
    store = OrderStore(paths.ORDERS)
    store.set_state(1, OrderState.STOPPED, "the folder cannot be written")
    store.close()
    fake_process(app).ended = True
    app.update()
    assert app.state.unfinished_songs == 5
    assert app.state.orders[0].failures == ("the folder cannot be written",)
    app.orders.resume_orders()
    assert app.orders.is_busy
    assert stored_orders()[0].state == OrderState.OPEN
    app.orders.close()


def test_an_order_continued_by_a_command_waits_for_the_user(home: Path, runner: None) -> None:
    store = OrderStore(paths.ORDERS)
    store.add(Order(SongRequest("jazz"), 5, 1, "", 0.75, home / "output"))
    app = make_app(home, [])
    app.orders.load_previous_orders()
    store.set_state(1, OrderState.OPEN)
    store.close()
    app.update()
    assert app.state.orders[0].paused  # nothing works on it
    app.orders.resume_orders()
    assert not app.state.orders[0].paused
    app.orders.close()


def test_an_order_taken_over_from_another_process_is_shown(home: Path, runner: None) -> None:
    app = make_app(home, [])
    app.dialog.place_order("jazz", 5, {})
    store = OrderStore(paths.ORDERS)
    other = store.add(Order(SongRequest("folk"), 2, 1, "", 0.75, home / "output")).id
    store.close()
    fake_process(app).events = [
        {"event": "progress", "order": other, "song": 1, "stage": "compose", "done": 0.5},
        {"event": "note", "text": "a folder is full"},
        {"event": "note", "order": other, "text": "it is tried again"},
    ]
    app.update()
    assert [order.styles for order in app.state.orders] == ["jazz", "folk"]
    assert app.state.message == "a folder is full"
    assert app.state.orders[1].notices == ("it is tried again",)
    assert app.state.orders[0].notices == ()
    app.orders.close()


def test_failures_and_retries_of_another_process_are_shown_once(home: Path, runner: None) -> None:
    app = make_app(home, [])
    app.dialog.place_order("jazz", 5, {})
    store = OrderStore(paths.ORDERS)
    other = store.add(Order(SongRequest("folk"), 2, 1, "", 0.75, home / "output")).id
    for n in (1, 2):
        store.save_failed(other, n, "broken")
    store.close_if_done(other)
    fake_process(app).events = [
        {"event": "failed", "order": other, "song": n, "reason": "broken"} for n in (1, 2)
    ]
    app.update()
    order = app.state.orders[1]
    assert (order.failed, order.failures, order.done) == (
        2,
        ("song 1: broken", "song 2: broken"),
        True,
    )
    assert store.retry_failed(other) == 2
    app.update()
    assert (app.state.orders[1].failed, app.state.orders[1].done) == (0, False)
    store.close()
    app.orders.close()


def test_a_process_is_restarted_until_its_third_crash_in_a_row(home: Path, runner: None) -> None:
    app = make_app(home, [])
    app.dialog.place_order("jazz", 5, {})

    def die() -> None:
        fake = fake_process(app)
        fake.ended = fake.crashed = fake.saw_orders = True
        fake.failure = "it was stopped by signal 9"
        app.update()

    die()
    assert app.orders.is_busy
    assert "restarting it" in app.state.message
    die()
    song = {"event": "song", "order": 1, "song": 1, "title": "One", "path": str(home / "One.mp3")}
    fake_process(app).events = [song]
    app.update()  # a finished song resets the crash count
    die()
    die()
    assert app.orders.is_busy
    die()
    assert not app.orders.is_busy
    assert stored_orders()[0].state == "paused"
    assert "signal 9" in app.state.orders[0].failures[0]
    assert app.state.message == "The composing process crashed 3 times."
    app.orders.close()


def test_orders_claimed_by_another_process_are_left_alone(home: Path, runner: None) -> None:
    store = OrderStore(paths.ORDERS)
    batch = store.add(Order(SongRequest("jazz"), 5, 1, "", 0.75, home / "output")).batch
    store.close()
    claim = claim_batch(paths.ORDERS, batch)
    assert claim
    app = make_app(home, ["x"])
    app.run()
    assert "Unfinished" not in frames(app)[0]
    assert stored_orders()[0].state == "open"
    claim.release()


def test_a_failed_process_is_reported_and_its_order_is_paused(home: Path, runner: None) -> None:
    app = make_app(home, [])
    app.dialog.place_order("jazz", 5, {})
    fake = fake_process(app)
    fake.ended, fake.failure = True, "the disk is full; free some space"
    app.update()
    assert not app.orders.is_busy
    assert "the disk is full" in app.state.orders[0].failures[0]
    assert stored_orders()[0].state == "paused"
    app.orders.resume_orders()
    assert app.orders.is_busy
    assert stored_orders()[0].state == "open"
    app.orders.close()


@pytest.mark.parametrize("seed", range(2))
def test_random_keys_never_break_a_real_player(home: Path, seed: int, runner: None) -> None:
    (home / "output").mkdir()
    for n in range(4):
        write_wav(
            home / "output" / f"Song {n}.wav",
            [np.full((RATE * 3, 2), 0.1, np.float32)],
            lambda done: None,
        )
    (home / "output" / "Broken.mp3").write_bytes(b"no sound")
    rng = random.Random(seed)
    pool = [
        *"012345bcijklmnprstvz/?+-<>  nn",
        keys.ENTER,
        keys.ESCAPE,
        "down",
        "left",
        "right",
        "page up",
        "page down",
        "click 9 5",
        "click 25 5",
        "wheel up",
    ]
    app = App(FakeScreen([]), Settings(output="null"))
    app.refresh()
    app.press("2")
    for n in range(700):
        app.press(rng.choice(pool))
        app.update()
        app.draw()
        now = app.state.playing
        assert now is None or 0 <= now.position <= now.duration + 0.01
        assert now is None or now.song is None or now.song.title != "Broken"
        if n % 50 == 0:
            time.sleep(0.05)
    for key in (keys.ESCAPE, keys.ESCAPE, keys.ESCAPE, "2"):
        app.press(key)
    app.update()
    assert app.state.playing
    assert app.state.playing.song
    assert not app.state.playing.paused
    app.playback.close()


def test_the_mouse_clicks_items_bars_and_footer_keys(home: Path) -> None:
    write_songs(home, 2)
    app = make_app(home, [])
    app.refresh()

    def click(x: int, line: str) -> None:
        app.update()
        app.draw()
        rows = app.screen.frames[-1]  # type: ignore[attr-defined]
        app.press(f"{keys.CLICK} {x} {next(n for n, row in enumerate(rows) if line in row)}")

    click(9, "2. Output Jukebox")
    assert app.state.screen == JUKEBOX
    click(16, "01:05/03:05")
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    assert player.calls[-1].startswith("seek 95.5")
    app.press(keys.WHEEL_UP)
    assert app.state.settings.volume == 0.7
    click(15, "Back to Main = B")
    assert app.state.screen == "menu"
    click(70, "Songs Made")
    for where in ("click 0 0", "click 500 3", "click 3 500"):
        app.press(where)
    click(50, "Exit Program = X")
    assert not app._running


def test_the_frame_is_drawn_only_when_it_changes(home: Path) -> None:
    app = make_app(home, [])
    app.state.screen = JUKEBOX
    for _ in range(5):
        app.draw()
    assert len(frames(app)) == 1


def test_the_position_is_saved_while_playing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.tui.controllers.playback._SAVE_INTERVAL", 0.0)
    write_songs(home, 2)
    app = make_app(home, ["2", "", "", "x"])
    app.run()
    found = load_session(paths.SESSION)
    assert found.position == 65.0
    assert len(found.order) == 2


# -- the order before it is placed -----------------------------------------------------------


class FakePreview:
    """Preview that is ready at once."""

    def __init__(self, order: Order) -> None:
        self.order, self.path = order, paths.OUTPUT / "Song 0.mp3"
        self.problem, self.is_done = "", False

    def poll(self) -> bool:
        self.is_done = True
        return True

    def close(self) -> None:
        pass


def ask_for(app: App, text: str, songs: str) -> str:
    """Type a text and a number of songs; return the frame that asks for confirmation."""
    for key in ("1", *text, keys.ENTER, *songs, *[keys.ENTER] * bool(songs)):
        app.press(key)
    return "\n".join(draw(app.state, (80, 24)))


def test_an_order_is_shown_before_it_is_placed(home: Path, runner: None) -> None:
    app = make_app(home, [])
    shown = ask_for(app, "sad piano waltz in D minor, slow", "4")
    assert "sad + waltz, D minor, 3/4, about" in shown
    assert "4 songs of 3:00, about" in " ".join(shown.split())
    assert "Start = Enter, Try = T, Edit = E, Reword = R, Back = Esc" in shown
    assert not stored_orders()
    app.press(keys.ENTER)
    (stored,) = stored_orders()
    assert (stored.order.songs, stored.order.request.key) == (4, "D minor")
    assert stored.order.request.instruments == "piano"
    assert stored.order.request.label == "sad piano waltz in D minor, slow"


def test_the_number_of_songs_is_not_asked_when_it_was_said(home: Path, runner: None) -> None:
    app = make_app(home, [])
    assert "12 songs of 2:00" in " ".join(ask_for(app, "a dozen jazz songs, 2 minutes", "").split())


def test_what_was_understood_can_be_edited(home: Path, runner: None) -> None:
    app = make_app(home, [])
    ask_for(app, "jazz in D minor", "1")
    app.press("e")
    assert "2. Key: D minor (as said)" in "\n".join(draw(app.state, (80, 24)))
    for key in ("2", "ctrl-u", *"F major", keys.ENTER, "i", *"flute", keys.ENTER, "b"):
        app.press(key)
    assert "jazz, F major, 4/4" in "\n".join(draw(app.state, (80, 24)))
    app.press(keys.ENTER)
    (stored,) = stored_orders()
    assert (stored.order.request.key, stored.order.request.instruments) == ("F major", "flute")


def test_escape_goes_back_one_question_at_a_time(home: Path, runner: None) -> None:
    app = make_app(home, [])
    ask_for(app, "jazz", "3")
    app.press(keys.ESCAPE)
    assert "User Input: 3_" in "\n".join(draw(app.state, (80, 24)))
    app.press("5")  # replaces the answer
    assert "User Input: 5_" in "\n".join(draw(app.state, (80, 24)))
    app.press(keys.ESCAPE)
    assert "Main Menu" in "\n".join(draw(app.state, (80, 24)))
    assert not stored_orders()


def test_t_plays_the_first_seconds(
    home: Path, runner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_songs(home, 1)
    monkeypatch.setattr("scripts.tui.controllers.pending_order.PreviewProcess", FakePreview)
    app = make_app(home, [])
    ask_for(app, "jazz", "3")
    app.press("t")
    preview = app.dialog.pending._preview
    assert isinstance(preview, FakePreview)
    app.update()
    player = app.playback._preview_player
    assert isinstance(player, FakePlayer)
    assert any(call.startswith("start") for call in player.calls)
    app.press(keys.ENTER)  # starting stops the preview
    assert app.playback._preview_player is None
    (stored,) = stored_orders()
    assert stored.order.seed == preview.order.seed


def test_a_very_long_song_is_confirmed_twice(home: Path, runner: None) -> None:
    app = make_app(home, [])
    ask_for(app, "jazz, 1h30", "1")
    app.press(keys.ENTER)
    assert "Each song lasts 1:30:00" in app.state.message
    assert not stored_orders()
    app.press(keys.ENTER)
    assert len(stored_orders()) == 1


def test_a_guess_is_shown_before_the_work(home: Path, runner: None) -> None:
    app = make_app(home, [])
    assert "reggaeton: nearest is cumbia" in ask_for(app, "reggaeton", "1")
    app.press(keys.ESCAPE)
    app.press(keys.ESCAPE)
    assert '"qwrtz plmkn" is not understood' in ask_for(app, "qwrtz plmkn", "1")


def test_a_cancelled_order_can_be_continued(home: Path, runner: None) -> None:
    app = make_app(home, [])
    ask_for(app, "jazz", "3")
    app.press(keys.ENTER)
    app.press("c")
    assert [j.state for j in stored_orders()] == ["cancelled"]
    assert "Z makes the songs after all" in app.state.message
    app.press("z")
    assert [j.state for j in stored_orders()] == ["open"]
    app.press("z")
    assert "nothing to undo" in app.state.message


def test_a_song_removed_from_the_queue_can_be_put_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = read_song(write_songs(home, 2)[0])
    monkeypatch.setattr("tests.test_app.PLAYING", replace(PLAYING, song=song))
    app = make_app(home, [])
    app.run()
    app = make_app(home, ["2", "d", "z", "x"])
    app.run()
    shown = frames(app)
    assert any("Z puts it back" in frame for frame in shown)
    assert any("is in the queue again" in frame for frame in shown)


def test_wishes_are_kept_under_a_name(home: Path) -> None:
    app = make_app(home, ["1", keys.ESCAPE, "1", *"x"])
    app.state.screen, app.state.field = "wishes", None
    for key in ("2", *"F minor", keys.ENTER, "n", *"drums", keys.ENTER, "k", *"quiet", keys.ENTER):
        app.press(key)
    app.press("u")
    assert not app.state.wishes
    for key in ("l", keys.ENTER):
        app.press(key)
    assert app.state.wishes == {"key": "F minor", "without": "drums"}
    for key in ("u", "k", *"quiet", keys.ENTER, "l"):
        app.press(key)
    assert "No wishes have been kept" in app.state.message


def test_seed_formats_bitrate_and_folder_can_be_wished(home: Path, runner: None) -> None:
    app = make_app(home, [])
    app.state.screen = "wishes"
    wishes = {"s": "77", "a": "wav, mid", "r": "320", "o": str(home / "elsewhere")}
    for key, text in wishes.items():
        for pressed in (key, *text, keys.ENTER):
            app.press(pressed)
    for key, text in {"s": "x", "a": "wax", "r": "9"}.items():
        for pressed in (key, "ctrl-u", *text, keys.ENTER):
            app.press(pressed)
        assert app.state.field
        assert app.state.field.problem
        app.press(keys.ESCAPE)
    app.press("b")
    app.open_menu()
    ask_for(app, "jazz", "1")
    app.press(keys.ENTER)
    (stored,) = stored_orders()
    order = stored.order
    assert (order.seed, order.extra_formats, order.bitrate) == (77, ("wav", "mid"), 320)
    assert order.out == home / "elsewhere"


def test_earlier_entries_come_back_with_the_arrows(home: Path) -> None:
    app = make_app(home, ["1", *"sad jazz", keys.ENTER, keys.ESCAPE, "1", "up", "x"])
    with contextlib.suppress(AssertionError):
        app.run()
    assert any("User Input: sad jazz_" in frame for frame in frames(app))


def test_what_is_edited_for_an_order_is_for_that_order_alone(home: Path, runner: None) -> None:
    app = make_app(home, [])
    app.state.wishes = {"tempo": "100"}
    ask_for(app, "jazz", "1")
    for key in ("e", "2", *"E minor", keys.ENTER, "n", *"drums", keys.ENTER, "b", keys.ENTER):
        app.press(key)
    (stored,) = stored_orders()
    request = stored.order.request
    assert (request.key, request.without, request.tempo) == ("E minor", "drums", 100)
    assert app.state.wishes == {"tempo": "100"}


def test_the_words_can_be_changed_before_it_begins(home: Path, runner: None) -> None:
    app = make_app(home, [])
    ask_for(app, "sad jazz", "zwölf")
    for key in ("e", "2", *"F major", keys.ENTER, "b", "r", "ctrl-u", *"happy rock", keys.ENTER):
        app.press(key)
    assert "happy + rock, F major, 4/4" in "\n".join(draw(app.state, (80, 24)))
    app.press(keys.ENTER)
    (stored,) = stored_orders()
    assert (stored.order.request.styles, stored.order.songs) == ("happy, rock", 12)


def test_a_wish_that_was_cleared_is_not_shown_as_said(home: Path, runner: None) -> None:
    app = make_app(home, [])
    ask_for(app, "jazz in F", "2")
    for key in ("e", "3", *"allegro", keys.ENTER, "b", "e", "u"):
        app.press(key)
    shown = "\n".join(draw(app.state, (80, 24)))
    assert "Key: F major (as said)" in shown
    assert "allegro" not in shown


def test_a_wish_that_contradicts_the_text_keeps_the_wishes_open(home: Path, runner: None) -> None:
    app = make_app(home, [])
    ask_for(app, "only piano, waltz", "1")
    for key in ("e", "n", *"piano", keys.ENTER, "b"):
        app.press(key)
    text = " ".join("\n".join(draw(app.state, (80, 40))).split())
    assert "piano is both asked for and excluded" in text
    assert app.state.screen == WISHES
    for key in ("n", "ctrl-u", keys.ENTER, "b", keys.ENTER):
        app.press(key)
    (stored,) = stored_orders()
    assert stored.order.request.without is None


def test_what_is_said_comes_before_the_wishes(home: Path, runner: None) -> None:
    app = make_app(home, [])
    app.state.wishes = {"key": "E minor", "without": "drums", "meter": "3/4"}
    ask_for(app, "jazz in F with drums", "1")
    text = " ".join("\n".join(draw(app.state, (80, 40))).split())
    assert "said otherwise, and left out: key E minor, without drums" in text
    app.press(keys.ENTER)
    (stored,) = stored_orders()
    request = stored.order.request
    assert (request.key, request.without, request.meter) == ("F major", None, "3/4")


def test_numbers_of_songs_are_those_of_each_part(home: Path, runner: None) -> None:
    app = make_app(home, [])
    ask_for(app, "jazz, five songs | rock | endless pop", "2")
    app.press(keys.ENTER)
    orders = [stored.order for stored in stored_orders()]
    assert [(o.endless, o.songs) for o in orders[:2]] == [(False, 5), (False, 2)]
    assert orders[2].endless
    assert [o.seed - orders[0].seed for o in orders] == [0, 5, 7]


def test_a_song_that_is_endless_ends_when_it_was_said(home: Path, runner: None) -> None:
    app = make_app(home, [])
    for key in ("1", *"jazz until 23:30", keys.ENTER):
        app.press(key)
    assert "songs of 3:00, until 23:30, the first after" in " ".join(
        "\n".join(draw(app.state, (80, 24))).split()
    )
    app.press(keys.ENTER)
    (stored,) = stored_orders()
    assert stored.order.endless
    assert stored.order.until > 0


def test_a_paused_endless_order_has_no_number_of_songs(home: Path) -> None:
    app = make_app(home, [])
    order = OrderView("jazz", ENDLESS_SONGS, finished_count=3, paused=True, endless=True)
    app.state.screen, app.state.orders = "generate", [order]
    text = " ".join("\n".join(draw(app.state, (80, 24))).split())
    assert '"jazz" is paused, 3 songs (endless) are done' in text


def live_event(home: Path, name: str = "a-1.live") -> dict[str, object]:
    writer = LiveWriter(home / "data" / "live" / name, RATE)
    writer.write(np.zeros((RATE // 2, 2), np.float32))
    return {"path": str(home / "data" / "live" / name), "title": "New Song", "seconds": 1.0}


def test_a_song_is_played_while_it_is_rendered_and_then_under_its_name(home: Path) -> None:
    app = make_app(home, [])
    app.refresh()
    live = live_event(home)
    app.playback.play_live(live)
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    assert "start" in player.calls[-1]
    assert "New Song" in player.calls[-1]
    player.now = replace(PLAYING, song=read_song(Path(str(live["path"]))))
    player.playing_path = Path(str(live["path"]))  # type: ignore[attr-defined]
    app.update()
    assert Path(str(live["path"])).exists()
    app._on_song_finished(write_songs(home, 1)[0], Path(str(live["path"])))
    assert player.calls[-1].startswith("replace")
    player.now = PLAYING
    player.playing_path = None  # type: ignore[attr-defined]
    app.update()
    assert not Path(str(live["path"])).exists()


def test_a_song_whose_rendering_ends_early_leaves_the_queue(home: Path) -> None:
    app = make_app(home, write_songs(home, 1))
    app.refresh()
    live = Path(str(live_event(home)["path"]))
    app.playback.play_live(live_event(home))
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    player.queue.put_next(app.playback._unfinished[live])
    app.update()
    assert live in [song.path for song in player.queue.upcoming()]
    LiveWriter(live, RATE).close()  # as the renderer does when its order is cancelled
    app.update()
    assert live not in [song.path for song in player.queue.upcoming()]


def test_the_light_is_shown_calmed_and_left_again(home: Path) -> None:
    app = make_app(home, write_songs(home, 1))
    app.refresh()
    app.press("2")
    app.playback.play(read_song(write_songs(home, 1)[0]))
    app.press("c")
    assert app.state.screen == LIGHT
    app.draw()
    assert any("Back to Jukebox = B" in line for line in app.screen.frames[-1])  # type: ignore[attr-defined]
    app.press("c")
    assert app.state.settings.lights == "calm"
    app.press("?")
    app.draw()
    assert any("lights full, calm, off" in line for line in app.screen.frames[-1])  # type: ignore[attr-defined]
    app.press("b")
    app.press("b")
    assert app.state.screen == JUKEBOX


def test_live_audio_that_nobody_wants_is_removed(home: Path) -> None:
    app = make_app(home, [])
    app.state.settings = replace(app.state.settings, auto_play=False)
    live = live_event(home)
    app.playback.play_live(live)
    app.playback.update()
    assert app.playback._player is None
    assert not Path(str(live["path"])).exists()


def test_live_audio_of_an_earlier_run_is_removed(home: Path) -> None:
    live, fresh = live_event(home), live_event(home, "b-1.live")
    os.utime(str(live["path"]), (0, 0))
    app = make_app(home, [])
    app.playback.update()
    assert not Path(str(live["path"])).exists()
    assert Path(str(fresh["path"])).exists()


def open_generate_music(home: Path) -> tuple[App, FakeProcess]:
    """A program that asks for styles, and the process that waits for the order."""
    app = make_app(home, [])
    app.refresh()
    app.press("1")
    app.update()
    waiting = app.orders._supervisor._waiting_process
    assert isinstance(waiting, FakeProcess)
    return app, waiting


def test_opening_generate_music_loads_everything_for_the_next_order(
    home: Path, runner: None
) -> None:
    app, waiting = open_generate_music(home)
    assert waiting.waits
    app.dialog.place_order("jazz", 1, {})
    assert fake_process(app) is waiting
    assert not waiting.waits
    assert app.orders._supervisor._waiting_process is None


def test_a_changed_setting_is_loaded_anew(home: Path, runner: None) -> None:
    app, waiting = open_generate_music(home)
    app._on_setting_changed("model")
    assert waiting.ended
    assert app.orders._supervisor._waiting_process is None
