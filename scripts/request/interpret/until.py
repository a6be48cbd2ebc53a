"""Reads from a sentence until what time of day songs should go on."""

from __future__ import annotations

import re

from scripts.request.interpret.findings import Finding, use
from scripts.request.interpret.items import Item, Sentence
from scripts.request.interpret.numbers import read_number

_CLOCK = re.compile(r"(\d{1,2})(?::|h)(\d{2})")
_HOURS, _MINUTES = 24, 60
_NOON = 12


def read_until(sentence: Sentence) -> Finding | None:
    """Time of day such as ``23:30``: until midnight, bis 23 Uhr 30, jusqu'à 22h, till 8 pm."""
    for i, item in enumerate(sentence.items):
        if item.used or not item.value("time", "until"):
            continue
        following = sentence.at(i + 1)
        if following is None:
            continue
        for name, clock in (("midnight", "00:00"), ("noon", "12:00")):
            if following.value("time", name):
                return use(sentence, i, i + 1, clock)
        found = _read_clock(following, i + 1) or _read_hour(sentence, i + 1)
        if found:
            (hour, minute), last = found
            after = sentence.at(last + 1)
            if after and after.value("time", "afternoon"):
                last, hour = last + 1, hour + _NOON if hour < _NOON else hour
            if hour < _HOURS and minute < _MINUTES:
                return use(sentence, i, last, f"{hour:02}:{minute:02}")
    return None


def _read_clock(item: Item, at: int) -> tuple[tuple[int, int], int] | None:
    match = _CLOCK.fullmatch(item.text)
    return ((int(match[1]), int(match[2])), at) if match else None


def _read_hour(sentence: Sentence, at: int) -> tuple[tuple[int, int], int] | None:
    """Read an hour with its unit, and minutes after it: 8 pm, 23 Uhr, 23 Uhr 30."""
    hour = read_number(sentence, at)
    unit = sentence.at(hour.last + 1) if hour else None
    if hour is None or hour.value % 1:
        return None
    if unit is None or unit.is_stop:  # until 9
        return (int(hour.value), 0), hour.last
    if unit.value("time", "afternoon"):
        return (int(hour.value), 0), hour.last
    if not unit.value("time", "o'clock"):
        return None
    minute = read_number(sentence, hour.last + 2)
    if minute and minute.value < _MINUTES:
        return (int(hour.value), int(minute.value)), minute.last
    return (int(hour.value), 0), hour.last + 1
