"""The mixer, its effects, the master bus and the loudness meter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from scipy.signal import butter, resample_poly, sosfilt

from scripts.arranger.arrange import SongArrangement, arrange
from scripts.core import paths
from scripts.core.audio_format import RATE
from scripts.request.spec import SongSpec
from scripts.score.sheet import LeadSheet
from scripts.styles.mastering import POPULAR_SPECTRUM
from scripts.styles.style import TrackStyle
from scripts.synth.channel import Channel
from scripts.synth.effects import Delay, Reverb
from scripts.synth.instruments import load_instruments
from scripts.synth.loudness import LoudnessMeter, integrated_loudness, true_peaks
from scripts.synth.master import MasterBus
from scripts.synth.render import render, render_stems
from scripts.synth.tone import (
    BAND_CENTERS,
    OCTAVE_CENTERS,
    Equalizer,
    EqualizerCurve,
    fit_equalizer,
)

INSTRUMENTS = load_instruments(paths.DATA / "instruments")
Song = Callable[..., SongArrangement]


@pytest.fixture
def song(spec: Callable[..., SongSpec], tune: LeadSheet) -> Song:
    def make(style: str, length: str = "0.4", **more: object) -> SongArrangement:
        return arrange(spec(style, key="E minor", length=length, **more), tune, paths.DATA)

    return make


def join_blocks(blocks: Iterator[np.ndarray]) -> np.ndarray:
    return np.concatenate(list(blocks))


def noise(seconds: float, level: float = 0.2) -> np.ndarray:
    return (level * np.random.default_rng(4).standard_normal((2, int(seconds * RATE)))).astype(
        np.float32
    )


@pytest.mark.parametrize("style", ["Chill, Dubstep", "jazz", "classical", "ambient", "rock"])
def test_a_song_has_the_requested_length_and_is_mastered(song: Song, style: str) -> None:
    arrangement = song(style)
    sound = join_blocks(render(arrangement, INSTRUMENTS))
    assert sound.shape == (24 * RATE, 2)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert np.abs(sound[-4:]).max() < 1e-3
    loudness = integrated_loudness(np.ascontiguousarray(sound.T))
    assert loudness == pytest.approx(arrangement.mastering.loudness, abs=2)
    assert np.abs(resample_poly(sound, 4, 1, axis=0)).max() < 10 ** (-1 / 20)
    assert np.abs(sound.mean(axis=0)).max() < 2e-3  # no DC


def test_the_bass_is_centered(song: Song) -> None:
    sound = join_blocks(render(song("house"), INSTRUMENTS))
    low = sosfilt(butter(4, 110, "lowpass", fs=RATE, output="sos"), sound, axis=0)
    side, middle = low[:, 0] - low[:, 1], low[:, 0] + low[:, 1]
    assert np.sqrt((side**2).mean()) < 0.15 * np.sqrt((middle**2).mean())


def test_rendering_is_reproducible_to_the_byte(song: Song) -> None:
    one, two = (join_blocks(render(song("house", "0.3"), INSTRUMENTS)).tobytes() for _ in range(2))
    assert one == two


def test_stems_add_up_to_the_mix(song: Song) -> None:
    arrangement = song("house", "0.3")
    blocks = list(render_stems(arrangement, INSTRUMENTS))
    mix = np.concatenate([b.mix for b in blocks])
    stems = {r: np.concatenate([b.stems[r] for b in blocks]) for r in arrangement.tracks}
    assert {s.shape for s in stems.values()} == {mix.shape}
    assert np.abs(sum(stems.values()) - mix).max() < 2e-4
    assert all(np.abs(stems[r]).max() > 1e-3 for r in ("melody", "chords", "bass", "drums"))


def test_the_tuning_changes_the_rendered_audio(song: Song) -> None:
    low, high = (
        join_blocks(render(song("ambient", "0.3", tuning=t), INSTRUMENTS)) for t in (432.0, 440.0)
    )
    assert not np.allclose(low, high)


def test_the_reverb_does_not_depend_on_the_block_size() -> None:
    sound = noise(1.0)[0]
    expected, room = Reverb()(sound), Reverb()
    pieces = np.concatenate(
        [room(sound[i : i + 9000]).copy() for i in range(0, len(sound), 9000)], axis=1
    )
    assert np.allclose(expected, pieces, atol=1e-4)


def test_the_reverb_starts_late_and_decays_in_its_time() -> None:
    click = np.zeros(4 * RATE, np.float32)
    click[0] = 1
    wet = Reverb(1.5)(click)
    power = (wet**2).sum(axis=0)
    assert power[: RATE // 250].sum() < 1e-6 * power.sum()
    late = np.cumsum(power[::-1])[::-1]
    decay = [int(np.argmax(late < 10 ** (-d / 10) * late[0])) / RATE for d in (5, 35)]
    assert 0.9 < (decay[1] - decay[0]) * 2 < 1.8


def test_echoes_follow_at_the_delay_time_on_alternating_sides() -> None:
    click = np.zeros(RATE, np.float32)
    click[0] = 1
    wet = Delay(0.25)(click)
    assert np.flatnonzero(wet[0])[0] == RATE // 4
    assert np.flatnonzero(wet[1])[0] == 2 * (RATE // 4)


def master_in_blocks(
    sound: np.ndarray, size: int, gain: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    master = MasterBus(gain)
    parts = [master(sound[:, i : i + size]) for i in range(0, sound.shape[1], size)]
    parts.append(master.flush())
    out, curve = (np.concatenate(p, axis=-1) for p in zip(*parts, strict=True))
    return out[:, : sound.shape[1]], curve[: sound.shape[1]]


def test_the_master_bus_does_not_change_quiet_audio() -> None:
    sound = noise(0.5, 0.02)
    assert np.allclose(master_in_blocks(sound, 8000)[0], sound, atol=1e-5)


@pytest.mark.parametrize("size", [300, 5000, 65_536])
def test_the_master_bus_does_not_depend_on_the_block_size(size: int) -> None:
    sound = noise(1.0, 0.5)
    one, two = master_in_blocks(sound, 1 << 20)[0], master_in_blocks(sound, size)[0]
    assert one.shape == sound.shape
    assert np.allclose(one, two, atol=1e-5)


def test_no_true_peak_passes_the_limiter() -> None:
    t = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * RATE / 4 * t + np.pi / 4)  # peaks lie between the samples
    burst = np.where((t > 0.3) & (t < 0.31), 4.0, 0.2)
    for sound in (
        np.stack((tone, tone)).astype(np.float32) * burst.astype(np.float32),
        sosfilt(butter(6, 15_000, fs=RATE, output="sos"), noise(1.0, 2.0)).astype(np.float32),
    ):
        out, _ = master_in_blocks(sound, 7000)
        assert np.abs(resample_poly(out, 8, 1, axis=1)).max() < 10 ** (-1 / 20)


def test_the_gain_curve_is_the_gain_that_was_applied() -> None:
    sound = noise(0.6, 0.6)
    out, curve = master_in_blocks(sound, 4000, 1.7)
    assert np.allclose(sound * curve, out, atol=1e-5)


def test_the_true_peak_meter_finds_peaks_between_samples() -> None:
    t = np.arange(512)
    sine = np.sin(2 * np.pi * t / 4 + np.pi / 4).astype(np.float32)
    assert np.abs(sine).max() < 0.71
    peaks = true_peaks(np.stack((sine, sine)), 64)
    assert 0.9 < peaks.max() < 1.1


def test_loudness_follows_bs_1770() -> None:
    """A sine of 997 Hz at full scale in one channel is -3.01 LUFS (BS.1770-4)."""
    t = np.arange(5 * RATE) / RATE
    sound = np.zeros((2, len(t)), np.float32)
    sound[0] = np.sin(2 * np.pi * 997 * t)
    assert abs(integrated_loudness(sound) + 3.01) < 0.02
    # Silence does not count.
    assert abs(integrated_loudness(np.concatenate((sound, 0 * sound), axis=1)) + 3.01) < 0.2


def test_loudness_can_be_measured_block_by_block() -> None:
    rng = np.random.default_rng(3)
    sound = (0.2 * rng.standard_normal((2, 20 * RATE))).astype(np.float32)
    sound[:, : 5 * RATE] *= 0.1
    meter = LoudnessMeter()
    for at in range(0, sound.shape[1], 131_071):
        meter.add(sound[:, at : at + 131_071])
    assert abs(meter.loudness() - integrated_loudness(sound)) < 0.05
    assert LoudnessMeter().loudness() == -70.0


def test_a_kick_ducks_a_channel() -> None:
    channel = Channel(TrackStyle("x", gain=0, duck=0.8), RATE)
    channel.add(0, np.ones((2, RATE), np.float32))
    channel.duck(RATE // 2)
    out = channel.read(RATE)
    assert out is not None
    assert out[0, RATE // 2 - 10] == 1
    assert out[0, RATE // 2 + 300] < 0.3
    assert out[0, -10] > 0.9


def test_audio_across_a_block_boundary_is_not_lost() -> None:
    channel = Channel(TrackStyle("x", gain=0), 1000)
    sound = np.arange(1, 5001, dtype=np.float32)[None, :]
    channel.add(300, sound)
    out = np.concatenate(
        [b for b in (channel.read(700) for _ in range(8)) if b is not None], axis=1
    )
    assert np.array_equal(out[0, 300:5300], sound[0])
    assert not out[0, 5300:].any()


def test_the_equalizer_moves_towards_the_reference_spectrum() -> None:
    each = len(BAND_CENTERS) // len(OCTAVE_CENTERS)
    power = np.repeat(10 ** (np.array(POPULAR_SPECTRUM) / 10) / each, each)
    assert fit_equalizer(power).is_flat
    dull = power.copy()
    dull[6 * each :] *= 10 ** (-10 / 10)
    tone = fit_equalizer(dull)
    assert all(g > 3 for g in tone.gains[6:9])
    assert all(g <= 0 for g in tone.gains[:5])
    deviation = (
        10 * np.log10((dull * tone.gain_at(BAND_CENTERS) ** 2).reshape(-1, each).sum(axis=1))
        - POPULAR_SPECTRUM
    )
    assert np.ptp(deviation[1:9]) < 5
    assert max(map(abs, fit_equalizer(np.array([1e9, *power[1:]])).gains)) <= 10


def test_the_equalizer_has_its_gains_at_any_block_size() -> None:
    tone = EqualizerCurve(tuple(6.0 if f == 1000 else 0.0 for f in OCTAVE_CENTERS))
    click = np.zeros((2, RATE), np.float32)
    click[:, 1500] = 1
    gain = 20 * np.log10(np.abs(np.fft.rfft(Equalizer(tone)(click)[0])))
    for hertz, expected in ((60, 0), (250, 0), (1000, 6), (8000, 0)):
        assert abs(gain[hertz] - expected) < 0.7
    sound = noise(1.0)
    filtered, pieces = Equalizer(tone)(sound), Equalizer(tone)
    parts = [pieces(sound[:, i : i + 1111]).copy() for i in range(0, RATE, 1111)]
    assert np.allclose(filtered, np.concatenate(parts, axis=1), atol=1e-4)
    flat = Equalizer(EqualizerCurve())
    assert flat(sound) is sound
