"""ABC notation within a bar: notes, chords, tuplets and accidentals, read token by token.

What stands between the bars (repeats, endings, parts) is the readers' own affair.
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
from scripts.score.time_signature import TICKS_PER_QUARTER, TICKS_PER_WHOLE, Meter, parse_meter

_LENGTH = r"(?:\d+)?(?:/+\d*)?"
_NOTE = rf"(?P<acc>\^\^|__|\^|_|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)(?P<len>{_LENGTH})"
TOKEN = re.compile(
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
    """What is known at one point of a voice.

    Parameters
    ----------
    key, meter, unit
        In force; `unit` is a plain letter's share of a whole note.
    line : int
        Of the text, from 1.
    notes, chords
        Of the bar so far.
    lower : dict
        The lower pitches of the notes that are chords, by index in `notes`.
    fine : int
        Parts that a tick is counted in: with more than one, odd lengths are rounded to a part
        and kept; with one they are refused.
    carried : dict
        Accidentals that a tie takes over the bar line.
    """

    key: Key
    meter: Meter
    unit: Fraction
    line: int = 0
    notes: list[Note] = field(default_factory=list)
    chords: list[tuple[int, Chord]] = field(default_factory=list)
    lower: dict[int, tuple[int, ...]] = field(default_factory=dict)
    altered: dict[tuple[str, int], int] = field(default_factory=dict)
    tuplet: tuple[Fraction, int] = (Fraction(1), 0)
    broken: Fraction | None = None
    fine: int = 1
    carried: dict[tuple[str, int], int] = field(default_factory=dict)
    last: tuple[tuple[str, int], int] | None = None

    @property
    def position(self) -> int:
        return sum(n.ticks for n in self.notes)

    def clear(self) -> None:
        """Go on to the next bar."""
        tied = self.fine > 1 and self.last is not None and self.notes and self.notes[-1].tied
        self.carried = dict([self.last]) if tied and self.last else {}
        self.notes, self.chords, self.lower, self.altered = [], [], {}, {}


def fields_of(text: str) -> dict[str, str]:
    """The first value of each header field up to and including ``K:``."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = re.match(r"^([A-Za-z]):\s*(.*?)\s*(?:%.*)?$", line)
        if match:
            found.setdefault(match[1], match[2])
            if match[1] == "K":
                break
    return found


def head_state(head: Mapping[str, str]) -> BarState:
    """The state after the header's fields.

    Raises
    ------
    NotationError
        When key, metre or unit cannot be read.
    """
    key = key_field(head["K"], 0) if "K" in head else Key("C")
    meter = parse_meter(head.get("M", "4/4"))
    if meter is None:
        raise NotationError(f"ABC line 0: M:{head.get('M')} is no metre")
    default = (
        Fraction(1, 16) if Fraction(meter.beats, meter.unit) < Fraction(3, 4) else Fraction(1, 8)
    )
    return BarState(key, meter, unit_field(head["L"]) if "L" in head else default)


def key_field(text: str, line: int) -> Key:
    word = re.split(r"\s+(?:clef|middle|transpose|stafflines|octave|treble|bass)\b", text)[0]
    word = re.sub(r"\s+[\^_=].*$", "", word).strip()
    if word.lower() == "hp":  # the Highland pipes' own scale
        word = "Amix"
    key = parse_key(word if word and word.lower() != "none" else "C")
    if key is None:
        # ABC allows any case and long mode names; only the first three letters count.
        short = re.match(r"^([A-G][#b]?)\s*([A-Za-z]{0,3})", word)
        key = parse_key(short[1] + " " + short[2].lower()) if short else None
    if key is None or abs(key.fifths) > 7:
        raise NotationError(f"ABC line {line}: K:{text} is no key")
    return key


def unit_field(text: str) -> Fraction:
    match = re.match(r"^(\d+)/(\d+)", text.strip())
    if not match or int(match[2]) == 0 or int(match[1]) == 0:
        raise NotationError(f"ABC: L:{text} is no note length")
    return Fraction(int(match[1]), int(match[2]))


def tempo_field(text: str) -> float:
    """Quarter notes a minute from a ``Q:`` field, 120 when it says nothing."""
    match = re.search(r"(?:(\d+)/(\d+)\s*=\s*)?(\d+(?:\.\d+)?)", re.sub(r'"[^"]*"', "", text))
    if not match or match[2] == "0":
        return 120.0
    beat = Fraction(int(match[1]), int(match[2])) if match[1] else Fraction(1, 4)
    tempo = float(match[3]) * float(beat) * 4
    return tempo if 10 <= tempo <= 600 else 120.0


def take(state: BarState, m: re.Match[str]) -> None:
    """Take a token in; bar lines, endings and fields are left to the caller."""
    if m["letter"]:
        _add(state, _pitch(state, m["acc"], m["letter"], m["octave"]), _length(m["len"]))
    elif m["rest"] is not None:
        _add(state, None, _length(m["rest"]))
    elif m["quoted"] is not None:
        chord = parse_chord(m["quoted"])
        if chord:
            state.chords.append((state.position, chord))
    elif m["chord"]:
        pitches = [
            (_pitch(state, n["acc"], n["letter"], n["octave"]), _length(n["len"]))
            for n in re.finditer(_NOTE, m["chord"])
        ]
        top = max(p for p, _ in pitches)
        _add(state, top, pitches[0][1] * _length(m["clen"]))
        if "-" in m["chord"]:
            state.notes[-1] = replace(state.notes[-1], tied=True)
        state.lower[len(state.notes) - 1] = tuple(sorted({p for p, _ in pitches} - {top}))
    elif m["broken"]:
        _break(state, m["broken"])
    elif m["tuplet"]:
        p = int(m["tuplet"])
        q = int(m["tq"]) if m["tq"] else _TUPLET_TIME.get(p, 3 if state.meter.is_compound else 2)
        if p < 2 or q < 1:
            raise NotationError(f"ABC line {state.line}: ({p}:{q} is no tuplet")
        state.tuplet = (Fraction(q, p), int(m["tr"]) if m["tr"] else p)
    elif m["tie"] and state.notes:
        state.notes[-1] = replace(state.notes[-1], tied=True)


def _length(text: str) -> Fraction:
    match = re.match(r"^(\d*)(/*)(\d*)$", text)
    assert match
    top, slashes, bottom = match.groups()
    value = Fraction(int(top or 1))
    if slashes:
        down = int(bottom) if bottom else 2 ** len(slashes)
        value = value / down if down else Fraction(0)
    return value


def _pitch(state: BarState, acc: str | None, letter: str, octave: str) -> int:
    upper = letter.upper()
    step = 60 + (12 if letter.islower() else 0) + 12 * octave.count("'") - 12 * octave.count(",")
    place = (upper, step)
    if acc:
        state.altered[place] = acc.count("^") - acc.count("_")
    held = state.carried.get(place) if not state.notes else None
    alter = state.altered.get(place, state.key.signature[upper] if held is None else held)
    state.last = place, alter
    pitch = step + LETTER_PC[upper] + alter
    if not 0 <= pitch <= 127:
        raise NotationError(f"ABC line {state.line}: {letter}{octave} is out of range")
    return pitch


def _add(state: BarState, pitch: int | None, length: Fraction) -> None:
    factor, left = state.tuplet
    ticks = length * state.unit * TICKS_PER_WHOLE * state.fine
    if state.broken is not None:
        ticks *= state.broken
        state.broken = None
    in_tuplet = left > 0
    if in_tuplet:
        ticks *= factor
        state.tuplet = (factor, left - 1)
    if state.fine > 1:
        ticks = Fraction(round(ticks))
    if ticks.denominator != 1 or not 0 < ticks <= 64 * TICKS_PER_QUARTER * state.fine:
        raise NotationError(f"ABC line {state.line}: a note of length {length} cannot be kept")
    state.notes.append(Note(pitch, int(ticks), triplet=in_tuplet and factor == Fraction(2, 3)))


def _break(state: BarState, sign: str) -> None:
    if not state.notes:
        raise NotationError(f"ABC line {state.line}: {sign} without a note before it")
    short = Fraction(1, 2 ** len(sign))
    last = state.notes[-1]
    scale, state.broken = (2 - short, short) if sign[0] == ">" else (short, 2 - short)
    ticks = last.ticks * scale
    if state.fine > 1:
        ticks = Fraction(round(ticks))
    if ticks.denominator != 1:
        raise NotationError(f"ABC line {state.line}: {sign} makes a note too short")
    state.notes[-1] = replace(last, ticks=int(ticks))
