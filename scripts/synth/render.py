"""Renders an arrangement to blocks of stereo audio."""

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

BLOCK = (1 << 17) - TAPS  # samples, 3 s; with the equalizer's taps a power of two
LEAD = 3 * BLOCK  # samples of pre-roll before a loop; longer than any note decays
_BINAURAL = -27.0  # dBFS of the tones, before the bus compressor


@dataclass(frozen=True)
class Rendered:
    """Rendered block of a song.

    Parameters
    ----------
    mix : (n, 2) float32 array
        -1 to 1.
    stems : mapping of str to (n, 2) float32 array
        Tracks by role, which add up to the mix; empty without stems.
    """

    mix: Stereo
    stems: Mapping[str, Stereo]


def render(
    arrangement: Arrangement,
    instruments: Mapping[str, Instrument],
    soundfont: Path | None = None,
    threads: int = 1,
) -> Iterator[Stereo]:
    """Render a song to blocks that have exactly the song's length together.

    Parameters
    ----------
    arrangement : Arrangement
    instruments : mapping of str to Instrument
    soundfont : Path, optional
        SoundFont whose instruments replace the synthesized ones.
    threads : int
        More threads make the first block ready sooner; the audio is the same.

    Returns
    -------
    iterator of (n, 2) float32 array
        44,100 Hz, -1 to 1.

    Raises
    ------
    UsageError
        If a track's instrument is unknown or the SoundFont cannot be read.
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
    """Render a song to blocks of the mix and, if `stems`, of each track.

    Parameters and errors are those of :func:`render`.
    """
    for role, track in arrangement.tracks.items():
        if track.instrument not in instruments:
            raise UsageError(
                f'unknown instrument "{track.instrument}" for track {role}: '
                "add it to data/instruments or choose another"
            )
    sound = instruments, arrangement.tempo, arrangement.tuning, arrangement.tonic
    bank = SampleBank(soundfont, *sound) if soundfont else Bank(*sound)
    return _blocks(arrangement, bank, stems, threads)


def _blocks(arrangement: Arrangement, bank: Bank, stems: bool, threads: int) -> Iterator[Rendered]:
    """Yield the blocks: schedule notes, mix, equalize, and apply the master bus."""
    levels = soundcheck(arrangement, bank, threads)
    total = round(arrangement.length * RATE)
    lead = LEAD if arrangement.loop else 0  # the end of a loop is rendered before its beginning
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
    """Binaural beats at a low level; in loops, tuned to a whole number of cycles."""
    beat, carrier = arrangement.binaural
    if not beat:
        return None
    if arrangement.loop:
        low, high = (round((carrier + d * beat / 2) * arrangement.length) for d in (-1, 1))
        beat, carrier = (high - low) / arrangement.length, (high + low) / 2 / arrangement.length
    return Binaural(beat, carrier, 10 ** (_BINAURAL / 20) / gain, start)


def _closed(block: npt.NDArray[np.float32], at: int, end: int | None) -> Stereo:
    """Transpose to (n, 2) and fade out the last eighth of a second before sample `end`."""
    edge = RATE // 8
    left = edge + block.shape[1] if end is None else end - at
    if left - block.shape[1] < edge:
        block = block * np.clip((left - np.arange(block.shape[1])) / edge, 0, 1).astype(np.float32)
    return np.ascontiguousarray(block.T)
