"""Prompts from the templates in ``data/prompts``, and headers that a model continues."""

from __future__ import annotations

from pathlib import Path

from scripts.composer.grammar import bar_chords, chord_vocabulary
from scripts.core.errors import UsageError
from scripts.request.spec import Brief
from scripts.score.keys import LETTER_PC
from scripts.score.tune_header import tune_header


def fill(template: str, brief: Brief) -> str:
    """Replace ``{styles}``, ``{key}``, ``{meter}``, ``{tempo}``, ``{parts}`` and ``{chords}``.

    Other text in braces stays as it is.
    """
    chords = bar_chords(brief) or chord_vocabulary(brief)
    values = {
        "styles": brief.asked,
        "key": str(brief.key),
        "meter": str(brief.meter),
        "tempo": f"{brief.tempo:g}",
        "parts": " + ".join(map(str, brief.parts)),
        "chords": " ".join(c.symbol(brief.key) for c in chords),
    }
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template.strip()


def read_template(folder: Path, name: str) -> str:
    """Read the template ``NAME.txt`` in `folder`.

    Raises
    ------
    UsageError
        If the file cannot be read or is not UTF-8.
    """
    path = folder / f"{name}.txt"
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the prompt template {path}; restore the file") from error


def starter_header(brief: Brief) -> str:
    """Build the tune header that the starter model continues."""
    rules = brief.style.melody
    tags = brief.style.meter_tags.get(str(brief.meter), brief.style.tags)
    # Scales beyond their key signature (harmonic minor, blues) need accidentals.
    plain = {(LETTER_PC[letter] + alter) % 12 for letter, alter in brief.key.signature.items()}
    strays = rules.chromatic or not set(brief.key.pitch_classes) <= plain
    return tune_header(
        tags,
        str(brief.meter),
        brief.parts,
        rules.density,
        rules.harmony,
        2 if strays else 0,
        brief.key.abc,
    )


def sheet_head(brief: Brief) -> str:
    """Build the ABC header with which the reply of a chat model begins."""
    return f"X:1\nM:{brief.meter}\nL:1/8\nQ:1/4={brief.tempo:g}\nK:{brief.key.abc}\n"
