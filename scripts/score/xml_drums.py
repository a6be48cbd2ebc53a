"""Drums in MusicXML: unpitched notes, each naming the drum that is struck.

music21 supports one instrument per part, so drums pass through it as pitches (their General MIDI
keys) and are converted on the way in and out. MusicXML counts the keys from 1.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from scripts.score.keys import LETTER_PC

# General MIDI drum key -> position on the staff, as drummers read it.
STAFF_POSITIONS = {
    35: "E4",
    36: "F4",
    37: "B4",
    38: "C5",
    39: "D5",
    41: "A4",
    42: "G5",
    44: "D4",
    45: "G4",
    46: "A5",
    48: "E5",
    49: "B5",
    51: "F5",
    53: "C6",
    54: "D6",
    56: "E6",
}
_OTHER_POSITION = "F6"
_STEPS = ("C", "C", "D", "D", "E", "F", "F", "G", "G", "A", "A", "B")
_ALTER = (0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0)
_SNARE = 38


def add_drum_pitches(root: Element) -> set[str]:
    """Convert the unpitched notes of a score to pitches, their General MIDI keys, in place.

    Returns
    -------
    set of str
        Ids of the parts that were changed.
    """
    keys = {}
    for instrument in root.iter("midi-instrument"):
        program = instrument.findtext("midi-unpitched", "")
        if program.strip().isdecimal() and len(program.strip()) < 4 and 1 <= int(program) <= 128:
            keys[instrument.get("id")] = int(program) - 1
    by_place = {place: key for key, place in STAFF_POSITIONS.items()}
    changed: set[str] = set()
    for part in root.iter("part"):
        for note in part.iter("note"):
            unpitched = note.find("unpitched")
            if unpitched is None:
                continue
            named = note.find("instrument")
            place = (
                unpitched.findtext("display-step", "") + unpitched.findtext("display-octave", "")
            ).strip()
            key = keys.get(
                named.get("id") if named is not None else None, by_place.get(place, _SNARE)
            )
            unpitched.tag = "pitch"
            for child in list(unpitched):
                unpitched.remove(child)
            _set_pitch(unpitched, key)
            changed.add(part.get("id", ""))
    return changed


def _set_pitch(pitch: Element, key: int) -> None:
    """Write a MIDI key into an empty pitch element."""
    SubElement(pitch, "step").text = _STEPS[key % 12]
    if _ALTER[key % 12]:
        SubElement(pitch, "alter").text = "1"
    SubElement(pitch, "octave").text = str(key // 12 - 1)


def remove_drum_pitches(root: Element, names: set[str]) -> None:
    """Convert the pitches of the parts called `names` to drums on channel 10, in place."""
    for head in root.iter("score-part"):
        if head.findtext("part-name") not in names:
            continue
        part = next(p for p in root.iter("part") if p.get("id") == head.get("id"))
        struck: set[int] = set()
        for note in part.iter("note"):
            pitch = note.find("pitch")
            if pitch is None:
                continue
            letter = LETTER_PC[pitch.findtext("step", "C")]
            key = (
                (int(pitch.findtext("octave", "4")) + 1) * 12
                + letter
                + int(float(pitch.findtext("alter", "0")))
            )
            struck.add(key)
            _make_unpitched(note, pitch, key, f"{head.get('id')}-K{key}")
        for child in list(head):
            if child.tag in ("score-instrument", "midi-instrument"):
                head.remove(child)
        for key in sorted(struck):
            piece = SubElement(head, "score-instrument", id=f"{head.get('id')}-K{key}")
            SubElement(piece, "instrument-name").text = f"key {key}"
        for key in sorted(struck):
            midi = SubElement(head, "midi-instrument", id=f"{head.get('id')}-K{key}")
            SubElement(midi, "midi-channel").text = "10"
            SubElement(midi, "midi-unpitched").text = str(key + 1)


def _make_unpitched(note: Element, pitch: Element, key: int, instrument: str) -> None:
    """Convert a pitched note to an unpitched one of `instrument`."""
    place = STAFF_POSITIONS.get(key, _OTHER_POSITION)
    pitch.tag = "unpitched"
    for child in list(pitch):
        pitch.remove(child)
    SubElement(pitch, "display-step").text = place[0]
    SubElement(pitch, "display-octave").text = place[1]
    for accidental in note.findall("accidental"):
        note.remove(accidental)
    # MusicXML fixes the order of a note's elements: pitch, duration, ties, instrument, ...
    after = max(i for i, child in enumerate(note) if child.tag in ("unpitched", "duration", "tie"))
    note.insert(after + 1, Element("instrument", id=instrument))
