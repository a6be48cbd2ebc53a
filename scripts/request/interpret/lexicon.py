"""Musical words of each language, read from ``data/words/LANGUAGE.toml``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.core.toml import read_tables
from scripts.request.interpret.tokens import fold, tokenize
from scripts.request.pace import PACES
from scripts.score.time_signature import parse_time_signature

ANY_LANGUAGE = "any"  # data/words/any.toml: words that are the same in every language
_MIN_CORRECTED_LENGTH = 5  # letters of a word that can be misspelled
# Tables whose words are corrected; the others have short words, or words of everyday language.
_CORRECTED = frozenset(
    ("instruments", "ensembles", "styles", "moods", "nearest", "modes", "meters", "style_words")
)
_STEM_MARK = "*"  # after the beginning of a word that can have several endings
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})  # as some keyboards write them
_MAX_ENDING, _MIN_STEM = 3, 4  # letters


class Meaning(NamedTuple):
    """What a phrase means in a language: a table of the word list, and its value there."""

    table: str
    value: str
    language: str


Phrase = tuple[str, ...]  # texts of its tokens


@dataclass(frozen=True)
class Lexicon:
    """Phrases of all languages.

    Parameters
    ----------
    languages : tuple of str
        Names of the files, without :data:`ANY_LANGUAGE`.
    phrases : mapping of tuple of str to tuple of Meaning
        By the texts of their tokens.
    stems : mapping of str to tuple of Meaning
        Beginnings of words, written ``joyeu*``.
    """

    languages: tuple[str, ...]
    phrases: Mapping[Phrase, tuple[Meaning, ...]]
    stems: Mapping[str, tuple[Meaning, ...]] = field(default_factory=dict)

    @cached_property
    def longest(self) -> int:
        """Number of tokens of the longest phrase."""
        return max(map(len, self.phrases), default=1)

    def find(self, phrase: Phrase) -> tuple[Meaning, ...]:
        """Meanings of a phrase, or of a word with one of the stems; empty if there are none."""
        found = self.phrases.get(phrase, ())
        if len(phrase) > 1:
            return found
        whole = {m.language for m in found if m.table != "style_words"}
        stems = self._meanings_of_stem(phrase[0])
        return (*(m for m in stems if m.language not in whole), *found)

    def _meanings_of_stem(self, word: str) -> tuple[Meaning, ...]:
        """Meanings of the stems of a word, the longest for each language."""
        found: dict[str, list[Meaning]] = {}
        for cut in range(min(_MAX_ENDING, len(word) - _MIN_STEM) + 1):
            new: dict[str, list[Meaning]] = defaultdict(list)
            for meaning in self.stems.get(word[: len(word) - cut], ()):
                new[meaning.language].append(meaning)
            found = {**new, **found}
        return tuple(meaning for listed in found.values() for meaning in listed)

    def has_word(self, word: str, language: str = "") -> bool:
        """Whether a word occurs in a phrase; with a `language`, in one of it or of none."""
        languages = self._languages_of_words.get(word) or {m.language for m in self.find((word,))}
        return bool(languages if not language else languages & {language, ANY_LANGUAGE})

    def correctable(self, language: str) -> frozenset[str]:
        """Words of a language, or of none, that a misspelled word can be corrected to."""
        return self._correctable[language] | self._correctable[ANY_LANGUAGE]

    def is_correctable(self, word: str, language: str) -> bool:
        """Whether a misspelled word can be corrected to `word`, which may have an ending."""
        if word in self.correctable(language):
            return True
        stems = self._meanings_of_stem(word)
        return any(m.table in _CORRECTED and m.language == language for m in stems)

    def links(self, language: str) -> tuple[str, ...]:
        """Sounds between the parts of compound words; empty in a language without compounds."""
        return self._links[language]

    @cached_property
    def _links(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = defaultdict(tuple)
        for phrase, meanings in self.phrases.items():
            for m in meanings:
                if m.table == "compounds":
                    found[m.language] += phrase
        return found

    @cached_property
    def _languages_of_words(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for phrase, meanings in self.phrases.items():
            for word in phrase:
                found[word] |= {m.language for m in meanings}
        return dict(found)

    @cached_property
    def _correctable(self) -> Mapping[str, frozenset[str]]:
        words: dict[str, set[str]] = defaultdict(set)
        entries = [*self.phrases.items(), *(((stem,), m) for stem, m in self.stems.items())]
        for phrase, meanings in entries:
            languages = {m.language for m in meanings if m.table in _CORRECTED}
            for language in languages:
                words[language] |= {w for w in phrase if len(w) >= _MIN_CORRECTED_LENGTH}
        return defaultdict(frozenset, {name: frozenset(found) for name, found in words.items()})

    def with_styles(self, words: Mapping[str, Iterable[str]]) -> Lexicon:
        """Add the words of the style files, by style.

        They are weaker than all others, unless they contain the style's name: trap beat.
        """
        phrases = dict(self.phrases)
        for style, listed in words.items():
            for phrase in (style, *listed):
                key = _phrase_key(phrase)
                if key:
                    name = Meaning("styles", style, ANY_LANGUAGE)
                    is_named = any(name in self.phrases.get((word,), ()) for word in key)
                    meaning = name if is_named else Meaning("style_words", style, ANY_LANGUAGE)
                    phrases[key] = (*phrases.get(key, ()), meaning)
        return Lexicon(self.languages, phrases, self.stems)


@lru_cache(maxsize=2)
def load_lexicon(folder: Path = paths.DATA / "words") -> Lexicon:
    """Read the word lists of all languages.

    Raises
    ------
    UsageError
        When a file is invalid.
    """
    phrases: dict[Phrase, list[Meaning]] = defaultdict(list)
    stems: dict[str, list[Meaning]] = defaultdict(list)
    languages = []
    for path in sorted(folder.glob("*.toml")):
        tables, _ = read_tables(path)
        language = path.stem
        if language != ANY_LANGUAGE:
            languages.append(language)
        try:
            for table, value, phrase in _entries(tables):
                _check(table, value)
                meaning = Meaning(table, value, language)
                for spelling in {phrase, phrase.translate(_UMLAUTS)}:
                    key = _phrase_key(spelling)
                    if spelling.endswith(_STEM_MARK):
                        stems[fold(spelling[:-1])].append(meaning)
                    elif key and meaning not in phrases[key]:
                        phrases[key].append(meaning)
        except (TypeError, AttributeError, ValueError) as error:
            raise UsageError(f"{path.name}: {error}; correct the file") from error
    return Lexicon(
        tuple(languages),
        {key: tuple(found) for key, found in phrases.items()},
        {stem: tuple(found) for stem, found in stems.items()},
    )


@lru_cache(maxsize=1)
def load_correct_words() -> Mapping[str, frozenset[str]]:
    """Words of each language that resemble one of its list but are not misspelled, folded."""
    tables, _ = read_tables(paths.DATA / "correct_words.toml")
    return defaultdict(frozenset, {n: frozenset(row["words"].split()) for n, row in tables.items()})


def is_correct_word(word: str) -> bool:
    """Whether a folded word is one of :func:`load_correct_words`, in whatever language."""
    return any(word in listed for listed in load_correct_words().values())


def _check(table: str, value: str) -> None:
    """Raise a ValueError for a row whose name is not what its table needs."""
    if table in ("lengths", "units") or (table == "numbers" and value not in ("joins", "half")):
        try:
            float(value)
        except ValueError:
            raise ValueError(f'[{table}] needs a number, not "{value}"') from None
    if table == "tempo" and value not in PACES:
        raise ValueError(f'[{table}] needs one of {", ".join(PACES)}, not "{value}"')
    if table == "meters" and not parse_time_signature(value):
        raise ValueError(f'[{table}] needs a time signature such as 3/4, not "{value}"')


def _entries(tables: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield table, value and phrase of every entry.

    A nested table becomes ``TABLE.NAME``: ``key.notes``, ``meter.beats``.
    """
    for table, rows in tables.items():
        for name, listed in rows.items():
            if isinstance(listed, Mapping):
                for value, phrases in listed.items():
                    for phrase in _listed(phrases, f"{table}.{name}", value):
                        yield f"{table}.{name}", value, phrase
            elif table == "nearest":
                yield table, listed, name
            else:
                for phrase in _listed(listed, table, name):
                    yield table, name, phrase


def _listed(phrases: object, table: str, name: str) -> list[str]:
    if not isinstance(phrases, list) or not all(isinstance(phrase, str) for phrase in phrases):
        raise ValueError(f'"{name}" in [{table}] needs a list of phrases')
    return phrases


@lru_cache(maxsize=65536)
def _phrase_key(phrase: str) -> Phrase:
    return tuple(token.text for token in tokenize(phrase))
