"""Splits a sentence into words, numbers and signs, without case and accents."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r"""(?P<meter>\d{1,2}\s?/\s?\d{1,2}(?!\d|\s?/))
      | (?P<clock>\d{1,2}:\d{2}(?::\d{2})?(?!\d)|\d{1,2}\s?h\s?\d{2}(?!\d)
        |\d{1,3}['’′]\d{2}(?!\d))
      | (?P<number>\d+(?:[.,]\d+)?)
      | (?P<word>[^\W\d_]+)
      | (?P<sign>[#♯♭&=])
      | (?P<link>[-'’`´‘]|\s|_)
      | (?P<stop>.)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
# Letters that do not decompose into a base letter and an accent.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss", "þ": "th", "ð": "d"}
)
_FIRST_OTHER_SCRIPT = "\u0250"  # character after those of Latin
# Japanese numbers are written together with what they count: 三曲, 五分, 一時間半.
_KANJI_COUNT = re.compile(r"([一二三四五六七八九十百千]*)(曲|分|時間|秒|拍子)(半?)")
_ASIAN_SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL")


@dataclass(frozen=True)
class Token:
    """One word, number or sign of a sentence.

    Parameters
    ----------
    text : str
        Folded: lower case without accents.
    kind : str
        ``word``, ``number``, ``meter`` (7/8), ``clock`` (3:30, 1h30), ``sign`` or ``stop``, which
        is any punctuation that separates parts of a sentence.
    start, end : int
        Place in the sentence.
    """

    text: str
    kind: str
    start: int
    end: int


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Remove case and accents; Asian scripts only get their standard forms."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text).casefold()
    if any(_script(c) in _ASIAN_SCRIPTS for c in text):
        return text
    plain = unicodedata.normalize("NFD", text)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return plain.translate(_LETTERS)


def tokenize(text: str) -> list[Token]:
    """Split a sentence into tokens."""
    tokens = []
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind == "word":
            tokens += _split_scripts(match[0], match.start())
        elif kind == "stop" or _is_dash(text, match):
            tokens.append(Token(match[0], "stop", match.start(), match.end()))
        elif kind != "link":
            folded = fold(match[0]).replace(" ", "")
            tokens.append(Token(folded, kind, match.start(), match.end()))
    return tokens


def _is_dash(text: str, match: re.Match[str]) -> bool:
    """Whether a hyphen stands between spaces and so separates parts of a sentence."""
    if match[0] != "-":
        return False
    return text[: match.start()].endswith(" ") and text[match.end() :].startswith(" ")


def _split_scripts(word: str, start: int) -> list[Token]:
    """Split a run of letters where the script changes, as Japanese has no spaces."""
    if max(word) < _FIRST_OTHER_SCRIPT:
        return [Token(fold(word), "word", start, start + len(word))]
    runs: list[tuple[str, int]] = []
    previous = ""
    for i, char in enumerate(word):
        script = _script(char)
        is_asian = script in _ASIAN_SCRIPTS or previous in _ASIAN_SCRIPTS
        if runs and (not is_asian or script == previous or char == "ー"):
            runs[-1] = (runs[-1][0] + char, runs[-1][1])
        else:
            runs.append((char, start + i))
        previous = previous if char == "ー" else script
    parts: list[tuple[str, int]] = []
    for run, at in runs:
        count = _KANJI_COUNT.fullmatch(run)
        parts += [(count[n], at + count.start(n)) for n in (1, 2, 3)] if count else [(run, at)]
    return [Token(fold(part), "word", at, at + len(part)) for part, at in parts if part]


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    if char < _FIRST_OTHER_SCRIPT:
        return "LATIN"
    name = unicodedata.name(char, "").split(" ")[0]
    return "LATIN" if name in ("COMBINING", "MODIFIER") else name
