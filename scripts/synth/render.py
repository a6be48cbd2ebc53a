"""Renders an arrangement to stereo blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from scripts.arranger.events import Arrangement
from scripts.errors import UsageError
from scripts.synth import RATE
from scripts.synth.bank import Bank
from scripts.synth.instruments import Instrument
from scripts.synth.master import Master
from scripts.synth.mixer import Mixer
from scripts.synth.score import Score
from scripts.synth.soundcheck import soundcheck

Stereo = npt.NDArray[np.float32]  # (n, 2)
BLOCK = 1 << 16  # samples, 1.5 s


@dataclass(frozen=True)
class Rendered:
    """A block of the song.

    Parameters
    ----------
    mix : (n, 2) float32 array
        -1 to 1.
    stems : dict
        The same of each track, when they were asked for; they add up to the mix.
    """

    mix: Stereo
    stems: Mapping[str, Stereo]


def render(arrangement: Arrangement, instruments: Mapping[str, Instrument]) -> Iterator[Stereo]:
    """Yield blocks of (n, 2) float32, 44,100 Hz, -1 to 1, of exactly the song's length.

    Raises
    ------
    UsageError
        When a style names an instrument that is not there.
    """
    return (block.mix for block in render_stems(arrangement, instruments, stems=False))


def render_stems(arrangement: Arrangement, instruments: Mapping[str, Instrument],
                 stems: bool = True) -> Iterator[Rendered]:
    """Yield blocks of the mix and, when asked, of each track."""
    for role, track in arrangement.tracks.items():
        if track.instrument not in instruments:
            raise UsageError(f'instrument "{track.instrument}" of {role} is not in '
                             "data/instruments; add it or choose another")
    make_bank = partial(Bank, instruments, arrangement.tempo, arrangement.tuning)
    levels = soundcheck(arrangement, make_bank)
    return _blocks(arrangement, make_bank(levels.tone), levels.gain, stems)


def _blocks(arrangement: Arrangement, bank: Bank, gain: float, stems: bool
            ) -> Iterator[Rendered]:
    total = round(arrangement.length * RATE)
    mixer = Mixer(arrangement, BLOCK, stems)
    master = Master(gain)
    score = Score(arrangement, bank)
    played = mixed = sent = 0
    waiting: dict[str, npt.NDArray[np.float32]] = {}
    while sent < total:
        if mixed < total:
            count = min(BLOCK, total - mixed)
            played = score.play(mixer, played, mixed + count)
            block, parts = mixer.mix(count)
            mixed += count
            out, curve = master(block)
            for role, part in parts.items():
                old = waiting.get(role)
                waiting[role] = part if old is None else np.concatenate((old, part), axis=1)
        else:
            out, curve = master.flush()
        out, curve = out[:, :total - sent], curve[:total - sent]
        ready: dict[str, Stereo] = {}
        for role, part in waiting.items():
            n = min(len(curve), part.shape[1])
            ready[role] = _closed(part[:, :n] * curve[:n], sent, total)
            waiting[role] = part[:, n:]
        if out.shape[1]:
            yield Rendered(_closed(out, sent, total), ready)
        sent += out.shape[1]


def _closed(block: npt.NDArray[np.float32], at: int, total: int) -> Stereo:
    """As (n, 2); the last eighth second of the song falls to silence."""
    left = total - at
    edge = RATE // 8
    if left - block.shape[1] < edge:
        block = block * np.clip((left - np.arange(block.shape[1])) / edge, 0, 1
                                ).astype(np.float32)
    return np.ascontiguousarray(block.T)
