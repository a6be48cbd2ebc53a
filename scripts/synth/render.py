"""Renders an arrangement to stereo blocks."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping

import numpy as np

from scripts.arranger.events import DRUM_NAMES, Arrangement, NoteEvent
from scripts.errors import UsageError
from scripts.synth import RATE
from scripts.synth.effects import Delay, HighPass, Reverb, Stereo, soft_limit
from scripts.synth.instruments import Instrument
from scripts.synth.kit import play_drum
from scripts.synth.voices import play_note
from scripts.synth.wavetable import Mono

BLOCK = RATE  # samples
TARGET_RMS = 10 ** (-16.5 / 20)  # of the loudest section; about -14 LUFS over a song
_CACHE_BYTES = 96 << 20


class _Notes:
    """Rendered notes, kept while they fit; songs repeat most of theirs."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], Mono] = OrderedDict()
        self._bytes = 0

    def get(self, instrument: Instrument, event: NoteEvent, tempo: float, tuning: float) -> Mono:
        level = max(1, round(event.velocity * 12))
        held = max(0.03, round(event.ticks / 24 * 60 / tempo, 2))
        drum = instrument.engine == "drums"
        key = (instrument.name, event.pitch, level, 0 if drum else held)
        sound = self._kept.get(key)
        if sound is None:
            seed = hash_of(instrument.name, event.pitch, level)
            if drum:
                sound = play_drum(instrument, DRUM_NAMES.get(event.pitch, "rim"), level / 12, seed)
            else:
                pitch = tuning * 2 ** ((event.pitch - 69) / 12)
                sound = play_note(instrument, pitch, held, level / 12, 60 / tempo, seed)
            self._kept[key] = sound
            self._bytes += sound.nbytes
            while self._bytes > _CACHE_BYTES:
                _, old = self._kept.popitem(last=False)
                self._bytes -= old.nbytes
        else:
            self._kept.move_to_end(key)
        return sound


class _Channel:
    """One track's audio that is not yet read: a buffer from `start` on."""

    def __init__(self) -> None:
        self.start = 0
        self.buffer = np.zeros(BLOCK * 4, np.float32)

    def add(self, at: int, sound: Mono) -> None:
        offset = at - self.start
        if offset < 0:
            sound, offset = sound[-offset:], 0
        need = offset + len(sound)
        if need > len(self.buffer):
            self.buffer = np.concatenate(
                (self.buffer, np.zeros(need - len(self.buffer) + BLOCK, np.float32)))
        self.buffer[offset:need] += sound

    def take(self, count: int) -> Mono:
        if len(self.buffer) < count:
            self.buffer = np.concatenate(
                (self.buffer, np.zeros(count - len(self.buffer), np.float32)))
        block = self.buffer[:count].copy()
        self.buffer = self.buffer[count:]
        self.start += count
        return block


def hash_of(*parts: object) -> int:
    """A number that depends on `parts` alone (Python's hash of text changes between runs)."""
    value = 2166136261
    for char in repr(parts):
        value = (value ^ ord(char)) * 16777619 % (1 << 32)
    return value


def render(arrangement: Arrangement, instruments: Mapping[str, Instrument]) -> Iterator[Stereo]:
    """Yield blocks of (n, 2) float32, 44,100 Hz, -1 to 1, of exactly the song's length.

    Raises
    ------
    UsageError
        When a style names an instrument that is not there.
    """
    total = round(arrangement.length * RATE)
    tempo = arrangement.tempo
    for role, track in arrangement.tracks.items():
        if track.instrument not in instruments:
            raise UsageError(f'instrument "{track.instrument}" of {role} is not in '
                             "data/instruments; add it or choose another")
    samples_per_tick = RATE * 60 / tempo / 24
    notes = _Notes()
    gain = _make_up_gain(arrangement, instruments, notes)
    mixer = _Mixer(arrangement, instruments)
    written = 0
    waiting: list[tuple[int, int, str, NoteEvent]] = []
    counter = 0
    events = arrangement.sections()
    horizon, finished = 0.0, False  # all notes that start before the horizon are known
    while written < total:
        end = min(written + BLOCK, total)
        while not finished and horizon * samples_per_tick < end + RATE // 10:
            section = next(events, None)
            if section is None:
                finished = True
                break
            for role, part in section.tracks.items():
                for event in part:
                    heapq.heappush(waiting, (int(event.start * samples_per_tick), counter, role,
                                             event))
                    counter += 1
            last = section.section
            horizon = (last.start + last.bars) * arrangement.bar_ticks
        while waiting and waiting[0][0] < end:
            at, _, role, event = heapq.heappop(waiting)
            instrument = instruments[arrangement.tracks[role].instrument]
            mixer.channels[role].add(at, notes.get(instrument, event, tempo, arrangement.tuning))
        block = soft_limit(mixer.mix(end - written) * gain)
        fade = total - written
        if fade <= RATE // 4 + len(block):  # the last quarter second closes softly
            ramp = np.clip((fade - np.arange(len(block))) / (RATE / 4), 0, 1).astype(np.float32)
            block *= ramp[:, None]
        yield block
        written = end


def _make_up_gain(arrangement: Arrangement, instruments: Mapping[str, Instrument], notes: _Notes
                  ) -> np.float32:
    """Gain that brings the loudest section to the target, measured on its first 12 seconds."""
    early = arrangement.form[:12]
    loudest = max(range(len(early)), key=lambda i: early[i].energy)
    section = next(itertools.islice(arrangement.sections(), loudest, None))
    scale = RATE * 60 / arrangement.tempo / 24
    start = section.section.start * arrangement.bar_ticks * scale
    length = min(12 * RATE, int(section.section.bars * arrangement.bar_ticks * scale))
    mixer = _Mixer(arrangement, instruments)
    for role, events in section.tracks.items():
        instrument = instruments[arrangement.tracks[role].instrument]
        for event in events:
            at = int(event.start * scale - start)
            if 0 <= at < length:
                mixer.channels[role].add(at, notes.get(instrument, event, arrangement.tempo,
                                                       arrangement.tuning))
    sound = mixer.mix(length)
    return np.float32(TARGET_RMS / max(float(np.sqrt(np.mean(sound**2))), 1e-4))


class _Mixer:
    def __init__(self, arrangement: Arrangement, instruments: Mapping[str, Instrument]) -> None:
        self.channels = {role: _Channel() for role in arrangement.tracks}
        self._gains = {}
        for role, track in arrangement.tracks.items():
            gain = 10 ** (track.gain / 20)
            angle = (track.pan + 1) * math.pi / 4
            self._gains[role] = (gain * np.array([math.cos(angle), math.sin(angle)]) * math.sqrt(2),
                                 gain * track.reverb, gain * track.delay)
        self._reverb = Reverb()
        self._delay = Delay(60 / arrangement.tempo * 0.75)
        self._highpass = HighPass()

    def mix(self, count: int) -> Stereo:
        """The next `count` samples of the mix."""
        dry = np.zeros((count, 2), np.float32)
        to_reverb = np.zeros(count, np.float32)
        to_delay = np.zeros(count, np.float32)
        for role, channel in self.channels.items():
            sound = channel.take(count)
            pan, reverb, delay = self._gains[role]
            dry += sound[:, None] * pan.astype(np.float32)
            if reverb:
                to_reverb += sound * np.float32(reverb)
            if delay:
                to_delay += sound * np.float32(delay)
        echo = self._delay(to_delay)
        dry += echo
        dry += self._reverb(to_reverb + 0.3 * echo.mean(axis=1)) * np.float32(0.9)
        return self._highpass(dry)
