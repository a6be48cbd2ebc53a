"""Lists correct words that resemble a musical one, so that they are not taken for misspelled."""

from __future__ import annotations

from pathlib import Path

import wordfreq

from scripts.core import paths
from scripts.request.interpret.items import neighbors
from scripts.request.interpret.lexicon import load_lexicon
from scripts.request.interpret.tokens import fold

_LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl", "pt", "ru", "sv", "tr")
_WORDS = 150_000  # most frequent words of a language
_MIN_FREQUENCY = 2.5  # Zipf scale; misspelled words are rarer
_MIN_LENGTH = 4  # letters
_WIDTH = 120  # characters of a line


def write_correct_words(path: Path = paths.DATA / "correct_words.toml") -> int:
    """Write the list from the frequencies of wordfreq; return the number of words."""
    lexicon = load_lexicon()
    lines = [
        "# Correct words within one letter of a musical word: they are not taken for misspelled.",
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
            if len(word) < _MIN_LENGTH or not word.isalpha() or lexicon.has_word(word, language):
                continue
            # An ending may follow a stem.
            if {word, word[:-1], word[:-2], word[:-3]} & close:
                found.add(word)
        count += len(found)
        lines.append(f'\n[{language}]\nwords = """\\')
        lines += [*_wrap(sorted(found)), '"""']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return count


def _wrap(words: list[str]) -> list[str]:
    """Lines of words; each ends with a backslash, which joins it to the next one."""
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) + 3 > _WIDTH:
            lines.append(line + "\\")
            line = ""
        line += f"{word} "
    return [*lines, line + "\\"]
