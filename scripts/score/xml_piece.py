"""Reads MusicXML as a piece, using music21, with repeats expanded."""

from __future__ import annotations

import io
import warnings
import zipfile
from bisect import bisect_right
from typing import Any
from xml.etree import ElementTree

from scripts.core.errors import NotationError
from scripts.score.chords import Chord, parse_chord
from scripts.score.keys import Key, key_from_pc, pitch_class
from scripts.score.piece import (
    DRUM_CHANNEL,
    Piece,
    PieceNote,
    Voice,
    find_key,
    find_main_tempo,
    pitch_class_weights,
)
from scripts.score.time_signature import TimeSignature, parse_time_signature
from scripts.score.xml_drums import add_drum_pitches

MAX_XML_BYTES = 40 << 20  # bytes of MusicXML, decompressed


def unpack_mxl(data: bytes) -> bytes:
    """Extract the MusicXML from an ``.mxl`` archive.

    Raises
    ------
    NotationError
        If the archive is damaged, or its score is missing or larger than :data:`MAX_XML_BYTES`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [
                n
                for n in archive.namelist()
                if not n.startswith("META-INF/") and n.endswith((".xml", ".musicxml"))
            ]
            if "META-INF/container.xml" in archive.namelist():
                with archive.open("META-INF/container.xml") as file:
                    root = ElementTree.fromstring(file.read(1 << 20))
                listed = [
                    str(e.get("full-path")) for e in root.iter() if e.tag.endswith("rootfile")
                ]
                names = [n for n in listed if n in archive.namelist()] or names
            if not names:
                raise NotationError("MusicXML: the archive contains no score")
            with archive.open(names[0]) as file:
                found = file.read(MAX_XML_BYTES + 1)
    except NotationError:
        raise
    except Exception as error:  # each compression method raises errors of its own
        raise NotationError(f"MusicXML: the archive is damaged ({str(error)[:60]})") from error
    if len(found) > MAX_XML_BYTES:
        raise NotationError(f"MusicXML: the score is larger than {MAX_XML_BYTES >> 20} MB")
    return found


def read_xml_piece(data: bytes) -> Piece:
    """Read the bytes of a MusicXML document.

    Raises
    ------
    NotationError
        If it is not MusicXML, or has no notes.
    """
    import music21  # imported late: takes half a second

    remarks: list[str] = []
    try:
        root = ElementTree.fromstring(data)
        kits = add_drum_pitches(root)
        text = ElementTree.tostring(root, encoding="unicode")
    except (ElementTree.ParseError, LookupError, ValueError, RecursionError) as error:
        raise NotationError(f"MusicXML: {str(error)[:80]}") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            score = music21.converter.parseData(text, format="musicxml")
        except Exception as error:  # music21 raises all kinds of errors on invalid files
            raise NotationError(
                f"MusicXML: music21 cannot read it ({type(error).__name__}: {str(error)[:80]})"
            ) from error
        if "<transpose>" in text:  # clarinets, horns, guitars: to concert pitch
            score = score.toSoundingPitch()
        played = score
        try:
            played = score.expandRepeats()
        except Exception:
            remarks.append("the repeats are inconsistent and are not played")
        return _build_piece(played, score, kits, remarks)


def _build_piece(score: Any, printed: Any, kits: set[str], remarks: list[str]) -> Piece:
    parts = list(score.parts)
    shift = _pickup_shift(parts[0]) if parts else 0.0
    voices = [
        v for v in (_read_voice(part, n, shift, kits) for n, part in enumerate(parts)) if v.notes
    ]
    if not voices:
        raise NotationError("MusicXML: the score has no notes")
    flat = parts[0].flatten()
    meters = [
        m
        for m in (
            parse_time_signature(s.ratioString) for s in flat.getElementsByClass("TimeSignature")
        )
        if m
    ]
    if len(set(meters)) > 1:
        remarks.append("the time signature changes; only the first is used")
    end = max(n.start + n.ticks for v in voices for n in v.notes)
    tempos = _read_tempos(score, shift)
    chords = sorted(
        (
            (shift + 24 * float(c.getOffsetInHierarchy(score)), chord)
            for c in score.recurse().getElementsByClass("ChordSymbol")
            if (chord := _read_chord(c)) is not None
        ),
        key=lambda found: found[0],
    )
    metadata = printed.metadata
    title = (metadata.title or metadata.movementName or "") if metadata else ""
    title = "" if title.endswith((".xml", ".mxl", ".musicxml")) else title  # music21's placeholder
    composer = (metadata.composer or "") if metadata else ""
    pitched = [n for v in voices if not v.is_kit for n in v.notes]
    return Piece(
        title,
        composer,
        _read_key(flat, pitched),
        meters[0] if meters else TimeSignature(4, 4),
        find_main_tempo(tempos, end),
        tuple(voices),
        tuple(chords),
        (),
        tuple(tempos) if len({t for _, t in tempos}) > 1 else (),
        tuple(remarks),
    )


def _pickup_shift(part: Any) -> float:
    """Ticks to shift the music by, so that a pickup bar ends on a bar line."""
    bars = list(part.getElementsByClass("Measure"))
    signs = list(part.recurse().getElementsByClass("TimeSignature"))
    if not bars or not signs:
        return 0.0
    missing = float(signs[0].barDuration.quarterLength - bars[0].duration.quarterLength)
    return 24 * missing if missing > 0 and len(bars) > 1 else 0.0


def _read_voice(part: Any, number: int, shift: float, kits: set[str]) -> Voice:
    instrument = part.getInstrument(returnDefault=False)
    program = None if instrument is None else instrument.midiProgram
    drums = part.id in kits or (instrument is not None and instrument.midiChannel == DRUM_CHANNEL)
    flat = part.stripTies().flatten()
    marks = [
        (float(d.offset), float(d.volumeScalar or 0.6)) for d in flat.getElementsByClass("Dynamic")
    ]
    notes: list[PieceNote] = []
    for item in flat.notes:
        if item.duration.isGrace or "ChordSymbol" in item.classes:
            continue
        level = 0.7
        if marks and (i := bisect_right([at for at, _ in marks], float(item.offset))):
            level = 0.25 + 0.75 * marks[i - 1][1]
        if any("Accent" in a.classes for a in item.articulations):
            level = min(1.0, level + 0.15)
        start, ticks = shift + 24 * float(item.offset), 24 * float(item.duration.quarterLength)
        pitches = [p.midi for p in getattr(item, "pitches", ())]
        notes += [PieceNote(start, max(ticks, 1.0), p, level) for p in pitches if 0 <= p <= 127]
    name = " ".join(str(part.partName or f"part {number + 1}").split())
    return Voice(name, tuple(sorted(notes, key=lambda n: (n.start, n.pitch))), program, drums)


def _read_tempos(score: Any, shift: float) -> list[tuple[float, float]]:
    found = {}
    for mark in score.recurse().getElementsByClass("MetronomeMark"):
        tempo = mark.getQuarterBPM()
        if tempo and 5 <= tempo <= 1000:
            at = 24 * float(mark.getOffsetInHierarchy(score))
            found[at + shift if at else 0.0] = float(tempo)
    return sorted(found.items())


def _read_chord(symbol: Any) -> Chord | None:
    figure = str(symbol.figure).replace("-", "b")
    found = parse_chord(figure)
    if found is None and symbol.root() is not None:  # unknown quality: major or minor
        third = symbol.third
        minor = third is not None and (third.pitchClass - symbol.root().pitchClass) % 12 == 3
        found = Chord(symbol.root().pitchClass, "m" if minor else "")
    return found


def _read_key(flat: Any, notes: list[PieceNote]) -> Key:
    """The printed key; if there is only a key signature, the notes decide its mode."""
    guessed = find_key(pitch_class_weights(notes))
    for sign in flat.getElementsByClass("KeySignature"):
        mode = getattr(sign, "mode", None)
        if mode in ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian"):
            return key_from_pc(pitch_class(sign.tonic.name.replace("-", "b")), mode)
        major = sign.asKey("major").tonic.pitchClass
        minor = guessed.is_minor and guessed.tonic_pc == (major + 9) % 12
        return guessed if minor else key_from_pc(major, "major")
    return guessed
