"""Chooses the equalizer curve and the gain of a song from excerpts before rendering it.

As an audio engineer would: mix a little of each section, analyze its spectrum by octave, set the
equalizer, then set the gain for the target loudness of the whole song.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scripts.arranger.events import Arrangement, NoteEvent
from scripts.core.audio_format import RATE
from scripts.synth.additive import Mono
from scripts.synth.bank import NoteBank
from scripts.synth.effects import Planar, widen
from scripts.synth.loudness import apply_k_weighting, gated_loudness, mean_block_powers
from scripts.synth.master import MasterBus
from scripts.synth.mixer import Mixer
from scripts.synth.note_scheduler import (
    add_note,
    announce_notes,
    find_sounding_notes,
    note_request,
    samples_per_tick,
)
from scripts.synth.tone import BAND_CENTERS, Equalizer, EqualizerCurve, band_powers, fit_equalizer

_LOUDNESS_OFFSET = -0.1  # LU between excerpts and whole songs, which are within a decibel of it
_MAX_WIDENING = 6.0  # dB by which the sides are raised at most
_MAX_ITERATIONS, _TOLERANCE = 4, 0.5  # iterations of the gain, tolerance in dB
_EXCERPT_SECONDS = 2.6  # seconds of an excerpt
_MAX_EXCERPTS = 7  # maximum number of excerpts
_PRE_ROLL_SECONDS = 0.4  # seconds of pre-roll, so that an excerpt does not start from silence


@dataclass(frozen=True)
class MixSettings:
    """Result of the soundcheck.

    Parameters
    ----------
    gain : float
        Factor before the master bus.
    equalizer : EqualizerCurve
        Equalizer curve of the whole song.
    sides : float
        Factor of the difference between left and right.
    """

    gain: float
    equalizer: EqualizerCurve
    sides: float


def run_soundcheck(arrangement: Arrangement, bank: NoteBank, threads: int = 1) -> MixSettings:
    """Choose the equalizer curve and gain of `arrangement` from excerpts of it.

    With several `threads` the notes of the excerpts are rendered in parallel; the result is the
    same.
    """
    announce_notes(arrangement, bank)
    sections, weights = _choose_sections(arrangement)
    excerpts = [_Excerpt.from_section(arrangement, index) for index in sections]
    if threads > 1:
        bank.prerender(
            (
                note_request(arrangement, role, event)
                for excerpt in excerpts
                for role, event, _ in excerpt.notes
            ),
            threads,
        )
    plain = [_mix_excerpt(arrangement, bank, excerpt) for excerpt in excerpts]
    power = sum(
        (w * band_powers(e) for w, e in zip(weights, plain, strict=True)),
        np.zeros(len(BAND_CENTERS)),
    )
    target = arrangement.mastering
    tone = fit_equalizer(power, target.spectrum)
    # Copies, as an equalizer reuses its buffer.
    equalized = [Equalizer(tone)(e).copy() for e in plain]
    # Widening would mix the two tones of binaural beats.
    sides = 1.0 if arrangement.binaural[0] else _fit_sides(equalized, weights, target.width)
    equalized = [widen(e, sides) for e in equalized]
    powers = [(apply_k_weighting(e) ** 2).sum(axis=0) for e in equalized]
    loudness = target.loudness + _LOUDNESS_OFFSET
    gain = 10 ** ((loudness - _excerpts_loudness(powers, weights)) / 20)
    for _ in range(_MAX_ITERATIONS):  # iterate, as compressor and limiter reduce the loudness
        mastered_powers = []
        for excerpt, power in zip(equalized, powers, strict=True):
            master = MasterBus(gain, threshold=target.threshold)
            curve = np.concatenate((master(excerpt)[1], master.flush()[1]))[: len(power)]
            mastered_powers.append(
                power * curve**2
            )  # the gain varies too slowly to affect the K-weighting
        missing = loudness - _excerpts_loudness(mastered_powers, weights)
        gain *= 10 ** (missing * 1.3 / 20)  # 1.3: part of added gain is compressed away
        if abs(missing) < _TOLERANCE:
            break
    return MixSettings(gain, tone, sides)


def _fit_sides(excerpts: list[Planar], weights: list[float], width: float) -> float:
    """Factor of the sides that brings them to `width` dB below the middle, if they are softer."""
    middle, sides = (
        sum(
            w * float(((e[0] + sign * e[1]) ** 2).mean())
            for w, e in zip(weights, excerpts, strict=True)
        )
        for sign in (1, -1)
    )
    if not sides:
        return 1.0
    missing = width - 10 * math.log10(sides / max(middle, 1e-12))
    return float(10 ** (min(max(missing, 0.0), _MAX_WIDENING) / 20))


def _excerpts_loudness(powers: list[Mono], weights: list[float]) -> float:
    """Loudness in LUFS of excerpts from their K-weighted power per sample."""
    blocks = [mean_block_powers(p) for p in powers]
    return gated_loudness(
        np.concatenate(blocks),
        np.concatenate([np.full(len(b), w / len(b)) for b, w in zip(blocks, weights, strict=True)]),
    )


def _choose_sections(arrangement: Arrangement) -> tuple[list[int], list[float]]:
    """Sections to take excerpts from, and how many bars of the song each represents."""
    kinds: dict[tuple[str, int], list[int]] = {}
    form = arrangement.form
    for i, section in enumerate(form):
        kinds.setdefault((section.name, round(section.energy * 8)), []).append(i)
    ranked = sorted(kinds.values(), key=lambda found: -sum(form[i].bars for i in found))[
        :_MAX_EXCERPTS
    ]
    return (
        [found[len(found) // 2] for found in ranked],
        [float(sum(form[i].bars for i in found)) for found in ranked],
    )


@dataclass(frozen=True)
class _Excerpt:
    """Excerpt of a few seconds from the middle of a section.

    Parameters
    ----------
    notes : tuple of (str, NoteEvent, int)
        Role, note, and offset in samples from the start of the pre-roll.
    pre_roll, count : int
        Samples of pre-roll and of the excerpt itself.
    """

    notes: tuple[tuple[str, NoteEvent, int], ...]
    pre_roll: int
    count: int

    @staticmethod
    def from_section(arrangement: Arrangement, index: int) -> _Excerpt:
        """Excerpt of section `index` of the form."""
        per_tick = samples_per_tick(arrangement)
        section = arrangement.form[index]
        length = section.bars * arrangement.bar_ticks * per_tick
        count = int(min(_EXCERPT_SECONDS * RATE, length)) // 2 * 2
        pre_roll = int(_PRE_ROLL_SECONDS * RATE) // 2 * 2
        start = (
            int(section.start * arrangement.bar_ticks * per_tick + (length - count) / 2) - pre_roll
        )
        return _Excerpt(
            tuple(
                find_sounding_notes(
                    arrangement, arrangement.section(index), start, count + pre_roll
                )
            ),
            pre_roll,
            count,
        )


def _mix_excerpt(arrangement: Arrangement, bank: NoteBank, excerpt: _Excerpt) -> Planar:
    """Mix an excerpt without equalizer and master bus."""
    count = excerpt.pre_roll + excerpt.count
    mixer = Mixer(arrangement, count, amplifiers=bank.amplifiers(arrangement.tracks))
    for role, event, at in excerpt.notes:
        add_note(arrangement, bank, mixer, role, event, at)
    return mixer.mix(count)[0][:, excerpt.pre_roll :]
