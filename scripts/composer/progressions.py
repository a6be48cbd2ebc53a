"""Plans a song's chords from the progressions that are common in its family of styles.

A small model tends to alternate between two chords. Where neither the user nor the style fixes
the chords, a progression of four bars is drawn for each phrase, and the model writes its melody
over it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scripts.core.toml import read_each
from scripts.request.spec import Brief
from scripts.score.chords import Chord, parse_roman
from scripts.score.keys import Key, key_from_pc
from scripts.score.piece import chord_weights, is_clear

Phrase = tuple[Chord, ...]
_PHRASE = 4  # bars
_MOVES = {2: 0.25, 3: 1.0, 4: 1.4}  # weight of a phrase by its number of different roots
_AGAIN = 0.4  # probability that a phrase repeats the first of its part
_TRIES = 16
_ROOTS = 3  # least number of different roots in a plan
_FEW = 12  # with fewer fitting phrases, those of other families are added
_LENDERS = {"major pentatonic": "major", "minor pentatonic": "minor", "blues": "minor"}


@dataclass(frozen=True)
class Habits:
    """Progressions of a family as (count, Roman numerals), for major and minor keys."""

    major: tuple[tuple[float, tuple[str, ...]], ...]
    minor: tuple[tuple[float, tuple[str, ...]], ...]


@lru_cache(maxsize=4)
def load_habits(path: Path) -> Mapping[str, Habits]:
    """Read ``progressions.toml``, a table for each family.

    Raises
    ------
    UsageError
        If an entry is invalid; the message names file and line.
    """
    return read_each(path, _habits)


def _habits(name: str, table: Mapping[str, Sequence[str]]) -> Habits:
    return Habits(_rows(table["major"], Key("C")), _rows(table["minor"], Key("A", "minor")))


def _rows(lines: Sequence[str], key: Key) -> tuple[tuple[float, tuple[str, ...]], ...]:
    rows = []
    for line in lines:
        count, *names = line.split()
        wrong = [n for n in names if parse_roman(n, key) is None]
        if wrong or len(names) != _PHRASE:
            raise ValueError(f"{line!r}: expected a count and {_PHRASE} Roman numerals")
        rows.append((float(count), tuple(names)))
    return tuple(rows)


def plan_chords(brief: Brief, habits: Mapping[str, Habits], turn: int) -> tuple[Chord, ...]:
    """Draw one chord for each bar of the sheet.

    The first bar and the last bar are on the tonic. If possible, the plan has at least three
    different roots and its chords alone establish the key.

    Parameters
    ----------
    brief : Brief
    habits : mapping of str to Habits
        Progressions by family; ``brief.style.habit`` names the preferred one.
    turn : int
        Selects another plan for the same seed.

    Returns
    -------
    tuple of Chord
        Empty if the style uses no family or too few phrases fit the key.
    """
    if brief.style.habit not in habits:
        return ()
    phrases = _phrases(brief, [habits[brief.style.habit]])
    if len(phrases) < _FEW:
        phrases += _phrases(brief, list(habits.values()))
    opening = [p for p in phrases if p[1][0].root == brief.key.tonic_pc]
    if len(phrases) < 4 or not opening:
        return ()
    rng = random.Random(f"plan {brief.seed} {turn}")
    plan: tuple[Chord, ...] = ()
    for _ in range(_TRIES):
        plan = _drawn(brief, phrases, opening, rng)
        clear = is_clear(chord_weights((c, 1.0) for c in plan), brief.key)
        if clear and len({c.root for c in plan}) >= _ROOTS:
            break
    return plan


def _drawn(
    brief: Brief,
    phrases: Sequence[tuple[float, Phrase]],
    opening: Sequence[tuple[float, Phrase]],
    rng: random.Random,
) -> tuple[Chord, ...]:
    def draw(choice: Sequence[tuple[float, Phrase]]) -> Phrase:
        return rng.choices(choice, [w for w, _ in choice])[0][1]

    plan: list[Chord] = []
    for part, bars in enumerate(brief.parts):
        first = draw(opening if part == 0 else phrases)
        chords = list(first)
        while len(chords) < bars:
            chords += first if rng.random() < _AGAIN else draw(phrases)
        plan += chords[:bars]
    home = next(c for _, p in opening for c in p[:1])
    plan[-1] = home
    return tuple(plan)


def _phrases(brief: Brief, found: Sequence[Habits]) -> list[tuple[float, Phrase]]:
    """Weighted phrases that fit the scale of the key, in the chord qualities of the style."""
    key = brief.key
    names = brief.style.minor if key.is_minor else brief.style.major
    own = [c for c in (parse_roman(n, key) for n in names) if c]
    scale = set(key_from_pc(key.tonic_pc, _LENDERS.get(key.scale, key.scale)).pitch_classes)
    if key.is_minor:
        scale.add((key.tonic_pc + 11) % 12)  # the leading tone, for the dominant
    own = [c for c in own if set(c.pitch_classes) <= scale]
    fitting: list[tuple[float, Phrase]] = []
    for count, row in (row for h in found for row in (h.minor if key.is_minor else h.major)):
        chords = [c for c in (parse_roman(n, key) for n in row) if c]
        if all(set(c.pitch_classes[:3]) <= scale for c in chords):
            phrase = tuple(_in_style(c, own) for c in chords)
            weight = count**0.5 * _MOVES.get(len({c.root for c in phrase}), 0.1)
            fitting.append((weight, phrase))
    return fitting


def _in_style(chord: Chord, own: Sequence[Chord]) -> Chord:
    """The style's chord of the same root and mode, else a triad if the style has only triads."""
    same = [c for c in own if c.root == chord.root and c.is_minor == chord.is_minor]
    if same:
        return chord if chord in same else same[-1]
    plain = all(len(c.intervals) <= 3 for c in own)
    return Chord(chord.root, "m" if chord.is_minor else "") if plain else chord
