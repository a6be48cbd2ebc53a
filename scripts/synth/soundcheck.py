"""Chooses the equalizer curve and the gain of a song from excerpts before rendering it.

As an audio engineer would: mix a little of each section, analyze its spectrum by octave, set the
equalizer, then set the gain for the target loudness of the whole song.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scripts.arranger.events import Arrangement, NoteEvent
from scripts.core.audio_format import RATE
from scripts.synth.additive import Mono
from scripts.synth.bank import Bank
from scripts.synth.effects import Planar
from scripts.synth.loudness import gated, overlapping, weighted
from scripts.synth.master import Master
from scripts.synth.mixer import Mixer
from scripts.synth.note_scheduler import (
    look_ahead,
    note_of,
    samples_per_tick,
    sounding,
    strike,
)
from scripts.synth.tone import BANDS, Equaliser, Tone, balanced, bands

# LUFS, measured on excerpts; in 57 styles, whole songs are within about a decibel of it.
LOUDNESS = -14.1
_TRIES, _NEAR = 4, 0.5  # iterations of the gain, tolerance in dB
_EXCERPT = 2.6  # seconds of an excerpt
_MOST = 7  # maximum number of excerpts
_AHEAD = 0.4  # seconds of pre-roll, so that an excerpt does not start from silence


@dataclass(frozen=True)
class Levels:
    """Result of the soundcheck.

    Parameters
    ----------
    gain : float
        Factor before the master bus.
    tone : Tone
        Equalizer curve of the whole song.
    """

    gain: float
    tone: Tone


def soundcheck(arrangement: Arrangement, bank: Bank, threads: int = 1) -> Levels:
    """Choose the equalizer curve and gain of `arrangement` from excerpts of it.

    With several `threads` the notes of the excerpts are rendered in parallel; the result is the
    same.
    """
    look_ahead(arrangement, bank)
    sections, weights = _chosen(arrangement)
    excerpts = [_Excerpt.of(arrangement, index) for index in sections]
    if threads > 1:
        bank.prepare(
            (
                note_of(arrangement, role, event)
                for excerpt in excerpts
                for role, event, _ in excerpt.notes
            ),
            threads,
        )
    plain = [_played(arrangement, bank, excerpt) for excerpt in excerpts]
    power = sum((w * bands(e) for w, e in zip(weights, plain, strict=True)), np.zeros(len(BANDS)))
    tone = balanced(power)
    heard = [Equaliser(tone)(e) for e in plain]  # a new equalizer for each: it keeps state
    powers = [(weighted(e) ** 2).sum(axis=0) for e in heard]
    gain = 10 ** ((LOUDNESS - _loudness(powers, weights)) / 20)
    for _ in range(_TRIES):  # iterate, as compressor and limiter reduce the loudness
        ridden = []
        for excerpt, power in zip(heard, powers, strict=True):
            master = Master(gain)
            curve = np.concatenate((master(excerpt)[1], master.flush()[1]))[: len(power)]
            ridden.append(power * curve**2)  # the gain varies too slowly to affect the K-weighting
        missing = LOUDNESS - _loudness(ridden, weights)
        gain *= 10 ** (missing * 1.3 / 20)  # 1.3: part of added gain is compressed away
        if abs(missing) < _NEAR:
            break
    return Levels(gain, tone)


def _loudness(powers: list[Mono], weights: list[float]) -> float:
    """Loudness in LUFS of excerpts from their K-weighted power per sample."""
    blocks = [overlapping(p) for p in powers]
    return gated(
        np.concatenate(blocks),
        np.concatenate([np.full(len(b), w / len(b)) for b, w in zip(blocks, weights, strict=True)]),
    )


def _chosen(arrangement: Arrangement) -> tuple[list[int], list[float]]:
    """Sections to take excerpts from, and how many bars of the song each represents."""
    kinds: dict[tuple[str, int], list[int]] = {}
    form = arrangement.form
    for i, section in enumerate(form):
        kinds.setdefault((section.name, round(section.energy * 8)), []).append(i)
    ranked = sorted(kinds.values(), key=lambda found: -sum(form[i].bars for i in found))[:_MOST]
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
    ahead, count : int
        Samples of pre-roll and of the excerpt itself.
    """

    notes: tuple[tuple[str, NoteEvent, int], ...]
    ahead: int
    count: int

    @staticmethod
    def of(arrangement: Arrangement, index: int) -> _Excerpt:
        """Excerpt of section `index` of the form."""
        per_tick = samples_per_tick(arrangement)
        section = arrangement.form[index]
        length = section.bars * arrangement.bar_ticks * per_tick
        count = int(min(_EXCERPT * RATE, length)) // 2 * 2
        ahead = int(_AHEAD * RATE) // 2 * 2
        start = int(section.start * arrangement.bar_ticks * per_tick + (length - count) / 2) - ahead
        return _Excerpt(
            tuple(sounding(arrangement, arrangement.section(index), start, count + ahead)),
            ahead,
            count,
        )


def _played(arrangement: Arrangement, bank: Bank, excerpt: _Excerpt) -> Planar:
    """Mix an excerpt without equalizer and master bus."""
    count = excerpt.ahead + excerpt.count
    mixer = Mixer(arrangement, count)
    for role, event, at in excerpt.notes:
        strike(arrangement, bank, mixer, role, event, at)
    return mixer.mix(count)[0][:, excerpt.ahead :]
