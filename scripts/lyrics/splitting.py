"""Splits words between their vowels."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from itertools import pairwise

Span = tuple[int, int]  # of a word: start and end of a run of letters


def fold(text: str) -> str:
    """Return text in lower case and without accents, letter by letter."""
    return "".join(unicodedata.normalize("NFD", c)[0] for c in text.lower())


def split_at_vowels(word: str, nuclei: Sequence[Span], onsets: Collection[str]) -> list[str]:
    """Split a word into syllables.

    Of the consonants between two vowels, those that may begin a syllable go to the second one,
    and at least the last one.

    Parameters
    ----------
    word : str
    nuclei : sequence of (int, int)
        The vowels of each syllable.
    onsets : collection of str
        Groups of two or more consonants with which a syllable may begin, in lower case.
    """
    if len(nuclei) < 2:
        return [word]
    folded = fold(word)
    cuts = [
        end + _coda_length(folded[end:start], onsets) for (_, end), (start, _) in pairwise(nuclei)
    ]
    return [word[a:b] for a, b in zip([0, *cuts], [*cuts, len(word)], strict=True)]


def _coda_length(consonants: str, onsets: Collection[str]) -> int:
    """How many consonants stay with the vowel before them."""
    if not consonants:
        return 0
    for start in range(len(consonants) - 1):
        if consonants[start:] in onsets:
            return start
    return len(consonants) - 1
