"""What the rules of spelling do not tell of a language: ``data/lyrics/words.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scripts.core import paths
from scripts.core.toml import parse_tables


@dataclass(frozen=True)
class LanguageWords:
    """Lists of words and letters of a language.

    Parameters
    ----------
    unstressed : frozenset of str
        Words without a stress of their own in a line.
    onsets : frozenset of str
        Groups of consonants with which a syllable may begin.
    lists : mapping of str to frozenset of str
        Other lists, by name.
    """

    unstressed: frozenset[str]
    onsets: frozenset[str]
    lists: Mapping[str, frozenset[str]]


def words_of(language: str) -> LanguageWords | None:
    """Lists of a language; None for one without."""
    return _load(paths.DATA / "lyrics" / "words.toml").get(language)


@lru_cache(maxsize=2)
def _load(path: Path) -> Mapping[str, LanguageWords]:
    def parse(_: str, row: Mapping[str, list[str]]) -> LanguageWords:
        lists = {name: frozenset(map(str, words)) for name, words in row.items()}
        return LanguageWords(lists.pop("unstressed"), lists.pop("onsets"), lists)

    return parse_tables(path, parse)
