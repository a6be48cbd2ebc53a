"""Pitches of foreign ABC: key signature, accidentals and transposition."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from scripts.core.errors import NotationError
from scripts.score.abc_tokens import parse_length
from scripts.score.keys import LETTER_PC
from scripts.score.written_bars import Warn, WrittenNote


@dataclass(frozen=True, slots=True)
class Pitch:
    """A pitch of a chord.

    Parameters
    ----------
    midi : int
    staff_place : str
        Letter and octave, which an accidental applies to.
    alteration : int
        Semitones by which key and accidentals change it.
    share : Fraction
        Length of its note as a share of the chord's.
    is_tied : bool
    """

    midi: int
    staff_place: str
    alteration: int
    share: Fraction
    is_tied: bool


class PitchReader:
    """Reads the pitches of one voice.

    Parameters
    ----------
    signature : dict of str to int
        Alteration of each letter by the key.
    warn : callable
        Called with a line and a text for what is not played as written.

    Attributes
    ----------
    transpositions : dict of str to int
        Semitones added to every pitch, by what adds them.
    scope : str
        What an accidental applies to until the end of the bar: "pitch" (its letter in every
        octave), "octave" or "not" (its note alone).
    """

    def __init__(self, signature: dict[str, int], warn: Warn) -> None:
        self.signature, self._warn = signature, warn
        self.transpositions: dict[str, int] = {}
        self.scope = "pitch"
        self._altered: dict[str, int] = {}
        self._carried: dict[str, int] = {}  # accidentals that ties carry over the bar line

    @property
    def has_accidentals(self) -> bool:
        """Whether an accidental is in force until the end of the bar."""
        return bool(self._altered)

    def start_bar(self, tied: Iterable[WrittenNote]) -> None:
        """End the accidentals of a bar; those of `tied` notes go on to the first notes."""
        self._altered, self._carried = {}, {}
        self.carry(tied)

    def carry(self, tied: Iterable[WrittenNote]) -> None:
        """Carry the accidentals of `tied` notes to the first notes of the bar."""
        self._carried |= {note.staff_place: note.alteration for note in tied}

    def read(
        self, match: re.Match[str], line: int, is_first: bool, chord: Fraction, is_tied: bool
    ) -> Pitch:
        """Read a note.

        Parameters
        ----------
        match : re.Match
            Of :data:`scripts.score.abc_tokens.NOTE`.
        line : int
        is_first : bool
            Whether it is the first note of its bar.
        chord : Fraction
            Length of its chord, in unit notes.
        is_tied : bool
            Whether its chord is tied.

        Raises
        ------
        NotationError
            When it is out of range.
        """
        letter, marks = match["letter"].upper(), match["octave"]
        octave = match["letter"].islower() + marks.count("'") - marks.count(",")
        place = f"{letter}{octave}"
        scope = place if self.scope == "octave" else letter
        if match["sign"]:
            alter = match["sign"].count("^") - match["sign"].count("_")
            if match["fraction"]:
                alter = 0
                self._warn(line, "quarter tones are played as the note without accidental")
            if self.scope != "not":
                self._altered[scope] = alter
        elif scope in self._altered:
            alter = self._altered[scope]
        elif place in self._carried and is_first:
            alter = self._carried[place]
        else:
            alter = self.signature[letter]
        midi = 60 + 12 * octave + LETTER_PC[letter] + alter + sum(self.transpositions.values())
        if not 0 <= midi <= 127:
            raise NotationError(f"note {match[0][:12]} is out of range and is left out")
        share = parse_length(match["length"]) / chord
        return Pitch(midi, place, alter, share, is_tied or bool(match["tie"]))
