"""Notes that have been rendered, kept while they fit: songs repeat most of theirs.

A key is rendered once as it sounds while it is held, for a few levels of touch; every note is
then cut from that sound, with its own length, level and release.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from scripts.arranger.events import NoteEvent
from scripts.core.audio_format import RATE
from scripts.score.tuning import frequency
from scripts.synth.additive import Mono
from scripts.synth.cache import Recent
from scripts.synth.instruments import Ensemble, Instrument, Texture
from scripts.synth.loudness import block_powers
from scripts.synth.stroke import Sound, Stroke
from scripts.synth.voices import play

TOUCHES = 5  # levels of velocity that sound different
_ENSEMBLE = 3  # of many players at once
VARIANTS = 2  # strokes of a drum that differ
WOBBLE = "wobble"  # a manner of playing, with the sweeps in a quarter note behind it
_SOFT = 0.003  # seconds
_CACHE_BYTES = 128 << 20
Note = tuple[str, NoteEvent, float, int]  # instrument, event, seconds and turn, as for `cut`
REFERENCE = -20.0  # dB RMS, weighted as the ear does, that every instrument is set to


def level_of(velocity: float) -> float:
    """Amplitude of a velocity of 0 to 1: 24 dB between the softest and the loudest touch."""
    return float(10 ** (-24 / 20 * (1 - velocity) ** 1.25))


def hash_of(*parts: object) -> int:
    """A number that depends on `parts` alone (Python's hash of text changes between runs)."""
    value = 2166136261
    for char in repr(parts):
        value = (value ^ ord(char)) * 16777619 % (1 << 32)
    return value


@dataclass(frozen=True)
class _Kept:
    sound: Sound
    rendered: float  # seconds that were asked for

    def serves(self, seconds: float) -> bool:
        over = self.sound.shape[1] < self.rendered * RATE - 2  # it has died away by itself
        return over or self.rendered >= seconds


class _Wanted(NamedTuple):
    """A sound as a note needs it.

    Parameters
    ----------
    key : tuple
        Instrument, pitch, touch, variant and manner; the length of a texture.
    needed : float
        Seconds; it is made longer where longer notes are expected.
    """

    key: tuple[Any, ...]
    needed: float


class Bank:
    """Notes of the instruments of one song.

    Parameters
    ----------
    instruments : mapping of str to Instrument
    tempo : float
        Quarter notes a minute.
    tuning : float
        Hz of A4.
    tonic : int, optional
        Pitch class that the drums are tuned to.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        tempo: float,
        tuning: float,
        tonic: int | None = None,
    ) -> None:
        self._instruments, self._quarter, self._tuning = instruments, 60 / tempo, tuning
        self._home = 0.0 if tonic is None else frequency(tonic, tuning)
        self._kept: Recent[_Kept] = Recent(_CACHE_BYTES)
        self._expected: dict[tuple[Any, ...], float] = {}
        self._trims: dict[str, float] = {}
        self._releases: dict[str, Mono] = {}

    def cut(self, name: str, event: NoteEvent, seconds: float, turn: int) -> Sound:
        """The sound of one note, release and all.

        Parameters
        ----------
        seconds : float
            How long the key is held.
        turn : int
            Which stroke of the song it is; drums differ from stroke to stroke.

        Returns
        -------
        (1 or 2, n) float32 array
        """
        instrument = self._instruments[name]
        gain = np.float32(self._trim(instrument) * level_of(event.velocity))
        wanted = self._wanted(instrument, event, seconds, turn)
        kept = self._kept.get(wanted.key)
        if kept is None or not kept.serves(wanted.needed):
            kept = self._make(wanted)
            self._keep(wanted, kept)
        sound = kept.sound
        if instrument.is_kit:
            return sound * gain
        fall = self._release(instrument)
        held = round(seconds * RATE)
        out = np.multiply(sound[:, : held + len(fall)], gain)
        if out.shape[1] > held:
            out[:, held:] *= fall[: out.shape[1] - held]
        return out

    def expect(self, name: str, event: NoteEvent, seconds: float) -> None:
        """Make a sound long enough for this note when it is first made.

        It need not be called; a sound that turns out too short is made anew.
        """
        instrument = self._instruments[name]
        if instrument.is_kit or isinstance(instrument.voice, Texture):
            return
        wanted = self._wanted(instrument, event, seconds, 0)
        if wanted.needed > self._expected.get(wanted.key, 0.0):
            self._expected[wanted.key] = wanted.needed

    def prepare(self, notes: Iterable[Note], threads: int) -> None:
        """Make the sounds of some notes ahead, several at a time. It need not be called."""
        wanted = {}
        for name, event, seconds, turn in notes:
            one = self._wanted(self._instruments[name], event, seconds, turn)
            if self._kept.get(one.key) is None:
                wanted[one.key] = one
        with ThreadPoolExecutor(threads) as pool:
            for one, kept in zip(
                wanted.values(), pool.map(self._make, wanted.values()), strict=True
            ):
                self._keep(one, kept)

    def _touch(self, instrument: Instrument, velocity: float) -> float:
        """The touch that is rendered for a velocity, 0 to 1."""
        steps = _ENSEMBLE if isinstance(instrument.voice, Ensemble) else TOUCHES
        return max(1, min(steps, round(velocity * steps))) / steps

    def _release(self, instrument: Instrument) -> Mono:
        """How a note of this instrument dies once its key is let go."""
        fall = self._releases.get(instrument.name)
        if fall is None:
            release = instrument.envelope[3]
            t = np.arange(round(release * 1.3 * RATE)) / RATE
            fall = np.linspace(1, 0, len(t), dtype=np.float32)
            # Let go without a corner. What is a texture ends with its length.
            if not isinstance(instrument.voice, Texture):
                fall *= np.exp((t - _SOFT * (1 - np.exp(t / -_SOFT))) * (-5.3 / release))
            self._releases[instrument.name] = fall
        return fall

    def _trim(self, instrument: Instrument) -> float:
        """Gain that makes all instruments equally loud, and then the instrument's own."""
        gain = self._trims.get(instrument.name)
        if gain is None:
            gain = 10 ** (instrument.trim / 20)
            if not isinstance(instrument.voice, Texture):
                gain *= 10 ** (REFERENCE / 20) / self._strength(instrument)
            self._trims[instrument.name] = gain
        return gain

    def _strength(self, instrument: Instrument) -> float:
        """RMS of a firm touch in the middle of the range, weighted as the ear does."""
        key = 38 if instrument.is_kit else instrument.middle
        wavers = isinstance(instrument.voice, Ensemble)
        sound = play(
            instrument,
            Stroke(
                self._frequency(instrument, key),
                0.8,
                instrument.envelope[0] + 3.0 if wavers else 1.6,
                self._quarter,
                1,
                key,
            ),
        )
        powers = block_powers(np.repeat(sound, 3 - len(sound), axis=0)) / 2
        power = powers[int(instrument.envelope[0] * 10) :].mean() if wavers else powers.max()
        return float(np.sqrt(max(power, 1e-9)))

    def _frequency(self, instrument: Instrument, key: int) -> float:
        if instrument.is_kit:
            return self._home
        return frequency(key + 12 * instrument.octave, self._tuning)

    def _wanted(
        self, instrument: Instrument, event: NoteEvent, seconds: float, turn: int
    ) -> _Wanted:
        touch = self._touch(instrument, event.velocity)
        if instrument.is_kit:
            return _Wanted((instrument.name, event.pitch, touch, turn % VARIANTS, ""), 1.0)
        needed = seconds + len(self._release(instrument)) / RATE
        key = instrument.name, event.pitch, touch, 0, event.manner
        if isinstance(instrument.voice, Texture):  # its length is part of what it is
            return _Wanted((*key, round(needed, 2)), needed)
        return _Wanted(key, needed)

    def _make(self, wanted: _Wanted) -> _Kept:
        name, pitch, touch, variant, manner = wanted.key[:5]
        instrument, length = self._instruments[name], wanted.needed
        if not isinstance(instrument.voice, Texture):
            longest = max(length, self._expected.get(wanted.key, 0.0), 0.5)
            length = 0.5 * 2 ** (math.ceil(2 * math.log2(longest / 0.5)) / 2)
        sound = play(
            instrument,
            Stroke(
                frequency=self._frequency(instrument, pitch),
                velocity=touch,
                seconds=length,
                quarter=self._quarter,
                seed=hash_of(name, pitch, round(touch * TOUCHES), variant),
                key=pitch,
                wobble=float(manner.removeprefix(WOBBLE)) if manner.startswith(WOBBLE) else 0.0,
            ),
        )
        return _Kept(sound, float("inf") if instrument.is_kit else length)

    def _keep(self, wanted: _Wanted, kept: _Kept) -> None:
        self._kept.put(wanted.key, kept, kept.sound.nbytes)
