"""Keys and resizes replayed against a fake screen."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scripts.audio.wav import write_wav
from scripts.batch.claims import claim_batch
from scripts.batch.order import Order
from scripts.batch.store import OrderState, OrderStore, StoredOrder
from scripts.core import paths
from scripts.core.audio_format import RATE
from scripts.core.settings import Settings
from scripts.core.stages import overall_fraction
from scripts.jukebox.player import PlayerStatus
from scripts.jukebox.queue import Queue
from scripts.jukebox.session import Session, load_session, save_session
from scripts.library.songs import read_song
from scripts.request.spec import SongRequest
from scripts.tui import keys
from scripts.tui.app import App
from scripts.tui.bindings import BINDINGS
from scripts.tui.order_progress import estimate_seconds_left
from scripts.tui.screens.draw import draw
from scripts.tui.state import JUKEBOX
from tests.support.waiting import until
from tests.test_screens import PLAYING


class FakeScreen:
    """A terminal that remembers frames and types a script."""

    def __init__(self, script: list[str], size: tuple[int, int] = (80, 24)) -> None:
        self.script, self._size = script, size
        self.frames: list[list[str]] = []
        self.remaining = 20  # times that X is pressed in the end

    def size(self) -> tuple[int, int]:
        return self._size

    def show(self, lines: list[str], coloured: bool) -> None:
        self.frames.append(lines)

    def read_key(self, wait: float) -> str:
        if not wait:  # nothing is typed ahead, so that every key has a frame
            return ""
        self.remaining -= not self.script
        assert self.remaining, "\n".join(self.frames[-1])
        return self.script.pop(0) if self.script else "x"


class FakePlayer:
    """A player that plays nothing and remembers what it was told."""

    calls: list[str]

    def __init__(self, queue: Queue, output: str, volume: float, crossfade: float) -> None:
        self.queue, self.calls = queue, []
        self.ended, self.now = False, PLAYING

    def __getattr__(self, name: str) -> Callable[..., None]:
        def call(*args: object, **more: object) -> None:
            self.calls.append(" ".join(map(str, (name, *args, *more))))

        return call

    def play_order(self) -> tuple[Path, ...]:
        return tuple(s.path for s in self.queue.play_order)

    def edit_queue(self, action: Callable[[Queue], object]) -> None:
        action(self.queue)

    def recent_samples(self) -> object:
        return np.zeros(4096, np.float32)

    def status(self) -> PlayerStatus:
        return replace(self.now, repeat=self.queue.repeat, shuffle=self.queue.shuffle)


class FakeProcess:
    """Child process that makes no songs; tests decide on its events and its end."""

    def __init__(self) -> None:
        self.events: list[dict[str, object]] = []
        self.ended, self.failure, self.crashed, self.saw_orders = False, "", False, False

    def read_events(self) -> list[dict[str, object]]:
        events, self.events = self.events, []
        return events

    def failure_message(self) -> str:
        return self.failure

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


def orders() -> list[StoredOrder]:
    """What is kept of all orders."""
    jobs = OrderStore(paths.ORDERS)
    try:
        return jobs.orders(("open", "paused", "stopped", "cancelled", "done"))
    finally:
        jobs.close()


def app_of(home: Path, script: list[str], size: tuple[int, int] = (80, 24)) -> App:
    app = App(FakeScreen(script, size), Settings(), FakePlayer)  # type: ignore[arg-type]
    app.first_frame_timeout = (
        20.0  # the first frame of a test has the songs, however busy the machine is
    )
    return app


def frames(app: App) -> list[str]:
    return ["\n".join(frame) for frame in app.screen.frames]  # type: ignore[attr-defined]


def saved(home: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(
        (home / "data" / "persistent.json").read_text(encoding="utf-8")
    )
    return found


def songs_in(home: Path, count: int) -> list[Path]:
    made = []
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
        made.append(path)
    return made


def test_a_visit_to_every_screen_and_out(home: Path) -> None:
    app = app_of(home, ["2", "p", "n", "+", "b", "3", "b", "1", keys.ESCAPE, "r", "?", "b", "x"])
    assert app.run() == 0
    titles = {frame.split("\n")[1].split(": ")[1] for frame in frames(app)}
    assert {"Main Menu", "Output Jukebox", "Configure Options", "Generate Music", "Keys"} <= titles


def test_the_theme_is_changed_with_one_key(home: Path) -> None:
    app = app_of(home, ["3", *"888", "b", "x"])
    app.run()
    assert {frame[0] for frame in frames(app)} == {"=", "═"}
    assert saved(home)["theme"] == "unicode"


def test_options_are_checked_and_kept_at_once(home: Path) -> None:
    app = app_of(
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
    found = saved(home)
    assert (
        found["temperature"],
        found["volume"],
        found["song_length"],
        found["auto_play"],
        found["crossfade"],
    ) == (1.1, 0.4, "4-6", False, 2.5)


def test_an_option_that_cannot_be_is_told_while_it_is_typed(home: Path) -> None:
    app = app_of(home, ["3", "2", "9", ".", keys.BACKSPACE, keys.BACKSPACE, "1", keys.ESCAPE, "x"])
    app.run()
    told = [
        "temperature must be a number from 0 to 2" in frame
        for frame in frames(app)
        if "Temperature (0 to 2)" in frame
    ]
    assert told[:2] == [False, True]
    assert told[-1] is False
    assert "temperature" not in str(list((home / "data").glob("*.json")))


def test_the_models_that_are_there_are_shown(home: Path) -> None:
    (home / "models").mkdir(exist_ok=True)
    (home / "models" / "broken.gguf").write_bytes(b"no")
    app = app_of(
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
    assert saved(home)["model"] == ""  # automatic, chosen with the arrows; the broken one is not


def test_a_sound_device_is_chosen_from_those_that_are_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "scripts.tui.controllers.settings.device_names",
        lambda: ("Speakers (High: Definition)", "Headset"),
    )
    app = app_of(home, ["2", "b", "3", "0", "down", keys.ENTER, "b", "x"])
    app.run()
    assert saved(home)["device"] == "Speakers (High: Definition)"
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    assert "set_output auto@Speakers (High: Definition)" in player.calls
    app = app_of(
        home, ["3", "0", *"radio", keys.ENTER, keys.ESCAPE, "0", *"syst", keys.ENTER, "b", "x"]
    )
    app.run()
    assert 'no such sound device: "radio"' in "\n".join(frames(app))
    assert saved(home)["device"] == ""


def test_a_bad_style_or_number_is_asked_again(home: Path) -> None:
    app = app_of(
        home, ["1", *"!!", keys.ENTER, *"jazz", keys.ENTER, *"0", keys.ENTER, keys.ESCAPE, "x"]
    )
    app.run()
    text = "\n".join(frames(app))
    assert "no style in" in text
    assert "number from 1 to" in text


def test_styles_are_completed_and_wishes_are_one_key_away(home: Path, runner: None) -> None:
    app = app_of(
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
    (job,) = orders()
    wishes = job.order.request
    assert (wishes.styles, job.order.songs, wishes.key) == ("Chill, Dubstep", 12, "f minor")
    assert (wishes.tempo, wishes.tuning, wishes.loop) == (140.0, 432.0, True)
    assert "With key f minor, tempo 140" in text
    assert job.state == "cancelled"


def test_an_order_in_the_making_is_not_left_by_mistake(home: Path, runner: None) -> None:
    app = app_of(home, ["1", *"jazz", keys.ENTER, "2", keys.ENTER, "x", "n", "b", "x", "y"])
    app.run()
    assert sum("Stop them and exit?" in frame for frame in frames(app)) == 2
    assert "Main Menu" in frames(app)[-2]


def test_the_jukebox_obeys_its_keys(home: Path) -> None:
    songs_in(home, 3)
    app = app_of(
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
    told = [call.split(" ")[0] if "set" not in call else call for call in player.calls]
    assert [c for c in player.calls if "seek" in c] == [
        "seek_by 5.0",
        "seek_by -5.0",
        "seek_by 30.0",
        "seek_by -30.0",
    ]
    assert {"next", "previous", "toggle_pause", "close"} <= {*told}
    assert [c for c in told if "volume" in c] == [
        "set_volume 0.7",
        "set_volume 0.65",
        "set_volume 0.6",
    ]
    assert (player.queue.shuffle, player.queue.repeat) == (True, "one")
    text = "\n".join(frames(app))
    assert "Silence in 15 minutes." in text
    assert "Sleep 14:59" in text
    assert "Sleep 29:" in text


def test_a_rating_is_shown_and_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    song = read_song(songs_in(home, 1)[0])
    monkeypatch.setattr("tests.test_app.PLAYING", replace(PLAYING, song=song))
    app = app_of(home, ["2", "4", "x"])
    app.run()
    assert "[****-]" in frames(app)[-1]
    app = app_of(home, ["2", "k", "k", "j", "x"])
    app.run()
    shown = frames(app)
    assert any("[****-]  [up]" in frame for frame in shown)
    assert "[down]" in shown[-1]
    app = app_of(home, ["2", "0", "x"])
    app.run()
    shown = frames(app)
    assert any("[****-]" in frame for frame in shown)
    assert "[****-]" not in shown[-1]


def test_a_song_is_found_and_played(home: Path) -> None:
    songs_in(home, 12)
    app = app_of(home, ["2", "/", *"song jazz 1", "down", keys.ENTER, "x"])
    app.run()
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    assert "Song 10" in player.calls[-2]
    assert sum(call.startswith("start") for call in player.calls) == 2  # 2 and Enter, no more
    searched = [f for f in frames(app) if "Which song?" in f]
    assert " > Song 10 (Jazz, D minor, 84 bpm, 3/4)" in searched[-1]
    assert "Song 1 (" not in searched[-1]


def test_what_a_song_is_made_of_can_be_read(home: Path) -> None:
    song = read_song(songs_in(home, 1)[0])
    app = app_of(home, [])
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


def test_more_like_this_asks_for_the_same_kind(home: Path, runner: None) -> None:
    app = app_of(home, ["2", "m", "x", "y"])
    app.run()
    (job,) = orders()
    wishes = job.order.request
    assert (wishes.styles, job.order.songs, wishes.key, wishes.meter, wishes.tempo) == (
        "Chill",
        1,
        "D minor",
        "4/4",
        84.0,
    )


def test_a_song_can_be_dropped_from_the_queue(home: Path) -> None:
    paths_made = songs_in(home, 3)
    app = app_of(home, ["2"])
    app.refresh()
    app.press("2")
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    player.now = replace(PLAYING, song=read_song(paths_made[1]))
    app.press("d")
    assert [s.title for s in player.queue.play_order] == ["Song 0", "Song 2"]
    assert paths_made[1].exists()


def test_the_place_in_the_music_is_taken_up_again(home: Path) -> None:
    made = songs_in(home, 4)
    (home / "data").mkdir(exist_ok=True)
    order = (made[2], made[0], made[3], made[1])
    save_session(paths.SESSION, Session(str(made[3]), 42.5, tuple(map(str, order)), "one", True))
    app = app_of(home, ["x"])
    app.run()
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    assert [s.path for s in player.queue.play_order] == list(order)
    assert (player.queue.repeat, player.queue.shuffle) == ("one", True)
    assert "42.5 paused" in player.calls[0]
    assert "Song 3" in player.calls[0]


def test_songs_that_are_put_into_the_folder_join_by_themselves(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.library.watcher.SCAN_INTERVAL", 0.02)
    songs_in(home, 1)
    app = app_of(home, [])
    app.library_watcher.start()

    def songs(count: int) -> bool:
        app.update()
        return app.state.song_count == count

    until(lambda: songs(1))
    (home / "output" / "Their Own.mp3").write_bytes(b"")
    (home / "output" / "notes.txt").write_bytes(b"")
    until(lambda: songs(2))
    assert app.state.latest_titles[0] == "Their Own"
    app.press("2")
    (home / "output" / "Their Own.mp3").unlink()
    until(lambda: songs(1))
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    assert player.calls[-1].startswith("refresh")
    app.library_watcher.close()


def test_a_new_song_is_played_unless_somebody_listens(home: Path) -> None:
    made = songs_in(home, 2)
    (home / "data").mkdir(exist_ok=True)
    save_session(paths.SESSION, Session(str(made[0]), 9.0))
    app = app_of(home, [])
    app.refresh()
    app.playback.restore_session()
    player = app.playback._player
    assert isinstance(player, FakePlayer)
    app._on_song_finished(songs_in(home, 3)[-1])
    app.update()
    app._sync_library()
    assert "Song 2" in player.calls[-1]  # what the last session left was only held ready
    count = len(player.calls)
    app._on_song_finished(songs_in(home, 4)[-1])
    app.update()
    assert not [c for c in player.calls[count:] if c.startswith("start")]


def test_a_session_with_names_of_any_bytes_is_kept(tmp_path: Path) -> None:
    session = Session("/a/\udcff.mp3", 3.0, ("/a/\udcff.mp3", "/a/歌.mp3"), "one", True)
    assert save_session(tmp_path / "jukebox.json", session)
    assert load_session(tmp_path / "jukebox.json") == session


def test_the_order_is_kept_when_its_song_is_gone(home: Path) -> None:
    made = songs_in(home, 3)
    (home / "data").mkdir(exist_ok=True)
    order = tuple(str(p) for p in reversed(made))
    save_session(paths.SESSION, Session("/gone.mp3", 42.5, order, "off", True))
    app = app_of(home, ["x"])
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
def test_a_damaged_session_does_no_harm(tmp_path: Path, text: str) -> None:
    path = tmp_path / "jukebox.json"
    path.write_text(text)
    found = load_session(path)
    assert (found.song, found.position, found.repeat, found.shuffle) == ("", 0.0, "all", False)
    assert found.order in ((), ("a",))
    assert load_session(tmp_path / "none.json") == Session()


@pytest.mark.parametrize("seed", range(4))
def test_random_keys_never_break_it(home: Path, seed: int, runner: None) -> None:
    """Ten thousand keys over all screens, in windows of all sizes."""
    songs_in(home, 5)
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
    app = app_of(home, [])
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
    # Nothing is stuck: escape leads back to the menu, and X leads out.
    app._running, app.screen._size = True, (80, 24)  # type: ignore[attr-defined]
    for _ in range(4):
        app.press(keys.ESCAPE)
    app.orders._supervisor._process = None
    app.press("x")
    assert not app._running
    assert app.state.settings.volume in [n / 100 for n in range(101)]


def test_the_time_left_is_guessed_from_what_is_done() -> None:
    assert estimate_seconds_left(5.0, 0.1, 3) is None  # nothing can be told yet
    assert estimate_seconds_left(5.0, 0.5, 3) == 25.0
    assert estimate_seconds_left(40.0, 4.0, 5) == 10.0
    assert estimate_seconds_left(9.0, 3.0, 3) is None
    assert overall_fraction({"compose": 1.0, "render": 1.0, "convert": 1.0}) == 1.0


def test_several_orders_and_a_file_of_orders_are_placed_at_once(home: Path, runner: None) -> None:
    (home / "plan.csv").write_text("styles,songs,key\nfolk,2,D major\njazz,3,\n")
    (home / "bad.csv").write_text("styles,songs\nfolk,2\njazz,no\n")
    app = app_of(
        home,
        [
            "1",
            *"Chill, Dubstep | jaz",
            keys.TAB,
            keys.ENTER,
            "4",
            keys.ENTER,
            "m",
            *str(home / "bad.csv"),
            keys.ENTER,
            *str(home / "plan.csv"),
            keys.ENTER,
            "x",
            "y",
        ],
    )
    app.run()
    assert [(j.order.request.styles, j.order.songs, j.order.request.key) for j in orders()] == [
        ("Chill, Dubstep", 4, None),
        ("Jazz", 4, None),
        ("folk", 2, "D major"),
        ("jazz", 3, None),
    ]
    assert 'line 3: invalid value "no"' in "\n".join(frames(app))


def test_orders_are_steered_with_keys(home: Path, runner: None) -> None:
    app = app_of(home, [])
    for styles in ("jazz", "folk"):
        for key in ("1", "m", *styles, keys.ENTER, "5", keys.ENTER):
            if key != "m" or styles == "folk":
                app.press(key)
    app.press("p")
    assert [j.state for j in orders()] == ["open", "paused"]
    assert "paused" in "\n".join(draw(app.state, (80, 24)))
    app.press("p")
    app.press("f")
    assert [j.order.request.styles for j in orders()] == ["folk", "jazz"]
    app.press("l")
    assert [j.order.request.styles for j in orders()] == ["jazz", "folk"]
    app.press("up")
    app.press("c")
    assert {j.order.request.styles: j.state for j in orders()} == {
        "folk": "open",
        "jazz": "cancelled",
    }
    app.orders.close()


def test_several_songs_at_once_are_shown_by_the_one_nearest_to_its_end(
    home: Path, runner: None
) -> None:
    app = app_of(home, [])
    app.orders.place_order("jazz", 5, {})
    song = home / "output" / "One.mp3"
    said = [
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
    fake_process(app).events = said
    app.update()
    (job,) = app.state.orders
    assert (job.current_song, job.songs_in_progress, job.stages["render"], job.sheet_text) == (
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
    (job,) = app.state.orders
    assert job.finished_titles == ("One",)
    assert job.failures == ("song 2: the model died",)
    assert job.songs_in_progress == 0
    app.orders.close()


def test_what_the_last_time_left_waits_until_the_user_has_it_go_on(
    home: Path, runner: None
) -> None:
    jobs = OrderStore(paths.ORDERS)
    one = jobs.add(Order(SongRequest("jazz"), 5, 1, "", 0.75, home / "output")).id
    jobs.add(Order(SongRequest("folk"), 2, 1, "", 0.75, home / "output"))
    jobs.save_done(one, 1, "Rain")
    jobs.close()
    app = app_of(home, ["g", "x", "y"])
    app.run()
    assert "Unfinished: 6 songs left from the last session; G resumes" in frames(app)[0]
    assert "Unfinished" not in frames(app)[-1]
    assert [j.state for j in orders()] == ["open", "open"]


def test_what_failed_the_last_time_is_seen_with_its_reason_and_steered(
    home: Path, runner: None
) -> None:
    jobs = OrderStore(paths.ORDERS)
    stopped = jobs.add(Order(SongRequest("jazz"), 4, 1, "", 0.75, home / "output")).id
    jobs.save_failed(stopped, 1, "reason one")
    jobs.save_failed(stopped, 2, "reason two")
    jobs.set_state(stopped, OrderState.STOPPED, "reason two")
    over = jobs.add(Order(SongRequest("folk"), 1, 1, "", 0.75, home / "output")).id
    jobs.save_failed(over, 1, "the model died")
    jobs.close_if_done(over)
    jobs.close()
    app = app_of(home, [])
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
    app.press("up")  # to the one that is over
    app.draw()
    for key in "cpfl":
        app.press(key)
    assert "has already ended" in app.state.message
    assert {j.id: j.state for j in orders()} == {stopped: "paused", over: "done"}
    assert "the model died" in frames(app)[-1]
    assert "Retry = T" in frames(app)[-1]
    app.press("t")
    assert {j.id: j.state for j in orders()} == {stopped: "paused", over: "open"}
    app.press("down")
    app.press("c")
    assert {j.id: j.state for j in orders()} == {stopped: "cancelled", over: "open"}
    app.press("b")
    assert app.state.screen == "menu"
    app.orders.close()


def test_an_order_that_the_program_takes_over_is_seen_and_steered(home: Path, runner: None) -> None:
    app = app_of(home, [])
    app.orders.place_order("jazz", 5, {})
    jobs = OrderStore(paths.ORDERS)
    other = jobs.add(Order(SongRequest("folk"), 2, 1, "", 0.75, home / "output")).id
    jobs.close()
    fake_process(app).events = [
        {"event": "progress", "order": other, "song": 1, "stage": "compose", "done": 0.5},
        {"event": "note", "text": "a folder is full"},
        {"event": "note", "order": other, "text": "it is tried again"},
    ]
    app.update()
    assert [job.styles for job in app.state.orders] == ["jazz", "folk"]
    assert app.state.message == "a folder is full"
    assert app.state.orders[1].notices == ("it is tried again",)
    assert app.state.orders[0].notices == ()
    app.orders.close()


def test_what_another_console_does_with_failed_songs_is_seen_once(home: Path, runner: None) -> None:
    app = app_of(home, [])
    app.orders.place_order("jazz", 5, {})
    jobs = OrderStore(paths.ORDERS)
    other = jobs.add(Order(SongRequest("folk"), 2, 1, "", 0.75, home / "output")).id
    for n in (1, 2):
        jobs.save_failed(other, n, "broken")
    jobs.close_if_done(other)
    fake_process(app).events = [
        {"event": "failed", "order": other, "song": n, "reason": "broken"} for n in (1, 2)
    ]
    app.update()
    job = app.state.orders[1]
    assert (job.failed, job.failures, job.done) == (2, ("song 1: broken", "song 2: broken"), True)
    assert jobs.retry_failed(other) == 2
    app.update()
    assert (app.state.orders[1].failed, app.state.orders[1].done) == (0, False)
    jobs.close()
    app.orders.close()


def test_a_program_that_dies_is_started_again_but_not_for_ever(home: Path, runner: None) -> None:
    app = app_of(home, [])
    app.orders.place_order("jazz", 5, {})

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
    app.update()  # it has come further
    die()
    die()
    assert app.orders.is_busy
    die()
    assert not app.orders.is_busy
    assert orders()[0].state == "paused"
    assert "signal 9" in app.state.orders[0].failures[0]
    app.orders.close()


def test_orders_that_another_program_is_at_are_left_to_it(home: Path, runner: None) -> None:
    jobs = OrderStore(paths.ORDERS)
    batch = jobs.add(Order(SongRequest("jazz"), 5, 1, "", 0.75, home / "output")).batch
    jobs.close()
    held = claim_batch(paths.ORDERS, batch)
    assert held
    app = app_of(home, ["x"])
    app.run()
    assert "Unfinished" not in frames(app)[0]
    assert orders()[0].state == "open"
    held.release()


def test_a_program_that_cannot_go_on_is_told_and_the_order_is_kept(
    home: Path, runner: None
) -> None:
    app = app_of(home, [])
    app.orders.place_order("jazz", 5, {})
    fake = fake_process(app)
    fake.ended, fake.failure = True, "the disk is full; free some space"
    app.update()
    assert not app.orders.is_busy
    assert "the disk is full" in app.state.orders[0].failures[0]
    assert orders()[0].state == "paused"
    app.orders.resume_orders()
    assert app.orders.is_busy
    assert orders()[0].state == "open"
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


def test_the_mouse_points_at_items_bars_and_what_the_foot_names(home: Path) -> None:
    songs_in(home, 2)
    app = app_of(home, [])
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
    app = app_of(home, [])
    app.state.screen = JUKEBOX
    for _ in range(5):
        app.draw()
    assert len(frames(app)) == 1


def test_the_players_place_is_kept_while_it_plays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.tui.controllers.playback._SAVE_INTERVAL", 0.0)
    songs_in(home, 2)
    app = app_of(home, ["2", "", "", "x"])
    app.run()
    found = load_session(paths.SESSION)
    assert found.position == 65.0
    assert len(found.order) == 2
