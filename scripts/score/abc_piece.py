"""Reads any ABC tune as a piece: every voice, chord and repeat, recovering from errors.

A bar of the wrong length is padded or cut and an unreadable character is skipped; each is
reported with its line. Pickups and the shorter bars that complement them are left as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from scripts.core.errors import NotationError
from scripts.score.abc_notes import (
    TOKEN_PATTERN,
    BarState,
    apply_token,
    initial_state,
    parse_header,
    parse_key_field,
    parse_tempo_field,
    parse_unit_field,
)
from scripts.score.chords import Chord
from scripts.score.piece import Piece, PieceNote, Voice
from scripts.score.sheet import Note
from scripts.score.time_signature import parse_time_signature

_SUBDIVISIONS = 40  # of a tick, so that quintuplets and 128ths come out even
_FIELDS = "IKLMmNPQRrsTUVWw"  # fields allowed within the music; "G:|" is a note
MAX_BARS = 20_000  # with repeats expanded
_MAX_WARNINGS = 6  # listed one by one; the rest are counted


@dataclass
class _Bar:
    """A bar as written, with the repeat and part marks at its ends."""

    notes: list[Note]
    lower: dict[int, tuple[int, ...]]
    chords: list[tuple[int, Chord]]
    full: int
    line: int
    starts_part: bool = False  # a repeat or a part begins here
    ends_part: bool = False  # a part ends here
    repeats: bool = False  # a repeat ends here
    endings: frozenset[int] = frozenset()

    @property
    def ticks(self) -> int:
        return sum(n.ticks for n in self.notes)


@dataclass
class _Voice:
    name: str
    state: BarState
    bars: list[_Bar] = field(default_factory=list)
    program: int | None = None
    starts_part: bool = True  # the next bar starts a part
    endings: frozenset[int] = frozenset()

    def close(self) -> None:
        """End the current bar and start the next."""
        state = self.state
        early = [] if state.notes else state.chords
        if state.notes:
            self.bars.append(
                _Bar(
                    state.notes,
                    state.lower,
                    state.chords,
                    state.meter.bar_ticks * _SUBDIVISIONS,
                    state.line,
                    self.starts_part,
                    endings=self.endings,
                )
            )
            self.starts_part = False
        state.clear()
        state.chords = early


class _Reader:
    def __init__(self, text: str) -> None:
        self.warnings: dict[int, str] = {}  # by line
        self.header = _repair_header(parse_header(text), self.warnings)
        self.voices: dict[str, _Voice] = {}
        self.current = self._get_voice("")
        in_body = False
        for number, raw in enumerate(text.splitlines(), 1):
            program = re.match(r"^%%MIDI\s+program\s+(?:\d+\s+)?(\d{1,3})\s*$", raw)
            if program:
                self.current.program = min(127, int(program[1]))
            line = raw.split("%", 1)[0].rstrip()
            self.current.state.line = number
            if not in_body:
                in_body = line.startswith("K:")
            elif not line and self._has_music():
                break  # an empty line ends a tune
            elif re.match(rf"^[{_FIELDS}]:", line):
                self._read_field(line[0], line[2:].strip(), number)
            else:
                self._read_music(line, number)
        for voice in self.voices.values():
            voice.close()
            if voice.bars:
                voice.bars[-1].ends_part = True

    def _has_music(self) -> bool:
        return any(v.bars or v.state.notes for v in self.voices.values())

    def _get_voice(self, name: str) -> _Voice:
        if name not in self.voices:
            first = next(iter(self.voices.values()), None)
            if first is not None and first.name == "" and not self._has_music():
                del self.voices[""]  # unnamed and empty: the first named voice replaces it
            self.voices[name] = _Voice(
                name, replace(initial_state(self.header), subdivisions=_SUBDIVISIONS)
            )
        return self.voices[name]

    def _read_field(self, name: str, value: str, line: int) -> None:
        state = self.current.state
        try:
            if name == "V":
                self.current = self._get_voice(value.split()[0] if value.split() else "")
                self.current.state.line = line
            elif name == "K":
                state.key = parse_key_field(value, line)
            elif name == "L":
                state.unit = parse_unit_field(value)
            elif name == "M":
                meter = parse_time_signature(value)
                if meter is None:
                    raise NotationError(f"ABC line {line}: invalid time signature M:{value[:20]}")
                self.current.close()
                state.meter = meter
            elif name == "Q":
                self._warn(line, f"the tempo change to {value[:20]} is ignored")
            elif name == "P":
                self._bar_line(self.current, "||")
        except (NotationError, ValueError) as error:  # ValueError: a number has too many digits
            self._warn(line, str(error))

    def _read_music(self, line: str, number: int) -> None:
        at, bad = 0, False
        while at < len(line):
            match = TOKEN_PATTERN.match(line, at)
            if match is None:
                if not bad and line[at] != "]":
                    self._warn(number, f"{line[at]!r} is not ABC and is skipped")
                at, bad = at + 1, True
                continue
            at = match.end()
            try:
                self._read_token(match)
            except (NotationError, ValueError) as error:
                self._warn(number, str(error)[:80])
        state = self.current.state
        if (
            state.position == state.meter.bar_ticks * _SUBDIVISIONS
        ):  # bar line omitted at the end of a line
            self.current.close()

    def _read_token(self, m: re.Match[str]) -> None:
        voice = self.current
        if m["bar"]:
            self._bar_line(voice, m["bar"])
        if m["ending"] or m["ending2"]:
            voice.close()
            voice.endings = _parse_ending_numbers(m["ending"] or m["ending2"])
            voice.starts_part &= 1 in voice.endings  # later endings belong to the same part
        elif m["bars"] is not None:
            for _ in range(min(int(m["bars"] or 1), 64)):
                voice.close()
                voice.state.notes.append(Note(None, voice.state.meter.bar_ticks * _SUBDIVISIONS))
        elif m["field"]:
            self._read_field(m["field"], m["value"].strip(), voice.state.line)
        elif not m["bar"]:
            apply_token(voice.state, m)

    def _bar_line(self, voice: _Voice, sign: str) -> None:
        voice.close()
        if sign in ("|", "[|"):
            return
        if voice.bars:
            voice.bars[-1].ends_part = True
            voice.bars[-1].repeats |= sign.startswith(":")
        voice.endings = frozenset()
        voice.starts_part = True

    def _warn(self, line: int, text: str) -> None:
        text = re.sub(r"^ABC(?: line \d+)?: ", "", text)
        self.warnings.setdefault(line, text)

    def place_notes(
        self, voice: _Voice
    ) -> tuple[list[PieceNote], list[tuple[float, Chord]], list[int]]:
        """Lay the bars of a voice out in time: notes, chords and starts of parts, all in ticks."""
        notes: list[PieceNote] = []
        chords: list[tuple[float, Chord]] = []
        breaks: list[int] = []
        mixed = len({b.full for b in voice.bars}) > 1
        start = 0
        held: dict[int, int] = {}  # pitch -> index of the note that is tied to the next
        for bar in _expand_repeats(voice.bars):
            start, room = self._place_bar(bar, start, mixed)
            if bar.starts_part and (
                not breaks or start - breaks[-1] * _SUBDIVISIONS >= 4 * bar.full
            ):
                breaks.append(-(-start // bar.full) * bar.full // _SUBDIVISIONS)
            chords += [((start + t) / _SUBDIVISIONS, c) for t, c in bar.chords if t < room]
            at = 0
            for i, note in enumerate(bar.notes):
                ticks = min(note.ticks, room - at)
                struck: dict[int, int] = {}  # pitch -> index of its note
                sounding = (
                    () if note.pitch is None or ticks <= 0 else (*bar.lower.get(i, ()), note.pitch)
                )
                for pitch in sounding:
                    before = held.get(pitch)
                    if before is not None:
                        notes[before] = replace(
                            notes[before], ticks=notes[before].ticks + ticks / _SUBDIVISIONS
                        )
                        struck[pitch] = before
                    else:
                        struck[pitch] = len(notes)
                        notes.append(
                            PieceNote(
                                (start + at) / _SUBDIVISIONS,
                                ticks / _SUBDIVISIONS,
                                pitch,
                                0.82 if at == 0 else 0.75,
                            )
                        )
                held = struck if note.tied else {}
                at += note.ticks
            start += room
        return sorted(notes, key=lambda n: (n.start, n.pitch)), chords, breaks

    def _place_bar(self, bar: _Bar, start: int, mixed: bool) -> tuple[int, int]:
        """Return a bar's start and the length reserved for it, in subdivisions of a tick."""
        if mixed:
            return start, max(bar.ticks, bar.full)
        if bar.ticks > bar.full:
            self._warn(
                bar.line, f"a bar is {_format_eighths(bar.ticks - bar.full)} too long and is cut"
            )
        if bar.ticks >= bar.full:
            return -(-start // bar.full) * bar.full, bar.full
        if bar.starts_part:  # a pickup ends on the bar line
            line = -(-(start + bar.ticks) // bar.full) * bar.full
            return line - bar.ticks, bar.ticks
        start = -(-start // bar.full) * bar.full
        if bar.ends_part:
            return start, bar.ticks
        self._warn(
            bar.line,
            f"a bar is {_format_eighths(bar.full - bar.ticks)} too short and is filled with a rest",
        )
        return start, bar.full


def read_abc_piece(text: str) -> Piece:
    """Read the first tune of `text`.

    Returns
    -------
    Piece
        With one voice per ABC voice; problems are listed by line in `remarks`.

    Raises
    ------
    NotationError
        If there is no ``K:`` field, an invalid ``L:`` field or no note.
    """
    text, tunes = _first_tune(text)
    if not re.search(r"(?m)^K:", text):
        raise NotationError("ABC: the tune has no K: field; add one after the header")
    reader = _Reader(text)
    voices: list[Voice] = []
    chords: list[tuple[float, Chord]] = []
    breaks: list[int] = []
    for number, voice in enumerate(reader.voices.values()):
        notes, found, starts = reader.place_notes(voice)
        chords += found if not chords else []
        breaks = breaks or starts
        if notes:
            voices.append(Voice(voice.name or f"voice {number + 1}", tuple(notes), voice.program))
    if not voices:
        raise NotationError("ABC: the tune has no notes")
    head, state = reader.header, initial_state(reader.header)
    faults = sorted(reader.warnings.items())
    remarks = [f"line {line}: {said}" for line, said in faults[:_MAX_WARNINGS]]
    if len(faults) > _MAX_WARNINGS:
        remarks.append(f"{len(faults) - _MAX_WARNINGS} more lines have faults")
    if tunes > 1:
        remarks.append(f"the file has {tunes} tunes; only the first is played")
    return Piece(
        head.get("T", ""),
        head.get("C", ""),
        state.key,
        state.meter,
        parse_tempo_field(head.get("Q", "")),
        tuple(voices),
        tuple(chords),
        tuple(breaks),
        warnings=tuple(remarks),
    )


def _first_tune(text: str) -> tuple[str, int]:
    """First tune of a tune book, and the number of tunes."""
    tunes = [t for t in re.split(r"(?m)^(?=X:)", text.lstrip("\ufeff")) if t.startswith("X:")]
    return (tunes[0], len(tunes)) if tunes else (text, 1)


def _repair_header(header: dict[str, str], warnings: dict[int, str]) -> dict[str, str]:
    """Replace an invalid time signature or key in the header; report it in `warnings`."""
    whole = re.fullmatch(r"\(?\s*(\d+(?:\+\d+)+)\s*\)?\s*/\s*(\d+)", header.get("M", "").strip())
    if whole:
        header["M"] = f"{sum(map(int, whole[1].split('+')))}/{whole[2]}"
    if parse_time_signature(header.get("M", "4/4")) is None:
        warnings[0] = f"invalid time signature {header['M'][:20]!r}; using 4/4"
        header["M"] = "4/4"
    try:
        parse_key_field(header.get("K", "C"), 0)
    except NotationError:
        short = header["K"].split()[0] if header["K"].split() else "C"
        try:
            parse_key_field(short, 0)
        except NotationError:
            short = "C"
        warnings[0] = f"invalid key {header['K'][:20]!r}; using {short}"
        header["K"] = short
    return header


def _parse_ending_numbers(text: str) -> frozenset[int]:
    """Repeats in which an ending such as ``[1,3`` or ``1-2`` is played."""
    found: set[int] = set()
    for first, last in re.findall(r"(\d)(?:-(\d))?", text):
        found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _expand_repeats(bars: list[_Bar]) -> list[_Bar]:
    """Return the bars in playing order, with repeats and endings expanded."""
    played: list[_Bar] = []
    i = start = 0
    turn = 1
    while i < len(bars) and len(played) < MAX_BARS:
        bar = bars[i]
        if bar.starts_part and i > start:
            start, turn = i, 1
        if bar.endings and turn not in bar.endings:
            i += 1
            continue
        played.append(bar)
        # With endings, the highest number says how often the section is played; else twice.
        rounds = (
            max((max(b.endings) for b in bars[start:] if b.endings), default=2)
            if bar.endings
            else 2
        )
        if bar.repeats and turn < rounds:
            turn, i = turn + 1, start
        elif bar.repeats:
            turn, i = 1, i + 1
            start = i
        else:
            i += 1
    return played


def _format_eighths(ticks: int) -> str:
    eighths = ticks / 12 / _SUBDIVISIONS
    return f"{eighths:g} eighth{'s' if eighths != 1 else ''}"
