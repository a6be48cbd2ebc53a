"""Renders notes and caches them, because songs repeat most of their notes.

A key is rendered once per velocity layer as it sounds while held; every note is then cut from
that sound, with its own length, level and release.
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

TOUCHES = 5  # velocity layers with different timbre
_ENSEMBLE = 3  # velocity layers of ensembles
VARIANTS = 2  # different renditions of a drum hit, used in turn (round robin)
WOBBLE = "wobble"  # prefix of a note's manner; filter sweeps per quarter note follow
_SOFT = 0.003  # seconds over which a release eases in
_CACHE_BYTES = 128 << 20
Note = tuple[str, NoteEvent, float, int]  # arguments of `cut`: instrument, event, seconds, turn
REFERENCE = -20.0  # K-weighted RMS in dBFS that every instrument is normalized to


def level_of(velocity: float) -> float:
    """Map a velocity of 0 to 1 to an amplitude factor over a range of 24 dB."""
    return float(10 ** (-24 / 20 * (1 - velocity) ** 1.25))


def hash_of(*parts: object) -> int:
    """32-bit FNV-1a hash of `parts`, the same in every run (unlike Python's `hash` of text)."""
    value = 2166136261
    for char in repr(parts):
        value = (value ^ ord(char)) * 16777619 % (1 << 32)
    return value


@dataclass(frozen=True)
class _Kept:
    sound: Sound
    rendered: float  # seconds that were requested

    def serves(self, seconds: float) -> bool:
        over = self.sound.shape[1] < self.rendered * RATE - 2  # it decayed to silence by itself
        return over or self.rendered >= seconds


class _Wanted(NamedTuple):
    """Cache key and length of the sound that a note needs.

    Parameters
    ----------
    key : tuple
        Instrument, pitch, velocity layer, variant and manner; for textures also the length.
    needed : float
        Seconds; more is rendered where :meth:`Bank.expect` has announced longer notes.
    """

    key: tuple[Any, ...]
    needed: float


class Bank:
    """Renders and caches the notes of one song.

    Parameters
    ----------
    instruments : mapping of str to Instrument
    tempo : float
        Quarter notes per minute.
    tuning : float
        Frequency of A4 in Hz.
    tonic : int, optional
        Pitch class that the drums are tuned to; None leaves them untuned.
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
        """Render one note including its release.

        Parameters
        ----------
        name : str
            Instrument.
        event : NoteEvent
            Pitch, velocity and manner of the note.
        seconds : float
            How long the key is held.
        turn : int
            Number that selects the variant of a drum hit; other instruments ignore it.

        Returns
        -------
        (1 or 2, n) float32 array, 44,100 Hz
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
        """Announce a note, so that its sound is rendered long enough the first time.

        Optional: a sound that turns out too short is rendered again.
        """
        instrument = self._instruments[name]
        if instrument.is_kit or isinstance(instrument.voice, Texture):
            return
        wanted = self._wanted(instrument, event, seconds, 0)
        if wanted.needed > self._expected.get(wanted.key, 0.0):
            self._expected[wanted.key] = wanted.needed

    def prepare(self, notes: Iterable[Note], threads: int) -> None:
        """Render the sounds of `notes` in advance on several threads. Optional."""
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
        """Quantize a velocity of 0 to 1 to the instrument's velocity layers."""
        steps = _ENSEMBLE if isinstance(instrument.voice, Ensemble) else TOUCHES
        return max(1, min(steps, round(velocity * steps))) / steps

    def _release(self, instrument: Instrument) -> Mono:
        """Gain curve of the instrument's release, from key-up to silence."""
        fall = self._releases.get(instrument.name)
        if fall is None:
            release = instrument.envelope[3]
            t = np.arange(round(release * 1.3 * RATE)) / RATE
            fall = np.linspace(1, 0, len(t), dtype=np.float32)
            # The release starts without a corner. Textures only fade linearly.
            if not isinstance(instrument.voice, Texture):
                fall *= np.exp((t - _SOFT * (1 - np.exp(t / -_SOFT))) * (-5.3 / release))
            self._releases[instrument.name] = fall
        return fall

    def _trim(self, instrument: Instrument) -> float:
        """Gain that normalizes the instrument's loudness, times the instrument's own trim."""
        gain = self._trims.get(instrument.name)
        if gain is None:
            gain = 10 ** (instrument.trim / 20)
            if not isinstance(instrument.voice, Texture):
                gain *= 10 ** (REFERENCE / 20) / self._strength(instrument)
            self._trims[instrument.name] = gain
        return gain

    def _strength(self, instrument: Instrument) -> float:
        """K-weighted RMS of a note at velocity 0.8 in the middle of the instrument's range."""
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
        if isinstance(instrument.voice, Texture):  # its shape depends on its length
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
