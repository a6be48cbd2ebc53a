"""Findings: values that a sentence says for fields, with the words that say them."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.request.interpret.items import Sentence


@dataclass(frozen=True)
class Finding:
    """A value that was said.

    Parameters
    ----------
    value : str
    words : str
        The user's own words.
    """

    value: str
    words: str


def use(sentence: Sentence, first: int, last: int, value: str) -> Finding:
    """Mark the items from `first` to `last` as used and return the finding."""
    for item in sentence.items[first : last + 1]:
        item.used = True
    return Finding(value, sentence.quote(first, last))
