"""Builds the bars of one voice of foreign ABC from its tokens."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import islice

from scripts.core.errors import NotationError
from scripts.score.abc_fields import KeyField, MeterField
from scripts.score.abc_pitches import Pitch, PitchReader
from scripts.score.abc_tokens import NOTE, parse_length
from scripts.score.chords import parse_chord
from scripts.score.piece import MusicTooLargeError
from scripts.score.time_signature import TICKS_PER_WHOLE
from scripts.score.written_bars import Budget, Warn, WrittenBar, WrittenNote

MAX_BAR_NOTES = 10_000  # counted together with rests and grace notes
MAX_NOTE_TICKS = 1000 * 24  # 1,000 quarters
_TUPLET_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_GRACE_SHARE = Fraction(1, 4)  # of its written length, taken from the note that follows
_MAX_GRACE_SHARE = Fraction(3, 4)  # of the note that follows; more graces are played faster
_DYNAMICS = {
    "pppp": 0.2, "ppp": 0.28, "pp": 0.38, "p": 0.5, "mp": 0.62,
    "mf": 0.75, "f": 0.85, "ff": 0.93, "fff": 1.0, "ffff": 1.0,
}  # fmt: skip
_ACCENTS = (">", "accent", "emphasis", "L")
_DOWNBEAT = 0.07  # added to the velocity of the first note of a bar


class VoiceReader:
    """Reads the tokens of one voice into bars.

    Parameters
    ----------
    key, meter, unit
        In force at the beginning; `unit` is a fraction of a whole note.
    line : int
        Line of the file, from 1.
    warn : callable
        Called with a line and a text for what is not played as written.
    budget : Budget
        Shared by all voices of the tune.

    Attributes
    ----------
    pitches : PitchReader
    """

    def __init__(
        self,
        name: str,
        key: KeyField,
        meter: MeterField,
        unit: Fraction,
        line: int,
        warn: Warn,
        budget: Budget,
    ) -> None:
        self.name, self.unit, self.line, self._warn = name, unit, line, warn
        self._budget = budget
        self.meter = meter
        self.pitches = PitchReader(key.signature, warn)
        self.program: int | None = None
        self.is_kit = False
        self.part = ""
        self.bars: list[WrittenBar] = []
        self._full = None if meter.bar is None else meter.bar * TICKS_PER_WHOLE
        self._bar = WrittenBar(self._full, line, starts_part=True)
        self._at = Fraction(0)
        self._symbols = 0  # notes and rests in the current bar
        self._overlay_start = Fraction(0)
        self._overlay_bar: int | None = None  # index of the bar with ``(&``
        self._last: tuple[Fraction, list[tuple[WrittenNote, Fraction]]] | None = None
        self._graces: list[tuple[Pitch, Fraction]] = []
        self._tuplet = (Fraction(1), 0)
        self._broken = Fraction(1)
        self._velocity, self._accent = _DYNAMICS["mf"], 0.0
        self._endings: frozenset[int] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written yet."""
        return not self.bars and not self._bar.ticks

    @property
    def is_bar_complete(self) -> bool:
        """Whether the current bar has exactly its full length."""
        return self._full is not None and self._bar.ticks == self._full == self._at

    def set_meter(self, meter: MeterField) -> None:
        """Change the time signature; it starts a bar."""
        self.close_bar()
        self.meter = meter
        self._full = self._bar.full = None if meter.bar is None else meter.bar * TICKS_PER_WHOLE

    def set_tempo(self, tempo: float) -> None:
        """Change the tempo, in quarter notes per minute, from here on."""
        self._bar.tempos.append((self._at, tempo))

    def close_bar(self) -> None:
        """End the current bar and start the next; an empty bar stays open."""
        if not self._bar.ticks:
            return
        ended = self._bar
        ended.part = self.part
        self.bars.append(ended)
        self._budget.count_bar(len(ended.notes))
        self._bar = WrittenBar(self._full, self.line, endings=self._endings)
        self._at = self._overlay_start = Fraction(0)
        self._symbols = 0
        self._last = None
        self.pitches.start_bar(n for n in _ending_notes(ended) if n.is_tied)

    def finish(self) -> None:
        """End the voice."""
        if self._graces:
            self._warn(self.line, "grace notes without a note behind them are left out")
        self.close_bar()

    def end_section(self, repeats: int, starts: int) -> None:
        """End a part at a double bar or repeat sign, and start the next.

        Parameters
        ----------
        repeats, starts : int
            How often the part that ends, and the one that starts, is played again.
        """
        self.close_bar()
        if self.bars:
            self.bars[-1].ends_repeat = max(self.bars[-1].ends_repeat, repeats)
        self._endings = self._bar.endings = frozenset()
        self._bar.starts_part = True
        self._bar.starts_repeat = max(self._bar.starts_repeat, starts)

    def start_ending(self, numbers: frozenset[int]) -> None:
        """Start an ending that is played in these repeats."""
        self.close_bar()
        self._endings = self._bar.endings = numbers
        if 1 not in numbers:  # later endings belong to the same part
            self._bar.starts_part = False

    def add_bar_rests(self, count: int) -> None:
        """Add whole bars of rest."""
        for _ in range(count):
            self.close_bar()
            self._advance(self._full or Fraction(TICKS_PER_WHOLE))
        self.close_bar()

    def start_overlay(self, sign: str) -> None:
        """Go back to the start of the bar (``&``) or of a bracketed overlay (``(&``, ``&)``)."""
        if sign == "(&":
            self._overlay_start, self._overlay_bar = self._at, len(self.bars)
        elif sign == "&)":
            self._overlay_start, self._overlay_bar = Fraction(0), None
        elif self._overlay_bar not in (None, len(self.bars)):
            self._warn(self.line, "an overlay across bar lines is played after what it overlays")
        else:
            self._at = self._overlay_start
            self._last = None

    def add_chord_symbol(self, text: str) -> None:
        """Add a chord symbol.

        Raises
        ------
        NotationError
            When it looks like one and is unknown.
        """
        chord = parse_chord(text)
        if chord is not None:
            self._bar.chords.append((self._at, chord))
        elif re.match(r"(?!D\.)[A-G][#b]?(?:[^a-z]|m|maj|dim|aug|sus|add|$)", text):
            raise NotationError(f'unknown chord symbol "{text[:20]}"')

    def add_decoration(self, name: str) -> None:
        """Apply a dynamic mark or an accent; other decorations are printed only."""
        if name in _DYNAMICS:
            self._velocity = _DYNAMICS[name]
        elif name in _ACCENTS:
            self._accent = 0.12

    def mark_bar(self, mark: str) -> None:
        """Mark the current bar, or the one that just ended, as in :class:`WrittenBar`."""
        if mark:
            ends = mark not in ("segno", "coda") and not self._bar.ticks and self.bars
            bar = self.bars[-1] if ends else self._bar
            bar.marks |= {mark}

    def add_rest(self, length: str) -> None:
        """Add a rest."""
        self._add([], parse_length(length))

    def add_note(self, token: str) -> None:
        """Add a note, written with its accidental, octave marks, length and tie.

        Raises
        ------
        NotationError
            When its pitch or length is out of range.
        MusicTooLargeError
            When the bar or the voice has too many notes.
        """
        match = NOTE.match(token)
        assert match
        length = parse_length(match["length"])
        self._add([self._read_pitch(match, length)], length)

    def add_chord(self, content: str, length: str, tied: bool) -> None:
        """Add the notes between square brackets; the first one's length is the chord's.

        Raises
        ------
        NotationError
            When there is no note in it, or one is out of range.
        """
        content = re.sub(r'"([^"]*)"|![^!]*!', " ", content)
        found = list(islice(NOTE.finditer(content), MAX_BAR_NOTES))
        if not found:
            raise NotationError(f"[{content[:20]}] has no note")
        first = parse_length(found[0]["length"])
        notes = [self._read_pitch(m, first, tied) for m in found]
        self._add(notes, first * parse_length(length))

    def add_graces(self, content: str) -> None:
        """Add grace notes; they take their time from the note that follows."""
        for match in NOTE.finditer(content):
            self._count_symbol()
            self._graces.append((self._read_pitch(match), parse_length(match["length"])))

    def start_tuplet(self, text: str) -> None:
        """Start a tuplet ``p:q:r``: r notes in the time of q instead of p.

        Raises
        ------
        NotationError
            When a number is out of range.
        """
        numbers = [int(n[:6]) if n else 0 for n in text.split(":")]
        p, q, r = (*numbers, 0, 0)[:3]
        compound = self.meter.signature is not None and self.meter.signature.is_compound
        q = q or _TUPLET_TIME.get(p, 3 if compound else 2)
        if not 2 <= p <= 64 or q > 64 or r > 256:
            raise NotationError(f"invalid tuplet ({text[:20]}")
        self._tuplet = (Fraction(q, p), r or p)

    def apply_broken_rhythm(self, signs: str) -> None:
        """Lengthen the last note and shorten the next (``>``), or the reverse (``<``).

        Raises
        ------
        NotationError
            When there is no note before it in the bar.
        """
        if self._last is None or len(signs) > 3:
            raise NotationError(f"{signs[:5]} has no note before it")
        ticks, notes = self._last
        start = self._at - ticks
        short = Fraction(1, 2 ** len(signs))
        factor, self._broken = (2 - short, short) if signs[0] == ">" else (short, 2 - short)
        ticks *= factor
        if self._bar.ticks == self._at:
            self._bar.ticks = start + ticks
        for note, share in notes:
            note.ticks = max(start + ticks * share - note.start, Fraction(1))
        self._at = start + ticks
        self._last = (ticks, notes)

    def tie_last(self) -> None:
        """Tie the last note or chord to the next, also over a bar line before the sign."""
        if self._last:
            notes = [note for note, _ in self._last[1]]
        else:
            ended = self.bars[-1] if self.bars and not self._bar.ticks else self._bar
            notes = _ending_notes(ended)
            self.pitches.carry(notes)
        for note in notes:
            note.is_tied = True

    def _read_pitch(
        self, match: re.Match[str], first: Fraction = Fraction(1), tied: bool = False
    ) -> Pitch:
        return self.pitches.read(match, self.line, not self._bar.ticks, first, tied)

    def _add(self, pitches: list[Pitch], length: Fraction) -> None:
        """Add the notes of a chord, or a rest, of `length` unit notes."""
        if not pitches:
            self._count_symbol()
        ticks = length * self.unit * TICKS_PER_WHOLE * self._broken
        self._broken = Fraction(1)
        factor, left = self._tuplet
        if left > 0:
            ticks *= factor
            self._tuplet = (factor, left - 1)
        if ticks > MAX_NOTE_TICKS:
            raise NotationError("a note is longer than 1,000 quarter notes and is left out")
        start = self._at + (self._place_graces(ticks) if pitches else 0)
        velocity = self._velocity + self._accent + (0 if self._at else _DOWNBEAT)
        self._accent = 0.0
        notes = [
            (self._write(p, start, self._at + ticks * p.share - start, velocity), p.share)
            for p in pitches
            if self._at + ticks * p.share > start
        ]
        self._advance(ticks)
        self._last = (ticks, notes)

    def _place_graces(self, ticks: Fraction) -> Fraction:
        """Write the pending grace notes; return how much of the `ticks` they take."""
        graces, self._graces = self._graces, []
        lengths = [n * self.unit * TICKS_PER_WHOLE * _GRACE_SHARE for _, n in graces]
        total = sum(lengths, Fraction(0))
        fits = total <= ticks * _MAX_GRACE_SHARE
        scale = Fraction(1) if fits else ticks / 2 / total
        at = self._at
        for (pitch, _), length in zip(graces, lengths, strict=True):
            self._write(pitch, at, length * scale, self._velocity * 0.9)
            at += length * scale
        return at - self._at

    def _write(self, p: Pitch, start: Fraction, ticks: Fraction, velocity: float) -> WrittenNote:
        self._count_symbol()
        note = WrittenNote(
            start, ticks, p.midi, min(1.0, velocity), p.is_tied, p.staff_place, p.alteration
        )
        self._bar.notes.append(note)
        return note

    def _count_symbol(self) -> None:
        self._symbols += 1
        if self._symbols > MAX_BAR_NOTES:
            raise MusicTooLargeError(
                f"a bar has more than {MAX_BAR_NOTES:,} notes; write bar lines in it"
            )

    def _advance(self, ticks: Fraction) -> None:
        if not self._bar.ticks:
            self._bar.line = self.line
        self._at += ticks
        self._bar.ticks = max(self._bar.ticks, self._at)


def _ending_notes(bar: WrittenBar) -> list[WrittenNote]:
    """Notes that sound until the end of a bar."""
    return [n for n in bar.notes if n.start + n.ticks == bar.ticks]
