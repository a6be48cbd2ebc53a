"""The notation of the program's own lead sheets within a bar, read token by token.

It is strict: a length that is no whole number of ticks is an error. Foreign files are read by
`abc_piece`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from scripts.core.errors import NotationError
from scripts.score.chords import Chord, parse_chord
from scripts.score.keys import LETTER_PC, Key, parse_key
from scripts.score.sheet import Note
from scripts.score.time_signature import (
    TICKS_PER_QUARTER,
    TICKS_PER_WHOLE,
    TimeSignature,
    parse_time_signature,
)

_LENGTH = r"(?:\d+)?(?:/+\d*)?"
_NOTE = rf"(?P<acc>\^\^|__|\^|_|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)(?P<len>{_LENGTH})"
TOKEN_PATTERN = re.compile(
    rf'"(?P<quoted>[^"]*)"'
    r"|(?P<skip>\{[^}]{0,200}\}|![^!|\n]*!|\+[a-z]+\+|[\s.~uvHJLMOPRSTy`\\*]+\d*)"
    r"|\[(?P<field>[A-Za-z]):(?P<value>[^\]]*)\]"
    r"|\((?P<tuplet>\d)(?::(?P<tq>\d?))?(?::(?P<tr>\d?))?"
    rf"|{_NOTE}"
    rf"|[zx](?P<rest>{_LENGTH})"
    r"|Z(?P<bars>\d*)"
    rf"|\[(?P<chord>(?:[\^_=]*[A-Ga-g][,']*{_LENGTH}[\s-]*)+)\](?P<clen>{_LENGTH})"
    r"|(?P<bar>\[\||:+\|+\]?:*|\|+\]?:*|::|\|\])(?P<ending>\s*\[?[1-9](?:[,-][1-9])*\.?)?"
    r"|\[(?P<ending2>[1-9](?:[,-][1-9])*)"
    r"|(?P<broken>>+|<+)"
    r"|(?P<tie>-)"
    r"|[()]"
)
_TUPLET_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}


@dataclass
class BarState:
    """Parser state at one point of a voice.

    Parameters
    ----------
    key, meter, unit
        Currently in force; `unit` is the unit note length (``L:``) as a fraction of a whole note.
    line : int
        Line of the text, from 1.
    notes, chords
        Contents of the current bar so far; chords as (position, chord).
    altered : dict
        Accidentals of the current bar, by letter and octave.
    tuplet : tuple
        Length factor of the current tuplet, and how many of its notes are still to come.
    broken : Fraction or None
        Length factor of the next note, set by ``>`` or ``<``.
    """

    key: Key
    meter: TimeSignature
    unit: Fraction
    line: int = 0
    notes: list[Note] = field(default_factory=list)
    chords: list[tuple[int, Chord]] = field(default_factory=list)
    altered: dict[tuple[str, int], int] = field(default_factory=dict)
    tuplet: tuple[Fraction, int] = (Fraction(1), 0)
    broken: Fraction | None = None

    @property
    def position(self) -> int:
        """Ticks since the start of the bar."""
        return sum(n.ticks for n in self.notes)

    def clear(self) -> None:
        """Start the next bar."""
        self.notes, self.chords, self.altered = [], [], {}


def parse_header(text: str) -> dict[str, str]:
    """Parse a tune's header: the first value of each field up to and including ``K:``."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = re.match(r"^([A-Za-z]):\s*(.*?)\s*(?:(?<!\\)%.*)?$", line)
        if match:
            found.setdefault(match[1], match[2].replace("\\%", "%"))
            if match[1] == "K":
                break
    return found


def initial_state(header: Mapping[str, str]) -> BarState:
    """Build the parser state at the start of the music.

    Parameters
    ----------
    header : mapping of str to str
        Header fields by letter; missing ones mean C major and 4/4.

    Raises
    ------
    NotationError
        If the key, time signature or unit note length is invalid.
    """
    key = parse_key_field(header["K"], 0) if "K" in header else Key("C")
    meter = parse_time_signature(header.get("M", "4/4"))
    if meter is None:
        raise NotationError(
            f"ABC: invalid time signature M:{header.get('M')}; write one such as 6/8"
        )
    default = (
        Fraction(1, 16)
        if Fraction(meter.numerator, meter.denominator) < Fraction(3, 4)
        else Fraction(1, 8)
    )
    return BarState(key, meter, parse_unit_field(header["L"]) if "L" in header else default)


def parse_key_field(text: str, line: int) -> Key:
    """Parse the value of a ``K:`` field; without a key it is C major.

    Parameters
    ----------
    line : int
        Line of the text, for the error message.

    Raises
    ------
    NotationError
        If it is not a key of at most seven sharps or flats.
    """
    word = re.split(r"\s+(?:clef|middle|transpose|stafflines|octave|treble|bass)\b", text)[0]
    word = re.sub(r"\s+[\^_=].*$", "", word).strip()
    if word.lower() == "hp":  # Highland bagpipes: A mixolydian
        word = "Amix"
    key = parse_key(word if word and word.lower() != "none" else "C")
    if key is None:
        # ABC allows any case and long mode names; only the first three letters count.
        short = re.match(r"^([A-G][#b]?)\s*([A-Za-z]{0,3})", word)
        key = parse_key(short[1] + " " + short[2].lower()) if short else None
    if key is None or abs(key.fifths) > 7:
        raise NotationError(f"ABC line {line}: invalid key K:{text}; write one such as F#m or Ddor")
    return key


def parse_unit_field(text: str) -> Fraction:
    """Parse the unit note length of an ``L:`` field, as a fraction of a whole note.

    Raises
    ------
    NotationError
        If it is not a positive fraction.
    """
    match = re.match(r"^(\d+)/(\d+)", text.strip())
    if not match or int(match[2]) == 0 or int(match[1]) == 0:
        raise NotationError(f"ABC: invalid unit note length L:{text}; write one such as 1/8")
    return Fraction(int(match[1]), int(match[2]))


def parse_tempo_field(text: str) -> float:
    """Parse a ``Q:`` field into quarter notes per minute; 120 unless it is 10 to 600."""
    text = re.sub(r'"[^"]*"', "", text)
    match = re.search(r"(?:(\d{1,4})/(\d{1,4})\s*=\s*)?(\d{1,6}(?:\.\d{1,6})?)", text)
    if not match or (match[2] and not int(match[2])):
        return 120.0
    beat = Fraction(int(match[1]), int(match[2])) if match[1] else Fraction(1, 4)
    tempo = float(match[3]) * float(beat) * 4
    return tempo if 10 <= tempo <= 600 else 120.0


def apply_token(state: BarState, m: re.Match[str]) -> None:
    """Apply a token to `state`; bar lines, endings and fields are left to the caller.

    Parameters
    ----------
    state : BarState
        Updated in place.
    m : re.StyleMatch
        Match of :data:`TOKEN_PATTERN`.

    Raises
    ------
    NotationError
        If a pitch, length or tuplet is invalid.
    """
    if m["letter"]:
        _add_note(
            state,
            _resolve_pitch(state, m["acc"], m["letter"], m["octave"]),
            _parse_length(m["len"]),
        )
    elif m["rest"] is not None:
        _add_note(state, None, _parse_length(m["rest"]))
    elif m["quoted"] is not None:
        chord = parse_chord(m["quoted"])
        if chord:
            state.chords.append((state.position, chord))
    elif m["chord"]:
        pitches = [
            (_resolve_pitch(state, n["acc"], n["letter"], n["octave"]), _parse_length(n["len"]))
            for n in re.finditer(_NOTE, m["chord"])
        ]
        top = max(p for p, _ in pitches)
        _add_note(state, top, pitches[0][1] * _parse_length(m["clen"]))
        if "-" in m["chord"]:
            state.notes[-1] = replace(state.notes[-1], tied=True)
    elif m["broken"]:
        _apply_broken_rhythm(state, m["broken"])
    elif m["tuplet"]:
        p = int(m["tuplet"])
        q = int(m["tq"]) if m["tq"] else _TUPLET_TIME.get(p, 3 if state.meter.is_compound else 2)
        if p < 2 or q < 1:
            raise NotationError(f"ABC line {state.line}: invalid tuplet ({p}:{q}")
        state.tuplet = (Fraction(q, p), int(m["tr"]) if m["tr"] else p)
    elif m["tie"] and state.notes:
        state.notes[-1] = replace(state.notes[-1], tied=True)


def _parse_length(text: str) -> Fraction:
    match = re.match(r"^(\d*)(/*)(\d*)$", text)
    assert match
    top, slashes, bottom = match.groups()
    value = Fraction(int(top or 1))
    if slashes:
        down = int(bottom) if bottom else 2 ** len(slashes)
        value = value / down if down else Fraction(0)
    return value


def _resolve_pitch(state: BarState, acc: str | None, letter: str, octave: str) -> int:
    upper = letter.upper()
    step = 60 + (12 if letter.islower() else 0) + 12 * octave.count("'") - 12 * octave.count(",")
    place = (upper, step)
    if acc:
        state.altered[place] = acc.count("^") - acc.count("_")
    alter = state.altered.get(place, state.key.signature[upper])
    pitch = step + LETTER_PC[upper] + alter
    if not 0 <= pitch <= 127:
        raise NotationError(f"ABC line {state.line}: note {letter}{octave} is out of range")
    return pitch


def _add_note(state: BarState, pitch: int | None, length: Fraction) -> None:
    factor, left = state.tuplet
    ticks = length * state.unit * TICKS_PER_WHOLE
    if state.broken is not None:
        ticks *= state.broken
        state.broken = None
    in_tuplet = left > 0
    if in_tuplet:
        ticks *= factor
        state.tuplet = (factor, left - 1)
    if ticks.denominator != 1 or not 0 < ticks <= 64 * TICKS_PER_QUARTER:
        raise NotationError(f"ABC line {state.line}: note length {length} is too short or too long")
    state.notes.append(Note(pitch, int(ticks), triplet=in_tuplet and factor == Fraction(2, 3)))


def _apply_broken_rhythm(state: BarState, sign: str) -> None:
    if not state.notes:
        raise NotationError(f"ABC line {state.line}: {sign} without a note before it")
    short = Fraction(1, 2 ** len(sign))
    last = state.notes[-1]
    scale, state.broken = (2 - short, short) if sign[0] == ">" else (short, 2 - short)
    ticks = last.ticks * scale
    if ticks.denominator != 1:
        raise NotationError(f"ABC line {state.line}: {sign} makes a note too short")
    state.notes[-1] = replace(last, ticks=int(ticks))
