"""Compiles a song specification into the grammar that constrains the model."""

from __future__ import annotations

from scripts.composer.registers import plan_registers
from scripts.composer.rhythm import RhythmPlan
from scripts.llm.sheet_machine import SheetGrammar
from scripts.request.spec import SongSpec
from scripts.score.abc_writer import format_pitch
from scripts.score.chords import Chord, parse_roman_numeral
from scripts.score.keys import LETTER_PC, Key

_COMMON_METERS = ("2/2", "2/4", "3/4", "4/4", "6/8", "9/8", "12/8")


def chord_vocabulary(spec: SongSpec) -> tuple[Chord, ...]:
    """Return the chords of the style in the key of `spec`, without duplicates."""
    key = spec.key
    minor = key.is_minor and key.scale != "blues"
    romans = spec.style.minor if minor else spec.style.major
    found = [parse_roman_numeral(r, key) for r in romans]
    return tuple(dict.fromkeys(c for c in found if c))


def bar_chords(spec: SongSpec, plan: tuple[Chord, ...] = ()) -> tuple[Chord, ...]:
    """Return the chord of each bar of the sheet if the chords are fixed, else an empty tuple.

    The user's chords come first, then the style's plan, then `plan`; they repeat as needed.
    """
    fixed = spec.chords
    if not fixed and spec.style.plan and spec.key.scale in ("blues", "mixolydian", "major"):
        fixed = tuple(c for c in (parse_roman_numeral(r, spec.key) for r in spec.style.plan) if c)
    fixed = fixed or plan
    return tuple(fixed[i % len(fixed)] for i in range(sum(spec.parts))) if fixed else ()


def build_sheet_grammar(
    spec: SongSpec, plan: tuple[Chord, ...] = (), rhythm: RhythmPlan = ()
) -> SheetGrammar:
    """Build the grammar of a sheet for `spec`.

    Parameters
    ----------
    spec : SongSpec
    plan : tuple of Chord
        One chord for each bar (see :func:`plan_chords`); if empty, the model chooses.
    rhythm : tuple
        As from :func:`scripts.composer.rhythm.plan_rhythm`; if empty, the model chooses.
    """
    rules, key, full = spec.style.melody, spec.key, spec.meter.bar_ticks
    classes = set(range(12)) if rules.chromatic else set(key.pitch_classes)
    pitches = [p for p in range(rules.low, rules.high + 1) if p % 12 in classes]
    chords = chord_vocabulary(spec)
    fixed = bar_chords(spec, plan)
    home = [c for c in chords if c.root == key.tonic_pc]
    tonic = home[0] if home else Chord(key.tonic_pc, "m" if key.is_minor else "")
    end = fixed[-1].pitch_classes if fixed and fixed[-1].root != key.tonic_pc else (key.tonic_pc,)
    final = [p for p in pitches if p % 12 in end] or [p for p in pitches if p % 12 == key.tonic_pc]
    usual = str(spec.meter) in _COMMON_METERS
    # In meters that are rare in training data, runs of sixteenths lose the beat.
    shortest = min(rules.durations) if usual else 12 if full % 12 == 0 else 6
    durations = {d for d in rules.durations if shortest <= d <= full}
    durations.add(12 if full % 12 == 0 else 6)
    registers = plan_registers(spec.parts, rules.low, rules.high)
    by_register = {
        (low, high): _spell_pitches([p for p in pitches if low <= p <= high], key)
        for low, high in set(registers)
    }
    return SheetGrammar(
        meter=(spec.meter.numerator, spec.meter.denominator),
        parts=spec.parts,
        pitches=_spell_pitches(pitches, key),
        final_pitches=_spell_pitches(final, key, pitches),
        durations=tuple(sorted(durations)),
        chords=tuple(c.symbol(key) for c in chords),
        final_chords=(tonic.symbol(key),),
        first_chords=tuple(c.symbol(key) for c in home),
        half_bar_chords=rules.half_bar_chords,
        rests=rules.rests,
        triplets=rules.triplets and not spec.meter.is_compound,
        ties=rules.ties,
        syncopation=rules.syncopation and usual,
        bar_chords=tuple(c.symbol(key) for c in fixed),
        rhythm=rhythm,
        bar_pitches=tuple(by_register[register] for register in registers),
    )


def _spell_pitches(pitches: list[int], key: Key, among: list[int] | None = None) -> tuple[str, ...]:
    """Spell pitches in ABC; a letter with two alterations also gets an explicit accidental.

    An accidental lasts to the end of its bar, so the plain letter alone would be ambiguous. If
    the pitches are a subset of `among`, such a letter is only spelled with its accidental.
    """
    forms: dict[str, set[int]] = {}
    for pitch in among or pitches:
        letter, alter = key.spell(pitch % 12)
        forms.setdefault(letter, set()).add(alter)
    out = []
    for pitch in pitches:
        text = format_pitch(pitch, key)
        letter, alter = key.spell(pitch % 12)
        twofold = len(forms[letter]) > 1 and text[0] not in "^_="
        if not (twofold and among):
            out.append(text)
        if twofold:
            sign = {0: "=", 1: "^", -1: "_"}[alter]
            assert (LETTER_PC[letter] + alter) % 12 == pitch % 12
            out.append(sign + text)
    return tuple(dict.fromkeys(out))
