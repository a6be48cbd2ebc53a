"""Findings: values that a sentence says for fields, with the words that say them."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.request.interpret.items import Sentence
from scripts.request.interpret.negation import is_rejected


@dataclass(frozen=True)
class Finding:
    """A value that was said.

    Parameters
    ----------
    value : str
    words : str
        The user's own words.
    is_rejected : bool
        Whether it is what the user does not want: "not in D minor".
    """

    value: str
    words: str
    is_rejected: bool = False


def use(sentence: Sentence, first: int, last: int, value: str) -> Finding:
    """Mark the items from `first` to `last` as used and return the finding."""
    rejected = is_rejected(sentence, first)
    for item in sentence.items[first : last + 1]:
        item.used = True
    return Finding(value, sentence.quote(first, last), rejected)
