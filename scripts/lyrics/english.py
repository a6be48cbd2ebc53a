"""Syllables and stress of English words, as CMUdict pronounces them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from scripts.core import paths
from scripts.lyrics.splitting import Span, find_hyphens, fold, split_at_vowels
from scripts.lyrics.words import LanguageWords

_VOWELS = re.compile(r"[aeiouy]+")
_SILENT_END = re.compile(r"[^aeiouy]e(?:d|s)?$")
_SOUNDED_ED = re.compile(r"[td]ed$")
_SOUNDED_ES = re.compile(r"(?:[sxz]|ch|sh|[cg])es$")
_SYLLABIC_LE = re.compile(r"[^aeiouyw]les?d?$")
_WRITTEN_ER = re.compile(r"er|yr")


def split_word(word: str, words: LanguageWords) -> tuple[list[str], int]:
    """Split a word; returns its syllables and the index of the stressed one."""
    lower = word.lower()
    phones = find_phones(lower)
    if phones is None:
        nuclei = _guess_vowels(fold(lower))
        parts = split_at_vowels(word, nuclei, words.onsets)
        return parts, 0
    vowels = _sung_vowels(lower, phones, words)
    stress = next((i for i, p in enumerate(vowels) if p.endswith("1")), 0)
    return _cut(word, len(vowels), words), stress


def _sung_vowels(word: str, phones: Sequence[str], words: LanguageWords) -> list[str]:
    """Vowels that are syllables: "fire" and "our" are sung as one, "every" as two."""
    vowels: list[str] = []
    for i, phone in enumerate(phones):
        if not phone[-1].isdigit():
            continue
        glides = phone == "ER0" and i and phones[i - 1][:2] in ("AY", "AW")
        if glides and not _WRITTEN_ER.search(word):
            continue
        vowels.append(phone)
    return vowels[:-1] if word in words.lists["shortened"] and len(vowels) > 2 else vowels


def find_phones(word: str) -> tuple[str, ...] | None:
    """ARPABET phones of a word in lower case; None for one that CMUdict does not have."""
    known = load_pronunciations(paths.DATA / "lyrics" / "english.tsv.gz")
    found = known.get(word)
    if found is None and word.endswith("in'"):
        found = known.get(word[:-1] + "g")
    if found is None and word.startswith("'"):
        found = known.get(word[1:])
    if found is None and word.endswith("'s"):
        base = known.get(word[:-2])
        if base is not None:
            sibilant = base.split()[-1] in ("S", "Z", "SH", "ZH", "CH", "JH")
            found = f"{base} IH0 Z" if sibilant else f"{base} Z"
    if found is None and word.endswith("'"):
        found = known.get(word[:-1])
    return tuple(found.split()) if found is not None else None


@lru_cache(maxsize=1)
def load_pronunciations(path: Path) -> Mapping[str, str]:
    """Pronunciations by word: lines of word, tab, phones."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split("\t", 1) for line in file)


def _guess_vowels(lower: str) -> list[Span]:
    nuclei = [(m.start(), m.end()) for m in _VOWELS.finditer(lower)]
    if len(nuclei) > 1 and _SILENT_END.search(lower) and not _SYLLABIC_LE.search(lower):
        sounded = _SOUNDED_ED.search(lower) or _SOUNDED_ES.search(lower)
        if not sounded:
            nuclei.pop()
    return nuclei


def _cut(word: str, count: int, words: LanguageWords) -> list[str]:
    """Cut a word into `count` parts: as it is hyphenated, else at its vowels."""
    if count < 2:
        return [word]
    positions = find_hyphens(word, "en_US")
    if len(positions) == count - 1:
        return [word[a:b] for a, b in zip([0, *positions], [*positions, len(word)], strict=True)]
    nuclei = _guess_vowels(fold(word))
    while len(nuclei) > count:  # a written vowel that is not spoken
        nuclei.pop(1)
    while len(nuclei) < count:  # two vowels written side by side
        nuclei = _split_longest(nuclei)
        if len(nuclei) < count and all(end - start < 2 for start, end in nuclei):
            break
    parts = split_at_vowels(word, nuclei, words.onsets)
    while len(parts) < count:  # "rhythm", "fire"
        head = parts.pop()
        middle = max(1, len(head) - 1)
        parts += [head[:middle], head[middle:]]
    return parts


def _split_longest(nuclei: list[Span]) -> list[Span]:
    index = max(range(len(nuclei)), key=lambda i: nuclei[i][1] - nuclei[i][0], default=-1)
    if index < 0:
        return nuclei
    start, end = nuclei[index]
    if end - start < 2:
        return nuclei
    return [*nuclei[:index], (start, start + 1), (start + 1, end), *nuclei[index + 1 :]]
