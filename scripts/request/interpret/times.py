"""Reads meters and lengths from a sentence."""

from __future__ import annotations

import re

from scripts.core.durations import parse_duration
from scripts.request.interpret.findings import Finding, use
from scripts.request.interpret.items import Sentence, is_music_or_end
from scripts.request.interpret.numbers import Number, read_number
from scripts.request.parse import MAX_LENGTH, MIN_LENGTH, format_stored_length, parse_length
from scripts.score.time_signature import parse_time_signature

_ALL_DECADES = (*range(20, 100, 10), *range(1000, 2110, 10))  # "80s" and "1980s" are no lengths
_UNSAID_DECADES = (20, 30, 40)  # "punk, 30s" lasts half a minute
_BAR_TICKS = range(24, 193)  # supported lengths of a bar
_WHOLE_UNITS = ("60", "3600")  # lengths such as "a minute", which seconds may follow
_RANGE_SIGN = re.compile(r"\s*[-–]\s*")


def read_meter(sentence: Sentence) -> Finding | None:
    """Time signature, in digits or words."""
    for i, item in enumerate(sentence.items):
        following = sentence.at(i + 1)
        if item.kind == "meter" and not item.used and not (following and following.value("units")):
            meter = parse_time_signature(item.text)
            if meter and meter.bar_ticks in _BAR_TICKS:
                return use(sentence, i, i, str(meter))
            if not item.meanings:
                sentence.note(f'"{item.text}" is left out: no bar is that short or that long')
        for value, _ in item.values("meter"):
            if "/" in value and not item.used:
                return use(sentence, i, i, value)
    for i in range(len(sentence.items)):
        number = read_number(sentence, i)
        if number is None or number.value != int(number.value):
            continue
        last = number.last + 1
        unit = sentence.at(last)
        if unit and unit.is_ordinary and not unit.value("meter.beats"):  # cinco por cuatro
            last += 1
            unit = sentence.at(last)
        beats = unit.value("meter.beats") if unit and not unit.used else None
        if beats is None or not _is_meter_context(sentence, i, last):
            continue
        meter = parse_time_signature(f"{int(number.value)}/{beats}")
        if meter and meter.bar_ticks in _BAR_TICKS:
            return use(sentence, i, last, str(meter))
    return None


def _is_meter_context(sentence: Sentence, first: int, last: int) -> bool:
    """Whether two numbers are a meter, and not "two four-part songs"."""
    before, after = sentence.at(first - 1), sentence.at(last + 1)
    if before and before.value("meter", "before"):
        return True
    is_described = after is not None and (after.is_ordinary or after.value("meter") is not None)
    return is_described or is_music_or_end(after)


def read_length(sentence: Sentence) -> Finding | None:
    """Length as it is stored, see :func:`scripts.request.parse.parse_length`."""
    for i, item in enumerate(sentence.items):
        if item.used:
            continue
        if item.kind == "clock":
            seconds = parse_duration(item.text)
            if seconds is None:
                sentence.note(f'"{item.text}" is left out: minutes and seconds end at 59')
            if seconds is None or _is_time_of_day(sentence, i):
                continue
            if seconds is not None and MIN_LENGTH <= seconds <= MAX_LENGTH:
                return use(sentence, i, i, format_stored_length(seconds))
            continue
        found = _read_duration(sentence, i)
        if found is None:
            continue
        low, high, last = found
        before, after = sentence.at(i - 1), sentence.at(last + 1)
        if any(near and near.value("time", "ago") for near in (before, after)):
            continue
        if before and before.value("time", "since"):
            continue
        is_hour = sentence.items[last].value("units", "3600") is not None
        if is_hour and before and before.value("time", "clock"):  # à huit heures
            continue
        if not (MIN_LENGTH <= low <= MAX_LENGTH and MIN_LENGTH <= high <= MAX_LENGTH):
            sentence.note(
                f'"{sentence.quote(i, last)}" is left out: a song lasts {MIN_LENGTH:g} seconds '
                f"to {MAX_LENGTH / 3600:g} hours"
            )
            continue
        is_range = low != high
        text = f"{low / 60:g}-{high / 60:g}" if is_range else format_stored_length(low)
        return use(sentence, i, last, text)
    return None


def share_length(sentence: Sentence, length: Finding, songs: Finding) -> Finding:
    """Divide a length that all songs have together: an hour of jazz in 20 songs, in total."""
    is_total = any(item.value("time", "total") for item in sentence.items)
    is_total |= f"in {songs.words}".casefold() in sentence.text.casefold()
    if not is_total or not songs.value.isdigit() or "-" in length.value:
        return length
    seconds = parse_length(length.value) / int(songs.value)
    if seconds < MIN_LENGTH:
        return length
    return Finding(format_stored_length(seconds), length.words)


def _is_time_of_day(sentence: Sentence, clock: int) -> bool:
    """Whether "3:30" is a time, as in "since 3:30" or "um 19:30 Uhr", and not a length."""
    near = (sentence.at(clock - 1), sentence.at(clock + 1))
    return any(item and item.value("time", "clock") for item in near)


def _read_duration(sentence: Sentence, first: int) -> tuple[float, float, int] | None:
    """Read a duration at item `first`: its least and greatest seconds, and its last item."""
    items = sentence.items
    for value, _ in items[first].values("lengths"):
        rest = _read_rest(sentence, first + 1, float(value)) if value in _WHOLE_UNITS else None
        seconds = float(value) + (rest[0] if rest else 0.0)
        return seconds, seconds, rest[1] if rest else first
    number = read_number(sentence, first)
    if number is None:
        return None
    low, at = number.value, number.last
    high = low
    second = _read_end_of_range(sentence, first, at)
    if second:
        high, at = second.value, second.last
    at, half = _read_half(sentence, at)
    unit = sentence.at(at + 1)
    size = unit.value("units") if unit and not unit.used else None
    if size is None and unit and unit.is_ordinary:  # eine knappe Minute, une dizaine de minutes
        at += 1
        unit = sentence.at(at + 1)
        size = unit.value("units") if unit and not unit.used else None
    if size is None:
        return None
    at += 1
    is_attached = items[at].text == "s" and items[at].start == items[at - 1].end
    if is_attached and low in _ALL_DECADES and not _are_seconds(sentence, first, at):
        return None
    at, half_after = _read_half(sentence, at)
    extra = 0.5 if half or half_after else 0.0
    low, high = ((value + extra) * float(size) for value in (low, high))
    rest = _read_rest(sentence, at + 1, float(size))
    if rest:
        low, high, at = low + rest[0], high + rest[0], rest[1]
    return min(low, high), max(low, high), at


def _are_seconds(sentence: Sentence, first: int, last: int) -> bool:
    """Whether "30s" is a length: alone in its part of the sentence, or "30s long"."""
    before, after = sentence.at(first - 1), sentence.at(last + 1)
    if after and after.value("time", "long"):
        return True
    is_alone = all(near is None or near.is_stop for near in (before, after))
    number = read_number(sentence, first)
    return is_alone and number is not None and number.value in _UNSAID_DECADES


def _read_end_of_range(sentence: Sentence, first: int, last: int) -> Number | None:
    """Read the second number of "3-4", "3 to 4" and "between 3 and 4"."""
    items = sentence.items
    second = read_number(sentence, last + 1)
    if second and _RANGE_SIGN.fullmatch(sentence.text[items[last].end : items[last + 1].start]):
        return second
    link, before = sentence.at(last + 1), sentence.at(first - 1)
    is_between = before is not None and before.value("ranges", "between") is not None
    if link and (link.value("ranges", "to") or (is_between and link.value("ranges", "and"))):
        return read_number(sentence, last + 2)
    return None


def _read_half(sentence: Sentence, at: int) -> tuple[int, bool]:
    """Skip "and a half" after item `at`."""
    following = sentence.at(at + 1)
    if following and following.value("time", "and a half"):
        return at + 1, True
    return at, False


def _read_rest(sentence: Sentence, at: int, size: float) -> tuple[float, int] | None:
    """Read the smaller part of a duration: "30" or "and 30 seconds" after "2 minutes"."""
    item = sentence.at(at)
    if item and item.value("numbers", "joins"):
        at += 1
    number = read_number(sentence, at)
    if number is None or size == 1 or number.value >= 60:
        return None
    unit = sentence.at(number.last + 1)
    smaller = unit.value("units") if unit and not unit.used else None
    if smaller and float(smaller) < size:
        return number.value * float(smaller), number.last + 1
    is_next = item is not None and (item.kind == "number" or item.value("numbers") is not None)
    is_counted = unit is not None and (unit.value("songs") or unit.value("bpm", "after"))
    is_end = unit is None or unit.is_stop or unit.is_ordinary or unit.value("without", "before")
    if smaller or not is_next or is_counted or not is_end:
        return None
    return number.value * size / 60, number.last
