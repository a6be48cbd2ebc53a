"""Descriptions of a song for prompts, and headers that models continue."""

from __future__ import annotations

from scripts.composer.grammar import bar_chords, chord_vocabulary
from scripts.request.spec import SongSpec
from scripts.score.keys import LETTER_PC
from scripts.score.tune_header import format_tune_header


def describe_spec(spec: SongSpec) -> dict[str, str]:
    """Describe a song for the templates in ``data/prompts``."""
    chords = bar_chords(spec) or chord_vocabulary(spec)
    return {
        "styles": spec.requested_styles,
        "key": str(spec.key),
        "meter": str(spec.meter),
        "tempo": f"{spec.tempo:g}",
        "parts": " + ".join(map(str, spec.parts)),
        "chords": " ".join(c.symbol(spec.key) for c in chords),
    }


def build_starter_header(spec: SongSpec) -> str:
    """Build the tune header that the starter model continues."""
    rules = spec.style.melody
    tags = spec.style.meter_tags.get(str(spec.meter), spec.style.tags)
    # Scales beyond their key signature (harmonic minor, blues) need accidentals.
    plain = {(LETTER_PC[letter] + alter) % 12 for letter, alter in spec.key.signature.items()}
    strays = rules.chromatic or not set(spec.key.pitch_classes) <= plain
    return format_tune_header(
        tags,
        str(spec.meter),
        spec.parts,
        rules.density,
        rules.harmony,
        2 if strays else 0,
        spec.key.abc,
    )


def build_abc_header(spec: SongSpec) -> str:
    """Build the ABC header with which the reply of a chat model begins."""
    return f"X:1\nM:{spec.meter}\nL:1/8\nQ:1/4={spec.tempo:g}\nK:{spec.key.abc}\n"
