"""Tells what a negator such as "not" or "without" belongs to."""

from __future__ import annotations

from scripts.request.interpret.items import Item, Sentence

_REACH = 3  # items between a negator and what it excludes


def is_negated(sentence: Sentence, index: int) -> bool:
    """Whether item `index` is what the user does not want: "not sad", "no slow jazz".

    The negation ends at a stop, and at "but" as in "not jazz but techno".
    """
    after = sentence.at(index + 1)
    if after is not None and after.value("not", "after"):
        return True
    for at in range(index - 1, index - 1 - _REACH, -1):
        item = sentence.at(at)
        if item is None or item.is_stop or is_contrast(sentence, at):
            return False
        if not item.used and (item.value("not", "before") or item.value("without", "before")):
            return True
    return False


def is_rejected(sentence: Sentence, first: int) -> bool:
    """Whether a negator stands directly before item `first`: "not in D minor"."""
    before = sentence.at(first - 1)
    is_link = before is not None and (
        before.value("key", "before") is not None or before.value("without", "skip") is not None
    )
    if is_link and not (before and is_negator(before)):
        before = sentence.at(first - 2)
    if before is None or before.used:
        return False
    return is_negator(before) or before.value("without", "before") is not None


def is_contrast(sentence: Sentence, index: int) -> bool:
    """Whether item `index` is a "but" after a negation: "not jazz but techno"."""
    item = sentence.items[index]
    if not item.value("not", "end"):
        return False
    for at in range(index - 1, -1, -1):
        earlier = sentence.items[at]
        if earlier.is_stop and at < index - 1:
            return False
        if is_negator(earlier):
            return True
    return False


def is_negator(item: Item) -> bool:
    """Whether an item is a plain "not", which excludes whatever follows directly."""
    return item.value("not", "bare") is not None
