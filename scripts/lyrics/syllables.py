"""Lines of lyrics as syllables: what one note each sings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from scripts.lyrics import english, french, german, italian, spanish
from scripts.lyrics.splitting import fold
from scripts.lyrics.words import LanguageWords, words_of

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*['’]?|['’][^\W\d_]+", re.UNICODE)
_VOWEL_GROUP = re.compile(r"[aeiouyäöüаеёиоуыэюя]+")
_SYNALEPHA = ("es", "it", "pt")  # languages in which vowels of neighboring words are one syllable
_FRENCH_VOWELS = "aeiouyàâäéèêëîïôöùûüœæh"

_SPLITTERS: Mapping[str, Callable[[str, LanguageWords], tuple[list[str], int]]] = {
    "en": english.split_word,
    "de": german.split_word,
    "es": lambda word, words: spanish.split_word(word, spanish.SPANISH, words),
    "pt": lambda word, words: spanish.split_word(word, spanish.PORTUGUESE, words),
}


@dataclass(frozen=True)
class Syllable:
    """What one note sings.

    Parameters
    ----------
    text : str
        Letters, with the blank between two words whose vowels are one syllable.
    stressed : bool
        Whether it bears the stress of a word that has one in its line.
    begins_word, ends_word : bool
    word : str
        The whole word, in lower case; of two words the first.
    """

    text: str
    stressed: bool
    begins_word: bool
    ends_word: bool
    word: str


def split_line(line: str, language: str) -> tuple[Syllable, ...]:
    """Split a line into syllables as they are sung.

    Parameters
    ----------
    line : str
    language : str
        Code such as ``en``; syllables of languages without rules are counted by their vowels.
    """
    words = [w.replace("’", "'") for w in _WORD.findall(line)]
    found: list[Syllable] = []
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        syllables = list(_split_word(word, following, language))
        if found and language in _SYNALEPHA and _merges(found[-1], syllables[0], language):
            found[-1] = _merge(found[-1], syllables.pop(0))
        found += syllables
    return tuple(found)


def _split_word(word: str, following: str, language: str) -> Iterator[Syllable]:
    lower = word.lower()
    words = words_of(language)
    parts, stress = _divide(word, following, language, words)
    is_strong = words is None or lower not in words.unstressed
    for i, part in enumerate(parts):
        yield Syllable(part, is_strong and i == stress, i == 0, i == len(parts) - 1, lower)


def _divide(
    word: str, following: str, language: str, words: LanguageWords | None
) -> tuple[list[str], int]:
    if words is None:
        return _divide_evenly(word)
    if language == "fr":
        return _divide_french(word, following, words)
    if language == "it":
        return _divide_elided(word, lambda part: italian.split_word(part, words))
    return _SPLITTERS[language](word, words)


def _divide_evenly(word: str) -> tuple[list[str], int]:
    count = max(1, len(_VOWEL_GROUP.findall(fold(word))))
    size = max(1, -(-len(word) // count))
    return [word[i : i + size] for i in range(0, len(word), size)], 0


def _divide_elided(
    word: str, split: Callable[[str], tuple[list[str], int]]
) -> tuple[list[str], int]:
    """Split a word and the elided one before it, such as "un'alba", as if they were one."""
    head, mark, tail = word.rpartition("'")
    if not mark or not tail or not head:
        return split(word)
    tail_parts, stress = split(tail)
    parts, at = [], 0
    for part in split(head + tail)[0]:
        inside = at < len(head) <= at + len(part) - 1 or (at == len(head) and bool(at))
        cut = len(head) - at
        parts.append(part[:cut] + mark + part[cut:] if inside else part)
        at += len(part)
    return parts, stress + max(0, len(parts) - len(tail_parts))


def _divide_french(word: str, following: str, words: LanguageWords) -> tuple[list[str], int]:
    aspirated = words.lists["aspirated"]
    is_mute = False

    def split(part: str) -> tuple[list[str], int]:
        nonlocal is_mute
        parts, is_mute = french.split_word(part, words)
        return parts, max(0, len(parts) - (2 if is_mute else 1))

    parts, stress = _divide_elided(word, split)
    if is_mute:
        next_word = following.lower()
        vowel_follows = next_word[:1] in tuple(_FRENCH_VOWELS) and next_word not in aspirated
        can_elide = not word.lower().endswith(("s", "nt"))
        if not following or (vowel_follows and can_elide):
            parts[-2:] = ["".join(parts[-2:])]
    return parts, stress


def _merges(before: Syllable, after: Syllable, language: str) -> bool:
    """Whether the vowels of two neighboring words are sung as one syllable."""
    first, second = fold(before.text)[-1:], fold(after.text)
    if not before.ends_word or not first or first not in "aeiou":
        return False
    if second[:1] == "y" and language == "es":
        return len(second) == 1
    starts_with_vowel = second[:1] in tuple("aeiou") or (
        second[:1] == "h" and second[1:2] in tuple("aeiou") and second[:3] not in ("hue", "hie")
    )
    if language == "es" and second[:2] in ("hu", "hi") and second[2:3] in tuple("aeo"):
        return False
    return starts_with_vowel and not (before.stressed and after.stressed)


def _merge(before: Syllable, after: Syllable) -> Syllable:
    return replace(
        before,
        text=f"{before.text} {after.text}",
        stressed=before.stressed or after.stressed,
        ends_word=after.ends_word,
    )
