"""Numbers in digits and words."""

from __future__ import annotations

from typing import NamedTuple

from scripts.request.interpret.items import Item, Sentence, match_sentence
from scripts.request.interpret.lexicon import load_lexicon


class Number(NamedTuple):
    """A number and the index of its last item."""

    value: float
    last: int


def read_number(sentence: Sentence, first: int) -> Number | None:
    """Read a number that begins at item `first`: ``120``, ``one hundred and ten``; None if none."""
    item = sentence.at(first)
    if item is None or item.used:
        return None
    if item.kind == "number":
        return Number(_parse_digits(item.text), first)
    value = _word_value(item)
    if value is None:
        return None
    total, last = value, first
    while True:
        at = last + 1
        following = sentence.at(at)
        if following and following.value("numbers", "joins"):
            at += 1
            following = sentence.at(at)
        value = _word_value(following) if following and not following.used else None
        if value is None:
            return Number(total, last)
        if value >= 100 and 1 <= total < value:
            total *= value
        elif (total >= 100 and value < 100) or (total % 100 >= 20 and value < 10):
            total += value
        else:
            return Number(total, last)
        last = at


def parse_count(text: str) -> int | None:
    """Parse a whole number in words of any language: zwölf, trois; None if it is none."""
    sentence = match_sentence(text, load_lexicon())
    number = read_number(sentence, 0)
    if number is None or number.value % 1 or number.last + 1 != len(sentence.items):
        return None
    return int(number.value)


def format_number(value: float) -> str:
    """Format without a needless decimal point."""
    return f"{value:g}"


def _parse_digits(text: str) -> float:
    whole, separator, rest = text.replace(",", ".").partition(".")
    if separator and len(rest) == 3 and whole != "0":  # 1,000 songs
        return float(whole + rest)
    return float(text.replace(",", "."))


def _word_value(item: Item) -> float | None:
    for value, _ in item.values("numbers"):
        if value not in ("joins", "half"):
            return float(value)
    return None
