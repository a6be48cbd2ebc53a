"""State machine for one sentence in a language with Latin letters."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Hashable
from typing import NamedTuple

_LETTERS = string.ascii_letters + "".join(
    c for c in map(chr, range(0xC0, 0x180)) if unicodedata.category(c).startswith("L")
)
_INNER = ",;:'’-"  # punctuation within a sentence
_END = ".!…"
_CHARS = _LETTERS + _INNER + _END + " "
_MAX_WORD, _MIN_LENGTH = 24, 30  # characters
_MAX_SAME = 2  # equal letters in a row


class SentenceState(NamedTuple):
    """Sentence so far, and whether it has ended."""

    text: str
    is_complete: bool = False


class SentenceMachine:
    """State machine for a sentence that begins with a capital and ends with a full stop.

    Parameters
    ----------
    max_length : int
        Maximum length in characters, at least 60.
    """

    is_broad = True

    def __init__(self, max_length: int) -> None:
        self.max_length = max_length

    def start(self) -> SentenceState:
        return SentenceState("")

    def step(self, state: SentenceState, char: str) -> SentenceState | None:
        text = state.text
        if state.is_complete or char not in _CHARS:
            return None
        word = text.rpartition(" ")[2]
        last = text[-1:]
        if not text:
            return SentenceState(char) if char in _LETTERS and char.isupper() else None
        if char in _END:
            is_whole = len(text) >= _MIN_LENGTH and last in _LETTERS
            return SentenceState(text + char, True) if is_whole else None
        has_room = len(text) + 2 + _MAX_WORD < self.max_length  # for a comma and another word
        if char == " ":
            is_allowed = (has_room or last in ",;:") and last not in " '’-"
            return SentenceState(text + char) if is_allowed else None
        if char in _INNER:
            is_allowed = has_room and last in _LETTERS and len(word) + 1 < _MAX_WORD
            return SentenceState(text + char) if is_allowed else None
        is_run = text.endswith(char * _MAX_SAME)
        is_shouting = char.isupper() and last not in " '’-"
        if len(text) + 1 >= self.max_length or len(word) >= _MAX_WORD or is_run or is_shouting:
            return None
        if last in ",;:":  # a space comes first
            return None
        return SentenceState(text + char)

    def possible_chars(self, state: SentenceState) -> str:
        return _CHARS

    def is_complete(self, state: SentenceState) -> bool:
        return state.is_complete

    def cache_key(self, state: SentenceState) -> Hashable:
        return state

    def progress(self, state: SentenceState) -> float:
        return len(state.text) / self.max_length
