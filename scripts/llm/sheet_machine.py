"""Grammar of a lead sheet, and the state machine that enforces it.

Every bar begins with one of the allowed chord symbols, is filled exactly by notes of the allowed
pitches and durations, and ends with its bar line; the last bar holds the final chord and ends on
a final pitch. The text is the ABC dialect of :mod:`scripts.score.abc_writer`.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from scripts.score.abc_writer import format_duration
from scripts.score.time_signature import TimeSignature

QUARTER_TICKS = 24  # ticks
TRIPLET_TICKS = 24  # three eighths in the time of two

# Phases within a bar.
_BAR, _AFTER_CHORD, _FREE, _TRIPLET_1, _TRIPLET_2, _TRIPLET_3, _TIED = range(7)


@dataclass(frozen=True)
class SheetGrammar:
    """Constraints on a sheet; plain data, so that it can be sent to the model's process.

    Parameters
    ----------
    meter : (int, int)
        Time signature, such as ``(6, 8)``.
    parts : tuple of int
        Bars in each part.
    pitches : tuple of str
        Allowed pitches in ABC notation, lowest first.
    final_pitches : tuple of str
        Pitches on which the tune may end.
    durations : tuple of int
        Allowed note lengths in ticks, 24 to the quarter note.
    chords : tuple of str
        Allowed chord symbols.
    first_chords, final_chords : tuple of str
        Chords allowed at the start of the first bar (`chords` when empty) and in the last bar.
    half_bar_chords : bool
        Whether the chord may change at the middle of the bar.
    rests, triplets, ties, syncopation : bool
        Whether these are allowed. Without syncopation a note that starts off the beat ends at
        the next beat at the latest.
    bar_chords : tuple of str
        The chord of each bar, from the user or a plan; when empty, the model chooses.
    rhythm : tuple of tuple of int
        The lengths of each bar's notes in ticks, negative for rests; a bar that begins with a note
        tied to the one before has a 0 first. When empty, the model chooses.
    bar_pitches : tuple of tuple of str
        The pitches allowed in each bar, of `pitches`; when empty, all of them.
    """

    meter: tuple[int, int]
    parts: tuple[int, ...]
    pitches: tuple[str, ...]
    final_pitches: tuple[str, ...]
    durations: tuple[int, ...]
    chords: tuple[str, ...]
    final_chords: tuple[str, ...]
    first_chords: tuple[str, ...] = ()
    half_bar_chords: bool = False
    rests: bool = True
    triplets: bool = False
    ties: bool = False
    syncopation: bool = True
    bar_chords: tuple[str, ...] = field(default=())
    rhythm: tuple[tuple[int, ...], ...] = ()
    bar_pitches: tuple[tuple[str, ...], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> SheetGrammar:
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items()
        }
        for name in ("rhythm", "bar_pitches"):
            values[name] = tuple(map(tuple, values.get(name, ())))
        return SheetGrammar(**values)


class _Node:
    """Node of a trie of symbols (chords, notes, bar lines); `outcome` is where a symbol leads."""

    __slots__ = ("children", "outcome")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.outcome: tuple[int, int, str] | None = None  # ticks left, phase, tied pitch


class SheetState(NamedTuple):
    """Position in a sheet: bar, ticks left in it, phase, tied pitch, place within a symbol."""

    bar: int
    ticks_left: int
    phase: int
    tied_pitch: str
    node: _Node | None  # None: before the first character of a symbol


class SheetMachine:
    """State machine that accepts the sheets of a :class:`SheetGrammar`.

    Implements :class:`scripts.llm.state_machines.StateMachine`; several threads may use it.
    """

    is_broad = False

    def __init__(self, grammar: SheetGrammar) -> None:
        self.grammar = grammar
        self.meter = TimeSignature(*grammar.meter)
        self.bar_ticks = self.meter.bar_ticks
        self.bar_count = sum(grammar.parts)
        ends, total = set(), 0
        for length in grammar.parts:
            total += length
            ends.add(total - 1)
        self._bar_end: list[str] = []
        in_part = 0
        for bar in range(self.bar_count):
            in_part += 1
            if bar == self.bar_count - 1:
                self._bar_end.append("|]")
            elif bar in ends:
                self._bar_end.append("||\n")
                in_part = 0
            else:
                self._bar_end.append("|\n" if in_part % 4 == 0 else "|")
        self._planned = [_event_starts(bar) for bar in grammar.rhythm]
        kinds = [self._kind(b) for b in range(self.bar_count)]
        self._kinds = [kinds.index(kind) for kind in kinds]  # integers are fast keys
        # Tokens are shorter than three bars, so states differ only by the next four bars' kinds.
        self._ahead = [tuple(self._kinds[bar : bar + 4]) for bar in range(self.bar_count)]
        self._roots: dict[tuple[int, int, int, str], _Node] = {}
        beats = set(self.meter.beat_starts)
        self._beats = sorted(beats | {self.bar_ticks})
        self._min_last_ticks = min(QUARTER_TICKS, max(grammar.durations))  # of the last note
        self._fillable = {final: self._find_fillable(final) for final in (False, True)}

    # -- the automaton -------------------------------------------------------------------

    def start(self) -> SheetState:
        return SheetState(0, self.bar_ticks, _BAR, "", None)

    def possible_chars(self, state: SheetState) -> Collection[str]:
        if state.bar >= self.bar_count:
            return ()
        node = state.node or self._root(state)
        if node.outcome is None or state.node is None:
            return node.children
        return {*node.children, *self.possible_chars(self._after(state, node))}

    def is_complete(self, state: SheetState) -> bool:
        return state.bar >= self.bar_count

    def step(self, state: SheetState, char: str) -> SheetState | None:
        if state.bar >= self.bar_count:
            return None
        node = state.node or self._root(state)
        child = node.children.get(char)
        if child is None:
            if node.outcome is None:
                return None
            after = self._after(state, node)
            return self.step(after, char) if after.bar < self.bar_count else None
        # A symbol that cannot grow ends at once, so that equal situations have equal states.
        if not child.children:
            return self._after(state, child)
        return SheetState(state.bar, state.ticks_left, state.phase, state.tied_pitch, child)

    def cache_key(self, state: SheetState) -> Hashable:
        return (self._ahead[state.bar], state.ticks_left, state.phase, state.tied_pitch, state.node)

    def progress(self, state: SheetState) -> float:
        within = 1 - state.ticks_left / self.bar_ticks if state.bar < self.bar_count else 0.0
        return min(1.0, (state.bar + within) / self.bar_count)

    # -- symbols -------------------------------------------------------------------------

    def _kind(self, bar: int) -> tuple[Hashable, ...]:
        pinned = self.grammar.bar_chords[bar] if self.grammar.bar_chords else ""
        rhythm = self.grammar.rhythm[bar] if self.grammar.rhythm else ()
        chord = pinned or ("first" if bar == 0 else "")
        return (self._bar_end[bar], chord, rhythm, self._is_tied_to_next(bar), self._pitches(bar))

    def _pitches(self, bar: int) -> tuple[str, ...]:
        return self.grammar.bar_pitches[bar] if self.grammar.bar_pitches else self.grammar.pitches

    def _is_tied_to_next(self, bar: int) -> bool:
        following = self.grammar.rhythm[bar + 1 : bar + 2]
        return bool(following and following[0][:1] == (0,))

    def _after(self, state: SheetState, node: _Node) -> SheetState:
        assert node.outcome is not None
        left, phase, tie = node.outcome
        if left < 0:
            return SheetState(state.bar + 1, self.bar_ticks, _BAR, tie, None)
        return SheetState(state.bar, left, phase, tie, None)

    def _root(self, state: SheetState) -> _Node:
        key = (self._kinds[state.bar], state.ticks_left, state.phase, state.tied_pitch)
        root = self._roots.get(key)
        if root is None:
            root = _Node()
            for word, outcome in self._symbols(state):
                node = root
                for char in word:
                    node = node.children.setdefault(char, _Node())
                node.outcome = outcome
            # Only when it is complete: several threads share the machine.
            root = self._roots.setdefault(key, root)
        return root

    def _symbols(self, state: SheetState) -> list[tuple[str, tuple[int, int, str]]]:
        g, left, phase, tie = self.grammar, state.ticks_left, state.phase, state.tied_pitch
        final = state.bar == self.bar_count - 1
        if phase == _BAR:
            return [
                (f'"{c}"', (left, _TIED if tie else _AFTER_CHORD, tie))
                for c in self._chords(state.bar)
            ]
        if left == 0 and g.rhythm:
            if tie and self._is_tied_to_next(state.bar):
                return [("-" + self._bar_end[state.bar], (-1, _BAR, tie))]
            return [(self._bar_end[state.bar], (-1, _BAR, ""))]
        if left == 0:
            words = [(self._bar_end[state.bar], (-1, _BAR, ""))]
            if g.ties and not final and tie and phase == _FREE:
                words.append(("-" + self._bar_end[state.bar], (-1, _BAR, tie)))
            return words
        if phase in (_TRIPLET_1, _TRIPLET_2, _TRIPLET_3):
            rest = left - TRIPLET_TICKS // 3
            follow = phase + 1 if phase < _TRIPLET_3 else _FREE
            names = g.final_pitches if final and rest == 0 else self._pitches(state.bar)
            return [(p, (rest, follow, "")) for p in names]
        words = []
        offset = self.bar_ticks - left
        if g.rhythm:
            return self._planned_symbols(state, self._planned[state.bar][offset], final)
        for ticks in self._allowed_durations(offset, final):
            rest = left - ticks
            names = g.final_pitches if final and rest == 0 else self._pitches(state.bar)
            if phase == _TIED and not final:
                names = (tie,)
            text = format_duration(ticks)
            words += [(p + text, (rest, _FREE, p if rest == 0 else "")) for p in names]
            if g.rests and phase != _TIED and ticks < self.bar_ticks and not (final and rest == 0):
                words.append(("z" + text, (rest, _FREE, "")))
        if (
            phase == _FREE
            and offset == self.meter.half_bar
            and g.half_bar_chords
            and not final
            and not g.bar_chords
        ):
            words += [(f'"{c}"', (left, _AFTER_CHORD, "")) for c in g.chords]
        if (
            g.triplets
            and phase != _TIED
            and offset in self._beats
            and left >= TRIPLET_TICKS
            and (left - TRIPLET_TICKS) in self._fillable[final]
            and offset % 24 == 0
            and not (final and left == TRIPLET_TICKS)
        ):
            words.append(("(3", (left, _TRIPLET_1, "")))
        return words

    def _planned_symbols(
        self, state: SheetState, ticks: int, final: bool
    ) -> list[tuple[str, tuple[int, int, str]]]:
        """Notes of all pitches, or the rest, that the rhythm has here."""
        rest = state.ticks_left - abs(ticks)
        text = format_duration(abs(ticks))
        if ticks < 0:
            return [("z" + text, (rest, _FREE, ""))]
        names = self.grammar.final_pitches if final and rest == 0 else self._pitches(state.bar)
        if state.phase == _TIED and (not final or state.tied_pitch in names):
            names = (state.tied_pitch,)
        return [(name + text, (rest, _FREE, name if rest == 0 else "")) for name in names]

    def _chords(self, bar: int) -> tuple[str, ...]:
        if self.grammar.bar_chords:
            return (self.grammar.bar_chords[bar],)
        if bar == 0 and self.grammar.first_chords:
            return self.grammar.first_chords
        return self.grammar.final_chords if bar == self.bar_count - 1 else self.grammar.chords

    def _fits(self, offset: int, ticks: int, final: bool) -> bool:
        end = offset + ticks
        if end > self.bar_ticks or (
            final and end == self.bar_ticks and ticks < self._min_last_ticks
        ):
            return False
        if self.grammar.syncopation or offset in self._beats:
            return True
        return end <= next(b for b in self._beats if b > offset)

    def _find_fillable(self, final: bool) -> set[int]:
        """Find the remainders of a bar, in ticks, that the allowed durations can fill exactly."""
        good = {0}
        for left in range(1, self.bar_ticks + 1):
            offset = self.bar_ticks - left
            if any(
                self._fits(offset, d, final) and left - d in good for d in self.grammar.durations
            ):
                good.add(left)
        return good

    def _allowed_durations(self, offset: int, final: bool) -> list[int]:
        left = self.bar_ticks - offset
        return [
            d
            for d in self.grammar.durations
            if self._fits(offset, d, final) and left - d in self._fillable[final]
        ]


def _event_starts(bar: tuple[int, ...]) -> dict[int, int]:
    """Length of each event of a bar by its start in ticks."""
    starts, at = {}, 0
    for ticks in bar:
        if ticks:
            starts[at] = ticks
            at += abs(ticks)
    return starts


def max_sheet_length(grammar: SheetGrammar) -> int:
    """Compute an upper bound on the characters of a sheet, to size the model's context."""
    planned = [abs(ticks) for bar in grammar.rhythm for ticks in bar if ticks]
    notes = TimeSignature(*grammar.meter).bar_ticks // min((*grammar.durations, *planned))
    widest = max(len(p) for p in grammar.pitches) + 3
    chord = max(len(c) for c in (*grammar.chords, *grammar.final_chords)) + 2
    return sum(grammar.parts) * (notes * widest + 2 * chord + 4)
