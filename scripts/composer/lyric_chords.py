"""Chooses chords for lyrics: tension follows the words, phrases end with cadences."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.composer.progressions import ProgressionFamily
from scripts.score.chords import Chord, parse_roman_numeral
from scripts.score.keys import Key

BARS_PER_LINE = 2
_LINES_PER_PHRASE = 2  # four bars
_FREQUENCY, _TENSION, _CADENCE, _CONTRAST = 0.25, 6.0, 1.5, 0.8  # weights of a phrase's fitness
_ROOTS, _WANTED_ROOTS = 0.5, 3  # what a missing root costs of those that a phrase should have
_AGAIN = 0.6  # what a phrase costs that its section has already
_VARIETY = 0.4  # spread of the random share
_FIFTHS_TENSION = 0.12  # of a root, for each fifth from the tonic
_MINOR, _SEVENTH, _DIMINISHED, _FOREIGN = 0.12, 0.1, 0.4, 0.2  # tension that they add
_DARKER = 0.3  # tension for a unit of valence below the song's mean
_HALF_CADENCE_BEFORE = ("chorus",)


@dataclass(frozen=True)
class SectionChords:
    """Chords of a section, one for each bar, as Roman numerals.

    Parameters
    ----------
    numerals : tuple of str
        ``BARS_PER_LINE`` for each line.
    reason : str
        Why these, in a sentence.
    """

    numerals: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class SectionWords:
    """What matters of a section of lyrics: its kind, and how pleasant each line is (-1 to 1)."""

    kind: str
    valences: tuple[float, ...]


@dataclass(frozen=True)
class _Phrase:
    count: float
    numerals: tuple[str, ...]
    tension: float
    first: int  # root, in semitones above the tonic
    last: int
    roots: int  # how many different ones


def choose_chords(
    sections: Sequence[SectionWords], key: Key, family: ProgressionFamily, seed: int
) -> list[SectionChords]:
    """Choose chords for the sections of a song; those of one kind share theirs.

    Parameters
    ----------
    sections : sequence of SectionWords
    key : Key
        Its mode decides between the family's progressions.
    family : ProgressionFamily
    seed : int
    """
    home = Key("A", "minor") if key.is_minor else Key("C")
    phrases = [
        _measure(count, row, home)
        for count, row in (family.minor if key.is_minor else family.major)
    ]
    mean = _mean([v for section in sections for v in section.valences])
    known: dict[tuple[str, int], SectionChords] = {}
    starts: dict[str, int] = {}
    chosen = []
    for index, section in enumerate(sections):
        following = sections[index + 1].kind if index + 1 < len(sections) else ""
        name = (section.kind, len(section.valences))
        if name not in known:
            rng = random.Random(f"lyric chords {seed} {name}")
            other = {root for kind, root in starts.items() if kind != section.kind}
            known[name] = _choose_section(section, following, phrases, mean, other, rng)
            root = parse_roman_numeral(known[name].numerals[0], home)
            starts.setdefault(section.kind, (root.root - home.tonic_pc) % 12 if root else 0)
        chosen.append(known[name])
    return chosen


def tension_of(chord: Chord, key: Key) -> float:
    """Tension of a chord, 0 for the tonic triad to about 1."""
    steps = (chord.root - key.tonic_pc) * 7 % 12
    fifths = min(steps, 12 - steps)
    fifth_is_flat = 6 in chord.intervals and 7 not in chord.intervals
    foreign = sum(pc not in key.pitch_classes for pc in chord.pitch_classes)
    tension = _FIFTHS_TENSION * fifths + _SEVENTH * (len(chord.intervals) > 3)
    tension += _MINOR * (chord.is_minor and not key.is_minor) + _DIMINISHED * fifth_is_flat
    return min(1.0, tension + _FOREIGN * foreign)


def _measure(count: float, row: tuple[str, ...], key: Key) -> _Phrase:
    chords = [c for c in (parse_roman_numeral(name, key) for name in row) if c]
    roots = [(c.root - key.tonic_pc) % 12 for c in chords]
    return _Phrase(
        count,
        row,
        _mean([tension_of(c, key) for c in chords]),
        roots[0],
        roots[-1],
        len(set(roots)),
    )


def _choose_section(
    section: SectionWords,
    following: str,
    phrases: Sequence[_Phrase],
    mean: float,
    other_starts: set[int],
    rng: random.Random,
) -> SectionChords:
    lines = section.valences
    count = max(1, math.ceil(len(lines) / _LINES_PER_PHRASE))
    usual = _mean([phrase.tension for phrase in phrases])
    half = following in _HALF_CADENCE_BEFORE and section.kind != "chorus"
    numerals: list[str] = []
    used: list[tuple[str, ...]] = []
    for n in range(count):
        about = lines[n * _LINES_PER_PHRASE : (n + 1) * _LINES_PER_PHRASE]
        wanted = usual - _DARKER * (_mean(about) - mean)
        goal = (7 if half else 0) if n == count - 1 else None

        def fitness(
            phrase: _Phrase, wanted: float = wanted, goal: int | None = goal, n: int = n
        ) -> float:
            value = _FREQUENCY * math.log(phrase.count) - _TENSION * abs(phrase.tension - wanted)
            value -= _ROOTS * max(0, _WANTED_ROOTS - phrase.roots)
            value -= _AGAIN * (phrase.numerals in used)
            if goal is not None:
                value += _CADENCE * (phrase.last == goal)
            if n == 0:
                value += _CONTRAST * (
                    phrase.first not in other_starts if other_starts else phrase.first == 0
                )
            return value + _VARIETY * rng.random()

        best = max(phrases, key=fitness)
        numerals += best.numerals
        used.append(best.numerals)
    wanted_bars = BARS_PER_LINE * len(lines)
    kept = [*numerals[: wanted_bars - 1], numerals[-1]] if wanted_bars < len(numerals) else numerals
    return SectionChords(tuple(kept), _explain(lines, mean, half, bool(other_starts), kept))


def _explain(
    lines: Sequence[float],
    mean: float,
    half: bool,
    contrasts: bool,
    numerals: Sequence[str],
) -> str:
    parts = []
    difference = _mean(lines) - mean
    if abs(difference) > 0.1:
        parts.append(
            "calmer chords, as the words are brighter"
            if difference > 0
            else "more tension, as the words are darker"
        )
    darkest = min(range(len(lines)), key=lambda i: lines[i])
    if len(lines) > 2 and lines[darkest] < _mean(lines) - 0.2:
        parts.append(f"line {darkest + 1} is the darkest")
    if contrasts:
        parts.append(f"begins on {numerals[0]}")
    parts.append("ends open, toward the chorus" if half else "ends at home")
    return "; ".join(parts)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
