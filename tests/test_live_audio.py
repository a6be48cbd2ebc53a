"""A song is played while it is rendered, sample by sample what its MP3 is made from."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.audio import live_audio
from scripts.audio.live_audio import LiveStream, LiveWriter
from scripts.audio.streams import Stream, open_stream
from scripts.audio.wav import to_pcm16, write_wav
from scripts.core.audio_format import RATE, Stereo
from scripts.core.stages import LIVE_STAGE
from scripts.jukebox import player as player_module
from scripts.jukebox.player import Player
from scripts.jukebox.queue import Queue
from scripts.library.songs import Song
from scripts.production.recipe_json import recipe_to_json
from scripts.production.render_job import RenderJob
from scripts.production.render_song import render_song
from scripts.score.sheet import LeadSheet
from tests.test_batch import recipe
from tests.test_jukebox import Device

NOISE: Stereo = np.random.default_rng(1).uniform(-0.9, 0.9, (4 * RATE, 2)).astype(np.float32)


def as_played(sound: Stereo) -> Stereo:
    """Samples after 16-bit rounding."""
    return np.frombuffer(to_pcm16(sound), "<i2").reshape(-1, 2).astype(np.float32) / 32767


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "live" / "song.live"


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=8),
    st.lists(st.integers(1, 4000), min_size=1, max_size=12),
)
def test_what_is_written_is_read_whatever_the_sizes_of_the_blocks(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[int], reads: list[int]
) -> None:
    path = tmp_path_factory.mktemp("live") / "song.live"
    total = sum(blocks)
    writer = LiveWriter(path, total)
    at = 0
    for size in blocks:
        writer.write(NOISE[at : at + size])
        at += size
    writer.complete()
    writer.close()
    stream = LiveStream(path)
    found = [stream.read(n) for n in (*reads, total)]
    assert stream.remaining == 0
    np.testing.assert_array_equal(np.concatenate(found), as_played(NOISE[:total]))


def test_a_player_that_is_faster_than_the_renderer_waits_in_silence(path: Path) -> None:
    writer = LiveWriter(path, RATE)
    writer.write(NOISE[:1000])
    stream = LiveStream(path)
    assert (stream.ready, stream.length) == (1000, RATE)
    sound = stream.read(1500)
    assert len(sound) == 1500
    assert not sound[1000:].any()
    assert stream.position == 1000
    writer.write(NOISE[1000:2000])
    np.testing.assert_array_equal(stream.read(1000), as_played(NOISE[1000:2000]))
    writer.close()
    assert len(stream.read(1000)) == 0
    assert stream.remaining == 0


def test_a_renderer_that_died_ends_the_song(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    LiveWriter(path, RATE).write(NOISE[:1000])
    stream = LiveStream(path)
    stream.read(1000)
    assert len(stream.read(1000)) == 1000
    monkeypatch.setattr(live_audio, "_SILENT_AFTER", 0.0)
    assert len(stream.read(1000)) == 0


def test_long_songs_keep_a_bounded_part(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_audio, "MAX_LIVE_FRAMES", 1500)
    writer = LiveWriter(path, RATE)
    writer.write(NOISE[:1000])
    writer.write(NOISE[1000:2000])
    writer.complete()
    writer.close()
    assert LiveStream(path).ready == 1500


@pytest.mark.skipif(os.name == "nt", reason="there is no full device")
def test_a_full_disk_ends_the_live_audio_and_not_the_song(path: Path) -> None:
    writer = LiveWriter(path, RATE)
    assert writer.write(NOISE[:1000])
    assert writer._file
    writer._file.close()
    writer._file = Path("/dev/full").open("wb")  # noqa: SIM115
    assert not writer.write(NOISE[:5000])
    assert not writer.write(NOISE[:5000])
    writer.complete()
    writer.close()
    unwritable = path / "is a file" / "song.live"
    assert not LiveWriter(unwritable, RATE).write(NOISE[:1000])


@given(st.binary(max_size=64))
def test_other_files_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("live") / "song.live"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="not a live audio file"):
        LiveStream(path)


def live_song(path: Path, title: str = "Live") -> Song:
    return Song(path, title, 4.0, {"loudness": -14.0})


@pytest.fixture
def playing(path: Path, request: pytest.FixtureRequest) -> tuple[Player, Device, LiveWriter]:
    """A player that has begun with a song of which the first second is rendered."""
    writer = LiveWriter(path, 4 * RATE)
    writer.write(NOISE[:RATE])
    device = Device()
    player = Player(Queue([]), "auto", 1.0, opener=lambda name: (device, ""))
    request.addfinalizer(player.close)
    player.start(live_song(path))
    return player, device, writer


def test_the_sound_is_the_rendered_one_and_survives_the_end_of_rendering(
    playing: tuple[Player, Device, LiveWriter], path: Path, tmp_path: Path
) -> None:
    player, device, writer = playing
    sound = [device.pull(0.5)]
    assert player.status().ready == 1
    assert player.status().duration == 4
    writer.write(NOISE[RATE:])
    writer.complete()
    writer.close()
    finished = Song(tmp_path / "Finished.mp3", "Finished", 4.0, {})
    player.replace(path, finished)
    player.refresh([finished])
    sound.append(device.pull(3.4))
    assert player.status().song == finished
    assert player.playing_path == path
    heard = np.concatenate(sound)[1000:]  # the volume begins with a ramp
    np.testing.assert_allclose(heard, as_played(NOISE)[1000 : 1000 + len(heard)], atol=1e-6)


def test_seeking_stops_where_the_rendering_is(
    playing: tuple[Player, Device, LiveWriter],
) -> None:
    player, device, writer = playing
    device.pull(0.1)
    writer.write(NOISE[RATE : 3 * RATE])
    player.seek(3.9)
    assert player.status().position == pytest.approx(2.0)
    assert player.status().song is not None


def test_a_song_that_joined_the_queue_before_is_not_played_twice(tmp_path: Path) -> None:
    songs = [Song(tmp_path / f"{n}.mp3", str(n), 9.0, {}) for n in range(4)]
    live = live_song(tmp_path / "x.live")
    for place in range(3):
        queue = Queue(songs)
        for _ in range(place):
            queue.next()
        queue.jump_to(live)
        queue.replace(live.path, songs[3])
        assert queue.current == songs[3]
        assert len({s.path for s in queue.play_order}) == len(queue.play_order) == 4


@pytest.mark.slow
def test_the_live_audio_of_a_song_is_what_its_mp3_holds(
    tmp_path: Path, path: Path, tune: LeadSheet
) -> None:
    live: list[dict[str, object]] = []

    def report(stage: str, done: float, text: str) -> None:
        if stage == LIVE_STAGE:
            live.append(json.loads(text))

    job = RenderJob(recipe_to_json(recipe(tune)), str(tmp_path / "output"), 192, (), live=str(path))
    mp3 = Path(render_song(job, report, lambda: False))
    assert [entry["path"] for entry in live] == [str(path)]
    assert live[0]["title"] == "A Tune"
    heard, encoded = open_stream(path), Stream(mp3)
    assert abs(heard.length - encoded.length) < 2000
    ours, theirs = heard.read(heard.length), encoded.read(encoded.length)
    start, count = 5 * RATE, 2 * RATE
    errors = [
        float(np.mean((ours[start : start + count] - theirs[s : s + count]) ** 2))
        for s in range(start - 30, start + 31)
    ]
    assert int(np.argmin(errors)) == 30  # not a sample apart
    assert min(errors) < 0.02 * float(np.mean(ours[start : start + count] ** 2))


def test_seeking_forward_near_the_edge_never_goes_back(
    playing: tuple[Player, Device, LiveWriter],
) -> None:
    player, device, _ = playing
    device.pull(0.8)
    place = player.status().position
    player.seek_by(5)
    assert player.status().position >= place - 0.01


def test_a_finished_song_is_sought_in_its_own_file(
    playing: tuple[Player, Device, LiveWriter], path: Path, tmp_path: Path
) -> None:
    player, device, _ = playing
    device.pull(0.5)
    finished = tmp_path / "Finished.wav"
    write_wav(finished, [NOISE], lambda done: None)
    player.replace(path, Song(finished, "Finished", 4.0, {}))
    assert player.status().ready == math.inf
    player.seek(3.0)
    assert player.status().position == pytest.approx(3.0)
    assert player.playing_path == finished


def test_a_song_longer_than_its_live_audio_goes_on_in_its_own_file(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(live_audio, "MAX_LIVE_FRAMES", 2 * RATE)
    monkeypatch.setattr(player_module, "MAX_LIVE_FRAMES", 2 * RATE)
    writer = LiveWriter(path, 4 * RATE)
    writer.write(NOISE)
    device = Device()
    player = Player(Queue([]), "auto", 1.0, opener=lambda name: (device, ""))
    request.addfinalizer(player.close)
    player.start(live_song(path))
    device.pull(1.0)
    writer.complete()
    writer.close()
    finished = tmp_path / "Finished.wav"
    write_wav(finished, [NOISE], lambda done: None)
    player.replace(path, Song(finished, "Finished", 4.0, {}))
    sound = device.pull(2.5)[RATE // 10 :]
    start = RATE + RATE // 10
    np.testing.assert_allclose(sound, as_played(NOISE)[start : start + len(sound)], atol=1e-4)


def test_rendering_that_begins_again_does_not_disturb_the_player(path: Path) -> None:
    LiveWriter(path, RATE).write(NOISE[:2000])
    stream = LiveStream(path)
    first = stream.read(1000)
    again = LiveWriter(path, RATE)
    assert stream.ready == 2000
    again.write(NOISE[:3000])
    sound = np.concatenate((first, stream.read(2000)))
    np.testing.assert_array_equal(sound, as_played(NOISE[:3000]))


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be deleted")
def test_a_file_that_disappears_is_played_on(playing: tuple[Player, Device, LiveWriter]) -> None:
    player, device, writer = playing
    device.pull(0.2)
    path = player.playing_path
    assert path
    path.unlink()
    writer.write(NOISE[RATE:])
    assert player.status().ready == 4
    assert np.abs(device.pull(2.0)[-RATE:]).max() > 0.1
