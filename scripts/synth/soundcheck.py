"""Sets tone and gain before the song begins, by listening to excerpts of it.

As an engineer would: play a little of each section, look at how the octaves are filled, turn the
equaliser, then set the gain for the loudness that is wanted over the whole song.
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

# LUFS, measured on excerpts; over 57 styles whole songs come out within a decibel or so of it.
LOUDNESS = -14.1
_TRIES, _NEAR = 4, 0.5
_EXCERPT = 2.6  # seconds
_MOST = 7  # excerpts
_AHEAD = 0.4  # seconds before each, so that it does not begin from nothing


@dataclass(frozen=True)
class Levels:
    """What the soundcheck found.

    Parameters
    ----------
    gain : float
        Factor in front of the master bus.
    tone : Tone
        Equaliser of the whole song.
    """

    gain: float
    tone: Tone


def soundcheck(arrangement: Arrangement, bank: Bank, threads: int = 1) -> Levels:
    """Listen to excerpts of `arrangement` and set its tone and gain."""
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
    heard = [Equaliser(tone)(e) for e in plain]  # each with an equaliser of its own
    powers = [(weighted(e) ** 2).sum(axis=0) for e in heard]
    gain = 10 ** ((LOUDNESS - _loudness(powers, weights)) / 20)
    for _ in range(_TRIES):  # the compressor and the limiter take something away
        ridden = []
        for excerpt, power in zip(heard, powers, strict=True):
            master = Master(gain)
            curve = np.concatenate((master(excerpt)[1], master.flush()[1]))[: len(power)]
            ridden.append(power * curve**2)  # it moves too slowly for the filters to notice
        missing = LOUDNESS - _loudness(ridden, weights)
        gain *= 10 ** (missing * 1.3 / 20)  # and of what is given back again
        if abs(missing) < _NEAR:
            break
    return Levels(gain, tone)


def _loudness(powers: list[Mono], weights: list[float]) -> float:
    """LUFS of excerpts of which each sample's power is known."""
    blocks = [overlapping(p) for p in powers]
    return gated(
        np.concatenate(blocks),
        np.concatenate([np.full(len(b), w / len(b)) for b, w in zip(blocks, weights, strict=True)]),
    )


def _chosen(arrangement: Arrangement) -> tuple[list[int], list[float]]:
    """Sections to listen to, and how many bars of the song each stands for."""
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
    """Some seconds from the middle of a section.

    Parameters
    ----------
    notes : tuple of (str, NoteEvent, int)
        Role, note and sample of the excerpt.
    ahead, count : int
        Samples that are played before it, and its own.
    """

    notes: tuple[tuple[str, NoteEvent, int], ...]
    ahead: int
    count: int

    @staticmethod
    def of(arrangement: Arrangement, index: int) -> _Excerpt:
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
    """An excerpt without a master bus."""
    count = excerpt.ahead + excerpt.count
    mixer = Mixer(arrangement, count)
    for role, event, at in excerpt.notes:
        strike(arrangement, bank, mixer, role, event, at)
    return mixer.mix(count)[0][:, excerpt.ahead :]
