"""Reads ABC notation (one voice with chord symbols) into a LeadSheet.

ABC 2.1 is read leniently: decorations, grace notes, slurs and words are passed over, of a
chord in brackets the top note is kept, repeats are read once with their last ending, and a
pickup before a part's first whole bar is dropped. What is kept must add up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction

from scripts.errors import NotationError
from scripts.score.chords import Chord, parse_chord
from scripts.score.keys import LETTER_PC, Key, parse_key
from scripts.score.meter import TICKS_PER_QUARTER, TICKS_PER_WHOLE, Meter, parse_meter
from scripts.score.sheet import Bar, LeadSheet, Note

_LENGTH = r"(?:\d+)?(?:/+\d*)?"
_NOTE = rf"(?P<acc>\^\^|__|\^|_|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)(?P<len>{_LENGTH})"
_TOKEN = re.compile(
    rf'"(?P<quoted>[^"]*)"'
    r"|(?P<skip>\{[^}]*\}|![^!|\n]*!|\+[a-z]+\+|[\s.~uvHJLMOPRSTy`\\*]+\d*)"
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
class _State:
    """What the reader knows at one point of the text."""

    key: Key
    meter: Meter
    unit: Fraction
    line: int = 0
    notes: list[Note] = field(default_factory=list)
    chords: list[tuple[int, Chord]] = field(default_factory=list)
    altered: dict[tuple[str, int], int] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)
    parts: list[list[Bar]] = field(default_factory=list)
    ending: int = 0
    ending_start: int = 0
    tuplet: tuple[Fraction, int] = (Fraction(1), 0)
    broken: Fraction | None = None

    @property
    def position(self) -> int:
        return sum(n.ticks for n in self.notes)


def read_tunes(text: str) -> list[str]:
    """Split a tune book into the texts of its tunes (each starts with an ``X:`` field)."""
    pieces = re.split(r"(?m)^(?=X:)", text)
    return [p for p in pieces if p.startswith("X:")]


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


def read_abc(text: str) -> LeadSheet:
    """Read one tune.

    Returns
    -------
    LeadSheet
        Parts of whole bars.

    Raises
    ------
    NotationError
        With the line of the text that cannot be read.
    """
    head = fields_of(text)
    if "K" not in head:
        raise NotationError("ABC: the tune has no K: field; add one after the header")
    key = _key(head["K"], 0)
    meter = parse_meter(head.get("M", "4/4")) or _fail(0, f"M:{head.get('M')} is no metre")
    default = Fraction(1, 16) if Fraction(meter.beats, meter.unit) < Fraction(3, 4) \
        else Fraction(1, 8)
    state = _State(key, meter, _unit(head["L"]) if "L" in head else default)
    in_body, voice, first_voice = False, "", ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("%", 1)[0].rstrip()
        state.line = number
        if not in_body:
            in_body = line.startswith("K:")
            continue
        if re.match(r"^[A-Za-z]:", line):
            if line.startswith("V:"):
                voice = line[2:].split()[0] if line[2:].split() else ""
                first_voice = first_voice or voice
            elif voice == first_voice:
                _apply_field(state, line[0], line[2:].strip())
            continue
        inline = re.match(r"^\s*\[V:\s*(\S+?)\s*\]", line)
        if inline:
            voice = inline[1]
            first_voice = first_voice or voice
        if voice == first_voice:
            _read_line(state, line)
    _close_bar(state)
    _close_part(state)
    parts = tuple(tuple(p) for p in state.parts if p)
    if not parts:
        raise NotationError("ABC: the tune has no whole bar")
    styles = tuple(head["R"].lower().split()) if head.get("R") else ()
    return LeadSheet(key, meter, parts, _tempo(head.get("Q", "")), head.get("T", ""), styles)


def _fail(line: int, message: str) -> Meter:
    raise NotationError(f"ABC line {line}: {message}")


def _key(text: str, line: int) -> Key:
    word = re.split(r"\s+(?:clef|middle|transpose|stafflines|octave|treble|bass)\b", text)[0]
    word = re.sub(r"\s+[\^_=].*$", "", word).strip()
    key = parse_key(word if word and word.lower() not in ("none", "hp") else "C")
    if key is None:
        # ABC allows any case and long mode names; only the first three letters count.
        short = re.match(r"^([A-G][#b]?)\s*([A-Za-z]{0,3})", word)
        key = parse_key(short[1] + " " + short[2].lower()) if short else None
    if key is None or abs(key.fifths) > 7:
        raise NotationError(f"ABC line {line}: K:{text} is no key")
    return key


def _unit(text: str) -> Fraction:
    match = re.match(r"^(\d+)/(\d+)", text.strip())
    if not match or int(match[2]) == 0 or int(match[1]) == 0:
        raise NotationError(f"ABC: L:{text} is no note length")
    return Fraction(int(match[1]), int(match[2]))


def _tempo(text: str) -> float:
    """Quarter notes a minute from a ``Q:`` field, 120 when it says nothing."""
    match = re.search(r"(?:(\d+)/(\d+)\s*=\s*)?(\d+(?:\.\d+)?)", re.sub(r'"[^"]*"', "", text))
    if not match or match[2] == "0":
        return 120.0
    beat = Fraction(int(match[1]), int(match[2])) if match[1] else Fraction(1, 4)
    tempo = float(match[3]) * float(beat) * 4
    return tempo if 10 <= tempo <= 600 else 120.0


def _apply_field(state: _State, name: str, value: str) -> None:
    if name == "K":
        state.key = _key(value, state.line)
    elif name == "L":
        state.unit = _unit(value)
    elif name == "M" and parse_meter(value) != state.meter:
        raise NotationError(f"ABC line {state.line}: the metre changes to {value}")
    elif name == "P":
        _close_bar(state)
        _close_part(state)


def _read_line(state: _State, line: str) -> None:
    at = 0
    while at < len(line):
        match = _TOKEN.match(line, at)
        if not match:
            raise NotationError(f"ABC line {state.line}: cannot read {line[at:at + 12]!r}")
        at = match.end()
        _take(state, match)


def _take(state: _State, m: re.Match[str]) -> None:
    if m["letter"]:
        _add(state, _pitch(state, m["acc"], m["letter"], m["octave"]), _length(m["len"]))
    elif m["rest"] is not None:
        _add(state, None, _length(m["rest"]))
    elif m["quoted"] is not None:
        chord = parse_chord(m["quoted"])
        if chord:
            state.chords.append((state.position, chord))
    elif m["bar"]:
        _close_bar(state)
        ends = m["bar"] not in ("|", "[|")
        if ends:
            if ":" in m["bar"] and state.ending == 1 and not m["ending"]:
                state.ending = 0
            if not m["ending"]:
                _close_part(state)
        if m["ending"]:
            _begin_ending(state, m["ending"])
    elif m["ending2"]:
        _begin_ending(state, m["ending2"])
    elif m["chord"]:
        pitches = [(_pitch(state, n["acc"], n["letter"], n["octave"]), _length(n["len"]))
                   for n in re.finditer(_NOTE, m["chord"])]
        _add(state, max(p for p, _ in pitches), pitches[0][1] * _length(m["clen"]))
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
    elif m["bars"] is not None:
        for _ in range(min(int(m["bars"] or 1), 64)):
            _close_bar(state)
            state.notes.append(Note(None, state.meter.bar_ticks))
    elif m["field"]:
        _apply_field(state, m["field"], m["value"].strip())


def _length(text: str) -> Fraction:
    match = re.match(r"^(\d*)(/*)(\d*)$", text)
    assert match
    top, slashes, bottom = match.groups()
    value = Fraction(int(top or 1))
    if slashes:
        down = int(bottom) if bottom else 2 ** len(slashes)
        value = value / down if down else Fraction(0)
    return value


def _pitch(state: _State, acc: str | None, letter: str, octave: str) -> int:
    upper = letter.upper()
    step = 60 + (12 if letter.islower() else 0) + 12 * octave.count("'") - 12 * octave.count(",")
    place = (upper, step)
    if acc:
        state.altered[place] = acc.count("^") - acc.count("_")
    alter = state.altered.get(place, state.key.signature[upper])
    pitch = step + LETTER_PC[upper] + alter
    if not 0 <= pitch <= 127:
        raise NotationError(f"ABC line {state.line}: {letter}{octave} is out of range")
    return pitch


def _add(state: _State, pitch: int | None, length: Fraction) -> None:
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
        raise NotationError(f"ABC line {state.line}: a note of length {length} cannot be kept")
    state.notes.append(Note(pitch, int(ticks), triplet=in_tuplet and factor == Fraction(2, 3)))


def _break(state: _State, sign: str) -> None:
    if not state.notes:
        raise NotationError(f"ABC line {state.line}: {sign} without a note before it")
    short = Fraction(1, 2 ** len(sign))
    last = state.notes[-1]
    scale, state.broken = (2 - short, short) if sign[0] == ">" else (short, 2 - short)
    ticks = last.ticks * scale
    if ticks.denominator != 1:
        raise NotationError(f"ABC line {state.line}: {sign} makes a note too short")
    state.notes[-1] = replace(last, ticks=int(ticks))


def _close_bar(state: _State) -> None:
    if state.notes:
        state.bars.append(Bar(tuple(state.notes), tuple(state.chords)))
        state.chords = []
    state.notes = []
    state.altered = {}


def _begin_ending(state: _State, text: str) -> None:
    number = int(re.search(r"\d", text)[0])  # type: ignore[index]
    if number == 1:
        state.ending_start = len(state.bars)
        state.ending = 1
    else:
        # The last ending replaces the first one.
        if state.ending and len(state.bars) > state.ending_start:
            del state.bars[state.ending_start:]
        state.ending = number


def _close_part(state: _State) -> None:
    """End the current part: drop a pickup, fill a short last bar, check the rest."""
    bars, state.bars, state.ending = state.bars, [], 0
    full = state.meter.bar_ticks
    if bars and bars[0].ticks < full:
        bars = bars[1:]
    if not bars:
        return
    last = bars[-1]
    if full / 2 <= last.ticks < full:
        missing = full - last.ticks
        note = last.notes[-1]
        bars[-1] = Bar((*last.notes[:-1], replace(note, ticks=note.ticks + missing)), last.chords) \
            if not note.triplet else Bar((*last.notes, Note(None, missing)), last.chords)
    for bar in bars:
        if bar.ticks != full:
            raise NotationError(
                f"ABC line {state.line}: a bar of {state.meter} has {bar.ticks} ticks, "
                f"not {full}")
    state.parts.append(bars)
