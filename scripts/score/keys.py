"""Keys and scales: names, pitch classes, key signatures and spelling.

Pitch classes are 0 to 11 with C = 0; pitches are MIDI numbers with C4 = 60.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

LETTERS = "CDEFGAB"
LETTER_PC = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARP_ORDER = "FCGDAEB"

# Position of each natural letter on the line of fifths, C = 0.
_LETTER_FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}


@dataclass(frozen=True)
class Scale:
    """A scale as intervals above its tonic and the ABC mode that carries its key signature."""

    intervals: tuple[int, ...]
    abc_mode: str  # suffix of an ABC ``K:`` field
    fifths: int  # signature relative to the major key on the same tonic


SCALES: dict[str, Scale] = {
    "major": Scale((0, 2, 4, 5, 7, 9, 11), "", 0),
    "minor": Scale((0, 2, 3, 5, 7, 8, 10), "m", -3),
    "dorian": Scale((0, 2, 3, 5, 7, 9, 10), "dor", -2),
    "phrygian": Scale((0, 1, 3, 5, 7, 8, 10), "phr", -4),
    "lydian": Scale((0, 2, 4, 6, 7, 9, 11), "lyd", 1),
    "mixolydian": Scale((0, 2, 4, 5, 7, 9, 10), "mix", -1),
    "locrian": Scale((0, 1, 3, 5, 6, 8, 10), "loc", -5),
    "harmonic minor": Scale((0, 2, 3, 5, 7, 8, 11), "m", -3),
    "melodic minor": Scale((0, 2, 3, 5, 7, 9, 11), "m", -3),
    "phrygian dominant": Scale((0, 1, 4, 5, 7, 8, 10), "phr", -4),
    "major pentatonic": Scale((0, 2, 4, 7, 9), "", 0),
    "minor pentatonic": Scale((0, 3, 5, 7, 10), "m", -3),
    "blues": Scale((0, 3, 5, 6, 7, 10), "m", -3),
}

_ALIASES = {
    "": "major",
    "maj": "major",
    "ion": "major",
    "ionian": "major",
    "dur": "major",
    "m": "minor",
    "min": "minor",
    "aeo": "minor",
    "aeolian": "minor",
    "natural minor": "minor",
    "moll": "minor",
    "dor": "dorian",
    "phr": "phrygian",
    "lyd": "lydian",
    "mix": "mixolydian",
    "loc": "locrian",
    "pentatonic": "major pentatonic",
    "harmonic": "harmonic minor",
    "melodic": "melodic minor",
}

_KEY_TEXT = re.compile(r"^\s*([A-Ga-g])\s*(#|b(?!lues)|♯|♭|-?sharp|-?flat)?\s*(.*?)\s*$")


@dataclass(frozen=True)
class Key:
    """A tonic and a scale, for example ``Key("F#", "minor")``.

    Parameters
    ----------
    tonic : str
        A capital letter A to G with an optional ``#`` or ``b``.
    scale : str
        A name in :data:`SCALES`.
    """

    tonic: str
    scale: str = "major"

    @property
    def tonic_pc(self) -> int:
        """Pitch class of the tonic."""
        return pitch_class(self.tonic)

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """The scale's pitch classes, rising from the tonic."""
        return tuple((self.tonic_pc + i) % 12 for i in SCALES[self.scale].intervals)

    @property
    def fifths(self) -> int:
        """Sharps (positive) or flats (negative) in the signature."""
        return _tonic_fifths(self.tonic) + SCALES[self.scale].fifths

    @property
    def signature(self) -> dict[str, int]:
        """Alteration of each letter (-1, 0, 1) by the key signature."""
        altered = dict.fromkeys(LETTERS, 0)
        order = SHARP_ORDER if self.fifths > 0 else SHARP_ORDER[::-1]
        for i in range(abs(self.fifths)):
            altered[order[i % 7]] += 1 if self.fifths > 0 else -1
        return altered

    @property
    def is_minor(self) -> bool:
        """True when the third above the tonic is minor."""
        intervals = SCALES[self.scale].intervals
        return 3 in intervals and 4 not in intervals

    @property
    def abc(self) -> str:
        """The value of an ABC ``K:`` field."""
        return self.tonic + SCALES[self.scale].abc_mode

    def __str__(self) -> str:
        return f"{self.tonic} {self.scale}"

    def spell(self, pc: int) -> tuple[str, int]:
        """Return the letter and alteration that write pitch class `pc` in this key."""
        return _spelling(self)[pc % 12]


def pitch_class(name: str) -> int:
    """Pitch class of a note name such as ``F#`` or ``Bb``."""
    return (LETTER_PC[name[0]] + name.count("#") - name[1:].count("b")) % 12


def parse_key(text: str) -> Key | None:
    """Parse a key as people write it (``F minor``, ``c# dor``, ``Bb``), or return None."""
    match = _KEY_TEXT.match(text)
    if not match:
        return None
    letter, accidental, rest = match.groups()
    sign = {"#": "#", "♯": "#", "sharp": "#", "b": "b", "♭": "b", "flat": "b"}.get(
        (accidental or "").lstrip("-"), ""
    )
    word = " ".join(rest.split())
    # "M" is major and "m" minor; every longer word ignores case.
    if word not in ("m", "M"):
        word = word.lower()
    scale = {"M": "major"}.get(word) or _ALIASES.get(word, word)
    if scale not in SCALES:
        return None
    return simplify_key(Key(letter.upper() + sign, scale))


def simplify_key(key: Key) -> Key:
    """Return `key` or its enharmonic equivalent with fewer accidentals (at most seven)."""
    if abs(key.fifths) <= 7 and len(key.tonic) <= 2:
        return key
    return key_from_pc(key.tonic_pc, key.scale)


def key_from_pc(pc: int, scale: str) -> Key:
    """Return the key on pitch class `pc` with the fewest accidentals in its signature."""
    names = [letter + sign for letter in LETTERS for sign in ("", "#", "b")]
    keys = [Key(name, scale) for name in names if pitch_class(name) == pc % 12]
    return min(keys, key=lambda k: (abs(k.fifths), "#" in k.tonic))


def transpose_key(key: Key, semitones: int) -> Key:
    """Move a key's tonic by `semitones`, spelled with the fewest accidentals."""
    return key_from_pc(key.tonic_pc + semitones, key.scale)


def _tonic_fifths(tonic: str) -> int:
    return _LETTER_FIFTHS[tonic[0]] + 7 * (tonic.count("#") - tonic[1:].count("b"))


# Chromatic degrees (semitones above the tonic) that sound as raised notes; the others are flats.
_RAISED_MAJOR = (1, 6, 8)
_RAISED_MINOR = (4, 6, 9, 11)


@lru_cache(maxsize=512)
def _spelling(key: Key) -> dict[int, tuple[str, int]]:
    signature = key.signature
    table = {
        (LETTER_PC[letter] + alter) % 12: (letter, alter) for letter, alter in signature.items()
    }
    raised = _RAISED_MINOR if key.is_minor else _RAISED_MAJOR
    for pc in range(12):
        if pc in table:
            continue
        up = (pc - key.tonic_pc) % 12 in raised
        base = (pc - 1) % 12 if up else (pc + 1) % 12
        plain = {
            (LETTER_PC[letter] + alter) % 12: (letter, alter) for letter, alter in signature.items()
        }
        if base not in plain:
            up, base = not up, (pc + 1) % 12 if up else (pc - 1) % 12
        letter, alter = plain[base]
        table[pc] = (letter, alter + (1 if up else -1))
    return table
