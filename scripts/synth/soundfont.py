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
from scripts.synth.bank import REFERENCE, TOUCHES, Bank, Note, level_of
from scripts.synth.cache import Recent
from scripts.synth.instruments import Instrument, Texture
from scripts.synth.loudness import block_powers
from scripts.synth.stroke import Sound

_CACHE_BYTES = 160 << 20
_STEP = 0.02  # seconds; lengths are rounded up to it, so that more notes hit the cache
_TAIL = 3.0  # maximum release in seconds
_SILENT = 2e-4  # amplitude below which a note has ended
_FIRM = 0.8  # velocity at which the loudness of instruments is normalized


class SampleBank(Bank):
    """Renders instruments and drums with a SoundFont.

    Textures that SoundFonts lack (rain, risers) are still synthesized.

    Parameters
    ----------
    path : Path
        An ``.sf2`` or ``.sf3`` file.
    instruments, tempo, tuning, tonic
        As for :class:`Bank`.

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
            self._font = self._synth.sfload(path.read_bytes())
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error
        except Exception as error:  # the library raises several types
            raise UsageError(
                f"cannot read {path.name}: not a SoundFont, or damaged; "
                f"remove it from {path.parent} or replace it"
            ) from error
        self._bend = 12 * math.log2(tuning / 440)
        self._cuts: Recent[Sound] = Recent(_CACHE_BYTES)
        self._levels: dict[str, float] = {}

    def cut(self, name: str, event: NoteEvent, seconds: float, turn: int) -> Sound:
        instrument = self._instruments[name]
        if isinstance(instrument.voice, Texture):
            return super().cut(name, event, seconds, turn)
        touch = max(1, min(TOUCHES, round(event.velocity * TOUCHES)))
        sound = self._recorded(instrument, event.pitch, touch, seconds)
        # tinysoundfont's amplitude is proportional to velocity: replace it by ours.
        gain = self._level(instrument) * level_of(event.velocity) / (touch / TOUCHES / _FIRM)
        return sound * np.float32(gain)

    def expect(self, name: str, event: NoteEvent, seconds: float) -> None:
        """Do nothing: each note is rendered at its own length."""

    def prepare(self, notes: Iterable[Note], threads: int) -> None:
        """Do nothing: the library renders one note at a time."""

    def _level(self, instrument: Instrument) -> float:
        """Gain that normalizes the instrument's loudness, times the instrument's own trim."""
        gain = self._levels.get(instrument.name)
        if gain is None:
            key = 38 if instrument.is_kit else instrument.middle
            sound = self._played(instrument, key, _FIRM, 1.6)
            power = float(block_powers(sound).max()) / 2 if sound.any() else 0.0
            trim = 10 ** (instrument.trim / 20)
            gain = trim * 10 ** (REFERENCE / 20) / math.sqrt(power) if power > 1e-9 else 0.0
            self._levels[instrument.name] = gain
        return gain

    def _recorded(self, instrument: Instrument, pitch: int, touch: int, seconds: float) -> Sound:
        """Note from the cache, rendered if necessary."""
        steps = math.ceil(seconds / _STEP)
        key = (instrument.program, instrument.is_kit, instrument.octave, pitch, touch, steps)
        sound = self._cuts.get(key)
        if sound is None:
            sound = self._played(instrument, pitch, touch / TOUCHES, steps * _STEP)
            self._cuts.put(key, sound, sound.nbytes)
        return sound

    def _played(self, instrument: Instrument, pitch: int, velocity: float, seconds: float) -> Sound:
        """Render a key held for `seconds`, including its release."""
        synth, channel = self._synth, 9 if instrument.is_kit else 0
        synth.sounds_off(channel)
        if not self._chosen(channel, instrument):
            return np.zeros((2, 1), np.float32)
        synth.set_tuning(channel, 0.0 if instrument.is_kit else self._bend)
        key = min(127, max(0, pitch + 12 * instrument.octave))
        synth.noteon(channel, key, max(1, round(velocity * 127)))
        held = self._samples(round(seconds * RATE))
        synth.noteoff(channel, key)
        pieces = [held]
        for _ in range(int(_TAIL * 4)):
            pieces.append(self._samples(RATE // 4))
            if np.abs(pieces[-1]).max() < _SILENT:
                break
        return np.concatenate(pieces, axis=1)

    def _chosen(self, channel: int, instrument: Instrument) -> bool:
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

    def _samples(self, count: int) -> Sound:
        """The synthesizer's next `count` samples, (2, count)."""
        data = np.frombuffer(self._synth.generate_simple(count), np.float32)
        return np.ascontiguousarray(data.reshape(-1, 2).T)
