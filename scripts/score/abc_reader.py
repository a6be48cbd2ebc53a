"""Reads ABC notation (one voice with chord symbols) into a LeadSheet.

ABC 2.1 is read leniently: decorations, grace notes, slurs and lyrics are skipped, only the top
note of a bracketed chord is kept, repeats are read once with their last ending, and a pickup
before a part's first whole bar is dropped. Every bar that is kept must have its full length.
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
from scripts.score.sheet import Bar, LeadSheet, Note
from scripts.score.time_signature import parse_time_signature


@dataclass
class _ReaderState(BarState):
    """Parser state, with the bars and parts read so far."""

    bars: list[Bar] = field(default_factory=list)
    parts: list[list[Bar]] = field(default_factory=list)
    ending: int = 0
    ending_start: int = 0


def split_tunes(text: str) -> list[str]:
    """Split a tune book into the texts of its tunes, each starting with an ``X:`` field."""
    pieces = re.split(r"(?m)^(?=X:)", text)
    return [p for p in pieces if p.startswith("X:")]


def read_abc(text: str) -> LeadSheet:
    """Read one tune.

    Returns
    -------
    LeadSheet
        Parts of whole bars.

    Raises
    ------
    NotationError
        If the tune cannot be read; the message names the line.
    """
    head = parse_header(text)
    if "K" not in head:
        raise NotationError("ABC: the tune has no K: field; add one after the header")
    start = initial_state(head)
    state = _ReaderState(start.key, start.meter, start.unit)
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
        raise NotationError("ABC: the tune has no complete bar")
    styles = tuple(head["R"].lower().split()) if head.get("R") else ()
    return LeadSheet(
        start.key,
        start.meter,
        parts,
        parse_tempo_field(head.get("Q", "")),
        head.get("T", ""),
        styles,
    )


def _apply_field(state: _ReaderState, name: str, value: str) -> None:
    if name == "K":
        state.key = parse_key_field(value, state.line)
    elif name == "L":
        state.unit = parse_unit_field(value)
    elif name == "M" and parse_time_signature(value) != state.meter:
        raise NotationError(f"ABC line {state.line}: cannot change the time signature to {value}")
    elif name == "P":
        _close_bar(state)
        _close_part(state)


def _read_line(state: _ReaderState, line: str) -> None:
    at = 0
    while at < len(line):
        match = TOKEN_PATTERN.match(line, at)
        if not match:
            raise NotationError(f"ABC line {state.line}: cannot read {line[at : at + 12]!r}")
        at = match.end()
        _read_token(state, match)


def _read_token(state: _ReaderState, m: re.Match[str]) -> None:
    if m["bar"]:
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
    elif m["bars"] is not None:
        for _ in range(min(int(m["bars"] or 1), 64)):
            _close_bar(state)
            state.notes.append(Note(None, state.meter.bar_ticks))
    elif m["field"]:
        _apply_field(state, m["field"], m["value"].strip())
    else:
        apply_token(state, m)


def _close_bar(state: _ReaderState) -> None:
    early = [] if state.notes else state.chords  # a chord symbol written before the bar line
    if state.notes:
        state.bars.append(Bar(tuple(state.notes), tuple(state.chords)))
    state.clear()
    state.chords = early


def _begin_ending(state: _ReaderState, text: str) -> None:
    number = int(re.search(r"\d", text)[0])  # type: ignore[index]
    if number == 1:
        state.ending_start = len(state.bars)
        state.ending = 1
    else:
        # The last ending replaces the first one.
        if state.ending and len(state.bars) > state.ending_start:
            del state.bars[state.ending_start :]
        state.ending = number


def _close_part(state: _ReaderState) -> None:
    """End the current part: drop a pickup, pad a short last bar, check the others."""
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
        bars[-1] = (
            Bar((*last.notes[:-1], replace(note, ticks=note.ticks + missing)), last.chords)
            if not note.triplet
            else Bar((*last.notes, Note(None, missing)), last.chords)
        )
    for bar in bars:
        if bar.ticks != full:
            raise NotationError(
                f"ABC line {state.line}: a {state.meter} bar has {bar.ticks} ticks, not {full}"
            )
    state.parts.append(bars)
