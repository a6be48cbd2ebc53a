"""The player, with real files and a device that the test itself drives."""

from __future__ import annotations

import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from scripts.audio.outputs import NullOutput, Output, ReadFrames, open_output
from scripts.audio.wav import write_wav
from scripts.core.audio_format import RATE
from scripts.jukebox.player import Player, normalization_gain
from scripts.jukebox.queue import Queue
from scripts.library.songs import Song
from tests.support.waiting import until

Sound = npt.NDArray[np.float32]


class Device:
    """A sound device that takes samples when the test says so, and keeps them."""

    def __init__(self, name: str = "fake") -> None:
        self.name, self.there, self.closed, self.held = name, True, False, False
        self._read: ReadFrames | None = None

    def start(self, read: ReadFrames) -> None:
        self._read = read

    def take(self, seconds: float) -> Sound:
        assert self._read
        return self._read(round(seconds * RATE))

    def set_idle(self, held: bool) -> None:
        self.held = held

    def alive(self) -> bool:
        return self.there

    def frames_buffered(self) -> int:
        return 0

    def discard_buffer(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def level(n: int) -> float:
    """Of song n, so that it can be told from the others."""
    return 0.1 + 0.05 * n


@pytest.fixture
def songs(tmp_path: Path) -> Callable[..., list[Song]]:
    def make(count: int, seconds: float = 30.0) -> list[Song]:
        made = []
        for n in range(count):
            path = tmp_path / f"{n}.wav"
            write_wav(
                path, [np.full((round(seconds * RATE), 2), level(n), np.float32)], lambda done: None
            )
            made.append(Song(path, f"Song {n}", seconds, {}))
        return made

    return make


@pytest.fixture
def player_of(request: pytest.FixtureRequest) -> Callable[..., tuple[Player, Device]]:
    def make(queue: Queue, *devices: Device, **more: float) -> tuple[Player, Device]:
        waiting = [*devices] or [Device()]
        first = waiting[0]

        def opener(name: str) -> tuple[Output, str]:
            return (waiting.pop(0) if waiting else NullOutput()), ""

        player = Player(queue, "auto", 1.0, opener=opener, **more)
        request.addfinalizer(player.close)
        return player, first

    return make


def title(player: Player) -> str:
    song = player.status().song
    return song.title if song else ""


def heard(device: Device, seconds: float = 0.1) -> int:
    """Which song comes out of the device, by its level; -1 for silence."""
    mean = float(device.take(seconds)[-100:].mean())
    return round((mean - 0.1) / 0.05) if mean > 0.05 else -1


def test_the_next_song_follows_when_one_is_over(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    player, device = player_of(Queue(songs(3)))
    player.start()
    assert title(player) == "Song 0"
    until(lambda: device.take(0.5) is not None and player._deck.has_next)
    while player.status().number == 1:
        sound = device.take(0.4)
    assert {*np.round(sound[:, 0], 3)} <= {np.float32(0.1), np.float32(0.15)}  # nothing between
    now = player.status()
    assert now.song
    assert now.song.title == "Song 1"
    assert now.played == ("Song 0",)
    assert now.upcoming[:2] == ("Song 2", "Song 0")


def test_a_seek_lands_at_once_and_exactly(tmp_path: Path, player_of: Callable) -> None:
    t = np.arange(20 * RATE) / RATE
    rising = np.repeat((t / 20).astype(np.float32)[:, None], 2, axis=1)  # tells the time
    write_wav(tmp_path / "time.wav", [rising], lambda done: None)
    player, device = player_of(Queue([Song(tmp_path / "time.wav", "Time", 20.0, {})]))
    player.start()
    device.take(1.0)
    for order, moment in (
        (lambda: player.seek(12.5), 12.5),
        (lambda: player.seek_by(-5), 8.0),
        (lambda: player.seek_by(-30), 0.0),
        (lambda: player.seek(19.0), 19.0),
    ):
        order()
        found = device.take(0.5)[-1, 0] * 20
        assert abs(found - (moment + 0.5)) < 0.01
    player.pause(True)
    player.seek(3.0)
    assert player.status().paused
    assert abs(player.status().position - 3.0) < 0.02
    player.seek(25.0)  # past the end: the next song, which is the same one here
    assert player.status().number == 2


def test_previous_begins_again_and_then_goes_back(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    player, device = player_of(Queue(songs(3)))
    player.start()
    player.next()
    device.take(5.0)
    player.previous()
    assert title(player) == "Song 1"
    assert player.status().position < 1
    player.previous()
    assert title(player) == "Song 0"
    assert heard(device) == 0


def test_bad_files_are_passed_over_with_a_line(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(3)
    made[0].path.write_bytes(b"no sound")
    made[1].path.unlink()
    player, device = player_of(Queue(made))
    player.start()
    assert heard(device) == 2
    assert "Skipped Song 1" in player.status().notice
    player.previous()
    assert title(player) == "Song 2"


def test_a_list_of_bad_files_ends_instead_of_spinning(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(3)
    for song in made:
        song.path.write_bytes(b"no sound")
    player, device = player_of(Queue(made))
    for order in (player.start, player.next, player.previous):
        order()
        assert player.ended
        assert heard(device) == -1


def test_a_pause_holds_the_song(songs: Callable[..., list[Song]], player_of: Callable) -> None:
    player, device = player_of(Queue(songs(1)))
    player.start()
    device.take(1.0)
    player.toggle_pause()
    device.take(5.0)
    assert abs(player.status().position - 1.0) < 0.1
    assert player.status().paused
    until(lambda: device.held)  # it costs nothing then
    player.toggle_pause()
    assert not device.held
    assert heard(device) == 0


def test_dropping_the_song_that_plays_goes_on(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(3)
    player, device = player_of(Queue(made))
    player.start()
    device.take(0.2)
    player.edit_queue(lambda queue: queue.drop(made[0]))
    assert title(player) == "Song 1"
    assert heard(device) == 1
    assert player.status().upcoming[:2] == ("Song 2", "Song 1")


def test_the_song_laid_ready_gives_way_when_the_order_changes(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(3, 15.0)
    player, device = player_of(Queue(made))
    player.start()
    until(lambda: player._deck.has_next)
    player.edit_queue(lambda queue: queue.drop(made[1]))
    assert not player._deck.has_next
    until(lambda: player._deck.has_next)
    device.take(15.2)
    assert title(player) == "Song 2"
    assert heard(device) == 2


def test_a_lost_device_is_told_once_and_taken_up_again(
    songs: Callable[..., list[Song]], player_of: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.jukebox.player._RECONNECT_INTERVAL", 0.2)
    back = Device("second")
    player, device = player_of(Queue(songs(1)), Device(), NullOutput(), back)
    player.start()
    device.take(2.0)
    device.there = False
    until(lambda: player.status().output == "null")
    assert "gone" in player.status().notice
    assert device.closed
    until(lambda: player.status().output == "second")
    assert "back" in player.status().notice
    assert player.status().position >= 2.0  # it went on meanwhile
    assert heard(back) == 0


class Stubborn(Device):
    """A device that plays until it has rested."""

    def set_idle(self, held: bool) -> None:
        if not held and self.held:
            raise OSError("no such device")
        self.held = held


def test_a_device_that_will_not_start_again_is_lost(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    player, device = player_of(Queue(songs(2)), Stubborn())
    player.start()
    device.take(1.0)
    player.pause(True)
    device.take(0.1)
    until(lambda: device.held)
    player.pause(False)
    assert player.status().output == "null"
    assert "gone" in player.status().notice
    assert not player.status().paused
    assert title(player) == "Song 0"


def test_after_the_end_it_can_be_started_again(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    player, device = player_of(Queue(songs(2), repeat="off"))
    player.start()
    player.next()
    player.next()
    assert player.ended
    assert title(player) == ""
    assert player.status().played == ("Song 0", "Song 1")
    player.refresh(songs(2))
    player.start()
    assert title(player) == "Song 0"
    assert heard(device) == 0


def test_one_song_that_vanishes_is_not_repeated_for_ever(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(3, 2.0)
    player, device = player_of(Queue(made, repeat="one"))
    player.start()
    until(lambda: player._deck.has_next)
    player._deck.forget_next()
    made[0].path.unlink()
    device.take(3.0)
    until(lambda: title(player) == "Song 1")
    assert "Skipped Song 0" in player.status().notice


def test_a_file_without_a_sound_in_it_is_passed_over(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(2)
    write_wav(made[0].path, [np.zeros((0, 2), np.float32)], lambda done: None)
    player, device = player_of(Queue(made))
    player.start()
    assert heard(device) == 1
    assert "Skipped Song 0" in player.status().notice


def test_an_order_after_a_join_means_the_song_that_is_heard(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    player, device = player_of(Queue(songs(4, 10.0)))
    player.start()
    until(lambda: player._deck.has_next)
    device.take(10.5)  # song 1 has begun by itself, and nobody has looked yet
    player.edit_queue(lambda queue: queue.set_shuffle(True))
    assert title(player) == "Song 1"
    assert heard(device) == 1
    player.edit_queue(lambda queue: queue.set_shuffle(False))
    player.refresh(songs(4, 10.0))  # other objects for the same songs
    assert title(player) == "Song 1"
    assert heard(device) == 1


def test_what_is_held_ready_makes_no_sound(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(1)
    player, device = player_of(Queue(made))
    player.start(made[0], 5.0, paused=True)
    assert not device.take(0.2).any()
    player.seek(8.0)
    assert not device.take(0.2).any()
    assert abs(player.status().position - 8.0) < 0.1
    player.start(made[0], 1.0)
    assert heard(device) == 0  # nobody had heard it
    assert player.status().played == ()
    player.next()
    assert player.status().played == ("Song 0",)


def test_another_output_goes_on_where_the_first_was(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    second = Device("second")
    player, device = player_of(Queue(songs(2)), Device(), second)
    player.start()
    device.take(3.0)
    player.set_output("miniaudio")
    now = player.status()
    assert device.closed
    assert now.output == "second"
    assert not now.paused
    assert abs(now.position - 3.0) < 0.1
    assert heard(second) == 0


def test_songs_are_brought_to_one_level() -> None:
    def song(**details: object) -> Song:
        return Song(Path("a.mp3"), "A", 1.0, details)

    assert (
        normalization_gain(song())
        == normalization_gain(song(loudness="loud"))
        == normalization_gain(song(loudness=3))
        == 1.0
    )
    assert normalization_gain(song(loudness=-14.0)) == 1.0
    assert abs(normalization_gain(song(loudness=-8.0)) - 0.501) < 1e-3
    assert abs(normalization_gain(song(loudness=-40.0)) - 1.995) < 1e-3


def test_the_loudness_of_other_peoples_songs_is_taken_from_their_tags(tmp_path: Path) -> None:
    from mutagen.id3 import ID3, TXXX

    path = tmp_path / "theirs.mp3"
    path.write_bytes(b"")
    for text, wanted in (("-7.00 dB", 10 ** (-3 / 20)), ("+2.5", 10 ** (6 / 20)), ("loud", 1.0)):
        tags = ID3()
        tags.add(TXXX(encoding=3, desc="REPLAYGAIN_TRACK_GAIN", text=[text]))
        tags.save(path)
        with path.open("ab") as file:
            file.write(silent_mp3())
        assert abs(normalization_gain(Song(path, "Theirs", 0.0, {})) - wanted) < 0.01
    assert normalization_gain(Song(tmp_path / "none.mp3", "None", 0.0, {})) == 1.0


def silent_mp3() -> bytes:
    """Some frames of layer III, 128 kbit/s, in which nothing is heard."""
    return (b"\xff\xfb\x90\x00" + bytes(413)) * 20


def test_silence_keeps_time(songs: Callable[..., list[Song]], player_of: Callable) -> None:
    player, _ = player_of(Queue(songs(1)), NullOutput())
    player.start()
    time.sleep(1.0)
    assert 0.7 < player.status().position < 1.6


class Buffers:
    """simpleaudio as far as it is used: plays whole buffers."""

    def __init__(self) -> None:
        self.played: list[Sound] = []

    def play_buffer(self, samples: Sound, channels: int, width: int, rate: int) -> Buffers:
        assert (channels, width, rate, samples.dtype) == (2, 2, RATE, np.int16)
        self.played.append(samples)
        self.going = True
        return self

    def is_playing(self) -> bool:
        return self.going

    def stop(self) -> None:
        self.going = False


def test_simpleaudio_gets_pieces_and_hears_an_order_at_once(
    songs: Callable[..., list[Song]], monkeypatch: pytest.MonkeyPatch
) -> None:
    buffers = Buffers()
    module = types.ModuleType("simpleaudio")
    module.play_buffer = buffers.play_buffer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "simpleaudio", module)
    player = Player(Queue(songs(2, 40.0)), "simpleaudio", 1.0)
    assert player.status().output == "simpleaudio"
    player.start()
    until(lambda: buffers.played and buffers.played[-1][-1].any())
    assert player.status().position < 2  # though more has been given away
    player.pause(True)
    place = player.status().position
    time.sleep(0.5)
    assert abs(player.status().position - place) < 0.1
    assert place < 2
    player.pause(False)
    count = len(buffers.played)
    player.next()
    until(
        lambda: (
            len(buffers.played) > count and abs(buffers.played[-1][-1, 0] / 32767 - level(1)) < 0.01
        )
    )
    player.close()
    assert not buffers.going


def test_a_machine_without_sound_says_so() -> None:
    output, said = open_output("null")
    assert output.name == "null"
    assert said == ""
    output, said = open_output("simpleaudio")
    assert output.name == "simpleaudio" or "." in said
    output.close()
