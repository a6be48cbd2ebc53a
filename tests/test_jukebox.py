"""The playlist's order and the player."""

from __future__ import annotations

import random
import time
import wave
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scripts.audio.outputs import NullOutput, Output, open_output
from scripts.jukebox.player import Player
from scripts.jukebox.playlist import Playlist
from scripts.library.songs import Song


def songs(count: int, start: int = 0) -> list[Song]:
    return [Song(Path(f"/s/{n}.mp3"), f"Song {n}", 60.0, {}) for n in range(start, start + count)]


class FakeOutput:
    """An output whose song ends when the test says so."""

    name = "fake"

    def __init__(self) -> None:
        self.log: list[str] = []
        self.ended = False
        self.bad: set[str] = set()

    def play(self, path: Path, start: float, volume: float) -> None:
        if path.name in self.bad:
            raise ValueError("cannot be decoded")
        self.log.append(path.name)
        self.ended = False

    def pause(self, paused: bool) -> None:
        self.log.append("pause" if paused else "resume")

    def set_volume(self, volume: float) -> None:
        self.log.append(f"volume {volume}")

    def position(self) -> float:
        return 1.0

    def finished(self) -> bool:
        return self.ended

    def stop(self) -> None:
        pass


def player_of(count: int, **more: object) -> tuple[Player, FakeOutput]:
    output = FakeOutput()

    def opener(name: str) -> tuple[Output, str]:
        return output, ""
    return Player(Playlist(songs(count), **more), "auto", 0.5, opener), output  # type: ignore


@given(st.integers(1, 12), st.integers(1, 40))
def test_the_loop_visits_every_song_in_turn(count: int, steps: int) -> None:
    playlist = Playlist(songs(count))
    visited = [playlist.step() for _ in range(steps)]
    assert [s.title for s in visited if s] == [f"Song {n % count}" for n in range(steps)]


@given(st.integers(1, 9), st.integers(0, 20))
def test_what_is_shown_as_next_is_what_comes(count: int, steps: int) -> None:
    playlist = Playlist(songs(count))
    for _ in range(steps):
        playlist.step()
    promised = playlist.upcoming(5)
    assert promised == [s.title for s in (playlist.step() for _ in range(5)) if s]


def test_new_songs_join_without_a_jump() -> None:
    playlist = Playlist(songs(2))
    playlist.step()
    playlist.add(songs(4))
    assert playlist.current and playlist.current.title == "Song 0"
    assert playlist.upcoming(3) == ["Song 1", "Song 2", "Song 3"]


def test_shuffled_newcomers_still_come_this_round() -> None:
    playlist = Playlist(songs(5), shuffle=random.Random(1))
    playlist.step()
    playlist.add(songs(5, 5))
    assert {s.title for s in playlist.songs[playlist.index:]} == {f"Song {n}" for n in range(10)}


def test_vanished_songs_leave_the_list() -> None:
    playlist = Playlist(songs(5))
    for _ in range(3):
        playlist.step()
    playlist.keep([s.path for s in songs(5)[1:]])
    assert playlist.current and playlist.current.title == "Song 2"
    assert playlist.upcoming(2) == ["Song 3", "Song 4"]


def test_without_loop_the_list_ends() -> None:
    playlist = Playlist(songs(2), loop=False)
    assert [bool(playlist.step()) for _ in range(3)] == [True, True, False]


def until(condition: object, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


def test_the_next_song_follows_when_one_ends() -> None:
    player, output = player_of(3)
    player.start()
    output.ended = True
    assert until(lambda: len(output.log) == 2)
    assert output.log == ["0.mp3", "1.mp3"]
    now = player.playing()
    assert now.song and now.song.title == "Song 1" and now.played == ("Song 0",)
    player.close()


def test_bad_files_are_passed_over_with_a_line() -> None:
    player, output = player_of(3)
    output.bad = {"0.mp3", "1.mp3"}
    player.start()
    assert output.log == ["2.mp3"] and "Skipped" in player.playing().notice
    player.close()


def test_a_list_of_bad_files_ends_instead_of_spinning() -> None:
    player, output = player_of(3)
    output.bad = {"0.mp3", "1.mp3", "2.mp3"}
    player.start()
    assert player.ended
    player.close()


def test_pause_holds_and_goes_on() -> None:
    player, output = player_of(1)
    player.start()
    player.toggle_pause()
    output.ended = True
    time.sleep(0.3)
    assert output.log == ["0.mp3", "pause"]
    player.toggle_pause()
    assert output.log[2] == "resume"
    player.close()


def test_silence_keeps_time(tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(44_100)
        out.writeframes(np.zeros((22_050, 2), "<i2").tobytes())
    output = NullOutput()
    output.play(path, 0.0, 1.0)
    started = time.monotonic()
    assert until(output.finished)
    assert time.monotonic() - started > 0.45
    output.play(path, 0.4, 1.0)
    output.pause(True)
    time.sleep(0.3)
    assert not output.finished() and output.position() < 0.5


def test_a_machine_without_sound_says_so() -> None:
    output, said = open_output("null")
    assert output.name == "null" and said == ""
    output, said = open_output("simpleaudio")
    assert output.name == "simpleaudio" or "." in said
