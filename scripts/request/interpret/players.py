"""Reads from a sentence what should play and what should not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from scripts.request.interpret.items import Item, Sentence

_MAX_SKIPPED = 3  # everyday words between "no" or "only" and an instrument
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


def read_players(sentence: Sentence) -> Players:
    """Read all instruments, ensembles and exclusions."""
    players = Players()
    items = sentence.items
    for i, item in enumerate(items):
        if item.used:
            continue
        if item.value("without", "before"):
            for at in _excluded_items(sentence, i):
                name = _name(items[at], with_roles=True)
                assert name
                players.excluded[name] = sentence.quote(i, at)
                items[i].used = items[at].used = True
        following = sentence.at(i + 1)
        excluded = _name(item, with_roles=True)
        if excluded and following and following.value("without", "after"):
            players.excluded[excluded] = sentence.quote(i, i + 1)
            item.used = following.used = True
        for name in ("drums", "vocals"):
            if item.value("without", name):
                players.excluded[name] = sentence.quote(i, i)
                item.used = True
    for i, item in enumerate(items):
        name = _name(item)
        if item.used or not name:
            continue
        players.alone |= _is_alone(sentence, i)
        players.names.setdefault(name, sentence.quote(i, i))
        item.used = True
    for item in items:
        if players.names and (item.value("only")):
            item.used = True
    return players


def _name(item: Item, with_roles: bool = False) -> str | None:
    for table in (*_TABLES, *([_ROLES] if with_roles else [])):
        if name := item.value(table):
            return name
    return None


def _excluded_items(sentence: Sentence, negator: int) -> Iterator[int]:
    """Indices of the instruments after a negator: "no drums, bass or guitar" names three."""
    at: int | None = _next_target(sentence, negator + 1)
    while at is not None:
        yield at
        following = sentence.at(at + 1)
        if following and following.value("without", "joins"):
            at = _next_target(sentence, at + 2)
        elif following and following.text == ",":
            at = _next_in_list(sentence, at + 2)
        else:
            at = None


def _next_target(sentence: Sentence, start: int) -> int | None:
    """Index of an instrument at `start`, after articles and the like; None if there is none."""
    for at in range(start, start + _MAX_SKIPPED + 1):
        item = sentence.at(at)
        if item is None or item.is_stop:
            return None
        if _name(item, with_roles=True):
            return at
        if not (item.value("without", "skip") or item.is_ordinary):
            return None
    return None


def _next_in_list(sentence: Sentence, start: int) -> int | None:
    """Index of an instrument at `start` if the list goes on to an "or": drums, bass or guitar."""
    at = _next_target(sentence, start)
    if at is None:
        return None
    following = sentence.at(at + 1)
    if following and following.value("without", "joins"):
        return at
    if following and following.text == "," and _next_in_list(sentence, at + 2) is not None:
        return at
    return None


def _is_alone(sentence: Sentence, index: int) -> bool:
    """Whether a word such as "only" or "solo" belongs to the instrument."""
    for at in range(index - 1, index - 2 - _MAX_SKIPPED, -1):
        item = sentence.at(at)
        if item is None or item.is_stop:
            break
        if item.value("only", "before"):
            return True
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
