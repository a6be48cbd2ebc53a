"""Reads the parts of a music21 score into written bars."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

from scripts.score.chords import Chord, parse_chord
from scripts.score.piece import DRUM_CHANNEL
from scripts.score.written_bars import WrittenBar, WrittenNote

MAX_NOTES = 60_000  # music21 reads a few thousand a second
_GRACE_TICKS = 3  # a 32nd note, taken from the note that follows
_JUMPS = {"DaCapo": "da capo", "DalSegno": "dal segno", "AlSegno": "dal segno"}
_SOUND_MARKS = {
    "dacapo": "da capo",
    "dalsegno": "dal segno",
    "segno": "segno",
    "tocoda": "coda",
    "coda": "coda",
    "fine": "fine",
}
_SIGNS = {"Segno": "segno", "Coda": "coda", "Fine": "fine"}


@dataclass
class XmlPart:
    """A part: its name, General MIDI program, whether it is a drum kit, and its bars."""

    name: str
    program: int | None
    is_kit: bool
    bars: list[WrittenBar] = field(default_factory=list)


def read_parts(score: Any, kits: set[str], remarks: list[str]) -> list[XmlPart]:
    """Read every part of a music21 score.

    Parameters
    ----------
    score : music21.stream.Score
        At sounding pitch, with its repeats not expanded.
    kits : set of str
        Ids of the parts that are drum kits.
    remarks : list of str
        Extended by what is not played as written.
    """
    parts = [_read_part(source, number, kits) for number, source in enumerate(score.parts, 1)]
    pitches = [p for source in score.parts for p in source.pitches]
    if any(p.ps % 1 for p in pitches):
        remarks.append("quarter tones are played as the nearest note")
    if any(not 0 <= p.ps <= 127 for p in pitches):
        remarks.append("notes out of range are left out")
    return parts


def read_jumps(root: ElementTree.Element) -> list[frozenset[str]]:
    """Marks of each measure that its ``sound`` elements set, over all parts."""
    found: list[set[str]] = []
    for part in root.iter("part"):
        for number, measure in enumerate(part.findall("measure")):
            if number == len(found):
                found.append(set())
            for sound in measure.iter("sound"):
                found[number] |= {m for name, m in _SOUND_MARKS.items() if sound.get(name)}
    return [frozenset(marks) for marks in found]


def _read_part(source: Any, number: int, kits: set[str]) -> XmlPart:
    instrument = source.getInstrument(returnDefault=False)
    part = XmlPart(
        " ".join(str(source.partName or f"part {number}").split()),
        None if instrument is None else instrument.midiProgram,
        source.id in kits or (instrument is not None and instrument.midiChannel == DRUM_CHANNEL),
    )
    measures = list(source.getElementsByClass("Measure"))
    level = 0.7
    for i, measure in enumerate(measures):
        bar = WrittenBar(None, i + 1)
        level = _read_measure(measure, bar, level)
        following = measures[i + 1] if i + 1 < len(measures) else None
        bar.ticks = (
            _ticks(measure.highestTime)
            if following is None
            else _ticks(following.offset) - _ticks(measure.offset)
        )
        part.bars.append(bar)
    _read_endings(source, measures, part.bars)
    return part


def _ticks(quarters: Any) -> Fraction:
    return Fraction(quarters).limit_denominator(10_000) * 24


def _read_measure(measure: Any, bar: WrittenBar, level: float) -> float:
    """Read a measure into `bar`; return the dynamic level at its end."""
    _read_bar_lines(measure, bar)
    streams = [(measure, Fraction(0)), *((v, _ticks(v.offset)) for v in measure.voices)]
    marks = [
        (_ticks(d.offset), 0.25 + 0.75 * float(d.volumeScalar or 0.6))
        for d in measure.getElementsByClass("Dynamic")
    ]
    for stream, shift in streams:
        graces: list[WrittenNote] = []
        for item in stream:
            at = max(Fraction(0), shift + _ticks(item.offset))
            classes = item.classSet
            if "ChordSymbol" in classes:
                chord = read_chord_symbol(item)
                if chord is not None:
                    bar.chords.append((at, chord))
            elif "MetronomeMark" in classes:
                tempo = item.getQuarterBPM() if item.number or item.numberSounding else None
                if tempo and 5 <= tempo <= 1000:
                    bar.tempos.append((at, float(tempo)))
            elif "RepeatExpression" in classes:
                _read_repeat_expression(item, bar)
            elif "NotRest" in classes:
                current = [volume for start, volume in marks if start <= at]
                notes = _read_note(item, at, current[-1] if current else level)
                if item.duration.isGrace:
                    graces += notes
                elif notes:
                    bar.notes += [*_place_graces(graces, notes), *notes]
                    graces = []
        _place_last_graces(graces, bar)
    return marks[-1][1] if marks else level


def _read_note(item: Any, at: Fraction, level: float) -> list[WrittenNote]:
    if any("Accent" in a.classes for a in item.articulations):
        level = min(1.0, level + 0.15)
    ticks = max(_ticks(item.duration.quarterLength), Fraction(1))
    members = item.notes if "Chord" in item.classSet else [item]
    return [
        WrittenNote(
            at,
            ticks,
            member.pitch.midi,
            level,
            (member.tie or item.tie) is not None
            and (member.tie or item.tie).type in ("start", "continue"),
        )
        for member in members
        if getattr(member, "pitch", None) is not None and 0 <= member.pitch.ps <= 127
    ]


def _place_graces(graces: list[WrittenNote], notes: list[WrittenNote]) -> list[WrittenNote]:
    """Place grace notes at the start of `notes`, which become shorter by their length."""
    if not graces:
        return []
    length = min(Fraction(_GRACE_TICKS), min(n.ticks for n in notes) / 2 / len(graces))
    start = notes[0].start
    for i, grace in enumerate(graces):
        grace.start, grace.ticks, grace.is_tied = start + i * length, length, False
    for note in notes:
        note.start += length * len(graces)
        note.ticks -= length * len(graces)
    return graces


def _place_last_graces(graces: list[WrittenNote], bar: WrittenBar) -> None:
    """Place grace notes that no note of the bar follows before the end of its last note."""
    for i, grace in enumerate(graces):
        before = Fraction(_GRACE_TICKS) * (len(graces) - i)
        grace.start, grace.ticks = max(Fraction(0), grace.start - before), Fraction(_GRACE_TICKS)
    bar.notes += graces


def _read_bar_lines(measure: Any, bar: WrittenBar) -> None:
    left, right = measure.leftBarline, measure.rightBarline
    if getattr(left, "direction", None) == "start":
        bar.starts_repeat = 1
    if getattr(right, "direction", None) == "end":
        bar.ends_repeat = max(1, int(right.times or 2) - 1)


def _read_repeat_expression(item: Any, bar: WrittenBar) -> None:
    name = type(item).__name__
    for start, mark in (_JUMPS | _SIGNS).items():
        if name.startswith(start):
            bar.marks |= {mark}


def _read_endings(source: Any, measures: list[Any], bars: list[WrittenBar]) -> None:
    index = {id(measure): i for i, measure in enumerate(measures)}
    for bracket in source.recurse().getElementsByClass("RepeatBracket"):
        numbers = frozenset(int(n) for n in bracket.numberRange)
        spanned = [index[id(m)] for m in bracket.getSpannedElements() if id(m) in index]
        if spanned:
            first, last = min(spanned), max(spanned)
            last = max(last, _repeat_end(bars, last) if 1 in numbers else last)
            for bar in bars[first : last + 1]:
                bar.endings = numbers


def _repeat_end(bars: list[WrittenBar], start: int) -> int:
    """Index of the bar that ends the repeat in which bar `start` is, or `start`.

    music21 keeps only the first bar of some endings.
    """
    for i in range(start, len(bars)):
        if bars[i].ends_repeat:
            return i
        if i > start and (bars[i].starts_repeat or bars[i].endings):
            break
    return start


def read_chord_symbol(symbol: Any) -> Chord | None:
    """Convert a music21 chord symbol; one of unknown quality becomes major or minor."""
    try:
        found = parse_chord(str(symbol.figure).replace("-", "b"))
        if found is None and symbol.root() is not None:
            third = symbol.third
            minor = third is not None and (third.pitchClass - symbol.root().pitchClass) % 12 == 3
            found = Chord(symbol.root().pitchClass, "m" if minor else "")
    except Exception:  # music21 fails on functions without a root
        return None
    return found
