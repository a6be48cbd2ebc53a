"""Renders notes with a SoundFont (by tinysoundfont) instead of the synthesizer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scripts.arranger.events import NoteEvent
from scripts.core.audio_format import RATE
from scripts.core.errors import UsageError
from scripts.core.input_files import read_input
from scripts.styles.style import TrackStyle
from scripts.synth.amplifier import AmplifierSettings
from scripts.synth.bank import (
    REFERENCE_LEVEL,
    VELOCITY_LAYERS,
    NoteBank,
    NoteRequest,
    velocity_to_amplitude,
)
from scripts.synth.bends import bend_sound
from scripts.synth.cache import LruCache
from scripts.synth.instruments import Instrument, Texture
from scripts.synth.loudness import block_powers
from scripts.synth.stroke import Sound

_CACHE_BYTES = 160 << 20
_LENGTH_STEP = 0.02  # seconds; lengths are rounded up to it, so that more notes hit the cache
_MAX_FILE_BYTES = 1 << 30
_MAX_RELEASE = 3.0  # maximum release in seconds
_SILENCE_LEVEL = 2e-4  # amplitude below which a note has ended
_REFERENCE_VELOCITY = 0.8  # velocity at which the loudness of instruments is normalized


class SoundFontBank(NoteBank):
    """Renders instruments and drums with a SoundFont.

    Textures that SoundFonts lack (rain, risers) are still synthesized.

    Parameters
    ----------
    path : Path
        An ``.sf2`` or ``.sf3`` file.
    instruments, tempo, tuning, tonic
        As for :class:`NoteBank`.

    Raises
    ------
    UsageError
        If the file cannot be read or is not a SoundFont.
    """

    def __init__(
        self,
        path: Path,
        instruments: Mapping[str, Instrument],
        tempo: float,
        tuning: float,
        tonic: int | None = None,
    ) -> None:
        super().__init__(instruments, tempo, tuning, tonic)
        import tinysoundfont

        self._synth: Any = tinysoundfont.Synth(samplerate=RATE)
        try:
            # Read here, because the library cannot open every file name.
            self._font = self._synth.sfload(read_input(path, _MAX_FILE_BYTES))
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error
        except Exception as error:  # the library raises several types
            raise UsageError(
                f"cannot read {path.name}: not a SoundFont, or damaged; "
                f"remove it from {path.parent} or replace it"
            ) from error
        self._tuning_offset = 12 * math.log2(tuning / 440)
        self._note_cache: LruCache[Sound] = LruCache(_CACHE_BYTES)
        self._soundfont_gains: dict[str, float] = {}

    def amplifiers(self, tracks: Mapping[str, TrackStyle]) -> dict[str, AmplifierSettings]:
        """None: the guitars of a SoundFont were recorded with their amplifiers."""
        return {}

    def render_note(self, name: str, event: NoteEvent, seconds: float, stroke_number: int) -> Sound:
        instrument = self._instruments[name]
        if isinstance(instrument.voice, Texture):
            return super().render_note(name, event, seconds, stroke_number)
        layer = max(1, min(VELOCITY_LAYERS, round(event.velocity * VELOCITY_LAYERS)))
        sound = self._cached_note(instrument, event.pitch, layer, seconds)
        # tinysoundfont's amplitude is proportional to velocity: replace it by ours.
        gain = (
            self._soundfont_gain(instrument)
            * velocity_to_amplitude(event.velocity)
            / (layer / VELOCITY_LAYERS / _REFERENCE_VELOCITY)
        )
        if event.bend:
            sound = bend_sound(sound, self._bend_seconds(event), sound.shape[1])
        return sound * np.float32(gain)

    def announce_note(
        self, name: str, event: NoteEvent, seconds: float, stroke_number: int
    ) -> None:
        """Do nothing: each note is rendered at its own length."""

    def prerender(self, notes: Iterable[NoteRequest], threads: int) -> None:
        """Do nothing: the library renders one note at a time."""

    def _soundfont_gain(self, instrument: Instrument) -> float:
        """Gain that normalizes the instrument's loudness, times the instrument's own trim."""
        gain = self._soundfont_gains.get(instrument.name)
        if gain is None:
            key = 38 if instrument.is_kit else instrument.middle
            sound = self._render_key(instrument, key, _REFERENCE_VELOCITY, 1.6)
            power = float(block_powers(sound).max()) / 2 if sound.any() else 0.0
            trim = 10 ** (instrument.trim / 20)
            gain = trim * 10 ** (REFERENCE_LEVEL / 20) / math.sqrt(power) if power > 1e-9 else 0.0
            self._soundfont_gains[instrument.name] = gain
        return gain

    def _cached_note(self, instrument: Instrument, pitch: int, layer: int, seconds: float) -> Sound:
        """Note from the cache, rendered if necessary."""
        steps = math.ceil(seconds / _LENGTH_STEP)
        key = (instrument.program, instrument.is_kit, instrument.octave, pitch, layer, steps)
        sound = self._note_cache.get(key)
        if sound is None:
            sound = self._render_key(
                instrument, pitch, layer / VELOCITY_LAYERS, steps * _LENGTH_STEP
            )
            self._note_cache.put(key, sound, sound.nbytes)
        return sound

    def _render_key(
        self, instrument: Instrument, pitch: int, velocity: float, seconds: float
    ) -> Sound:
        """Render a key held for `seconds`, including its release."""
        synth, channel = self._synth, 9 if instrument.is_kit else 0
        synth.sounds_off(channel)
        if not self._select_program(channel, instrument):
            return np.zeros((2, 1), np.float32)
        synth.set_tuning(channel, 0.0 if instrument.is_kit else self._tuning_offset)
        key = min(127, max(0, pitch + 12 * instrument.octave))
        synth.noteon(channel, key, max(1, round(velocity * 127)))
        held = self._generate(round(seconds * RATE))
        synth.noteoff(channel, key)
        pieces = [held]
        for _ in range(int(_MAX_RELEASE * 4)):
            pieces.append(self._generate(RATE // 4))
            if np.abs(pieces[-1]).max() < _SILENCE_LEVEL:
                break
        return np.concatenate(pieces, axis=1)

    def _select_program(self, channel: int, instrument: Instrument) -> bool:
        """Select the instrument's program or the nearest available; False if none."""
        family = instrument.program // 8 * 8
        for program in dict.fromkeys((instrument.program, family, 0)):
            for bank in (128, 0) if instrument.is_kit else (0,):
                try:
                    self._synth.program_select(
                        channel, self._font, bank, program, instrument.is_kit
                    )
                    return True
                except Exception:  # the SoundFont does not have this program
                    continue
        return False

    def _generate(self, count: int) -> Sound:
        """The synthesizer's next `count` samples, (2, count)."""
        data = np.frombuffer(self._synth.generate_simple(count), np.float32)
        return np.ascontiguousarray(data.reshape(-1, 2).T)
