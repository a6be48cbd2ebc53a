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
from scripts.synth.bank import NoteBank
from scripts.synth.convolution import FIR_TAPS
from scripts.synth.effects import BinauralBeats, widen
from scripts.synth.instruments import Instrument
from scripts.synth.master import MasterBus
from scripts.synth.mixer import Mixer
from scripts.synth.note_scheduler import NoteScheduler
from scripts.synth.soundcheck import run_soundcheck
from scripts.synth.soundfont import SoundFontBank
from scripts.synth.tone import Equalizer

BLOCK_SIZE = (1 << 17) - FIR_TAPS  # samples, 3 s; with the equalizer's taps a power of two
PRE_ROLL = 3 * BLOCK_SIZE  # samples of pre-roll before a loop; longer than any note decays
_BINAURAL_LEVEL = -27.0  # dBFS of the tones, before the bus compressor


@dataclass(frozen=True)
class RenderedBlock:
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
) -> Iterator[RenderedBlock]:
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
    bank = SoundFontBank(soundfont, *sound) if soundfont else NoteBank(*sound)
    return _render_blocks(arrangement, bank, stems, threads)


def _render_blocks(
    arrangement: Arrangement, bank: NoteBank, stems: bool, threads: int
) -> Iterator[RenderedBlock]:
    """Yield the blocks: schedule notes, mix, equalize, and apply the master bus."""
    levels = run_soundcheck(arrangement, bank, threads)
    total = round(arrangement.length * RATE)
    pre_roll = (
        PRE_ROLL if arrangement.loop else 0
    )  # the end of a loop is rendered before its beginning
    mixer = Mixer(
        arrangement,
        BLOCK_SIZE,
        -pre_roll,
        _binaural_beats(arrangement, levels.gain, -pre_roll),
        stems,
        bank.amplifiers(arrangement.tracks),
    )
    master = MasterBus(levels.gain, threshold=arrangement.mastering.threshold)
    equalizers: dict[str, Equalizer] = defaultdict(partial(Equalizer, levels.equalizer))
    scheduler = NoteScheduler(arrangement, bank, pre_roll)
    mixed = sent = -pre_roll
    pending_stems: dict[str, npt.NDArray[np.float32]] = {}
    while sent < total:
        if mixed < total:
            count = min(BLOCK_SIZE, total - mixed)
            scheduler.schedule(mixer, mixed + count)
            block, parts = mixer.mix(count)
            block = widen(equalizers[""](block), levels.sides)
            parts = {
                role: widen(equalizers[role](part), levels.sides) for role, part in parts.items()
            }
            mixed += count
            out, curve = master(block)
            for role, part in parts.items():
                pending = pending_stems.get(role)
                pending_stems[role] = (
                    part.copy() if pending is None else np.concatenate((pending, part), axis=1)
                )
        else:
            out, curve = master.flush()
        out, curve = out[:, : total - sent], curve[: total - sent]
        dropped = min(max(0, -sent), out.shape[1])
        finish = partial(_finish_block, at=sent + dropped, end=None if arrangement.loop else total)
        ready: dict[str, Stereo] = {}
        for role, part in pending_stems.items():
            n = min(len(curve), part.shape[1])
            ready[role] = finish((part[:, :n] * curve[:n])[:, dropped:])
            pending_stems[role] = part[:, n:]
        if out.shape[1] > dropped:
            yield RenderedBlock(finish(out[:, dropped:]), ready)
        sent += out.shape[1]


def _binaural_beats(arrangement: Arrangement, gain: float, start: int) -> BinauralBeats | None:
    """Binaural beats at a low level; in loops, tuned to a whole number of cycles."""
    beat, carrier = arrangement.binaural
    if not beat:
        return None
    if arrangement.loop:
        low, high = (round((carrier + d * beat / 2) * arrangement.length) for d in (-1, 1))
        beat, carrier = (high - low) / arrangement.length, (high + low) / 2 / arrangement.length
    return BinauralBeats(beat, carrier, 10 ** (_BINAURAL_LEVEL / 20) / gain, start)


def _finish_block(block: npt.NDArray[np.float32], at: int, end: int | None) -> Stereo:
    """Transpose to (n, 2) and fade out the last eighth of a second before sample `end`."""
    edge = RATE // 8
    left = edge + block.shape[1] if end is None else end - at
    if left - block.shape[1] < edge:
        block = block * np.clip((left - np.arange(block.shape[1])) / edge, 0, 1).astype(np.float32)
    return np.ascontiguousarray(block.T)
