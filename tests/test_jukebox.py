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
from tests.support.waiting import wait_until

Sound = npt.NDArray[np.float32]


class Device:
    """Sound device that pulls samples when the test says so."""

    def __init__(self, name: str = "fake") -> None:
        self.name, self.connected, self.closed, self.idle = name, True, False, False
        self._read: ReadFrames | None = None
        self.unheard = 0

    def start(self, read: ReadFrames) -> None:
        self._read = read

    def pull(self, seconds: float) -> Sound:
        assert self._read
        return self._read(round(seconds * RATE))

    def set_idle(self, idle: bool) -> None:
        self.idle = idle

    def alive(self) -> bool:
        return self.connected

    def frames_buffered(self) -> int:
        return 0

    def frames_unheard(self) -> int:
        return self.unheard

    def discard_buffer(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def level(n: int) -> float:
    """Sample value of song n, which identifies the song."""
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


def audible_song(device: Device, seconds: float = 0.1) -> int:
    """Number of the song that the device plays, by its level; -1 for silence."""
    mean = float(device.pull(seconds)[-100:].mean())
    return round((mean - 0.1) / 0.05) if mean > 0.05 else -1


def test_the_next_song_follows_without_a_gap(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    player, device = player_of(Queue(songs(3)))
    player.start()
    assert title(player) == "Song 0"
    wait_until(lambda: device.pull(0.5) is not None and player._deck.has_next)
    while player.status().number == 1:
        sound = device.pull(0.4)
    assert {*np.round(sound[:, 0], 3)} <= {np.float32(0.1), np.float32(0.15)}  # no gap
    now = player.status()
    assert now.song
    assert now.song.title == "Song 1"
    assert now.played == ("Song 0",)
    assert now.upcoming[:2] == ("Song 2", "Song 0")


def test_a_seek_is_immediate_and_exact(tmp_path: Path, player_of: Callable) -> None:
    t = np.arange(20 * RATE) / RATE
    rising = np.repeat((t / 20).astype(np.float32)[:, None], 2, axis=1)  # the value is the time
    write_wav(tmp_path / "time.wav", [rising], lambda done: None)
    player, device = player_of(Queue([Song(tmp_path / "time.wav", "Time", 20.0, {})]))
    player.start()
    device.pull(1.0)
    for command, moment in (
        (lambda: player.seek(12.5), 12.5),
        (lambda: player.seek_by(-5), 8.0),
        (lambda: player.seek_by(-30), 0.0),
        (lambda: player.seek(19.0), 19.0),
    ):
        command()
        found = device.pull(0.5)[-1, 0] * 20
        assert abs(found - (moment + 0.5)) < 0.01
    player.pause(True)
    player.seek(3.0)
    assert player.status().paused
    assert abs(player.status().position - 3.0) < 0.02
    player.seek(25.0)  # past the end: the next song, which is the same one here
    assert player.status().number == 2


def test_previous_restarts_the_song_and_then_goes_back(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    player, device = player_of(Queue(songs(3)))
    player.start()
    player.next()
    device.pull(5.0)
    player.previous()
    assert title(player) == "Song 1"
    assert player.status().position < 1
    player.previous()
    assert title(player) == "Song 0"
    assert audible_song(device) == 0


def test_unplayable_files_are_skipped_with_a_notice(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(3)
    made[0].path.write_bytes(b"no sound")
    made[1].path.unlink()
    player, device = player_of(Queue(made))
    player.start()
    assert audible_song(device) == 2
    assert "Skipped Song 1" in player.status().notice
    player.previous()
    assert title(player) == "Song 2"


def test_a_queue_of_unplayable_files_ends(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(3)
    for song in made:
        song.path.write_bytes(b"no sound")
    player, device = player_of(Queue(made))
    for command in (player.start, player.next, player.previous):
        command()
        assert player.ended
        assert audible_song(device) == -1


def test_a_pause_keeps_the_position(songs: Callable[..., list[Song]], player_of: Callable) -> None:
    player, device = player_of(Queue(songs(1)))
    player.start()
    device.pull(1.0)
    player.toggle_pause()
    device.pull(5.0)
    assert abs(player.status().position - 1.0) < 0.1
    assert player.status().paused
    wait_until(lambda: device.idle)  # no samples are pulled while paused
    player.toggle_pause()
    assert not device.idle
    assert audible_song(device) == 0


def test_dropping_the_current_song_plays_the_next(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(3)
    player, device = player_of(Queue(made))
    player.start()
    device.pull(0.2)
    player.edit_queue(lambda queue: queue.drop(made[0]))
    assert title(player) == "Song 1"
    assert audible_song(device) == 1
    assert player.status().upcoming[:2] == ("Song 2", "Song 1")


def test_a_preloaded_song_is_replaced_when_the_queue_changes(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(3, 15.0)
    player, device = player_of(Queue(made))
    player.start()
    wait_until(lambda: player._deck.has_next)
    player.edit_queue(lambda queue: queue.drop(made[1]))
    assert not player._deck.has_next
    wait_until(lambda: player._deck.has_next)
    device.pull(15.2)
    assert title(player) == "Song 2"
    assert audible_song(device) == 2


def test_a_lost_device_is_reported_and_reconnected(
    songs: Callable[..., list[Song]], player_of: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.jukebox.devices._RECONNECT_INTERVAL", 0.2)
    back = Device("second")
    player, device = player_of(Queue(songs(1)), Device(), NullOutput(), back)
    player.start()
    device.pull(2.0)
    device.connected = False
    wait_until(lambda: player.status().output == "null")
    assert "gone" in player.status().notice
    assert device.closed
    wait_until(lambda: player.status().output == "second")
    assert "back" in player.status().notice
    assert player.status().position >= 2.0  # playback continued meanwhile
    assert audible_song(back) == 0


class UnresumableDevice(Device):
    """Device that cannot be resumed once it was idle."""

    def set_idle(self, idle: bool) -> None:
        if not idle and self.idle:
            raise OSError("no such device")
        self.idle = idle


def test_a_device_that_cannot_be_resumed_counts_as_lost(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    player, device = player_of(Queue(songs(2)), UnresumableDevice())
    player.start()
    device.pull(1.0)
    player.pause(True)
    device.pull(0.1)
    wait_until(lambda: device.idle)
    player.pause(False)
    assert player.status().output == "null"
    assert "gone" in player.status().notice
    assert not player.status().paused
    assert title(player) == "Song 0"


def test_playback_can_be_restarted_after_the_end(
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
    assert audible_song(device) == 0


def test_a_deleted_song_is_not_repeated_forever(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(3, 2.0)
    player, device = player_of(Queue(made, repeat="one"))
    player.start()
    wait_until(lambda: player._deck.has_next)
    player._deck.clear_next()
    made[0].path.unlink()
    device.pull(3.0)
    wait_until(lambda: title(player) == "Song 1")
    assert "Skipped Song 0" in player.status().notice


def test_a_file_without_samples_is_skipped(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(2)
    write_wav(made[0].path, [np.zeros((0, 2), np.float32)], lambda done: None)
    player, device = player_of(Queue(made))
    player.start()
    assert audible_song(device) == 1
    assert "Skipped Song 0" in player.status().notice


def test_commands_apply_to_the_song_now_playing(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    player, device = player_of(Queue(songs(4, 10.0)))
    player.start()
    wait_until(lambda: player._deck.has_next)
    device.pull(10.5)  # song 1 has started; the player has not synced yet
    player.edit_queue(lambda queue: queue.set_shuffle(True))
    assert title(player) == "Song 1"
    assert audible_song(device) == 1
    player.edit_queue(lambda queue: queue.set_shuffle(False))
    player.refresh(songs(4, 10.0))  # new objects for the same songs
    assert title(player) == "Song 1"
    assert audible_song(device) == 1


def test_a_song_that_starts_paused_is_silent(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    made = songs(1)
    player, device = player_of(Queue(made))
    player.start(made[0], 5.0, paused=True)
    assert not device.pull(0.2).any()
    player.seek(8.0)
    assert not device.pull(0.2).any()
    assert abs(player.status().position - 8.0) < 0.1
    player.start(made[0], 1.0)
    assert audible_song(device) == 0  # never played before
    assert player.status().played == ()
    player.next()
    assert player.status().played == ("Song 0",)


def test_a_new_output_continues_at_the_same_position(
    songs: Callable[..., list[Song]], player_of: Callable
) -> None:
    second = Device("second")
    player, device = player_of(Queue(songs(2)), Device(), second)
    player.start()
    device.pull(3.0)
    player.set_output("miniaudio")
    now = player.status()
    assert device.closed
    assert now.output == "second"
    assert not now.paused
    assert abs(now.position - 3.0) < 0.1
    assert audible_song(second) == 0


def test_the_loudness_of_songs_is_normalized() -> None:
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


def test_imported_songs_are_normalized_by_their_replaygain_tags(tmp_path: Path) -> None:
    from mutagen.id3 import ID3, TXXX

    path = tmp_path / "theirs.mp3"
    path.write_bytes(b"")
    for text, expected in (("-7.00 dB", 10 ** (-3 / 20)), ("+2.5", 10 ** (6 / 20)), ("loud", 1.0)):
        tags = ID3()
        tags.add(TXXX(encoding=3, desc="REPLAYGAIN_TRACK_GAIN", text=[text]))
        tags.save(path)
        with path.open("ab") as file:
            file.write(silent_mp3())
        assert abs(normalization_gain(Song(path, "Theirs", 0.0, {})) - expected) < 0.01
    assert normalization_gain(Song(tmp_path / "none.mp3", "None", 0.0, {})) == 1.0


def silent_mp3() -> bytes:
    """Silent frames of MPEG layer III, 128 kbit/s."""
    return (b"\xff\xfb\x90\x00" + bytes(413)) * 20


def test_the_null_output_keeps_time(songs: Callable[..., list[Song]], player_of: Callable) -> None:
    player, _ = player_of(Queue(songs(1)), NullOutput())
    player.start()
    time.sleep(1.0)
    assert 0.7 < player.status().position < 1.6


class FakeSimpleaudio:
    """Stand-in for simpleaudio, which plays whole buffers."""

    def __init__(self) -> None:
        self.played: list[Sound] = []

    def play_buffer(self, samples: Sound, channels: int, width: int, rate: int) -> FakeSimpleaudio:
        assert (channels, width, rate, samples.dtype) == (2, 2, RATE, np.int16)
        self.played.append(samples)
        self.is_active = True
        return self

    def is_playing(self) -> bool:
        return self.is_active

    def stop(self) -> None:
        self.is_active = False


def test_simpleaudio_gets_short_buffers_and_commands_apply_at_once(
    songs: Callable[..., list[Song]], monkeypatch: pytest.MonkeyPatch
) -> None:
    buffers = FakeSimpleaudio()
    module = types.ModuleType("simpleaudio")
    module.play_buffer = buffers.play_buffer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "simpleaudio", module)
    player = Player(Queue(songs(2, 40.0)), "simpleaudio", 1.0)
    assert player.status().output == "simpleaudio"
    player.start()
    wait_until(lambda: buffers.played and buffers.played[-1][-1].any())
    assert player.status().position < 2  # although more is buffered
    player.pause(True)
    position = player.status().position
    time.sleep(0.5)
    assert abs(player.status().position - position) < 0.1
    assert position < 2
    player.pause(False)
    count = len(buffers.played)
    player.next()
    wait_until(
        lambda: (
            len(buffers.played) > count and abs(buffers.played[-1][-1, 0] / 32767 - level(1)) < 0.01
        )
    )
    player.close()
    assert not buffers.is_active


def test_an_output_that_cannot_be_opened_gives_a_reason() -> None:
    output, notice = open_output("null")
    assert output.name == "null"
    assert notice == ""
    output, notice = open_output("simpleaudio")
    assert output.name == "simpleaudio" or "." in notice
    output.close()


def test_what_is_heard_is_later_than_what_was_delivered(
    songs: Callable[..., list[Song]], player_of: Callable[..., tuple[Player, Device]]
) -> None:
    player, device = player_of(Queue(songs(1)))
    player.start()
    device.pull(2.0)
    device.unheard = RATE // 2
    ((path, position, level),) = player.heard()
    assert path == songs(1)[0].path
    assert position == pytest.approx(1.5)
    assert level == 1
    player.seek(20.0)
    device.unheard = 0
    device.pull(0.1)
    assert player.heard()[-1][1] == pytest.approx(20.1, abs=0.01)
    player.pause(True)
    device.pull(1.0)
    device.unheard = RATE
    paused_at = player.heard()[-1][1]
    device.pull(1.0)
    assert player.heard()[-1][1] == pytest.approx(paused_at)


def test_both_songs_of_a_crossfade_are_heard(
    songs: Callable[..., list[Song]], player_of: Callable[..., tuple[Player, Device]]
) -> None:
    player, device = player_of(Queue(songs(2, seconds=4.0)), crossfade=2.0)
    player.start()
    device.pull(1.0)
    wait_until(lambda: player._deck.has_next)
    device.pull(2.0)
    (_, first, fading), (_, second, rising) = player.heard()
    assert first == pytest.approx(3.0, abs=0.05)
    assert second == pytest.approx(1.0, abs=0.05)
    assert fading == pytest.approx(0.5, abs=0.02)
    assert rising == pytest.approx(0.5, abs=0.02)
