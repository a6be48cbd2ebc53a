"""Instruments in tune, effects, and the render."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from scripts import paths
from scripts.arranger.arrange import SongArrangement, arrange
from scripts.arranger.events import DRUM_KEYS
from scripts.brief import Brief
from scripts.score.sheet import LeadSheet
from scripts.synth import RATE
from scripts.synth.effects import Delay, Reverb, soft_limit
from scripts.synth.instruments import load_instruments
from scripts.synth.kit import play_drum
from scripts.synth.render import render
from scripts.synth.voices import play_note

INSTRUMENTS = load_instruments(paths.DATA / "instruments")
PITCHED = sorted(n for n, i in INSTRUMENTS.items() if i.engine != "drums")
KITS = sorted(n for n, i in INSTRUMENTS.items() if i.engine == "drums")


def fundamental(sound: np.ndarray, near: float) -> float:
    """Frequency of the peak close to `near`, by a zero-padded spectrum."""
    window = sound[:RATE * 2] * np.hanning(min(len(sound), RATE * 2))
    spectrum = np.abs(np.fft.rfft(window, RATE * 16))
    low, high = int(near * 0.95 * 16), int(near * 1.05 * 16)
    return (low + int(np.argmax(spectrum[low:high]))) / 16


@pytest.mark.parametrize("name", PITCHED)
@pytest.mark.parametrize("frequency", [110.0, 440.0])
def test_an_instrument_is_in_tune_finite_and_ends_in_silence(name: str, frequency: float) -> None:
    instrument = INSTRUMENTS[name]
    sound = play_note(instrument, frequency, 2.0, 0.8, 0.5, 1)
    assert np.isfinite(sound).all() and 0.02 < np.abs(sound).max() < 2.5
    assert np.abs(sound[-8:]).max() < 0.01
    played = frequency * 2.0 ** instrument.octave
    cents = 1200 * np.log2(fundamental(sound, played) / played)
    # Unison and vibrato spread the peak; without them a note is exact.
    assert abs(cents) < 3 + max(map(abs, instrument.unison)) + instrument.vibrato[0]


@pytest.mark.parametrize("name", ["sub bass", "acoustic guitar", "piano", "electric piano"])
def test_plain_instruments_are_in_tune_to_two_cents(name: str) -> None:
    sound = play_note(INSTRUMENTS[name], 220.0, 2.0, 0.8, 0.5, 1)
    assert abs(1200 * np.log2(fundamental(sound, 220.0) / 220.0)) < 2


@pytest.mark.parametrize("name", ["piano", "electric piano", "brass", "acoustic guitar"])
def test_velocity_changes_the_timbre_as_well_as_the_level(name: str) -> None:
    def centroid(sound: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(sound[:RATE // 2])) ** 2
        return float((spectrum * np.arange(len(spectrum))).sum() / spectrum.sum())
    soft, loud = (play_note(INSTRUMENTS[name], 220.0, 0.6, v, 0.5, 1) for v in (0.2, 1.0))
    assert np.abs(loud).max() > 1.5 * np.abs(soft).max()
    assert centroid(loud) > 1.05 * centroid(soft)


@pytest.mark.parametrize("kit", KITS)
@pytest.mark.parametrize("piece", sorted(DRUM_KEYS))
def test_a_drum_speaks_at_once_and_dies_away(kit: str, piece: str) -> None:
    sound = play_drum(INSTRUMENTS[kit], piece, 0.9, 3)
    assert np.isfinite(sound).all() and 0.02 < np.abs(sound).max() < 3
    energy = np.cumsum(sound.astype(float) ** 2)
    assert energy[len(sound) // 2] > 0.7 * energy[-1]


def song(brief: Callable[..., Brief], tune: LeadSheet, words: str, length: str,
         **more: object) -> SongArrangement:
    return arrange(brief(words, key="E minor", length=length, **more), tune, paths.DATA)


@pytest.mark.parametrize("words", ["Chill, Dubstep", "jazz", "classical", "ambient"])
def test_a_song_has_its_length_to_the_sample_and_is_never_clipped(
        brief: Callable[..., Brief], tune: LeadSheet, words: str) -> None:
    sound = np.concatenate(list(render(song(brief, tune, words, "0.4"), INSTRUMENTS)))
    assert sound.shape == (24 * RATE, 2) and sound.dtype == np.float32
    assert np.isfinite(sound).all() and 0.3 < np.abs(sound).max() < 0.9
    assert abs(float(sound.mean())) < 1e-3
    assert np.abs(sound[-4:]).max() < 1e-3
    level = 20 * np.log10(np.sqrt((sound**2).mean()))
    assert -26 < level < -10


def test_the_same_song_is_the_same_to_the_byte(brief: Callable[..., Brief],
                                               tune: LeadSheet) -> None:
    one, two = (b"".join(b.tobytes() for b in render(song(brief, tune, "house", "0.3"),
                                                     INSTRUMENTS)) for _ in range(2))
    assert one == two


def test_tuning_moves_everything(brief: Callable[..., Brief], tune: LeadSheet) -> None:
    low, high = (np.concatenate(list(render(song(brief, tune, "ambient", "0.3", tuning=t),
                                            INSTRUMENTS))) for t in (432.0, 440.0))
    assert not np.allclose(low, high)


def test_blocks_do_not_change_the_reverb() -> None:
    noise = np.random.default_rng(1).standard_normal(RATE).astype(np.float32)
    whole = Reverb()(noise)
    room = Reverb()
    pieces = np.concatenate([room(noise[i:i + 9001]) for i in range(0, RATE, 9001)])
    assert np.allclose(whole, pieces, atol=1e-4)


def test_an_echo_comes_after_its_time() -> None:
    click = np.zeros(RATE, np.float32)
    click[0] = 1
    wet = Delay(0.25)(click)
    assert np.flatnonzero(wet[:, 0])[0] == RATE // 4
    assert np.flatnonzero(wet[:, 1])[0] == 2 * (RATE // 4)


def test_the_limiter_leaves_quiet_sound_alone() -> None:
    quiet = np.full((10, 2), 0.3, np.float32)
    assert np.array_equal(soft_limit(quiet), quiet)
    assert np.abs(soft_limit(quiet * 30)).max() <= 0.89
