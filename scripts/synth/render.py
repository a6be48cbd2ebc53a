"""Renders an arrangement to stereo blocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scripts.arranger.events import Arrangement
from scripts.core.audio_format import RATE, Stereo
from scripts.core.errors import UsageError
from scripts.synth.bank import Bank
from scripts.synth.effects import Binaural
from scripts.synth.instruments import Instrument
from scripts.synth.master import Master
from scripts.synth.mixer import Mixer
from scripts.synth.note_scheduler import Score
from scripts.synth.soundcheck import soundcheck
from scripts.synth.soundfont import SampleBank
from scripts.synth.tone import TAPS, Equaliser

BLOCK = (1 << 17) - TAPS  # samples, 3 s; with the equaliser's taps a quick Fourier transform
LEAD = 3 * BLOCK  # longer than anything rings
_BINAURAL = -27.0  # dBFS of the tones, before the bus compressor


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


def render(
    arrangement: Arrangement,
    instruments: Mapping[str, Instrument],
    soundfont: Path | None = None,
    threads: int = 1,
) -> Iterator[Stereo]:
    """Yield blocks of (n, 2) float32, 44,100 Hz, -1 to 1, of exactly the song's length.

    With a `soundfont` its recorded instruments play. More `threads` are quicker at the first
    block, and change nothing else.

    Raises
    ------
    UsageError
        When a style names an instrument that is not there, or the SoundFont is none.
    """
    return (
        block.mix for block in render_stems(arrangement, instruments, soundfont, False, threads)
    )


def render_stems(
    arrangement: Arrangement,
    instruments: Mapping[str, Instrument],
    soundfont: Path | None = None,
    stems: bool = True,
    threads: int = 1,
) -> Iterator[Rendered]:
    """Yield blocks of the mix and, when asked, of each track."""
    for role, track in arrangement.tracks.items():
        if track.instrument not in instruments:
            raise UsageError(
                f'instrument "{track.instrument}" of {role} is not in '
                "data/instruments; add it or choose another"
            )
    sound = instruments, arrangement.tempo, arrangement.tuning, arrangement.tonic
    bank = SampleBank(soundfont, *sound) if soundfont else Bank(*sound)
    return _blocks(arrangement, bank, stems, threads)


def _blocks(arrangement: Arrangement, bank: Bank, stems: bool, threads: int) -> Iterator[Rendered]:
    levels = soundcheck(arrangement, bank, threads)
    total = round(arrangement.length * RATE)
    lead = LEAD if arrangement.loop else 0  # the end of a loop is played before its beginning
    mixer = Mixer(arrangement, BLOCK, -lead, _tones(arrangement, levels.gain, -lead), stems)
    master = Master(levels.gain)
    equalisers: dict[str, Equaliser] = defaultdict(partial(Equaliser, levels.tone))
    score = Score(arrangement, bank, lead)
    played = mixed = sent = -lead
    waiting: dict[str, npt.NDArray[np.float32]] = {}
    while sent < total:
        if mixed < total:
            count = min(BLOCK, total - mixed)
            played = score.play(mixer, played, mixed + count)
            block, parts = mixer.mix(count)
            block = equalisers[""](block)
            parts = {role: equalisers[role](part) for role, part in parts.items()}
            mixed += count
            out, curve = master(block)
            for role, part in parts.items():
                old = waiting.get(role)
                waiting[role] = part.copy() if old is None else np.concatenate((old, part), axis=1)
        else:
            out, curve = master.flush()
        out, curve = out[:, : total - sent], curve[: total - sent]
        early = min(max(0, -sent), out.shape[1])
        closed = partial(_closed, at=sent + early, end=None if arrangement.loop else total)
        ready: dict[str, Stereo] = {}
        for role, part in waiting.items():
            n = min(len(curve), part.shape[1])
            ready[role] = closed((part[:, :n] * curve[:n])[:, early:])
            waiting[role] = part[:, n:]
        if out.shape[1] > early:
            yield Rendered(closed(out[:, early:]), ready)
        sent += out.shape[1]


def _tones(arrangement: Arrangement, gain: float, start: int) -> Binaural | None:
    """Binaural tones, so quiet that they lie under the music; whole turns fit a loop."""
    beat, carrier = arrangement.binaural
    if not beat:
        return None
    if arrangement.loop:
        low, high = (round((carrier + d * beat / 2) * arrangement.length) for d in (-1, 1))
        beat, carrier = (high - low) / arrangement.length, (high + low) / 2 / arrangement.length
    return Binaural(beat, carrier, 10 ** (_BINAURAL / 20) / gain, start)


def _closed(block: npt.NDArray[np.float32], at: int, end: int | None) -> Stereo:
    """As (n, 2); the last eighth second before sample `end` falls to silence."""
    edge = RATE // 8
    left = edge + block.shape[1] if end is None else end - at
    if left - block.shape[1] < edge:
        block = block * np.clip((left - np.arange(block.shape[1])) / edge, 0, 1).astype(np.float32)
    return np.ascontiguousarray(block.T)
