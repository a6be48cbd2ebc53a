"""Chord symbols and Roman numerals: the supported qualities and their notes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scripts.score.keys import Key, pitch_class

# Quality suffix -> intervals above the root in semitones.
QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "9": (0, 4, 7, 10, 14),
    "m9": (0, 3, 7, 10, 14),
    "maj9": (0, 4, 7, 11, 14),
    "add9": (0, 4, 7, 14),
    "13": (0, 4, 10, 14, 21),
    "7b9": (0, 4, 7, 10, 13),
    "7#9": (0, 4, 7, 10, 15),
    "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9),
    "m7b5": (0, 3, 6, 10),
    "aug": (0, 4, 8),
    "7#5": (0, 4, 8, 10),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "7sus4": (0, 5, 7, 10),
    "5": (0, 7),
    "mmaj7": (0, 3, 7, 11),
}

_ALIASES = {
    "maj": "",
    "M": "",
    "major": "",
    "min": "m",
    "-": "m",
    "minor": "m",
    "M7": "maj7",
    "Maj7": "maj7",
    "min7": "m7",
    "-7": "m7",
    "dom7": "7",
    "dominant": "7",
    "o": "dim",
    "o7": "dim7",
    "+": "aug",
    "7+": "7#5",
    "aug7": "7#5",
    "+7": "7#5",
    "sus": "sus4",
    "7sus": "7sus4",
    "min6": "m6",
    "min9": "m9",
    "ø": "m7b5",
    "ø7": "m7b5",
    "min7b5": "m7b5",
    "maj6": "6",
    "2": "sus2",
    "4": "sus4",
    "m(maj7)": "mmaj7",
    "mM7": "mmaj7",
    "69": "6",
    "6/9": "6",
    "maj13": "maj9",
    "11": "9",
    "m11": "m9",
    "7b5": "7",
    "dom9": "9",
}

_SYMBOL = re.compile(r"^([A-G])([#b♯♭]?)([^/]*)(?:/([A-G][#b]?))?$")
_ROMAN = re.compile(r"^([#b]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(.*)$")
_DEGREES = {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11}
_DEGREES_MINOR = {"I": 0, "II": 2, "III": 3, "IV": 5, "V": 7, "VI": 8, "VII": 10}


@dataclass(frozen=True)
class Chord:
    """A chord: the pitch class of its root (0 is C) and a quality in :data:`QUALITIES`."""

    root: int
    quality: str = ""

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """Pitch classes, root first."""
        return tuple((self.root + i) % 12 for i in QUALITIES[self.quality])

    @property
    def intervals(self) -> tuple[int, ...]:
        """Semitones above the root."""
        return QUALITIES[self.quality]

    @property
    def is_minor(self) -> bool:
        """True when the chord has a minor third and no major one."""
        return 3 in QUALITIES[self.quality] and 4 not in QUALITIES[self.quality]

    def symbol(self, key: Key) -> str:
        """Format the chord symbol as spelled in `key`, for example ``F#m7``."""
        letter, alter = key.spell(self.root)
        if abs(alter) > 1:  # a double accidental reads badly on a chart
            letter, alter = Key("C").spell(self.root)
        return letter + "#" * max(alter, 0) + "b" * max(-alter, 0) + self.quality


def parse_chord(text: str) -> Chord | None:
    """Parse a chord symbol such as ``Am7`` or ``Bb/D`` (the bass is ignored), or return None."""
    match = _SYMBOL.match(text.strip())
    if not match:
        return None
    letter, sign, quality, _bass = match.groups()
    quality = quality.strip()
    quality = _ALIASES.get(quality, quality)
    if quality not in QUALITIES:
        return None
    return Chord(pitch_class(letter + sign.replace("♯", "#").replace("♭", "b")), quality)


def parse_roman_numeral(text: str, key: Key) -> Chord | None:
    """Parse a Roman numeral (``ii7``, ``bVII``, ``Vsus4``) in `key`; lower case is minor.

    In keys with a minor third, III, VI and VII are on the natural minor degrees. Returns None
    for anything else.
    """
    match = _ROMAN.match(text.strip())
    if not match:
        return None
    sign, numeral, suffix = match.groups()
    degrees = _DEGREES_MINOR if key.is_minor else _DEGREES
    root = key.tonic_pc + degrees[numeral.upper()] + (sign == "#") - (sign == "b")
    lower = numeral.islower()
    suffix = _ALIASES.get(suffix, suffix)
    if lower and suffix in ("", "7", "6", "9"):
        suffix = "m" + suffix
    if suffix not in QUALITIES:
        return None
    return Chord(root % 12, suffix)
