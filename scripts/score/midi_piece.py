"""Reads a MIDI file as a piece, using mido."""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import dataclass, field

import mido

from scripts.core.errors import NotationError
from scripts.score.keys import Key, parse_key
from scripts.score.piece import (
    DRUM_CHANNEL,
    Piece,
    PieceNote,
    Voice,
    duration_seconds,
    find_key,
    find_main_tempo,
    pitch_class_weights,
)
from scripts.score.time_signature import TimeSignature, parse_time_signature

MAX_NOTES = 200_000
_PEDAL = 64
_DEFAULT_TEMPO = 120.0  # until the file sets one
_MAX_BYTES = 2 << 20  # 200,000 notes, each with its end
_MIN_SECONDS = 0.2  # of the whole piece
_MAX_TICKS = 24 * 3600 * 24 * 5  # ticks: a day at 300 quarter notes per minute


@dataclass
class _Part:
    """Notes of one channel of one track with one program."""

    name: str
    program: int | None
    is_kit: bool
    notes: list[PieceNote] = field(default_factory=list)


@dataclass
class _Channel:
    """State of a channel: its program, the keys that are down, and those the pedal sustains."""

    program: int | None = None
    pedal: bool = False
    down: dict[int, tuple[float, int]] = field(default_factory=dict)  # key -> start, velocity
    sustained: dict[int, tuple[float, int]] = field(default_factory=dict)


class _Reader:
    def __init__(self, file: mido.MidiFile) -> None:
        self.parts: dict[tuple[int, int, int | None], _Part] = {}
        self.tempos: dict[float, float] = {}
        self.meters: list[tuple[float, TimeSignature]] = []
        self.key: Key | None = None
        self.title = ""
        self.count = 0
        per_quarter = file.ticks_per_beat
        if per_quarter == 0:
            raise NotationError("MIDI: the time division is 0; the file is damaged")
        if per_quarter < 0:
            raise NotationError("MIDI: SMPTE timing is not supported; save it with ticks per beat")
        self._scale = 24 / per_quarter
        for number, track in enumerate(file.tracks):
            self._read_track(number, track)

    def _read_track(self, number: int, track: mido.MidiTrack) -> None:
        channels: dict[int, _Channel] = defaultdict(_Channel)
        at, name = 0.0, ""
        for message in track:
            at += message.time * self._scale
            if at > _MAX_TICKS:
                raise NotationError("MIDI: the piece is longer than a day")
            if message.is_meta:
                name = self._read_meta(message, at, number) or name
                continue
            if not hasattr(message, "channel"):
                continue
            channel = channels[message.channel]
            if message.type == "program_change":
                self._release_all(number, name, message.channel, channel, at)
                channel.program = message.program
            elif message.type == "control_change" and message.control == _PEDAL:
                channel.pedal = message.value >= 64
                if not channel.pedal:
                    self._release(number, name, message.channel, channel, channel.sustained, at)
            elif message.type in ("note_on", "note_off"):
                self._read_key(number, name, message, channel, at)
        for n, channel in channels.items():
            self._release_all(number, name, n, channel, at)

    def _read_key(
        self, number: int, name: str, message: mido.Message, channel: _Channel, at: float
    ) -> None:
        key = message.note
        for keys in (channel.down, channel.sustained):  # struck again, or released
            started = keys.pop(key, None)
            if started is None:
                continue
            if channel.pedal and message.type == "note_off" and keys is channel.down:
                channel.sustained[key] = started
            else:
                self._add_note(number, name, message.channel, channel, key, started, at)
            break
        if message.type == "note_on" and message.velocity > 0:
            channel.down[key] = (at, message.velocity)

    def _release_all(self, number: int, name: str, n: int, channel: _Channel, at: float) -> None:
        self._release(number, name, n, channel, channel.down, at)
        self._release(number, name, n, channel, channel.sustained, at)

    def _release(
        self,
        number: int,
        name: str,
        n: int,
        channel: _Channel,
        keys: dict[int, tuple[float, int]],
        at: float,
    ) -> None:
        for key, started in keys.items():
            self._add_note(number, name, n, channel, key, started, at)
        keys.clear()

    def _add_note(
        self,
        number: int,
        name: str,
        n: int,
        channel: _Channel,
        key: int,
        started: tuple[float, int],
        at: float,
    ) -> None:
        self.count += 1
        if self.count > MAX_NOTES:
            raise NotationError(f"MIDI: the file has more than {MAX_NOTES:,} notes")
        start, velocity = started
        way = (number, n, channel.program)
        if way not in self.parts:
            self.parts[way] = _Part(name, channel.program, n == DRUM_CHANNEL)
        self.parts[way].notes.append(PieceNote(start, max(at - start, 0.5), key, velocity / 127))

    def _read_meta(self, message: mido.MetaMessage, at: float, number: int) -> str:
        """Read a tempo, time signature, key or title; return the track's name if it is one."""
        if message.type == "set_tempo" and message.tempo > 0:
            self.tempos[at] = mido.tempo2bpm(message.tempo)
        elif message.type == "time_signature":
            meter = parse_time_signature(f"{message.numerator}/{message.denominator}")
            if meter is not None:
                self.meters.append((at, meter))
        elif message.type == "key_signature" and self.key is None:
            self.key = parse_key(message.key)
        elif message.type == "track_name":
            name = " ".join(_decode_text(message.name).split())
            if number == 0 and not self.title:
                self.title = name
            return name
        return ""


def _decode_text(latin: str) -> str:
    """Decode a text that mido reads as Latin-1 and most programs write as UTF-8."""
    try:
        return latin.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return latin


def read_midi_piece(data: bytes) -> Piece:
    """Read the bytes of a MIDI file.

    Raises
    ------
    NotationError
        If it is damaged, too long or has no notes.
    """
    if len(data) > _MAX_BYTES:
        raise NotationError(f"MIDI: the file is larger than {_MAX_BYTES >> 20} MB; choose another")
    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except Exception as error:  # mido raises all kinds of errors on damaged files
        raise NotationError(
            f"MIDI: the file is damaged ({type(error).__name__}: {str(error)[:60]})"
        ) from error
    reader = _Reader(file)
    voices = [
        Voice(p.name, tuple(sorted(p.notes, key=lambda n: (n.start, n.pitch))), p.program, p.is_kit)
        for p in reader.parts.values()
    ]
    if not voices:
        raise NotationError("MIDI: the file has no notes")
    meter = reader.meters[0][1] if reader.meters else TimeSignature(4, 4)
    voices, silence = _trim_leading_silence(voices, meter)
    moved = {max(0.0, t - silence): tempo for t, tempo in sorted(reader.tempos.items())}
    tempos = sorted(moved.items())
    if tempos and tempos[0][0] > 0:
        tempos.insert(0, (0.0, _DEFAULT_TEMPO))
    end = max(n.start + n.ticks for v in voices for n in v.notes)
    seconds = duration_seconds(tempos, end)
    if seconds < _MIN_SECONDS:
        raise NotationError(
            f"MIDI: the music lasts {seconds:.1g} s; its tempo or time division is damaged"
        )
    pitched = [n for v in voices if not v.is_kit for n in v.notes]
    key = find_key(pitch_class_weights(pitched))
    # Many programs write C major for every key, so there the notes decide.
    if reader.key is not None and (
        str(reader.key) != "C major" or set(reader.key.pitch_classes) == set(key.pitch_classes)
    ):
        key = reader.key
    remarks = (
        ["the time signature changes; only the first is used"]
        if len({m for _, m in reader.meters}) > 1
        else []
    )
    if file.type == 2:
        remarks.append("its tracks are separate pieces; they are played together")
    return Piece(
        reader.title,
        "",
        key,
        meter,
        find_main_tempo(tempos, end),
        tuple(voices),
        tempos=tuple(tempos) if len({t for _, t in tempos}) > 1 else (),
        warnings=tuple(remarks),
        is_played=True,
    )


def _trim_leading_silence(voices: list[Voice], meter: TimeSignature) -> tuple[list[Voice], float]:
    """Remove empty bars at the beginning; return the voices and the ticks removed."""
    first = min(v.notes[0].start for v in voices)
    silence = first // meter.bar_ticks * meter.bar_ticks
    if not silence:
        return voices, 0.0
    return [
        Voice(
            v.name,
            tuple(PieceNote(n.start - silence, n.ticks, n.pitch, n.velocity) for n in v.notes),
            v.program,
            v.is_kit,
        )
        for v in voices
    ], silence
