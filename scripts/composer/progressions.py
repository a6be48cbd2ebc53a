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

from scripts.core.toml import parse_tables
from scripts.request.spec import SongSpec
from scripts.score.chords import Chord, parse_roman_numeral
from scripts.score.keys import Key, key_from_pc
from scripts.score.piece import chord_weights, matches_key

Phrase = tuple[Chord, ...]
_PHRASE_BARS = 4  # bars
_CHORD_COUNT_WEIGHTS = {
    2: 0.25,
    3: 1.0,
    4: 1.4,
}  # weight of a phrase by its number of different roots
_REPEAT_PROBABILITY = 0.4  # probability that a phrase repeats the first of its part
_MAX_TRIES = 16
_MIN_ROOTS = 3  # least number of different roots in a plan
_MIN_PHRASES = 12  # with fewer fitting phrases, those of other families are added
_PARENT_SCALES = {"major pentatonic": "major", "minor pentatonic": "minor", "blues": "minor"}


@dataclass(frozen=True)
class ProgressionFamily:
    """Progressions of a family as (count, Roman numerals), for major and minor keys."""

    major: tuple[tuple[float, tuple[str, ...]], ...]
    minor: tuple[tuple[float, tuple[str, ...]], ...]


@lru_cache(maxsize=4)
def load_progressions(path: Path) -> Mapping[str, ProgressionFamily]:
    """Read ``progressions.toml``, a table for each family.

    Raises
    ------
    UsageError
        If an entry is invalid; the message names file and line.
    """
    return parse_tables(path, _parse_family)


def _parse_family(name: str, table: Mapping[str, Sequence[str]]) -> ProgressionFamily:
    return ProgressionFamily(
        _parse_rows(table["major"], Key("C")), _parse_rows(table["minor"], Key("A", "minor"))
    )


def _parse_rows(lines: Sequence[str], key: Key) -> tuple[tuple[float, tuple[str, ...]], ...]:
    rows = []
    for line in lines:
        count, *names = line.split()
        wrong = [n for n in names if parse_roman_numeral(n, key) is None]
        if wrong or len(names) != _PHRASE_BARS:
            raise ValueError(f"{line!r}: expected a count and {_PHRASE_BARS} Roman numerals")
        rows.append((float(count), tuple(names)))
    return tuple(rows)


def plan_chords(
    spec: SongSpec, families: Mapping[str, ProgressionFamily], variant: int
) -> tuple[Chord, ...]:
    """Draw one chord for each bar of the sheet.

    The first bar and the last bar are on the tonic. If possible, the plan has at least three
    different roots and its chords alone establish the key.

    Parameters
    ----------
    spec : SongSpec
    families : mapping of str to ProgressionFamily
        Progressions by family; ``spec.style.habit`` names the preferred one.
    variant : int
        Selects another plan for the same seed.

    Returns
    -------
    tuple of Chord
        Empty if the style uses no family or too few phrases fit the key.
    """
    if spec.style.habit not in families:
        return ()
    phrases = _find_phrases(spec, [families[spec.style.habit]])
    if len(phrases) < _MIN_PHRASES:
        phrases += _find_phrases(spec, list(families.values()))
    opening = [p for p in phrases if p[1][0].root == spec.key.tonic_pc]
    if len(phrases) < 4 or not opening:
        return ()
    rng = random.Random(f"plan {spec.seed} {variant}")
    plan: tuple[Chord, ...] = ()
    for _ in range(_MAX_TRIES):
        plan = _draw_plan(spec, phrases, opening, rng)
        clear = matches_key(chord_weights((c, 1.0) for c in plan), spec.key)
        if clear and len({c.root for c in plan}) >= _MIN_ROOTS:
            break
    return plan


def _draw_plan(
    spec: SongSpec,
    phrases: Sequence[tuple[float, Phrase]],
    opening: Sequence[tuple[float, Phrase]],
    rng: random.Random,
) -> tuple[Chord, ...]:
    def draw(choice: Sequence[tuple[float, Phrase]]) -> Phrase:
        return rng.choices(choice, [w for w, _ in choice])[0][1]

    plan: list[Chord] = []
    for part, bars in enumerate(spec.parts):
        first = draw(opening if part == 0 else phrases)
        chords = list(first)
        while len(chords) < bars:
            chords += first if rng.random() < _REPEAT_PROBABILITY else draw(phrases)
        plan += chords[:bars]
    home = next(c for _, p in opening for c in p[:1])
    plan[-1] = home
    return tuple(plan)


def _find_phrases(
    spec: SongSpec, families: Sequence[ProgressionFamily]
) -> list[tuple[float, Phrase]]:
    """Weighted phrases that fit the scale of the key, in the chord qualities of the style."""
    key = spec.key
    names = spec.style.minor if key.is_minor else spec.style.major
    style_chords = [c for c in (parse_roman_numeral(n, key) for n in names) if c]
    scale = set(key_from_pc(key.tonic_pc, _PARENT_SCALES.get(key.scale, key.scale)).pitch_classes)
    if key.is_minor:
        scale.add((key.tonic_pc + 11) % 12)  # the leading tone, for the dominant
    style_chords = [c for c in style_chords if set(c.pitch_classes) <= scale]
    fitting: list[tuple[float, Phrase]] = []
    for count, row in (row for h in families for row in (h.minor if key.is_minor else h.major)):
        chords = [c for c in (parse_roman_numeral(n, key) for n in row) if c]
        if all(set(c.pitch_classes[:3]) <= scale for c in chords):
            phrase = tuple(_adapt_to_style(c, style_chords) for c in chords)
            weight = count**0.5 * _CHORD_COUNT_WEIGHTS.get(len({c.root for c in phrase}), 0.1)
            fitting.append((weight, phrase))
    return fitting


def _adapt_to_style(chord: Chord, own: Sequence[Chord]) -> Chord:
    """The style's chord of the same root and mode, else a triad if the style has only triads."""
    same = [c for c in own if c.root == chord.root and c.is_minor == chord.is_minor]
    if same:
        return chord if chord in same else same[-1]
    plain = all(len(c.intervals) <= 3 for c in own)
    return Chord(chord.root, "m" if chord.is_minor else "") if plain else chord
