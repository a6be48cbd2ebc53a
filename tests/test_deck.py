"""Deck and streams, compared sample by sample."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.audio.deck import RAMP_FRAMES, Deck
from scripts.audio.mp3 import ffmpeg_path
from scripts.audio.mp3_frames import Mp3Frames
from scripts.audio.streams import Stream
from scripts.audio.wav import write_wav
from scripts.core.audio_format import RATE

Sound = npt.NDArray[np.float32]
Make = Callable[..., Path]


def sweep(seconds: float, start: float = 0.0) -> Sound:
    """Rising tone, so that no two moments are alike."""
    t = np.arange(round(start * RATE), round((start + seconds) * RATE)) / RATE
    tone = 0.4 * np.sin(2 * np.pi * (150 * t + 40 * t**2))
    return np.stack((tone, 0.7 * tone), axis=1).astype(np.float32)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(name: str, sound: Sound, *options: str) -> Path:
        wav = tmp_path / f"{Path(name).stem}-source.wav"
        write_wav(wav, [sound], lambda done: None)
        path = tmp_path / name
        subprocess.run(
            [ffmpeg_path(), "-v", "error", "-y", "-i", str(wav), *options, str(path)], check=True
        )
        return path

    return make


def read_all(path: Path) -> Sound:
    return Stream(path).read(60 * RATE)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("constant.mp3", ["-b:a", "192k"]),
        ("low.mp3", ["-b:a", "40k"]),
        ("variable.mp3", ["-q:a", "3"]),
        ("plain.mp3", ["-b:a", "128k", "-write_xing", "0"]),
        ("plain variable.mp3", ["-q:a", "5", "-write_xing", "0"]),
        ("a.wav", []),
        ("a.flac", []),
        ("a.ogg", ["-c:a", "libvorbis"]),
    ],
)
def test_a_stream_starts_at_the_exact_sample(make: Make, name: str, options: list[str]) -> None:
    path = make(name, sweep(8.0), *options)
    whole = read_all(path)
    assert abs(len(whole) - 8 * RATE) <= 2 * 1152
    for moment in (0.01, 0.5, 3.3333, 7.9):
        at = round(moment * RATE)
        stream = Stream(path, moment)
        assert stream.position == at
        found = stream.read(2000)
        assert np.abs(found - whole[at : at + 2000]).max() < 1e-3


@pytest.mark.parametrize(
    "options", [["-ar", "48000", "-b:a", "128k"], ["-ar", "22050", "-ac", "1", "-b:a", "32k"]]
)
def test_seeking_at_other_sample_rates_is_exact_to_a_millisecond(
    make: Make, options: list[str]
) -> None:
    path = make("other.mp3", sweep(6.0), *options)
    whole, found = read_all(path)[:, 0], Stream(path, 4.0).read(4000)[:, 0]
    at = 4 * RATE
    errors = [np.abs(whole[at + n : at + n + 4000] - found).max() for n in range(-44, 45)]
    assert min(errors) < 0.1 < max(errors)


def test_songs_follow_each_other_without_a_gap(make: Make) -> None:
    """A tone split into two files sounds like one."""
    for ending, most in ((".wav", 1e-4), (".mp3", 0.06)):
        one, two = make(f"one{ending}", sweep(2.0)), make(f"two{ending}", sweep(2.0, 2.0))
        deck = Deck(1.0)
        deck.play(Stream(one))
        deck.preload_next(Stream(two))
        output = np.concatenate([deck.read(n) for n in (5000, 441, 90_000, 70_000)])
        expected = sweep(4.0)[: len(output)]
        join = slice(2 * RATE - 2000, 2 * RATE + 2000)
        assert np.abs(output - expected)[join].max() < most
        assert deck.songs_started == 2
        assert not deck.has_next


def test_songs_fade_into_each_other_at_equal_power(make: Make) -> None:
    rng = np.random.default_rng(5)
    noises = [(0.2 * rng.standard_normal((3 * RATE, 2))).astype(np.float32) for _ in range(2)]
    one, two = (make(f"{n}.wav", noise) for n, noise in enumerate(noises))
    deck = Deck(1.0, crossfade=1.0)
    deck.play(Stream(one))
    deck.preload_next(Stream(two))
    output = np.concatenate([deck.read(4096) for _ in range(5 * RATE // 4096)])
    loud = np.sqrt((output[: len(output) // 4410 * 4410, 0].reshape(-1, 4410) ** 2).mean(axis=1))
    assert np.abs(loud[1:48] / 0.2 - 1).max() < 0.1
    while not deck.ended:
        deck.read(1000)
    assert deck.position_and_length() == (0.0, 0.0)


def click_level(sound: Sound) -> float:
    """Largest second difference of a tone of 100 Hz and amplitude 0.5; without clicks it is 1."""
    largest = np.abs(np.diff(sound[:, 0], n=2)).max()
    return float(largest / (0.5 * (2 * np.pi * 100 / RATE) ** 2))


def test_pause_volume_seeking_and_skipping_do_not_click(make: Make) -> None:
    t = np.arange(8 * RATE) / RATE
    tone = np.repeat((0.5 * np.sin(2 * np.pi * 100 * t)).astype(np.float32)[:, None], 2, axis=1)
    path = make("tone.wav", tone)
    deck = Deck(0.9)
    deck.play(Stream(path))
    blocks = [deck.read(3001)]
    for command in (
        lambda: deck.set_volume(0.2),
        lambda: deck.pause(True),
        lambda: deck.pause(False),
        lambda: deck.play(Stream(path, 3.1234)),
        lambda: deck.set_volume(1.0),
        lambda: deck.play(Stream(path)),
        deck.stop,
    ):
        command()
        blocks += [deck.read(n) for n in (RAMP_FRAMES // 3, 2000, 777)]
    sound = np.concatenate(blocks)
    assert click_level(sound) < 60  # a hard cut gives 1000 or more
    assert click_level(np.concatenate((sound[:50], 0 * sound[:50], sound[1500:1600]))) > 200
    assert not blocks[-1].any()


def test_a_pause_loses_no_samples(make: Make) -> None:
    path = make("sweep.wav", sweep(3.0))
    deck = Deck(1.0)
    deck.play(Stream(path))
    deck.read(10_000)
    deck.pause(True)
    paused = deck.read(5000)
    assert paused[:RAMP_FRAMES].any()
    assert not paused[RAMP_FRAMES:].any()
    assert not deck.read(5000).any()
    place = deck.position_and_length()[0]
    deck.pause(False)
    at = round(place * RATE)
    assert np.allclose(
        deck.read(4000)[RAMP_FRAMES:], sweep(3.0)[at + RAMP_FRAMES : at + 4000], atol=1e-4
    )


def test_a_gain_raises_the_level_of_a_quiet_song(make: Make) -> None:
    path = make("quiet.wav", 0.1 * sweep(1.0))
    deck = Deck(0.5)
    deck.play(Stream(path), gain=4.0)
    assert np.allclose(deck.read(5000)[RAMP_FRAMES:], 0.2 * sweep(1.0)[RAMP_FRAMES:5000], atol=1e-3)


def test_a_truncated_file_plays_as_far_as_it_goes(make: Make, tmp_path: Path) -> None:
    data = make("whole.mp3", sweep(4.0), "-b:a", "128k").read_bytes()
    cut = tmp_path / "cut.mp3"
    cut.write_bytes(data[: len(data) // 2])
    deck = Deck(1.0)
    deck.play(Stream(cut))
    frames = 0
    while not deck.ended:
        frames += 1000
        deck.read(1000)
    assert 1.5 * RATE < frames < 2.5 * RATE
    with pytest.raises(ValueError, match=r"cut\.mp3 cannot be decoded"):
        Stream(cut, 3.5)


def test_an_ogg_file_with_a_damaged_header_is_rejected(make: Make, tmp_path: Path) -> None:
    """The decoder would crash the whole program."""
    good = make("a.ogg", sweep(1.0), "-c:a", "libvorbis").read_bytes()
    assert Stream(tmp_path / "a.ogg").read(RATE).any()
    for at in (30, 60, 500, 2000, 3000):
        spoiled = bytearray(good)
        spoiled[at] ^= 0x55
        (tmp_path / "bad.ogg").write_bytes(bytes(spoiled))
        with pytest.raises(ValueError, match=r"bad\.ogg"):
            Stream(tmp_path / "bad.ogg")
    for data in (b"", b"OggS", good[:100], b"OggS" + bytes(400)):
        (tmp_path / "bad.ogg").write_bytes(data)
        with pytest.raises(ValueError, match=r"bad\.ogg"):
            Stream(tmp_path / "bad.ogg")


def test_a_skip_during_a_crossfade_stops_both_songs(make: Make) -> None:
    loud, silent = make("loud.wav", sweep(9.0)), make("silent.wav", 0 * sweep(9.0))
    deck = Deck(1.0, crossfade=6.0)
    deck.play(Stream(loud, 2.9))
    deck.preload_next(Stream(silent))
    deck.read(RATE)
    assert deck.songs_started == 2
    assert deck.read(RATE).any()
    deck.play(Stream(silent, 1.0))
    assert not deck.read(RATE)[2 * RAMP_FRAMES :].any()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 4000), st.integers(0, 255), st.booleans())
def test_any_file_is_read_or_rejected(data: bytes, at: int, byte: int, tagged: bool) -> None:
    global _example
    if _example is None:
        wav = subprocess.run(
            [
                ffmpeg_path(),
                "-v",
                "error",
                "-f",
                "lavfi",
                "-i",
                "sine=d=0.3",
                "-b:a",
                "48k",
                "-f",
                "mp3",
                "-",
            ],
            capture_output=True,
            check=True,
        )
        _example = wav.stdout
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.mp3"
        spoiled = bytearray(_example)
        spoiled[at % len(spoiled)] = byte
        path.write_bytes((b"ID3" if tagged else b"") + data + bytes(spoiled))
        for read in (
            lambda: Mp3Frames(path).find_seek_point(5000),
            lambda: Stream(path).read(RATE),
            lambda: Stream(path, 0.2).read(RATE),
        ):
            with contextlib.suppress(ValueError):
                read()


_example: bytes | None = None


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_a_file_of_another_rate_is_opened_at_its_moment(name: str, make: Make) -> None:
    """The rising tone tells where in the file a stream started."""
    path = make(name, sweep(4.0), "-ar", "48000")
    stream = Stream(path, 2.0)
    found = stream.read(RATE // 10)
    stream.close()
    expected = sweep(0.1, 2.0)
    error = min(
        float(np.abs(found[100 + lag : 3000 + lag] - expected[100:3000]).max())
        for lag in range(-60, 61)
    )
    assert error < 0.1
