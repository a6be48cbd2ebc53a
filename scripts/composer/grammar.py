"""Compiles a brief into the grammar that binds the model."""

from __future__ import annotations

from scripts.llm.sheet_machine import SheetGrammar
from scripts.request.spec import Brief
from scripts.score.abc_writer import pitch_text
from scripts.score.chords import Chord, parse_roman
from scripts.score.keys import LETTER_PC, Key

_USUAL_METERS = ("2/2", "2/4", "3/4", "4/4", "6/8", "9/8", "12/8")


def chord_vocabulary(brief: Brief) -> tuple[Chord, ...]:
    """The chords the styles use, in the brief's key."""
    key = brief.key
    minor = key.is_minor and key.scale != "blues"
    romans = brief.style.minor if minor else brief.style.major
    found = [parse_roman(r, key) for r in romans]
    return tuple(dict.fromkeys(c for c in found if c))


def bar_chords(brief: Brief, plan: tuple[Chord, ...] = ()) -> tuple[Chord, ...]:
    """The chord of every bar, where the user, the style or a plan fixes it; else empty."""
    fixed = brief.chords
    if not fixed and brief.style.plan and brief.key.scale in ("blues", "mixolydian", "major"):
        fixed = tuple(c for c in (parse_roman(r, brief.key) for r in brief.style.plan) if c)
    fixed = fixed or plan
    return tuple(fixed[i % len(fixed)] for i in range(sum(brief.parts))) if fixed else ()


def sheet_grammar(brief: Brief, plan: tuple[Chord, ...] = ()) -> SheetGrammar:
    """What the model may write for `brief`, over the chords of `plan` if there are any."""
    rules, key, full = brief.style.melody, brief.key, brief.meter.bar_ticks
    classes = set(range(12)) if rules.chromatic else set(key.pitch_classes)
    pitches = [p for p in range(rules.low, rules.high + 1) if p % 12 in classes]
    chords = chord_vocabulary(brief)
    fixed = bar_chords(brief, plan)
    home = [c for c in chords if c.root == key.tonic_pc]
    tonic = home[0] if home else Chord(key.tonic_pc, "m" if key.is_minor else "")
    end = fixed[-1].pitch_classes if fixed and fixed[-1].root != key.tonic_pc else (key.tonic_pc,)
    final = [p for p in pitches if p % 12 in end] or [p for p in pitches if p % 12 == key.tonic_pc]
    usual = str(brief.meter) in _USUAL_METERS
    # In metres that models have hardly seen, runs of sixteenths lose the beat.
    shortest = min(rules.durations) if usual else 12 if full % 12 == 0 else 6
    durations = {d for d in rules.durations if shortest <= d <= full}
    durations.add(12 if full % 12 == 0 else 6)
    return SheetGrammar(
        meter=(brief.meter.beats, brief.meter.unit),
        parts=brief.parts,
        pitches=_spelled(pitches, key),
        final_pitches=_spelled(final, key, pitches),
        durations=tuple(sorted(durations)),
        chords=tuple(c.symbol(key) for c in chords),
        final_chords=(tonic.symbol(key),),
        first_chords=tuple(c.symbol(key) for c in home),
        half_bar_chords=rules.half_bar_chords,
        rests=rules.rests,
        triplets=rules.triplets and not brief.meter.is_compound,
        ties=rules.ties,
        syncopation=rules.syncopation and usual,
        bar_chords=tuple(c.symbol(key) for c in fixed),
    )


def _spelled(pitches: list[int], key: Key, among: list[int] | None = None) -> tuple[str, ...]:
    """Pitches as ABC; a letter that occurs in two forms may also be written with its natural.

    An accidental holds to the end of its bar, so the plain letter alone would not do. Where they
    are some `among` others, a letter with two forms is always written with its sign.
    """
    forms: dict[str, set[int]] = {}
    for pitch in among or pitches:
        letter, alter = key.spell(pitch % 12)
        forms.setdefault(letter, set()).add(alter)
    out = []
    for pitch in pitches:
        text = pitch_text(pitch, key)
        letter, alter = key.spell(pitch % 12)
        twofold = len(forms[letter]) > 1 and text[0] not in "^_="
        if not (twofold and among):
            out.append(text)
        if twofold:
            sign = {0: "=", 1: "^", -1: "_"}[alter]
            assert (LETTER_PC[letter] + alter) % 12 == pitch % 12
            out.append(sign + text)
    return tuple(dict.fromkeys(out))
