"""Syllables and stress of Italian words."""

from __future__ import annotations

from collections.abc import Collection

from scripts.lyrics.splitting import Span, fold, split_at_vowels
from scripts.lyrics.words import LanguageWords

_STRONG, _WEAK = "aeo", "iu"


def split_word(word: str, words: LanguageWords) -> tuple[list[str], int]:
    """Split a word; returns its syllables and the index of the stressed one."""
    lower = word.lower()
    nuclei = _find_vowels(lower, words.lists["hiatus"])
    parts = split_at_vowels(word, nuclei, words.onsets)
    count = len(parts)
    for index, (start, end) in enumerate(nuclei):
        if any(c in "àèéìòóù" for c in lower[start:end]):
            return parts, index
    base = fold(lower)
    if base in words.lists["sdrucciole"] and count > 2:
        return parts, count - 3
    return parts, max(0, count - 2)


def _find_vowels(lower: str, hiatus: Collection[str]) -> list[Span]:
    base = fold(lower)
    has_hiatus = base in hiatus or any(len(e) > 3 and base.endswith(e) for e in hiatus)
    split_at = _last_pair(base) if has_hiatus else -1
    nuclei: list[Span] = []
    for i, letter in enumerate(base):
        if letter not in _STRONG + _WEAK:
            continue
        joined = nuclei and nuclei[-1][1] == i and i != split_at and _joins(base, lower, i)
        if joined:
            nuclei[-1] = (nuclei[-1][0], i + 1)
        else:
            nuclei.append((i, i + 1))
    return nuclei


def _last_pair(base: str) -> int:
    """Index of the second vowel of the last pair of vowels; -1 without one."""
    vowels = _WEAK + _STRONG
    pairs = [i for i in range(1, len(base)) if base[i - 1] in vowels and base[i] in vowels]
    return pairs[-1] if pairs else -1


def _joins(base: str, lower: str, i: int) -> bool:
    """Whether a vowel is in the syllable of the one before it."""
    first, second = base[i - 1], base[i]
    if lower[i - 1] in "ìù":
        return False
    if first in _WEAK:
        return first != second
    before_vowel = base[i + 1 : i + 2] in tuple(_STRONG + _WEAK)
    return second in _WEAK and lower[i] not in "ìù" and not before_vowel
