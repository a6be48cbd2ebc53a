"""Splits words between their vowels."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

Span = tuple[int, int]  # of a word: start and end of a run of letters


def fold(text: str) -> str:
    """Return text in lower case and without accents, letter by letter."""
    return "".join(unicodedata.normalize("NFD", c)[0] for c in text.lower())


def find_hyphens(word: str, dictionary: str) -> list[int]:
    """Places where a word is hyphenated; `dictionary` is a name such as ``en_US``."""
    return [int(place) for place in _load_hyphenation(dictionary).positions(word)]


@lru_cache(maxsize=4)
def _load_hyphenation(dictionary: str) -> Any:
    import pyphen  # only where words are split

    return pyphen.Pyphen(lang=dictionary)


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
