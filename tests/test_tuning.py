"""Tunings, binaural beats and loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.arranger.arrange import arrange
from scripts.core import paths
from scripts.core.audio_format import RATE
from scripts.core.errors import UsageError
from scripts.request.spec import SongSpec
from scripts.score.sheet import LeadSheet, transpose
from scripts.score.tuning import MAX_A4, MIN_A4, SOLFEGGIO_FREQUENCIES, find_tuning
from scripts.synth.bank import NoteBank
from scripts.synth.effects import BinauralBeats
from scripts.synth.instruments import load_instruments
from scripts.synth.mixer import Mixer
from scripts.synth.note_scheduler import NoteScheduler
from scripts.synth.render import BLOCK_SIZE, PRE_ROLL, render

INSTRUMENTS = load_instruments(paths.DATA / "instruments")
Make = Callable[..., SongSpec]


def render_song(spec: SongSpec, tune: LeadSheet) -> np.ndarray:
    moved = transpose(tune, (spec.key.tonic_pc - tune.key.tonic_pc) % 12)
    return np.concatenate(list(render(arrange(spec, moved, paths.DATA), INSTRUMENTS)))


@given(st.sampled_from(SOLFEGGIO_FREQUENCIES), st.sets(st.integers(0, 11), max_size=4))
def test_a_solfeggio_frequency_is_the_pitch_of_an_allowed_note(
    hertz: int, classes: set[int]
) -> None:
    tuning = find_tuning(hertz, classes)
    assert tuning.pitch is not None
    assert not classes or tuning.pitch % 12 in classes
    assert tuning.a4 * 2 ** ((tuning.pitch - 69) / 12) == pytest.approx(hertz, abs=1e-9)
    if not classes:
        assert abs(1200 * np.log2(tuning.a4 / 440)) <= 50


@given(st.floats(allow_nan=True))
def test_any_other_number_is_a4_or_rejected(hertz: float) -> None:
    if hertz in SOLFEGGIO_FREQUENCIES:
        return
    try:
        assert find_tuning(hertz).a4 == hertz
        assert MIN_A4 <= hertz <= MAX_A4
    except UsageError:
        assert not MIN_A4 <= hertz <= MAX_A4


@pytest.mark.parametrize("hertz", SOLFEGGIO_FREQUENCIES)
def test_the_frequency_sounds_in_the_tonic_chord(hertz: int, spec: Make, tune: LeadSheet) -> None:
    found = spec("meditation", length="0.5", tuning=hertz, meter="4/4")
    assert found.tuning.pitch is not None
    assert found.tuning.pitch % 12 == found.key.tonic_pc
    sound = render_song(found, tune).sum(axis=1)
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), RATE * 60)) ** 2
    near = power[int((hertz - 2) * 60) : int((hertz + 2) * 60)]
    aside = np.r_[
        power[int((hertz - 14) * 60) : int((hertz - 9) * 60)],
        power[int((hertz + 9) * 60) : int((hertz + 14) * 60)],
    ]
    assert near.sum() / len(near) > 100 * aside.sum() / len(aside)
    centroid = (near * np.arange(len(near))).sum() / near.sum() / 60 - 2
    assert abs(1200 * np.log2((hertz + centroid) / hertz)) < 1.5


def test_a_requested_key_or_chords_stay_unchanged(spec: Make) -> None:
    found = spec("jazz", key="F# minor", tuning=528)
    assert str(found.key) == "F# minor"
    assert found.tuning.pitch is not None
    assert found.tuning.pitch % 12 in (6, 9, 1)
    with_chords = spec("jazz", chords="Dm7 G7 Cmaj7 A7", tuning=639)
    assert with_chords.tuning.pitch is not None
    assert with_chords.tuning.pitch % 12 in (2, 5, 9, 0)


def test_binaural_beats_put_a_different_tone_into_each_channel(spec: Make, tune: LeadSheet) -> None:
    sound = render_song(spec("meditation", length="0.5", binaural=6.0, meter="4/4"), tune)
    plain = render_song(spec("meditation", length="0.5", meter="4/4"), tune)
    peaks = []
    for side in (0, 1):
        ten = (sound - plain)[5 * RATE : 15 * RATE, side]
        tone = np.abs(np.fft.rfft(ten * np.hanning(len(ten))))
        peaks.append(int(np.argmax(tone[:4000])) / 10)
    assert peaks[1] - peaks[0] == pytest.approx(6.0, abs=0.11)
    assert 60 < peaks[0] < 300


def test_binaural_tones_are_continuous_across_blocks() -> None:
    whole = BinauralBeats(6, 200, 0.1, -500)(5000)
    tones = BinauralBeats(6, 200, 0.1, -500)
    assert np.allclose(whole, np.concatenate([tones(n) for n in (1, 999, 4000)], axis=1), atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"tuning": 300.0},
        {"tuning": 500.0},
        {"binaural": 50.0},
        {"binaural": -1.0},
        {"binaural": 0.1},
    ],
)
def test_values_out_of_range_are_rejected(spec: Make, options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="out of range"):
        spec("jazz", **options)


@pytest.mark.parametrize("style", ["house", "ambient", "jazz", "meditation"])
def test_a_loop_joins_its_beginning_without_a_jump(style: str, spec: Make, tune: LeadSheet) -> None:
    found = spec(style, length="0.5", loop=True, meter="4/4", binaural=5.0)
    assert found.bars * found.bar_seconds == pytest.approx(30.0, abs=1e-6)
    sound = render_song(found, tune)
    assert len(sound) == 30 * RATE
    assert {"intro", "outro"}.isdisjoint(found.form)
    # Notes that ring at the end continue at the beginning, and no step is larger at the join.
    join = np.concatenate((sound[-2000:], sound[:2000]))
    steps = np.abs(np.diff(join, n=2, axis=0)).max(axis=1)
    everywhere = np.abs(np.diff(sound, n=2, axis=0)).max()
    assert steps[1990:2010].max() < 0.8 * everywhere  # a drum may be struck there
    assert np.abs(sound[-400:]).max() > 1e-3


@pytest.mark.parametrize("style", ["house", "jazz", "ambient"])
def test_the_pre_roll_of_a_loop_equals_its_end(style: str, spec: Make, tune: LeadSheet) -> None:
    """The mixer is in the same state at the beginning as at the end, so the join is inaudible."""
    arrangement = arrange(
        spec(style, key="E minor", length="0.5", loop=True, meter="4/4"), tune, paths.DATA
    )
    mixer = Mixer(arrangement, BLOCK_SIZE, -PRE_ROLL)
    scheduler = NoteScheduler(arrangement, NoteBank(INSTRUMENTS, arrangement.tempo, 440), PRE_ROLL)
    blocks = []
    for end in range(-PRE_ROLL + BLOCK_SIZE, 30 * RATE + BLOCK_SIZE, BLOCK_SIZE):
        start = end - BLOCK_SIZE
        end = min(end, 30 * RATE)
        scheduler.schedule(mixer, end)
        blocks.append(mixer.mix(end - start)[0].copy())
    sound = np.concatenate(blocks, axis=1)
    before, last = sound[:, PRE_ROLL - 2 * RATE : PRE_ROLL], sound[:, -2 * RATE :]
    assert np.abs(last).max() > 0.01
    assert np.abs(before - last).max() < 1e-3 * np.abs(last).max()


def test_a_requested_tempo_stays_unchanged_in_a_loop(spec: Make) -> None:
    found = spec("house", length="0.5", loop=True, tempo=123.0, meter="4/4")
    assert found.tempo == 123.0
    assert abs(found.length - 30) < 1
    assert any("joins the beginning" in n for n in found.warnings)
