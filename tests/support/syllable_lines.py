"""Lines of lyrics with their syllables and stresses, written by hand: ``tests/fixtures/syllables``.

``-`` stands between syllables, ``_`` instead of the blank between two words whose vowels are sung
as one syllable, ``*`` before a stressed syllable, ``(e)`` for a French e that is not sung.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.conftest import ROOT

LANGUAGES = ("en", "fr", "de", "es", "it")
_SILENT = re.compile(r"\(.*?\)")
_FOLDER = ROOT / "tests" / "fixtures" / "syllables"


@dataclass(frozen=True)
class SyllableLine:
    """A line, and which of its syllables are stressed."""

    text: str
    stresses: tuple[bool, ...]


def load_lines(language: str) -> list[SyllableLine]:
    """All lines of a language."""
    lines = (_FOLDER / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    return [_parse(line) for line in lines if line.strip()]


def _parse(line: str) -> SyllableLine:
    text = line.translate(str.maketrans({"*": "", "-": "", "_": " ", "(": "", ")": ""}))
    syllables = re.split(r"[ -]", _SILENT.sub("", line))
    return SyllableLine(text, tuple("*" in s for s in syllables if any(c.isalpha() for c in s)))
