"""Information fields of foreign ABC: key, time signature, voice properties, order of parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from scripts.core.errors import NotationError
from scripts.score.keys import LETTER_PC, LETTERS, SCALES, Key, key_from_pc
from scripts.score.time_signature import TimeSignature, parse_time_signature

_MODES = {
    "": "major", "maj": "major", "ion": "major", "m": "minor", "min": "minor", "aeo": "minor",
    "dor": "dorian", "phr": "phrygian", "lyd": "lydian", "mix": "mixolydian", "loc": "locrian",
}  # fmt: skip  # the first three letters of a mode, in any case
_KEY = re.compile(r"([A-G])([#b]?)\s*([A-Za-z]*)")
_CLEF = r"(?:treble|bass|alto|tenor|perc|none|mezzo|soprano|baritone|auto)[a-z\d]*"
_ACCIDENTAL = re.compile(r"(\^\^?|__?|=)([A-Ga-g])(?=[\s^_=]|$)")
_ALTERATIONS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
_MAX_PART_ORDER = 1000  # letters


@dataclass(frozen=True)
class KeyField:
    """Value of a ``K:`` field: a key, and the alteration of each letter where it differs."""

    key: Key
    accidentals: Mapping[str, int]

    @property
    def signature(self) -> dict[str, int]:
        """Alteration of each letter in semitones."""
        return {**self.key.signature, **self.accidentals}


def parse_key(text: str) -> KeyField | None:
    """Parse a ``K:`` field as in ABC 2.1, with ``exp``, added accidentals, ``HP`` and ``none``.

    Returns
    -------
    KeyField or None
        None when the field names no key: it is empty, or has only a clef.

    Raises
    ------
    NotationError
        When it is not a key.
    """
    text = re.sub(r"\b[a-z]+=\S*", " ", text).strip()  # clef=bass, transpose=-2
    if re.fullmatch(rf"(?:{_CLEF}[+\-^_\d]*)?", text, re.IGNORECASE):
        return None if text.lower() != "none" else KeyField(Key("C"), {})
    if re.match(r"[Hh][Pp]\b", text):  # Highland pipes: A mixolydian
        return KeyField(Key("A", "mixolydian"), {})
    accidentals = {letter.upper(): _ALTERATIONS[sign] for sign, letter in _ACCIDENTAL.findall(text)}
    match = _KEY.match(text)
    if not match:
        if accidentals and re.match(r"(?:none\s*)?[\^_=]", text):
            return KeyField(Key("C"), accidentals)
        raise NotationError(f"invalid key K:{text[:20]}")
    letter, sign, word = match.groups()
    if word.lower() == "exp":  # only the accidentals given count
        key = KeyField(Key(letter + sign), {})
        return KeyField(key.key, {**dict.fromkeys(LETTERS, 0), **accidentals})
    scale = _MODES.get(word[:3].lower()) or ("minor" if re.match("m(?!a)", word) else "major")
    key_named = Key(letter + sign, scale)
    if abs(key_named.fifths) > 7:
        key_named = key_from_pc(key_named.tonic_pc, scale)
    return KeyField(key_named, accidentals)


def name_key(field: KeyField) -> Key:
    """Name a key whose accidentals make another mode on its tonic, such as ``K:D exp ^f ^c``."""
    signature = field.signature
    for scale in SCALES:
        key = Key(field.key.tonic, scale)
        if abs(key.fifths) <= 7 and len(key.pitch_classes) == 7 and _matches(key, signature):
            return key
    return field.key


def _matches(key: Key, signature: Mapping[str, int]) -> bool:
    return {(LETTER_PC[x] + a) % 12 for x, a in signature.items()} == set(key.pitch_classes)


@dataclass(frozen=True)
class MeterField:
    """Value of an ``M:`` field: its bar length in whole notes, None where bars are free."""

    bar: Fraction | None
    signature: TimeSignature | None  # None when it cannot be arranged


def parse_meter(text: str) -> MeterField:
    """Parse an ``M:`` field such as ``6/8``, ``C|``, ``2+3/8`` or ``none``.

    Raises
    ------
    NotationError
        When it is not a time signature.
    """
    text = re.sub(r"\s+", "", text).strip('"')
    if text.lower() in ("none", "free", ""):
        return MeterField(None, None)
    match = re.fullmatch(r"\(?([\d+]{1,20})\)?/(\d{1,2})", text)
    if match and "+" in match[1]:
        text = f"{sum(int(n) for n in match[1].split('+') if n)}/{match[2]}"
    signature = parse_time_signature(text)
    if signature is not None:
        return MeterField(Fraction(signature.bar_ticks, 96), signature)
    match = re.fullmatch(r"(\d{1,3})/(\d{1,2})", text)
    if match is None or not int(match[1]) or not int(match[2]):
        raise NotationError(f"invalid time signature M:{text[:20]}")
    return MeterField(Fraction(int(match[1]), int(match[2])), None)


def parse_unit(text: str) -> Fraction:
    """Parse an ``L:`` field, as a fraction of a whole note.

    Raises
    ------
    NotationError
        When it is not a fraction from 1/512 to 4.
    """
    match = re.match(r"(\d{1,4})(?:\s*/\s*(\d{1,4}))?\s*$", text)
    if match and int(match[2] or 1):
        unit = Fraction(int(match[1]), int(match[2] or 1))
        if Fraction(1, 512) <= unit <= 4:
            return unit
    raise NotationError(f"invalid unit note length L:{text[:20]}")


def default_unit(meter: MeterField) -> Fraction:
    """Unit note length where there is no ``L:`` field."""
    short = meter.bar is not None and meter.bar < Fraction(3, 4)
    return Fraction(1, 16) if short else Fraction(1, 8)


def parse_transpositions(text: str) -> dict[str, int]:
    """Semitones that the properties of a ``K:`` or ``V:`` field add to what is written.

    Returns
    -------
    dict of str to int
        Of "octave", "transpose" and "clef" those that the field sets.
    """
    found: dict[str, int] = {}
    for name, value in re.findall(r"\b(octave|transpose|t)=\s*(-?\d{1,2})\b", text):
        found["octave" if name == "octave" else "transpose"] = int(value) * (
            12 if name == "octave" else 1
        )
    clef = re.search(rf"\bclef=|\b{_CLEF}(?:[+-]\d|\s|$)", text, re.IGNORECASE)
    if clef:
        octave = re.search(rf"(?:clef=|\b){_CLEF}([+-])(8|15)(?!\d)", text, re.IGNORECASE)
        found["clef"] = (
            (1 if octave[1] == "+" else -1) * (12 if octave[2] == "8" else 24) if octave else 0
        )
    return found


def parse_part_order(text: str) -> str:
    """Expand the order of parts in a header, such as ``((AB)3.C)2``, to one letter per part.

    Returns
    -------
    str
        Empty when it is not an order of parts.

    Raises
    ------
    NotationError
        When it has more than 1,000 parts.
    """
    if not re.fullmatch(r"[A-Za-z()\d\s.]*", text):
        return ""
    if len(text) > 4 * _MAX_PART_ORDER:
        raise NotationError(f"the order of parts is longer than {_MAX_PART_ORDER:,}")
    open_groups: list[list[str]] = [[]]
    for part in re.findall(r"[A-Za-z()]|\d+", text):
        group = open_groups[-1]
        if part == "(":
            open_groups.append([])
        elif part == ")" and len(open_groups) > 1:
            open_groups[-2].append("".join(open_groups.pop()))
        elif part.isalpha():
            group.append(part)
        elif part.isdigit() and group:
            group[-1] *= int(part[:4])
        else:
            return ""
        if sum(map(len, open_groups[-1])) > _MAX_PART_ORDER:
            raise NotationError(f"the order of parts is longer than {_MAX_PART_ORDER:,}")
    return "".join(open_groups[0]) if len(open_groups) == 1 else ""
