"""Syllables and stress of German words."""

from __future__ import annotations

from itertools import pairwise

from scripts.lyrics.splitting import Span, find_hyphens, split_at_vowels
from scripts.lyrics.words import LanguageWords

_VOWELS = "aeiouyäöü"
_PAIRS = ("ei", "ai", "au", "eu", "äu", "ie", "ey", "ay", "aa", "ee", "oo", "oi", "ui")
_PREFIXES = ("be", "ge", "er", "ver", "zer", "ent", "emp")


def split_word(word: str, words: LanguageWords) -> tuple[list[str], int]:
    """Split a word; returns its syllables and the index of the stressed one."""
    lower = word.lower()
    nuclei = _find_vowels(lower, words)
    parts = _cut(word, nuclei, words)
    return parts, _find_stress(lower, len(parts), words)


def _find_vowels(lower: str, words: LanguageWords) -> list[Span]:
    nuclei: list[Span] = []
    i = 0
    open_ie, closed_ie = tuple(words.lists["open_ie"]), tuple(words.lists["closed_ie"])
    splits_ie = lower.endswith(open_ie) and not lower.endswith(closed_ie) and len(lower) > 5
    while i < len(lower):
        if lower[i] not in _VOWELS or (lower[i] == "u" and lower[i - 1 : i] == "q"):
            i += 1
            continue
        if lower[i] == "y" and i == 0:
            i += 1
            continue
        length = 2 if lower[i : i + 2] in _PAIRS else 1
        at_end = splits_ie and i >= len(lower) - 3
        if at_end and lower[i : i + 2] == "ie":
            length = 1
        if lower[i : i + 2] == "eu" and lower[i + 2 : i + 3] == "m" and lower.endswith("eum"):
            length = 1
        nuclei.append((i, i + length))
        i += length
    return nuclei


def _cut(word: str, nuclei: list[Span], words: LanguageWords) -> list[str]:
    """Cut where dictionaries hyphenate, else by the consonants between two vowels."""
    cuts = [0, *find_hyphens(word, "de_DE"), len(word)]
    parts: list[str] = []
    for start, end in pairwise(cuts):
        inside = [(max(a, start) - start, b - start) for a, b in nuclei if start <= a < end]
        if not inside and parts:
            parts[-1] += word[start:end]
        else:
            parts += split_at_vowels(word[start:end], inside, words.onsets)
    while len(parts) > 1 and not any(c in _VOWELS for c in parts[0].lower()):
        parts[:2] = [parts[0] + parts[1]]
    return parts


def _find_stress(lower: str, count: int, words: LanguageWords) -> int:
    if count < 2:
        return 0
    if lower in words.lists["stressed_last"]:
        return count - 1
    if lower.endswith(tuple(words.lists["stressed_endings"])) and count > 2:
        return count - 2 if lower.endswith(("ieren", "ierte")) else count - 1
    has_prefix = any(lower.startswith(p) and len(lower) > len(p) + 2 for p in _PREFIXES)
    return int(has_prefix and not lower.startswith(tuple(words.lists["false_prefixes"])))
