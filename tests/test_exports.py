"""Arrangements exported as MIDI and MusicXML files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mido
import pytest

from scripts.arranger.arrange import SongArrangement, arrange
from scripts.arranger.events import NoteEvent
from scripts.core import paths
from scripts.core.errors import StorageError
from scripts.exports.midi import MIDI_TICKS_PER_QUARTER, write_midi
from scripts.exports.musicxml import build_musicxml, quantize_events
from scripts.request.spec import SongSpec
from scripts.score.keys import parse_key
from scripts.score.sheet import LeadSheet
from scripts.score.time_signature import parse_time_signature
from scripts.score.xml_piece import read_xml_piece
from scripts.synth.instruments import load_instruments

INSTRUMENTS = load_instruments(paths.DATA / "instruments")


def export_midi(arrangement: SongArrangement, path: Path, key: str = "E minor") -> mido.MidiFile:
    parsed = parse_key(key)
    assert parsed
    write_midi(path, arrangement, INSTRUMENTS, "Größe ♪", parsed, arrangement.sheet.meter)
    return mido.MidiFile(path, charset="utf-8")


def notes(file: mido.MidiFile, name: str) -> list[tuple[int, int, int]]:
    """Return (start, end, key) of the notes of a track."""
    track = next(t for t in file.tracks if t.name == name)
    now, sounding, found = 0, {}, []
    for message in track:
        now += message.time
        if message.type == "note_on":
            assert message.note not in sounding, "a key was struck while it was down"
            sounding[message.note] = now
        elif message.type == "note_off":
            found.append((sounding.pop(message.note), now, message.note))
    assert not sounding
    return sorted(found)


@pytest.mark.parametrize("style", ["rock", "jazz", "dubstep", "ambient", "salsa"])
def test_a_midi_file_has_the_notes_of_the_song(
    style: str, spec: Callable[..., SongSpec], tune: LeadSheet, tmp_path: Path
) -> None:
    arrangement = arrange(spec(style, key="E minor", length="1"), tune, paths.DATA)
    file = export_midi(arrangement, tmp_path / "a.mid")
    assert file.ticks_per_beat == MIDI_TICKS_PER_QUARTER
    assert abs(file.length - 60) < 0.6
    for role in ("melody", "bass"):
        shift = 12 * INSTRUMENTS[arrangement.tracks[role].instrument].octave
        played = Counter(
            e.pitch + shift for s in arrangement.sections() for e in s.tracks.get(role, ())
        )
        exported = Counter(key for _, _, key in notes(file, role))
        assert sum((played - exported).values()) <= 0.02 * sum(played.values())
        assert not exported - played
    for role, track in arrangement.tracks.items():
        instrument = INSTRUMENTS[track.instrument]
        if role in [t.name for t in file.tracks] and not instrument.is_kit:
            program = next(
                m for t in file.tracks if t.name == role for m in t if m.type == "program_change"
            )
            assert program.program == instrument.program
            assert program.channel != 9
    assert all(0 <= n[0] < n[1] for t in file.tracks[1:] for n in notes(file, t.name))


def test_the_first_midi_track_has_title_tempo_key_and_sections(
    spec: Callable[..., SongSpec], tune: LeadSheet, tmp_path: Path
) -> None:
    arrangement = arrange(spec("waltz", key="E minor", length="0.5", tempo=150), tune, paths.DATA)
    track = export_midi(arrangement, tmp_path / "a.mid").tracks[0]
    messages = {m.type: m for m in track}
    assert round(mido.tempo2bpm(messages["set_tempo"].tempo), 3) == 150
    assert messages["key_signature"].key == "Em"
    assert track.name == "Größe ♪"
    assert [m.text for m in track if m.type == "marker"] == [s.name for s in arrangement.form]


@pytest.mark.parametrize("key", ["C# dorian", "Gb", "A# minor", "D# minor", "Fb", "B phrygian"])
def test_any_key_can_be_written(
    key: str, spec: Callable[..., SongSpec], tune: LeadSheet, tmp_path: Path
) -> None:
    if parse_key(key) is None:
        pytest.skip("the program does not know that key")
    arrangement = arrange(spec("pop", key="E minor", length="0.3"), tune, paths.DATA)
    assert export_midi(arrangement, tmp_path / "a.mid", key).tracks


def test_a_missing_folder_is_reported(
    spec: Callable[..., SongSpec], tune: LeadSheet, tmp_path: Path
) -> None:
    arrangement = arrange(spec("pop", key="E minor", length="0.3"), tune, paths.DATA)
    with pytest.raises(StorageError):
        export_midi(arrangement, tmp_path / "none" / "a.mid")


@pytest.mark.parametrize(
    ("style", "meter"),
    [("jazz", "4/4"), ("waltz", "3/4"), ("celtic", "6/8"), ("metal", "7/8"), ("trap", "4/4")],
)
def test_a_score_read_back_by_music21_has_the_same_notes(
    style: str, meter: str, spec: Callable[..., SongSpec], tune: LeadSheet
) -> None:
    options = {"key": "Eb major", "length": "0.7", "meter": meter}
    song = arrange(
        spec(style, **options),
        replace(tune, meter=parse_time_signature(meter) or tune.meter),
        paths.DATA,
    )
    piece = read_xml_piece(build_musicxml(song, INSTRUMENTS).encode())
    read = {v.name: Counter((round(n.start), n.pitch) for n in v.notes) for v in piece.voices}
    played: dict[str, list[NoteEvent]] = {}
    for section in replace(song, straight=True).sections():
        for role, events in section.tracks.items():
            played.setdefault(role, []).extend(events)
    assert set(read) == set(played) - {"fx", "texture"}
    for role in read:
        instrument = INSTRUMENTS[song.tracks[role].instrument]
        shift = 0 if instrument.is_kit else 12 * instrument.octave
        assert read[role] == Counter(
            (start, pitch)
            for start, pitches, _ in quantize_events(played[role], shift)
            for pitch in pitches
        ), role
    kit = next(v for v in piece.voices if v.name == "drums")
    assert kit.is_kit
    assert kit.notes
    assert str(piece.meter) == meter
    assert piece.chords


def test_quantized_notes_are_on_the_grid_and_do_not_overlap() -> None:
    loose = [
        NoteEvent(0.4, 23, 60, 0.8),
        NoteEvent(0.1, 40, 64, 0.8),
        NoteEvent(23.6, 11, 62, 0.8),
        NoteEvent(48.0, 8, 60, 0.8),
        NoteEvent(56.3, 8, 62, 0.8),
        NoteEvent(63.8, 8, 64, 0.8),
    ]
    assert quantize_events(loose) == [
        (0, (60, 64), 24),
        (24, (62,), 12),
        (48, (60,), 8),
        (56, (62,), 8),
        (64, (64,), 8),
    ]
