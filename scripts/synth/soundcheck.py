"""Sets tone and gain before the song begins, by listening to excerpts of it.

As an engineer would: play a little of each section, look at how the octaves are filled, turn the
equaliser, then set the gain for the loudness that is wanted over the whole song.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scripts.arranger.events import Arrangement
from scripts.synth import RATE
from scripts.synth.bank import Bank
from scripts.synth.effects import Planar
from scripts.synth.loudness import block_powers, gated
from scripts.synth.master import Master
from scripts.synth.mixer import Mixer
from scripts.synth.score import look_ahead, samples_per_tick, strike_all
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


def soundcheck(arrangement: Arrangement, bank: Bank) -> Levels:
    """Listen to excerpts of `arrangement` and set its tone and gain."""
    look_ahead(arrangement, bank)
    sections, weights = _chosen(arrangement)
    plain = [_excerpt(arrangement, bank, section) for section in sections]
    power = sum((w * bands(e) for w, e in zip(weights, plain, strict=True)),
                np.zeros(len(BANDS)))
    tone = balanced(power)
    heard = [Equaliser(tone)(e) for e in plain]  # each with an equaliser of its own
    gain = 10 ** ((LOUDNESS - _loudness(heard, weights)) / 20)
    for _ in range(_TRIES):  # the compressor and the limiter take something away
        mastered = []
        for excerpt in heard:
            master = Master(gain)
            mastered.append(np.concatenate((master(excerpt)[0], master.flush()[0]), axis=1))
        missing = LOUDNESS - _loudness(mastered, weights)
        gain *= 10 ** (missing * 1.3 / 20)  # and of what is given back again
        if abs(missing) < _NEAR:
            break
    return Levels(gain, tone)


def _loudness(excerpts: list[Planar], weights: list[float]) -> float:
    powers = [block_powers(e) for e in excerpts]
    return gated(np.concatenate(powers), np.concatenate(
        [np.full(len(p), w / len(p)) for p, w in zip(powers, weights, strict=True)]))


def _chosen(arrangement: Arrangement) -> tuple[list[int], list[float]]:
    """Sections to listen to, and how many bars of the song each stands for."""
    kinds: dict[tuple[str, int], list[int]] = {}
    form = arrangement.form
    for i, section in enumerate(form):
        kinds.setdefault((section.name, round(section.energy * 8)), []).append(i)
    ranked = sorted(kinds.values(), key=lambda found: -sum(form[i].bars for i in found))[:_MOST]
    return ([found[len(found) // 2] for found in ranked],
            [float(sum(form[i].bars for i in found)) for found in ranked])


def _excerpt(arrangement: Arrangement, bank: Bank, index: int) -> Planar:
    """Some seconds from the middle of a section, without a master bus."""
    per_tick = samples_per_tick(arrangement)
    section = arrangement.form[index]
    length = section.bars * arrangement.bar_ticks * per_tick
    count = int(min(_EXCERPT * RATE, length)) // 2 * 2
    ahead = int(_AHEAD * RATE) // 2 * 2
    start = int(section.start * arrangement.bar_ticks * per_tick + (length - count) / 2) - ahead
    mixer = Mixer(arrangement, count + ahead)
    strike_all(arrangement, bank, mixer, arrangement.section(index), start, count + ahead)
    return mixer.mix(count + ahead)[0][:, ahead:]
