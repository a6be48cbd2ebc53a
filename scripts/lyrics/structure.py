"""Finds choruses and bridges by repetition."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scripts.lyrics.lyrics import LyricSection

_SAME_LINES = 0.6  # share of equal lines from which two sections are the same
_BRIDGE_FROM = 0.45  # share of a song before which no bridge comes
_NOT_WORDS = re.compile(r"[^\w]+")


def name_unmarked(sections: Sequence[LyricSection]) -> list[str]:
    """Kinds of sections; those without one become choruses, bridges or verses.

    Most of the lines of a chorus come again in another section. A bridge has another length than
    the verses, stands between choruses and comes once.
    """
    if all(section.kind for section in sections):
        return [section.kind for section in sections]
    folded = [tuple(map(_fold, section.lines)) for section in sections]
    repeated = [
        any(j != i and _is_same(lines, other) for j, other in enumerate(folded))
        for i, lines in enumerate(folded)
    ]
    if all(repeated):  # one stanza over and over is no chorus
        repeated = [False] * len(sections)
    kinds = [
        section.kind or ("chorus" if again else "verse")
        for section, again in zip(sections, repeated, strict=True)
    ]
    for i, section in enumerate(sections):
        if not section.kind and _is_bridge(i, kinds, sections):
            kinds[i] = "bridge"
    return kinds


def _is_bridge(index: int, kinds: Sequence[str], sections: Sequence[LyricSection]) -> bool:
    if kinds[index] != "verse" or index < _BRIDGE_FROM * len(kinds):
        return False
    between = "chorus" in kinds[:index] and "chorus" in kinds[index + 1 :]
    verses = [len(s.lines) for i, s in enumerate(sections) if kinds[i] == "verse" and i != index]
    return between and bool(verses) and len(sections[index].lines) not in verses


def _is_same(lines: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shared = sum(line in other for line in lines)
    return shared >= _SAME_LINES * max(len(lines), len(other))


def _fold(line: str) -> str:
    return _NOT_WORDS.sub(" ", line.casefold()).strip()
