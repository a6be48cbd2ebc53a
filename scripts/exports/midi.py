"""Export of an arrangement to a General MIDI file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import mido
import numpy as np

from scripts.arranger.events import Arrangement, NoteEvent, collect_notes
from scripts.core.atomic_files import storage_error
from scripts.score.keys import Key
from scripts.score.piece import DRUM_CHANNEL
from scripts.score.time_signature import TimeSignature
from scripts.synth.instruments import Instrument, Texture

MIDI_TICKS_PER_QUARTER = 480  # per quarter; 20 times the arranger's 24, which resolves micro-timing
_TICK_SCALE = MIDI_TICKS_PER_QUARTER / 24
# Keys with at most seven sharps or flats, the limit of MIDI key signatures.
MAJOR_KEYS = ("C", "G", "D", "A", "E", "B", "F#", "F", "Bb", "Eb", "Ab", "Db", "Gb", "Cb")
MINOR_KEYS = (
    "Am",
    "Em",
    "Bm",
    "F#m",
    "C#m",
    "G#m",
    "D#m",
    "A#m",
    "Dm",
    "Gm",
    "Cm",
    "Fm",
    "Bbm",
    "Ebm",
    "Abm",
)
_SIGNATURES = (*MAJOR_KEYS, "C#", *MINOR_KEYS)
_BEND_RANGE = 12  # semitones of the pitch wheel, either way
_BEND_STEP = 10  # MIDI ticks between two messages of a bend, about 10 ms
_NOTE_TYPES = ("note_off", "note_on")
_CHANNELS = [n for n in range(16) if n != DRUM_CHANNEL]


def write_midi(
    path: Path,
    arrangement: Arrangement,
    instruments: Mapping[str, Instrument],
    title: str,
    key: Key,
    meter: TimeSignature,
) -> None:
    """Write `arrangement` to `path`: one track per role, drums on channel 10.

    Textures without a General MIDI sound (rain, vinyl, risers) are left out.

    Parameters
    ----------
    path : Path
    arrangement : Arrangement
    instruments : mapping of str to Instrument
        All instruments of the arrangement by name.
    title : str
    key : Key
        Modes are written as the major or minor key on the same tonic.
    meter : Meter

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    file = mido.MidiFile(type=1, ticks_per_beat=MIDI_TICKS_PER_QUARTER, charset="utf-8")
    head = mido.MidiTrack()
    head.append(mido.MetaMessage("track_name", name=title))
    head.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(arrangement.tempo)))
    head.append(
        mido.MetaMessage("time_signature", numerator=meter.numerator, denominator=meter.denominator)
    )
    head.append(mido.MetaMessage("key_signature", key=_key_signature(key)))
    file.tracks.append(head)
    notes = collect_notes(arrangement)
    markers = [(s.start * arrangement.bar_ticks, s.name) for s in arrangement.form]
    end = round(arrangement.length * arrangement.tempo / 60 * MIDI_TICKS_PER_QUARTER)
    _add_markers(head, markers, end)
    channels = _ChannelAllocator()
    for role, track in arrangement.tracks.items():
        instrument = instruments[track.instrument]
        if role not in notes or isinstance(instrument.voice, Texture):
            continue
        channel = DRUM_CHANNEL if instrument.is_kit else channels.allocate(instrument.program)
        file.tracks.append(_build_track(role, channel, instrument, notes[role], track.pan, end))
    try:
        file.save(path)
    except OSError as error:
        raise storage_error(error, path) from error


def _key_signature(key: Key) -> str:
    """MIDI key signature: major or minor on the tonic; C or Am if MIDI has no such key."""
    name = key.tonic + ("m" if key.is_minor else "")
    return name if name in _SIGNATURES else "Am" if key.is_minor else "C"


class _ChannelAllocator:
    """Allocates the 15 melodic channels, then shares them, by program if possible."""

    def __init__(self) -> None:
        self._free = list(_CHANNELS)
        self._channel_by_program: dict[int, int] = {}

    def allocate(self, program: int) -> int:
        if self._free:
            channel = self._channel_by_program[program] = self._free.pop(0)
            return channel
        # All channels are in use: a program without one shares that of another program.
        return self._channel_by_program.get(program, _CHANNELS[program % len(_CHANNELS)])


def _add_markers(track: mido.MidiTrack, markers: list[tuple[int, str]], end: int) -> None:
    now = 0
    for tick, name in markers:
        track.append(mido.MetaMessage("marker", text=name, time=round(tick * _TICK_SCALE) - now))
        now = round(tick * _TICK_SCALE)
    track.append(mido.MetaMessage("end_of_track", time=max(0, end - now)))


def _build_track(
    role: str, channel: int, instrument: Instrument, events: list[NoteEvent], pan: float, end: int
) -> mido.MidiTrack:
    """Track of one role; a key that sounds is released before it is struck again."""
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("track_name", name=role))
    track.append(mido.Message("program_change", channel=channel, program=instrument.program))
    track.append(
        mido.Message(
            "control_change",
            channel=channel,
            control=10,
            value=min(127, max(0, round(64 + pan * 63))),
        )
    )
    bends = bend_messages(events, channel, end)
    if bends:
        track.extend(_set_bend_range(channel))
    moments: list[tuple[int, int, int, int]] = []  # tick, 0 (off) or 1 (on), key, velocity
    shift = 0 if instrument.is_kit else 12 * instrument.octave
    sounding: dict[int, int] = {}  # key -> index of its note-off in moments
    for event in sorted(events, key=lambda e: (e.start, e.pitch)):
        key = event.pitch + shift
        if not 0 <= key <= 127:
            continue
        start = min(max(0, round(event.start * _TICK_SCALE)), end - 1)
        stop = min(end, max(start + 1, round((event.start + event.ticks) * _TICK_SCALE)))
        last = sounding.get(key)
        if last is not None and moments[last][0] > start:
            if moments[last - 1][0] == start:
                continue  # the same key at the same tick
            moments[last] = (start, 0, key, 0)
        moments.append((start, 1, key, min(127, max(1, round(event.velocity * 127)))))
        moments.append((stop, 0, key, 0))
        sounding[key] = len(moments) - 1
    messages = [
        (tick, 2 * on, mido.Message(_NOTE_TYPES[on], channel=channel, note=key, velocity=velocity))
        for tick, on, key, velocity in sorted(moments)
    ]
    now = 0
    for tick, _, message in sorted([*messages, *bends], key=lambda item: item[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track


def _set_bend_range(channel: int) -> list[mido.Message]:
    """Registered parameter 0: how many semitones the pitch wheel bends."""
    values = ((101, 0), (100, 0), (6, _BEND_RANGE), (38, 0), (101, 127), (100, 127))
    return [
        mido.Message("control_change", channel=channel, control=control, value=value)
        for control, value in values
    ]


def bend_messages(
    events: Sequence[NoteEvent], channel: int, end: int
) -> list[tuple[int, int, mido.Message]]:
    """Pitch wheel messages as (tick, 1, message): between the note-offs and note-ons of a tick."""
    if not any(event.bend for event in events):
        return []
    ordered = sorted(events, key=lambda e: e.start)
    values: dict[int, int] = {}  # of the wheel, by tick
    for event, following in zip(ordered, [*ordered[1:], None], strict=True):
        ticks, steps = zip(*event.bend or ((0.0, 0.0),), strict=True)
        first, last = event.start * _TICK_SCALE, (event.start + ticks[-1]) * _TICK_SCALE
        stop = min(end, round(following.start * _TICK_SCALE) if following else end)
        for tick in range(max(0, round(first)), min(stop, round(last) + _BEND_STEP), _BEND_STEP):
            step = float(np.interp(tick / _TICK_SCALE - event.start, ticks, steps))
            values[tick] = max(-8192, min(8191, round(step / _BEND_RANGE * 8192)))
    values[end] = 0
    wheel, found = 0, []
    for tick in sorted(values):
        if values[tick] != wheel:
            wheel = values[tick]
            found.append((tick, 1, mido.Message("pitchwheel", channel=channel, pitch=wheel)))
    return found
