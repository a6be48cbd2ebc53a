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
from scripts.styles.style import TrackStyle
from scripts.synth.additive import Mono
from scripts.synth.amplifier import AmplifierSettings
from scripts.synth.bends import bend_sound
from scripts.synth.cache import LruCache
from scripts.synth.instruments import Ensemble, Instrument, Texture
from scripts.synth.loudness import block_powers
from scripts.synth.stroke import NoteParams, Sound
from scripts.synth.voices import render_held_note

VELOCITY_LAYERS = 5  # velocity layers with different timbre
_ENSEMBLE_LAYERS = 3  # velocity layers of ensembles
ROUND_ROBINS = 2  # different renditions of a drum hit, used in turn (round robin)
WOBBLE_PREFIX = "wobble"  # prefix of a note's manner; filter sweeps per quarter note follow
_RELEASE_ONSET = 0.003  # seconds over which a release eases in
_CACHE_BYTES = 72 << 20
NoteRequest = tuple[
    str, NoteEvent, float, int
]  # arguments of `cut`: instrument, event, seconds, turn
REFERENCE_LEVEL = -20.0  # K-weighted RMS in dBFS that every instrument is normalized to


def velocity_to_amplitude(velocity: float) -> float:
    """Map a velocity of 0 to 1 to an amplitude factor over a range of 24 dB."""
    return float(10 ** (-24 / 20 * (1 - velocity) ** 1.25))


def stable_hash(*parts: object) -> int:
    """32-bit FNV-1a hash of `parts`, the same in every run (unlike Python's `hash` of text)."""
    value = 2166136261
    for char in repr(parts):
        value = (value ^ ord(char)) * 16777619 % (1 << 32)
    return value


@dataclass(frozen=True)
class _CachedSound:
    sound: Sound
    requested_seconds: float  # seconds that were requested

    def covers(self, seconds: float) -> bool:
        over = (
            self.sound.shape[1] < self.requested_seconds * RATE - 2
        )  # it decayed to silence by itself
        return over or self.requested_seconds >= seconds


class _SoundRequest(NamedTuple):
    """Cache key and length of the sound that a note needs.

    Parameters
    ----------
    key : tuple
        Instrument, pitch, velocity layer, variant and manner; for textures also the length.
    seconds : float
        Seconds; more is rendered where :meth:`NoteBank.announce_note` has announced longer notes.
    """

    key: tuple[Any, ...]
    seconds: float


class NoteBank:
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
        self._instruments, self._quarter_seconds, self._tuning = instruments, 60 / tempo, tuning
        self._tonic_frequency = 0.0 if tonic is None else frequency(tonic, tuning)
        self._cache: LruCache[_CachedSound] = LruCache(_CACHE_BYTES)
        self._announced_lengths: dict[tuple[Any, ...], float] = {}
        self._gains: dict[str, float] = {}
        self._release_curves: dict[str, Mono] = {}

    def amplifiers(self, tracks: Mapping[str, TrackStyle]) -> dict[str, AmplifierSettings]:
        """Amplifiers of the tracks that have one, by role."""
        found = {role: self._instruments[t.instrument].amplifier for role, t in tracks.items()}
        return {role: amplifier for role, amplifier in found.items() if amplifier}

    def render_note(self, name: str, event: NoteEvent, seconds: float, stroke_number: int) -> Sound:
        """Render one note including its release.

        Parameters
        ----------
        name : str
            Instrument.
        event : NoteEvent
            Pitch, velocity and manner of the note.
        seconds : float
            How long the key is held.
        stroke_number : int
            Number that selects the variant of a drum hit; other instruments ignore it.

        Returns
        -------
        (1 or 2, n) float32 array, 44,100 Hz
        """
        instrument = self._instruments[name]
        gain = np.float32(self._normalized_gain(instrument) * velocity_to_amplitude(event.velocity))
        request = self._sound_request(instrument, event, seconds, stroke_number)
        cached = self._cache.get(request.key)
        if cached is None or not cached.covers(request.seconds):
            cached = self._render(request)
            self._store(request, cached)
        sound = cached.sound
        if instrument.is_kit:
            return sound * gain
        release = self._release_curve(instrument)
        held_samples = round(seconds * RATE)
        count = held_samples + len(release)
        if event.bend:
            sound = bend_sound(sound, self._bend_seconds(event), count)
        out = np.multiply(sound[:, :count], gain)
        if out.shape[1] > held_samples:
            out[:, held_samples:] *= release[: out.shape[1] - held_samples]
        return out

    def _bend_seconds(self, event: NoteEvent) -> list[tuple[float, float]]:
        """Pitch curve of a note as (second, semitones)."""
        return [(at * self._quarter_seconds / 24, step) for at, step in event.bend]

    def announce_note(
        self, name: str, event: NoteEvent, seconds: float, stroke_number: int
    ) -> None:
        """Announce a note, so that its sound is rendered long enough the first time.

        Optional: a sound that turns out too short is rendered again.
        """
        instrument = self._instruments[name]
        if instrument.is_kit or isinstance(instrument.voice, Texture):
            return
        request = self._sound_request(instrument, event, seconds, stroke_number)
        if request.seconds > self._announced_lengths.get(request.key, 0.0):
            self._announced_lengths[request.key] = request.seconds

    def prerender(self, notes: Iterable[NoteRequest], threads: int) -> None:
        """Render the sounds of `notes` in advance on several threads. Optional."""
        requests = {}
        for name, event, seconds, turn in notes:
            request = self._sound_request(self._instruments[name], event, seconds, turn)
            if self._cache.get(request.key) is None:
                requests[request.key] = request
        with ThreadPoolExecutor(threads) as pool:
            for request, sound in zip(
                requests.values(), pool.map(self._render, requests.values()), strict=True
            ):
                self._store(request, sound)

    def _quantize_velocity(self, instrument: Instrument, velocity: float) -> float:
        """Quantize a velocity of 0 to 1 to the instrument's velocity layers."""
        steps = _ENSEMBLE_LAYERS if isinstance(instrument.voice, Ensemble) else VELOCITY_LAYERS
        return max(1, min(steps, round(velocity * steps))) / steps

    def _release_curve(self, instrument: Instrument) -> Mono:
        """Gain curve of the instrument's release, from key-up to silence."""
        curve = self._release_curves.get(instrument.name)
        if curve is None:
            release = instrument.envelope[3]
            t = np.arange(round(release * 1.3 * RATE)) / RATE
            curve = np.linspace(1, 0, len(t), dtype=np.float32)
            # The release starts without a corner. Textures only fade linearly.
            if not isinstance(instrument.voice, Texture):
                curve *= np.exp(
                    (t - _RELEASE_ONSET * (1 - np.exp(t / -_RELEASE_ONSET))) * (-5.3 / release)
                )
            self._release_curves[instrument.name] = curve
        return curve

    def _normalized_gain(self, instrument: Instrument) -> float:
        """Gain that normalizes the instrument's loudness, times the instrument's own trim."""
        gain = self._gains.get(instrument.name)
        if gain is None:
            gain = 10 ** (instrument.trim / 20)
            if not isinstance(instrument.voice, Texture):
                gain *= 10 ** (REFERENCE_LEVEL / 20) / self._measure_rms(instrument)
            self._gains[instrument.name] = gain
        return gain

    def _measure_rms(self, instrument: Instrument) -> float:
        """K-weighted RMS of a note at velocity 0.8 in the middle of the instrument's range."""
        key = 38 if instrument.is_kit else instrument.middle
        is_ensemble = isinstance(instrument.voice, Ensemble)
        sound = render_held_note(
            instrument,
            NoteParams(
                self._frequency(instrument, key),
                0.8,
                instrument.envelope[0] + 3.0 if is_ensemble else 1.6,
                self._quarter_seconds,
                1,
                key,
            ),
        )
        powers = block_powers(np.repeat(sound, 3 - len(sound), axis=0)) / 2
        power = powers[int(instrument.envelope[0] * 10) :].mean() if is_ensemble else powers.max()
        return float(np.sqrt(max(power, 1e-9)))

    def _frequency(self, instrument: Instrument, key: int) -> float:
        if instrument.is_kit:
            return self._tonic_frequency
        return frequency(key + 12 * instrument.octave, self._tuning)

    def _sound_request(
        self, instrument: Instrument, event: NoteEvent, seconds: float, stroke_number: int
    ) -> _SoundRequest:
        touch = self._quantize_velocity(instrument, event.velocity)
        if instrument.is_kit:
            variant = stroke_number % max(instrument.takes, ROUND_ROBINS)
            return _SoundRequest((instrument.name, event.pitch, touch, variant, ""), 1.0)
        needed = seconds + len(self._release_curve(instrument)) / RATE
        turn = stroke_number % instrument.takes
        key = instrument.name, event.pitch, touch, turn, event.manner
        if isinstance(instrument.voice, Texture):  # its shape depends on its length
            return _SoundRequest((*key, round(needed, 2)), needed)
        return _SoundRequest(key, needed)

    def _render(self, request: _SoundRequest) -> _CachedSound:
        name, pitch, touch, variant, manner = request.key[:5]
        instrument, length = self._instruments[name], request.seconds
        if not isinstance(instrument.voice, Texture):
            longest = max(length, self._announced_lengths.get(request.key, 0.0), 0.5)
            length = 0.5 * 2 ** (math.ceil(2 * math.log2(longest / 0.5)) / 2)
        sound = render_held_note(
            instrument,
            NoteParams(
                frequency=self._frequency(instrument, pitch),
                velocity=touch,
                seconds=length,
                quarter_seconds=self._quarter_seconds,
                seed=stable_hash(name, pitch, round(touch * VELOCITY_LAYERS), variant),
                key=pitch,
                wobble=float(manner.removeprefix(WOBBLE_PREFIX))
                if manner.startswith(WOBBLE_PREFIX)
                else 0.0,
                take=variant,
            ),
        )
        return _CachedSound(sound, float("inf") if instrument.is_kit else length)

    def _store(self, request: _SoundRequest, sound: _CachedSound) -> None:
        self._cache.put(request.key, sound, sound.sound.nbytes)
