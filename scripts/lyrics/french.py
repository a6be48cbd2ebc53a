"""Syllables of French words as they are sung, with mute e."""

from __future__ import annotations

import re

from scripts.lyrics.splitting import Span, split_at_vowels
from scripts.lyrics.words import LanguageWords

_VOWELS = "aeiouyàâäéèêëîïôöùûüœæ"
_GRAPHEMES = re.compile("eau|o?eu|œu|[aeo]i|[ao]î|[ao]u|o[ùû]|e[uû]|[aeou]y|œ|æ")
_CLUSTER_BEFORE = tuple(a + b for a in ("p", "b", "c", "g", "f", "t", "d", "v") for b in "lr")
_SOFT_L = re.compile(r"i(?:ll|l(?:s|$))")
_GLIDES = {"i": "eéèêoa", "u": "i", "ou": "i", "y": "aeéèou"}  # vowel -> those it glides into


def split_word(word: str, words: LanguageWords) -> tuple[list[str], bool]:
    """Split a word; returns its syllables and whether the last one is a mute e."""
    lower = word.lower()
    nuclei = _find_vowels(lower)
    mute = _has_mute_ending(lower, nuclei, words)
    if mute and len(nuclei) > 1 and nuclei[-2][1] == nuclei[-1][0]:
        nuclei.pop()  # -ée, -ie, -ue: never sung
        mute = False
    return split_at_vowels(word, nuclei, words.onsets), mute and len(nuclei) > 1


def ends_mute(word: str, words: LanguageWords) -> bool:
    """Whether a word ends with an e, -es or -ent that is not pronounced."""
    lower = word.lower().rpartition("'")[2]
    return _has_mute_ending(lower, _find_vowels(lower), words)


def _has_mute_ending(lower: str, nuclei: list[Span], words: LanguageWords) -> bool:
    if len(nuclei) < 2:
        return False
    start, end = nuclei[-1]
    if lower[start:end] != "e":
        return False
    rest = lower[end:]
    if rest == "nt":
        is_verb = not lower.endswith("ment") or lower in words.lists["verbs_in_ment"]
        return is_verb and lower not in words.lists["nasal_ent"]
    return rest in ("", "s")


def _find_vowels(lower: str) -> list[Span]:
    nuclei: list[Span] = []
    i = 0
    while i < len(lower):
        if nuclei and nuclei[-1][1] == i and _SOFT_L.match(lower, i):  # "soleil", "feuille"
            i += 1
            continue
        if lower[i] not in _VOWELS or _is_silent_u(lower, i) or _is_consonant_y(lower, i):
            i += 1
            continue
        grapheme = _GRAPHEMES.match(lower, i)
        end = grapheme.end() if grapheme else i + 1
        if nuclei and nuclei[-1][1] == i and _glides(lower, nuclei[-1], i):
            nuclei[-1] = (nuclei[-1][0], end)
        elif not _is_soft_e(lower, i, nuclei):
            nuclei.append((i, end))
        i = end
    return nuclei


def _is_silent_u(lower: str, i: int) -> bool:
    after = lower[i + 1 : i + 2]
    if lower[i] != "u" or after == "" or after not in "aeiouyéèêëàâîô":
        return False
    before = lower[i - 1 : i]
    return before == "q" or (before == "g" and after in "eiyéèê")


def _is_consonant_y(lower: str, i: int) -> bool:
    return lower[i] == "y" and i == 0 and len(lower) > 1 and lower[1] in _VOWELS


def _is_soft_e(lower: str, i: int, nuclei: list[Span]) -> bool:
    """Whether an e only softens a g: "mangeons"."""
    return (
        lower[i] == "e" and lower[i - 1 : i] in ("g", "j") and lower[i + 1 : i + 2] in tuple("aoâô")
    )


def _glides(lower: str, before: Span, i: int) -> bool:
    """Whether a vowel is in the syllable of the one before it: "bien", "nuit", "oui"."""
    first, second = lower[before[0] : before[1]], lower[i]
    if second not in _GLIDES.get(first, ""):
        return False
    if first == "i" and second in "oa":  # "passion", but "vi-o-lon", "di-a-mant"
        return lower[i : i + 2] == "on" and lower[before[0] - 1 : before[0]] in tuple("stxcg")
    if first == "i" and lower[i:] in ("e", "es", "ent"):
        return False  # "vie": its e is dealt with at the end of the word
    return not lower[: before[0]].endswith(_CLUSTER_BEFORE)
