"""Export of an arrangement to a MusicXML score with music21."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

from scripts.arranger.arrange import SongArrangement
from scripts.arranger.events import NoteEvent, collect_notes
from scripts.core.errors import NotationError
from scripts.score.grid import quantize
from scripts.score.piece import DRUM_CHANNEL
from scripts.score.xml_drums import remove_drum_pitches
from scripts.synth.instruments import Instrument, Texture

# Note values in ticks that a single note can have (dotted ones included), and in triplets.
_NOTE_VALUES = (96, 72, 48, 36, 24, 18, 12, 6, 3)
_TRIPLET_VALUES = (48, 32, 24, 16, 8)
_XML_HEADER = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN"
  "http://www.musicxml.org/dtds/partwise.dtd">
"""

ChordEvent = tuple[int, tuple[int, ...], int]  # start, pitches, ticks


def build_musicxml(arrangement: SongArrangement, instruments: Mapping[str, Instrument]) -> str:
    """Return the arrangement as MusicXML text: one part per role, chord symbols above the melody.

    The score has straight sixteenths or triplets, without swing and micro-timing. Textures such
    as rain are left out.

    Parameters
    ----------
    arrangement : SongArrangement
    instruments : mapping of str to Instrument
        All instruments of the arrangement by name.

    Raises
    ------
    NotationError
        If music21 cannot write the score.
    """
    import music21  # takes half a second to import
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    events_by_role = collect_notes(replace(arrangement, straight=True))
    score = music21.stream.Score()
    kits = {
        role for role, track in arrangement.tracks.items() if instruments[track.instrument].is_kit
    }
    score.insert(
        0,
        music21.metadata.Metadata(title=arrangement.sheet.title, composer=arrangement.sheet.origin),
    )
    for role, track in arrangement.tracks.items():
        instrument = instruments[track.instrument]
        if role not in events_by_role or isinstance(instrument.voice, Texture):
            continue
        shift = 0 if instrument.is_kit else 12 * instrument.octave
        part = _build_part(
            music21, role, instrument, quantize_events(events_by_role[role], shift), arrangement
        )
        if role == "melody":
            _add_chord_symbols(music21, part, arrangement)
        score.insert(0, part)
    try:
        root = ElementTree.fromstring(GeneralObjectExporter(score).parse())
    except music21.exceptions21.Music21Exception as error:
        raise NotationError(f"music21 cannot write this song as MusicXML ({error})") from error
    remove_drum_pitches(root, kits)
    return _XML_HEADER + ElementTree.tostring(root, encoding="unicode") + "\n"


def quantize_events(events: list[NoteEvent], shift: int = 0) -> list[ChordEvent]:
    """Quantize notes to the notation grid and merge those that start together into chords.

    Parameters
    ----------
    events : list of NoteEvent
        By start.
    shift : int
        Transposition in semitones; notes outside MIDI's 0 to 127 are left out.

    Returns
    -------
    list of (start, pitches, ticks)
        By start, in ticks (24 per quarter); each ends before or when the next begins.
    """
    at: dict[int, list[tuple[int, float]]] = {}
    for start, event in zip(quantize([e.start for e in events]), events, strict=True):
        if 0 <= event.pitch + shift <= 127:
            at.setdefault(start, []).append((event.pitch + shift, event.ticks))
    starts = sorted(at)
    chords = []
    for start, following in pairwise([*starts, starts[-1] + 96 if starts else 0]):
        longest = max(ticks for _, ticks in at[start])
        gap = following - start
        lengths = _TRIPLET_VALUES if start % 3 or following % 3 else _NOTE_VALUES
        fits = [n for n in lengths if n <= min(gap, longest + 6)]
        ticks = (
            gap
            if gap <= longest + 6 and gap in (*_NOTE_VALUES, *_TRIPLET_VALUES)
            else fits[0]
            if fits
            else gap
        )
        chords.append((start, tuple(sorted({p for p, _ in at[start]})), ticks))
    return chords


def _build_part(
    music21: Any,
    role: str,
    instrument: Instrument,
    events: list[ChordEvent],
    arrangement: SongArrangement,
) -> Any:
    part = music21.stream.Part(id=role)
    sheet = arrangement.sheet
    sound = (
        music21.instrument.UnpitchedPercussion()
        if instrument.is_kit
        else music21.instrument.Instrument(instrument.name)
    )
    sound.partName = role
    if instrument.is_kit:
        sound.midiChannel = DRUM_CHANNEL
        part.insert(0, music21.clef.PercussionClef())
    else:
        sound.midiProgram = instrument.program
        low = sum(p[0] for _, p, _ in events) / max(1, len(events)) < 55
        part.insert(0, music21.clef.BassClef() if low else music21.clef.TrebleClef())
    part.insert(0, sound)
    part.insert(0, music21.meter.TimeSignature(str(sheet.meter)))
    part.insert(0, music21.key.KeySignature(sheet.key.fifths))
    part.insert(0, music21.tempo.MetronomeMark(number=arrangement.tempo, referent=1.0))
    for start, pitches, ticks in events:
        length = music21.common.opFrac(ticks / 24)
        if len(pitches) == 1:
            item = music21.note.Note(_spell_pitch(music21, pitches[0], sheet), quarterLength=length)
        else:
            item = music21.chord.Chord(
                [_spell_pitch(music21, p, sheet) for p in pitches], quarterLength=length
            )
        part.insert(music21.common.opFrac(start / 24), item)
    return part


def _spell_pitch(music21: Any, pitch: int, sheet: Any) -> Any:
    """The music21 pitch, spelled in the key of the song."""
    letter, alter = sheet.key.spell(pitch % 12)
    name = letter + ("#" * alter if alter > 0 else "-" * -alter)
    written = music21.pitch.Pitch(name)
    written.octave = 4
    written.octave += (pitch - written.midi) // 12
    return written


def _add_chord_symbols(music21: Any, part: Any, arrangement: SongArrangement) -> None:
    """Add a chord symbol wherever the chord changes."""
    sheet, full = arrangement.sheet, arrangement.bar_ticks
    before = ""
    for section in arrangement.form:
        for b, bar in enumerate(arrangement.section_bars(section)):
            for tick, chord in bar.chords:
                figure = chord.symbol(sheet.key)
                if figure == before:
                    continue
                before = figure
                # music21 writes a flat root with a minus sign.
                root = figure[0] + figure[1:2].replace("b", "-") + figure[2:]
                try:
                    symbol = music21.harmony.ChordSymbol(root)
                except Exception:  # music21 does not know this chord quality
                    symbol = music21.harmony.NoChord(figure)
                symbol.writeAsChord = False
                part.insert(((section.start + b) * full + tick) / 24, symbol)
