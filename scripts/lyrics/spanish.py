"""Syllables and stress of Spanish and Portuguese words, which their spelling tells."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.lyrics.splitting import Span, split_at_vowels
from scripts.lyrics.words import LanguageWords

_STRONG, _WEAK = "aeo", "iu"


@dataclass(frozen=True)
class Orthography:
    """How a language writes vowels.

    Parameters
    ----------
    accented : str
        Letters that bear the stress of their word.
    split : str
        Accented letters that never join a neighbor.
    joined : tuple of str
        Pairs that are one syllable in spite of their letters.
    penult : tuple of str
        Endings of words without accent that are stressed on the syllable before the last.
    hiatus_at_end : bool
        Whether -ia, -io, -ua at the end of words without accent are two syllables.
    """

    accented: str
    split: str
    joined: tuple[str, ...]
    penult: tuple[str, ...]
    hiatus_at_end: bool


SPANISH = Orthography("áéíóú", "íú", (), (*"aeiou", "n", "s"), hiatus_at_end=False)
PORTUGUESE = Orthography(
    "áéíóúâêô",
    "íú",
    ("ão", "ãe", "õe", "ãi"),
    ("a", "e", "o", "as", "es", "os", "am", "em", "ens"),
    hiatus_at_end=True,
)
_BASE = str.maketrans("áéíóúâêôãõàü", "aeiouaeoaoau")


def split_word(word: str, language: Orthography, words: LanguageWords) -> tuple[list[str], int]:
    """Split a word; returns its syllables and the index of the stressed one."""
    lower = word.lower()
    nuclei = _find_vowels(lower, language)
    parts = split_at_vowels(word, nuclei, words.onsets)
    return parts, _find_stress(lower, nuclei, len(parts), language)


def _find_vowels(lower: str, language: Orthography) -> list[Span]:
    base = lower.translate(_BASE)
    nuclei: list[Span] = []
    for i in range(len(base)):
        if not _is_vowel(base, lower, i):
            continue
        joins = nuclei and nuclei[-1][1] == i and _joins(base, lower, i, language)
        if joins:
            nuclei[-1] = (nuclei[-1][0], i + 1)
        else:
            nuclei.append((i, i + 1))
    return nuclei


def _is_vowel(base: str, lower: str, i: int) -> bool:
    letter = base[i]
    if letter == "y":
        return i == len(base) - 1 and (i == 0 or base[i - 1] in "aeiou")
    if letter not in _STRONG + _WEAK:
        return False
    before, after = base[i - 1 : i], base[i + 1 : i + 2]
    silent = lower[i] == "u" and (before == "q" or (before == "g" and after in ("e", "i")))
    return not (silent and after in tuple("aeio"))


def _joins(base: str, lower: str, i: int, language: Orthography) -> bool:
    """Whether a vowel is in the syllable of the one before it."""
    pair = lower[i - 1 : i + 1]
    if pair in language.joined:
        return True
    first, second = base[i - 1], base[i]
    if lower[i - 1] in language.split or lower[i] in language.split or first == second:
        return False
    if first in _STRONG and second in _STRONG:
        return False
    if language.hiatus_at_end and first in _WEAK and _is_open_end(lower, i, language):
        return base[i - 2 : i - 1] in ("q", "g")
    return True


def _is_open_end(lower: str, i: int, language: Orthography) -> bool:
    """Whether a vowel after i or u ends a word without accents, such as "dia"."""
    ends = lower[i + 1 :] in ("", "s")
    return ends and not any(c in language.accented for c in lower)


def _find_stress(lower: str, nuclei: list[Span], count: int, language: Orthography) -> int:
    for index, (start, end) in enumerate(nuclei):
        if any(c in language.accented for c in lower[start:end]):
            return index
    if nuclei and any(c in "ãõ" for c in lower[slice(*nuclei[-1])]):
        return count - 1
    return max(0, count - 2) if lower.endswith(language.penult) else max(0, count - 1)
