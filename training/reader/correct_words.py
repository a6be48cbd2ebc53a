"""Lists correct words that are not musical, although they resemble one or are one elsewhere.

They are not taken for misspelled, nor for words of another language: a kick is no drum, and
"sino" is no bell in Spanish.
"""

from __future__ import annotations

from pathlib import Path

import wordfreq

from scripts.core import paths
from scripts.request.interpret.items import neighbors
from scripts.request.interpret.lexicon import ANY_LANGUAGE, Lexicon, load_lexicon
from scripts.request.interpret.tokens import fold

_LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl", "pt", "ru", "sv", "tr")
_WORDS = 150_000  # most frequent words of a language
_MIN_FREQUENCY = 2.5  # Zipf scale; misspelled words are rarer
_MIN_FOREIGN_FREQUENCY = 3.8  # of a word that is a musical one in another language
_MIN_LENGTH = 4  # letters
_LOAN_LANGUAGES = frozenset(("en", "it", ANY_LANGUAGE))  # whose words musicians use everywhere
_LOAN_TABLES = frozenset(("styles", "moods", "nearest", "eras"))  # "industrial", "fiesta"
_WIDTH = 120  # characters of a line


def write_correct_words(path: Path = paths.DATA / "correct_words.toml") -> int:
    """Write the list from the frequencies of wordfreq; return the number of words."""
    lexicon = load_lexicon()
    lines = [
        "# Correct words that resemble a musical one, or are one in another language.",
        "# Made by: python -m training spelling",
    ]
    count = 0
    for language in _LANGUAGES:
        found = set()
        close = {near for word in lexicon.correctable(language) for near in neighbors(word)}
        for raw in wordfreq.top_n_list(language, _WORDS):
            if wordfreq.zipf_frequency(raw, language) < _MIN_FREQUENCY:
                break
            word = fold(raw)
            if not word.isalpha():
                continue
            # An ending may follow a stem.
            is_close = bool({word, word[:-1], word[:-2], word[:-3]} & close)
            is_long = len(word) >= _MIN_LENGTH
            is_listed = lexicon.has_word(word, language)
            is_frequent = wordfreq.zipf_frequency(raw, language) >= _MIN_FOREIGN_FREQUENCY
            if (is_close and is_long and not is_listed) or (
                is_frequent and _is_foreign(word, language, lexicon)
            ):
                found.add(word)
        count += len(found)
        lines.append(f'\n[{language}]\nwords = """\\')
        lines += [*_wrap(sorted(found)), '"""']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return count


def _is_foreign(word: str, language: str, lexicon: Lexicon) -> bool:
    """Whether a word is listed only in languages whose words are not used in this one."""
    meanings = lexicon.find((word,))
    languages = {meaning.language for meaning in meanings}
    is_loan = any(meaning.table in _LOAN_TABLES for meaning in meanings)
    return bool(languages) and not is_loan and not languages & {language, *_LOAN_LANGUAGES}


def _wrap(words: list[str]) -> list[str]:
    """Lines of words; each ends with a backslash, which joins it to the next one."""
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) + 3 > _WIDTH:
            lines.append(line + "\\")
            line = ""
        line += f"{word} "
    return [*lines, line + "\\"]
