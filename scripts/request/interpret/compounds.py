"""Splits compound words, which no list has whole: Countrylieder, jazzmuziek, pianolåtar."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.request.interpret.lexicon import ANY_LANGUAGE, Lexicon, Meaning
from scripts.request.interpret.tokens import Token

_MIN_FIRST, _MIN_LAST = 3, 4  # letters of the parts
_FIRST_TABLES = frozenset(("styles", "moods", "nearest", "instruments", "ensembles", "eras"))
_LAST_TABLES = frozenset(("instruments", "ensembles", "songs"))


def split_compounds(tokens: list[Token], lexicon: Lexicon, language: str) -> list[Token]:
    """Split the words that the lexicon does not have into two that it has, where possible.

    Only in languages whose word list has a table ``compounds``.
    """
    links = lexicon.links(language)
    if not links:
        return tokens
    out = []
    for token in tokens:
        is_unknown = token.kind == "word" and not lexicon.has_word(token.text)
        parts = next(_partitions(token.text, lexicon, language, links), None)
        if is_unknown and parts:
            middle = token.end - len(parts[1])
            out += [
                Token(parts[0], "word", token.start, middle),
                Token(parts[1], "word", middle, token.end),
            ]
        else:
            out.append(token)
    return out


def last_part(word: str, lexicon: Lexicon, language: str) -> str:
    """Noun at the end of a compound word that may be in the lexicon as a whole: Barockstücke."""
    for cut in range(_MIN_FIRST, len(word) - _MIN_LAST + 1) if lexicon.links(language) else ():
        if _has_table(lexicon.find((word[cut:],)), _LAST_TABLES, language):
            return word[cut:]
    return ""


def _partitions(
    word: str, lexicon: Lexicon, language: str, links: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """Yield the ways to read a word as two words, with a linking sound between them."""
    for cut in range(_MIN_FIRST, len(word) - _MIN_LAST + 1):
        last = word[cut:]
        if not _has_table(lexicon.find((last,)), _LAST_TABLES, language):
            continue
        for link in ("", *links):
            first = word[:cut].removesuffix(link)
            is_linked = word[:cut] == first + link and len(first) >= _MIN_FIRST
            if is_linked and _has_table(lexicon.find((first,)), _FIRST_TABLES, language):
                yield first, last


def _has_table(meanings: tuple[Meaning, ...], tables: frozenset[str], language: str) -> bool:
    return any(m.table in tables and m.language in (language, ANY_LANGUAGE) for m in meanings)
