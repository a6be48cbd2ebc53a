"""Instruments: in tune, without clicks and aliases, responsive to velocity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scripts.arranger.events import NoteEvent
from scripts.core import paths
from scripts.core.audio_format import RATE
from scripts.core.errors import UsageError
from scripts.synth.additive import interpolate_at, row_times, sum_partials
from scripts.synth.bank import NoteBank, velocity_to_amplitude
from scripts.synth.ensemble import LOOP_LENGTH
from scripts.synth.instruments import (
    Ensemble,
    Fm,
    Partials,
    Recorded,
    Texture,
    load_instruments,
)
from scripts.synth.loudness import block_powers
from scripts.synth.stroke import NoteParams
from scripts.synth.voices import render_held_note

INSTRUMENTS = load_instruments(paths.DATA / "instruments")
PITCHED = sorted(
    n for n, i in INSTRUMENTS.items() if not (i.is_kit or isinstance(i.voice, Texture))
)
KITS = sorted(n for n, i in INSTRUMENTS.items() if i.is_kit)
KIT_KEYS = (
    35,
    36,
    37,
    38,
    39,
    40,
    41,
    42,
    44,
    45,
    46,
    47,
    48,
    49,
    50,
    51,
    53,
    54,
    55,
    56,
    57,
    60,
    61,
    62,
    63,
    64,
    65,
    70,
    73,
    75,
    76,
    77,
    81,
    85,
    86,
    87,
)


def deviation_in_cents(sound: np.ndarray, expected: float, window: np.ndarray) -> float:
    """Deviation of the fundamental from `expected` in cents, by the centroid of the power."""
    part = sound[:, RATE // 20 : RATE // 20 + len(window)]
    power = (np.abs(np.fft.rfft(part * window[: part.shape[1]], RATE * 32)) ** 2).sum(axis=0)
    low, high = int(expected * 0.965 * 32), int(expected * 1.035 * 32)
    near = power[low:high]
    near[near < near.max() * 1e-3] = 0
    centroid = (np.arange(low, high) * near).sum() / near.sum() / 32
    return float(1200 * np.log2(centroid / expected))


@pytest.mark.parametrize("name", PITCHED)
def test_a_synthesized_instrument_is_in_tune_within_a_cent_and_a_recorded_one_within_ten(
    name: str,
) -> None:
    instrument = INSTRUMENTS[name]
    tolerance = 10.0 if isinstance(instrument.voice, Recorded) else 1.0
    written = 440 * 2 ** ((instrument.middle - 69) / 12 + instrument.octave)
    for frequency in (max(written / 2, 41.2), written, written * 1.498):
        sound = render_held_note(instrument, NoteParams(frequency, 0.7, 6.0, 0.5, 1))
        # An ensemble loops: one loop is exact and needs no window.
        window = (
            np.ones(LOOP_LENGTH)
            if isinstance(instrument.voice, Ensemble)
            else np.hanning(sound.shape[1] - RATE // 20)
        )
        assert abs(deviation_in_cents(sound, frequency, window)) < tolerance, frequency


@pytest.mark.parametrize("name", PITCHED)
def test_a_note_begins_and_ends_without_a_click(name: str) -> None:
    bank = NoteBank(INSTRUMENTS, 120, 440)
    event = NoteEvent(0, 24, INSTRUMENTS[name].middle, 0.9)
    sound = bank.render_note(name, event, 0.5, 0)
    assert np.isfinite(sound).all()
    loudest = np.abs(sound).max()
    assert np.abs(sound[:, 0]).max() < 0.02 * loudest
    assert np.abs(sound[:, -1]).max() < 0.002 * loudest
    # No jump at the release: no step is larger than the steps before it.
    steps = np.abs(np.diff(sound, n=2, axis=1))
    release = round(0.5 * RATE)
    around = steps[:, release - 20 : release + 20]
    if around.size:
        assert around.max() <= 1.2 * max(float(steps[:, 400 : release - 40].max()), 1e-4 * loudest)


@pytest.mark.parametrize("name", [name for name in PITCHED if name != "bagpipes"])
def test_velocity_changes_timbre_as_well_as_level(name: str) -> None:
    def brightness(velocity: float) -> float:
        sound = render_held_note(
            INSTRUMENTS[name],
            NoteParams(440 * 2 ** ((INSTRUMENTS[name].middle - 69) / 12), velocity, 0.6, 0.5, 1),
        )
        power = np.abs(np.fft.rfft(sound.sum(axis=0))) ** 2
        return float((power * np.arange(len(power))).sum() / power.sum())

    assert brightness(1.0) > 1.001 * brightness(0.2)
    assert velocity_to_amplitude(1.0) == 1.0
    assert velocity_to_amplitude(0.2) < 0.2


@pytest.mark.parametrize(
    "name", [n for n in PITCHED if isinstance(INSTRUMENTS[n].voice, Partials | Ensemble | Fm)]
)
def test_a_high_note_has_no_aliases_between_its_harmonics(name: str) -> None:
    """Aliases fall between the harmonics. The breath noise of the note is switched off."""
    instrument = replace(INSTRUMENTS[name], breath=(0.0, 500.0, 5000.0, 0.05, 0.0), octave=0)
    voice = instrument.voice
    if isinstance(voice, Partials):
        instrument = replace(
            instrument,
            voice=replace(
                voice,
                unison=(0.0,),
                vibrato=(0.0, 5.0, 0.3),
                glide=(0.0, 0.05),
                stretch=0.0,
                wobble=0.0,
            ),
        )
    frequency = 1318.5
    sound = render_held_note(instrument, NoteParams(frequency, 1.0, 1.2, 0.5, 1)).sum(axis=0)
    sound = sound[4096 : 4096 + 32768]
    level = 20 * np.log10(np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) + 1e-9)
    level -= level.max()
    f = np.fft.rfftfreq(len(sound), 1 / RATE)
    ratios = np.array(getattr(voice, "ratios", ()) or [1.0])
    if len(ratios) > 1:
        allowed = frequency * ratios
        between = np.abs(f[:, None] - allowed).min(axis=1) > 60
    else:
        between = np.abs(f - np.round(f / frequency) * frequency) > np.maximum(110, 0.045 * f)
    between &= (f > 200) & (f < 18_000)
    assert level[between].max() < -52


@pytest.mark.parametrize("kit", KITS)
def test_every_drum_of_a_kit_starts_at_once_and_decays(kit: str) -> None:
    for key in KIT_KEYS:
        sound = render_held_note(INSTRUMENTS[kit], NoteParams(0, 0.9, 1, 0.5, 3, key))
        assert sound.shape[0] == 2
        assert np.isfinite(sound).all()
        assert 0.02 < np.abs(sound).max() < 3
        energy = np.cumsum(sound.astype(float).sum(axis=0) ** 2)
        assert energy[len(energy) // 2] > 0.7 * energy[-1], key
        assert np.abs(sound[:, -1]).max() < 1e-3


def test_strokes_of_a_drum_differ() -> None:
    bank = NoteBank(INSTRUMENTS, 120, 440)
    one, two = (
        bank.render_note("acoustic kit", NoteEvent(0, 6, 38, 0.8), 0.1, turn) for turn in (0, 1)
    )
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("name", PITCHED + KITS)
def test_instruments_are_equally_loud(name: str) -> None:
    bank = NoteBank(INSTRUMENTS, 120, 440)
    key = 38 if INSTRUMENTS[name].is_kit else INSTRUMENTS[name].middle
    is_ensemble = isinstance(INSTRUMENTS[name].voice, Ensemble)
    sound = bank.render_note(name, NoteEvent(0, 24, key, 1.0), 6.0 if is_ensemble else 1.6, 0)
    powers = block_powers(np.repeat(sound, 3 - len(sound), axis=0)) / 2
    power = powers[10:60].mean() if is_ensemble else powers.max()
    assert -25 < 10 * np.log10(power) < -15


def test_a_long_note_lasts_its_full_length() -> None:
    bank = NoteBank(INSTRUMENTS, 120, 440)
    for name in ("warm pad", "sub bass", "organ", "rain"):
        sound = bank.render_note(name, NoteEvent(0, 24, 60, 0.7), 40.0, 0)
        assert sound.shape[1] >= 40 * RATE
        part = sound[:, 38 * RATE : 39 * RATE]
        assert np.sqrt((part**2).mean()) > 0.1 * np.sqrt((sound**2).mean())


def test_the_bank_renders_a_key_once() -> None:
    bank = NoteBank(INSTRUMENTS, 120, 440)
    one = bank.render_note("piano", NoteEvent(0, 24, 60, 0.8), 0.5, 0)
    two = bank.render_note("piano", NoteEvent(0, 24, 60, 0.8), 0.25, 0)
    assert len(bank._cache) == 1
    n = round(0.25 * RATE)
    assert np.allclose(one[:, :n], two[:, :n])


def test_a_sum_of_partials_matches_the_formula() -> None:
    count = 5000
    f, a, p = np.array([100.0, 331.7, 4000.0]), np.array([1.0, 0.5, 0.1]), np.array([0, 0.3, 0.9])
    levels = np.tile(a, (len(row_times(count)), 1))
    t = np.arange(count) / RATE
    expected = sum(x * np.cos(2 * np.pi * (y * t + z)) for x, y, z in zip(a, f, p, strict=True))
    assert np.abs(sum_partials(f, levels, p, count) - expected).max() < 1e-4


def test_partials_above_the_limit_are_left_out() -> None:
    levels = np.ones((len(row_times(4000)), 2))
    one = sum_partials(np.array([440.0, 30_000.0]), levels, np.zeros(2), 4000)
    two = sum_partials(np.array([440.0]), levels[:, :1], np.zeros(1), 4000)
    assert np.allclose(one, two)


def test_interpolation_between_samples_is_accurate() -> None:
    sine = np.sin(2 * np.pi * 3000 * np.arange(8000) / RATE).astype(np.float32)
    read = interpolate_at(sine, np.arange(100, 7000) + 0.4)
    expected = np.sin(2 * np.pi * 3000 * (np.arange(100, 7000) + 0.4) / RATE)
    assert np.abs(read - expected).max() < 2e-3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[a]\nengine = "partials"\nwave = "sow"\n', r"my.toml, line 1: \[a\] wave must be one of"),
        ('[b]\nengine = "drums"\n[a]\nengine = "flute"\n', r"line 3: \[a\] engine must be one of"),
        ('[a]\nengine = "fm"\nrato = 2\n', r"line 1: \[a\].*rato"),
        ('[a]\nengine = "fm"\nenvelope = [1]\n', "envelope must have 4 numbers"),
        ("[a\n", "my.toml: .*line 1"),
    ],
)
def test_an_invalid_instrument_is_rejected_with_its_line(text: str, message: str, tmp_path) -> None:
    (tmp_path / "my.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        load_instruments(tmp_path)


@pytest.mark.parametrize("tonic", [0, 3, 9, 11])
def test_a_kick_drum_is_tuned_to_the_key(tonic: int) -> None:
    bank = NoteBank(INSTRUMENTS, 120, 440, tonic)
    sound = bank.render_note("808 kit", NoteEvent(0, 24, 36, 0.8), 1.0, 0)[0]
    segment = sound[RATE // 10 : RATE // 2] * np.hanning(RATE // 2 - RATE // 10)
    frequency = np.abs(np.fft.rfft(segment, 1 << 19)).argmax() * RATE / (1 << 19)
    steps = 12 * np.log2(frequency / 440) + 69 - tonic
    assert abs((steps + 6) % 12 - 6) < 0.35
