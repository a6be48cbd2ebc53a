"""Reads from a sentence what should play and what should not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from scripts.request.interpret.items import Item, Sentence
from scripts.request.interpret.negation import is_negator

_MAX_SKIPPED = 3  # everyday words between "no" or "only" and an instrument
_UNACCOMPANIED = "a cappella choir"  # "a choir, a cappella" is one
_TABLES = ("instruments", "ensembles")
_ROLES = "roles"


@dataclass
class Players:
    """Instruments that were named.

    Parameters
    ----------
    names, excluded : dict of str to str
        The user's words by name of the instrument, ensemble or role, in the order said.
    alone : bool
        Whether nothing else should play.
    """

    names: dict[str, str] = field(default_factory=dict)
    excluded: dict[str, str] = field(default_factory=dict)
    alone: bool = False

    def exclude(self, sentence: Sentence, index: int, cue: int) -> None:
        """Exclude the instrument at item `index`, because of the words at item `cue`."""
        item = sentence.items[index]
        excluded = _name(item, with_roles=True)
        if excluded:
            self.excluded[excluded] = sentence.quote(min(index, cue), max(index, cue))
            item.used = sentence.items[cue].used = True


def read_players(sentence: Sentence) -> Players:
    """Read all instruments, ensembles and exclusions."""
    players = Players()
    items = sentence.items
    for i, item in enumerate(items):
        if item.used:
            continue
        if item.value("without", "before") or is_negator(item):
            for at in _excluded_items(sentence, i):
                players.exclude(sentence, at, i)
        if item.value("without", "suffix") and _is_hyphenated(sentence, i):
            players.exclude(sentence, i - 1, i)
        is_last = item.value("without", "last") and _is_end_of_part(sentence, i + 1)
        if item.value("without", "after") or is_last:
            for at in _items_before(sentence, i):
                players.exclude(sentence, at, i)
        for excluded in ("drums", "vocals"):
            if item.value("without", excluded):
                players.excluded[excluded] = sentence.quote(i, i)
                item.used = True
    for i, item in enumerate(items):
        for at in _items_of_cue(sentence, i) if item.value("without", "cues") else ():
            players.exclude(sentence, at, i)
    for i, item in enumerate(items):
        name = _name(item)
        if item.used or not name or sentence.is_topic(i):
            continue
        players.alone |= _is_alone(sentence, i)
        players.names.setdefault(name, sentence.quote(i, i))
        item.used = True
    if _UNACCOMPANIED in players.names:
        players.names.pop("choir", None)
    for item in items:
        if players.names and item.value("only"):
            item.used = True
    return players


def find_players(sentence: Sentence) -> dict[str, str]:
    """Instruments, ensembles and roles of a list, with the user's own words."""
    found = {}
    for i, item in enumerate(sentence.items):
        if name := _name(item, with_roles=True):
            found[name] = sentence.quote(i, i)
    return found


def _name(item: Item, with_roles: bool = False) -> str | None:
    for table in (*_TABLES, *([_ROLES] if with_roles else [])):
        if name := item.value(table):
            return name
    return None


def _excluded_items(sentence: Sentence, negator: int) -> Iterator[int]:
    """Indices of the instruments after a negator: "no drums, bass or guitar" names three."""
    is_direct = not sentence.items[negator].value("without", "before")
    at: int | None = _next_target(sentence, negator + 1, is_direct)
    while at is not None:
        yield at
        following = sentence.at(at + 1)
        if following and following.value("without", "joins"):
            at = _next_target(sentence, at + 2, is_direct=True)
        elif following and following.text == ",":
            at = _next_in_list(sentence, at + 2)
        else:
            at = None


def _items_before(sentence: Sentence, negator: int) -> Iterator[int]:
    """Indices of the instruments before a negator: "drums and bass left out" names two."""
    at = negator - 1
    while (item := sentence.at(at)) and at >= negator - _MAX_SKIPPED and _is_filler(item):
        at -= 1
    while (item := sentence.at(at)) and _name(item, with_roles=True) and not item.used:
        yield at
        joint = sentence.at(at - 1)
        if not (joint and joint.value("without", "joins")):
            return
        at -= 2
        while (item := sentence.at(at)) and _is_filler(item):
            at -= 1


def _items_of_cue(sentence: Sentence, cue: int) -> list[int]:
    """Indices of the instruments that a verb such as "verzichten" leaves out.

    They are in its part of the sentence, after it or else before it: "auf die Orgel verzichtest".
    """
    for step in (1, -1):
        found = []
        at = cue + step
        while (item := sentence.at(at)) and not item.is_stop and not item.value("topic", "end"):
            if _name(item, with_roles=True) and not item.used:
                found.append(at)
            at += step
        if found:
            return found
    return []


def _is_hyphenated(sentence: Sentence, index: int) -> bool:
    """Whether item `index` is joined to the one before by a hyphen: guitar-free."""
    before, item = sentence.at(index - 1), sentence.items[index]
    return before is not None and sentence.text[before.end : item.start] == "-"


def _is_filler(item: Item) -> bool:
    """Whether an item is an article or the like, and names nothing."""
    is_skipped = item.is_ordinary or item.value("without", "skip") is not None
    return is_skipped and _name(item, with_roles=True) is None


def _is_end_of_part(sentence: Sentence, index: int) -> bool:
    """Whether a part of the sentence ends before item `index`."""
    item = sentence.at(index)
    return item is None or item.is_stop or item.value("without", "joins") is not None


def _next_target(sentence: Sentence, start: int, is_direct: bool = False) -> int | None:
    """Index of an instrument at `start`, after articles and the like; None if there is none.

    With `is_direct` only articles may be between: "no drums and add a flute" excludes no flute.
    """
    for at in range(start, start + _MAX_SKIPPED + 1):
        item = sentence.at(at)
        if item is None or item.is_stop:
            return None
        if _name(item, with_roles=True):
            return at
        if not (item.value("without", "skip") or (item.is_ordinary and not is_direct)):
            return None
    return None


def _next_in_list(sentence: Sentence, start: int) -> int | None:
    """Index of an instrument at `start` if the list goes on to an "or": drums, bass or guitar.

    None for a list of its own: "no drums, bass and guitar", "no drums, with bass and guitar".
    """
    first = sentence.at(start)
    if first and first.value("topic", "end"):
        return None
    at = _next_target(sentence, start)
    if at is None:
        return None
    following = sentence.at(at + 1)
    if following and following.value("without", "joins"):
        return None if following.value("ranges", "and") else at
    if following and following.text == "," and _next_in_list(sentence, at + 2) is not None:
        return at
    return None


def _is_alone(sentence: Sentence, index: int) -> bool:
    """Whether a word such as "only" or "solo" belongs to the instrument."""
    for at in range(index - 1, index - 2 - _MAX_SKIPPED, -1):
        item = sentence.at(at)
        if item is None or item.is_stop:
            break
        earlier = sentence.at(at - 1)
        is_in_song = earlier is not None and earlier.value("only", "unless") is not None
        if item.value("only", "before") or (item.value("only", "part") and not is_in_song):
            return not (earlier and is_negator(earlier))  # not only piano
        if not item.is_ordinary:
            break
    for at in range(index + 1, index + 3):
        item = sentence.at(at)
        if item is None:
            break
        if item.value("only", "after"):
            before = sentence.at(index - 1)
            return not (before and before.value("only", "unless"))
        if not (item.is_stop or item.is_ordinary):
            break
    return False
