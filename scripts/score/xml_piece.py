"""Reads MusicXML as a piece, using music21."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any
from xml.etree import ElementTree

from scripts.core.errors import NotationError
from scripts.score.chords import Chord
from scripts.score.keys import Key, key_from_pc, pitch_class
from scripts.score.piece import (
    MusicTooLargeError,
    Piece,
    PieceNote,
    Voice,
    find_key,
    find_main_tempo,
    pitch_class_weights,
)
from scripts.score.playing_order import find_playing_order, merge_marks
from scripts.score.time_signature import TimeSignature, parse_time_signature
from scripts.score.written_bars import MAX_BARS, WrittenBar, place_chords, place_notes
from scripts.score.xml_bars import MAX_NOTES, XmlPart, read_jumps, read_parts
from scripts.score.xml_drums import add_drum_pitches


def read_xml_piece(data: bytes) -> Piece:
    """Read the bytes of a MusicXML document.

    Raises
    ------
    NotationError
        If it is not MusicXML, has no notes or too many.
    """
    import music21  # imported late: takes half a second

    try:
        root = ElementTree.fromstring(data)
        _check_size(root)
        kits = add_drum_pitches(root)
        text = ElementTree.tostring(root, encoding="unicode")
    except (ElementTree.ParseError, LookupError, ValueError, RecursionError) as error:
        raise NotationError(f"MusicXML: {str(error)[:80]}") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            score = music21.converter.parseData(text, format="musicxml")
            if "<transpose>" in text:  # clarinets, horns, guitars: to concert pitch
                score = score.toSoundingPitch()
            return _build_piece(score, kits, read_jumps(root))
        except NotationError:
            raise
        except Exception as error:  # music21 raises all kinds of errors on invalid files
            raise NotationError(
                f"MusicXML: music21 cannot read it ({type(error).__name__}: {str(error)[:80]})"
            ) from error


def _check_size(root: ElementTree.Element) -> None:
    """Refuse what music21 would read for minutes; shorten absurd numbers of endings."""
    if sum(1 for _ in root.iter("note")) > MAX_NOTES:
        raise MusicTooLargeError(f"MusicXML: the score has more than {MAX_NOTES:,} notes")
    if sum(1 for _ in root.iter("measure")) > MAX_BARS:
        raise MusicTooLargeError(f"MusicXML: the score has more than {MAX_BARS:,} bars")
    for ending in root.iter("ending"):
        if re.search(r"\d{3}", ending.get("number", "")):
            ending.set("number", "1")


def _build_piece(score: Any, kits: set[str], jumps: list[frozenset[str]]) -> Piece:
    remarks: list[str] = []
    parts = read_parts(score, kits, remarks)
    bars = _combine_parts(parts, remarks)
    for number, marks in enumerate(jumps[: len(bars)]):
        bars[number].marks |= marks
    order = find_playing_order(bars, lambda bar, text: remarks.append(f"bar {bar}: {text}"))
    meter, pickup = _read_meter(score.parts[0] if parts else score, bars, remarks)
    lengths = [bars[i].ticks for i in order]
    starts = list(accumulate(lengths[:-1], initial=pickup))
    voices: list[Voice] = []
    chords: list[tuple[float, Chord]] = []
    tempos: dict[float, float] = {}
    for part in parts:
        played = [part.bars[i] for i in order if i < len(part.bars)]
        at = [start for i, start in zip(order, starts, strict=True) if i < len(part.bars)]
        notes = place_notes(played, at)
        if notes:
            voices.append(Voice(part.name, tuple(notes), part.program, part.is_kit))
        chords += place_chords(played, at)
        tempos |= {float(s + t): q for b, s in zip(played, at, strict=True) for t, q in b.tempos}
    if not voices:
        raise NotationError("MusicXML: the score has no notes")
    end = max(n.start + n.ticks for v in voices for n in v.notes)
    changes = sorted(tempos.items())
    if changes and changes[0][0] <= pickup:
        changes[0] = (0.0, changes[0][1])
    title, composer = _read_metadata(score.metadata)
    pitched = [n for v in voices if not v.is_kit for n in v.notes]
    return Piece(
        title,
        composer,
        _read_key(score.parts[0], pitched),
        meter,
        find_main_tempo(changes, end),
        tuple(voices),
        tuple(sorted(chords, key=lambda chord: chord[0])),
        (),
        tuple(changes) if len({t for _, t in changes}) > 1 else (),
        tuple(remarks),
    )


def _combine_parts(parts: Sequence[XmlPart], remarks: list[str]) -> list[WrittenBar]:
    """Bars with the marks of all parts, and the length of most of them."""
    merged = merge_marks([part.bars for part in parts])
    if len({len(part.bars) for part in parts}) > 1:
        remarks.append("the parts have different numbers of bars; they start together")
    for number, bar in enumerate(merged):
        bar.line = number + 1
        lengths = Counter(
            part.bars[number].ticks
            for part in parts
            if number < len(part.bars) and part.bars[number].notes
        ) or Counter(part.bars[number].ticks for part in parts if number < len(part.bars))
        # Rests are often written too long, so most bars that have notes count.
        bar.ticks = max(lengths, key=lambda ticks: (lengths[ticks], ticks))
        if max(lengths) > bar.ticks:
            remarks.append(f"bar {number + 1}: it is longer in one part than in the others")
    return merged


def _read_meter(
    part: Any, bars: Sequence[WrittenBar], remarks: list[str]
) -> tuple[TimeSignature, Fraction]:
    """Read the time signature, and how much of its first bar is missing (a pickup), in ticks."""
    found = [
        meter
        for sign in part.recurse().getElementsByClass("TimeSignature")
        if (meter := parse_time_signature(sign.ratioString)) is not None
    ]
    if len(set(found)) > 1:
        remarks.append("the time signature changes; only the first is used")
    meter = found[0] if found else TimeSignature(4, 4)
    missing = meter.bar_ticks - bars[0].ticks if found and len(bars) > 1 else Fraction(0)
    return meter, max(missing, Fraction(0))


def _read_metadata(metadata: Any) -> tuple[str, str]:
    """Title and composer; empty where there is none."""
    if not metadata:
        return "", ""
    title = metadata.title or metadata.movementName or ""
    if title.endswith((".xml", ".mxl", ".musicxml")):  # music21 puts the file's name there
        title = ""
    return title, metadata.composer or ""


def _read_key(part: Any, notes: list[PieceNote]) -> Key:
    """The printed key; if there is only a key signature, the notes decide its mode."""
    guessed = find_key(pitch_class_weights(notes))
    for sign in part.recurse().getElementsByClass("KeySignature"):
        mode = getattr(sign, "mode", None)
        if mode in ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian"):
            return key_from_pc(pitch_class(sign.tonic.name.replace("-", "b")), mode)
        major = sign.asKey("major").tonic.pitchClass
        minor = guessed.is_minor and guessed.tonic_pc == (major + 9) % 12
        return guessed if minor else key_from_pc(major, "major")
    return guessed
