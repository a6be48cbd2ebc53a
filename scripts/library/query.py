"""Search syntax: words and fields, such as ``style:chill rating>=4 tempo<100``.

All terms must match; ``-term`` must not. ``field:text`` searches a field for text, ``field:90-120``
matches a range of numbers, and ``field=``, ``<``, ``<=``, ``>``, ``>=`` compare. Quotes keep words
together. A word without a field is searched for in all texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scripts.audio.play_stats import THUMBS
from scripts.core.durations import parse_duration

MAX_TERMS = 40
_TERM = re.compile(r'(-?)(?:([A-Za-z]+)(:|<=|>=|<|>|=))?(?:"([^"]*)"?|(\S*))')
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)(?:\.\.|-)(\d+(?:\.\d+)?)")

# Field -> SQL expression on the songs table.
TEXT_FIELDS = {
    "title": "title",
    "style": "asked || ' ' || styles",
    "mood": "mood",
    "key": "key",
    "meter": "meter",
    "model": "model",
    "file": "file",
    "asked": "asked",
}
NUMBER_FIELDS = {
    "tempo": "tempo",
    "bpm": "tempo",
    "rating": "rating",
    "plays": "plays",
    "length": "seconds / 60.0",
    "seed": "seed",
}
DATE_FIELDS = {"date": "made", "made": "made"}
FIELDS = tuple(dict.fromkeys((*TEXT_FIELDS, *NUMBER_FIELDS, *DATE_FIELDS, "thumb")))


@dataclass(frozen=True)
class Condition:
    """SQL condition for one term, and the values of its placeholders."""

    sql: str
    values: tuple[object, ...]


def parse_query(text: str) -> list[Condition]:
    """Parse a query into SQL conditions that all apply.

    Never fails: a term that is not understood is searched for as text. At most 40 terms are used.
    """
    found = []
    for match in list(_TERM.finditer(text))[: MAX_TERMS * 2]:
        negated, field, sign, quoted, plain = match.groups()
        value = quoted if quoted is not None else plain
        if not field and not value:
            if negated:  # a lone dash
                found.append(_match_anywhere(negated))
            continue
        term = _parse_term((field or "").lower(), sign or "", value) or _match_anywhere(
            f"{field}{sign}{value}" if field else value
        )
        # An unknown value (NULL) does not match, so its negation does.
        found.append(Condition(f"NOT coalesce({term.sql}, 0)", term.values) if negated else term)
    return found[:MAX_TERMS]


def _match_anywhere(value: str) -> Condition:
    return Condition("instr(text, ?) > 0", (value.casefold(),))


def _parse_term(field: str, operator: str, value: str) -> Condition | None:
    """Condition on a field; None for an unknown field or an invalid value."""
    if not value:
        # The user is still typing, such as "rating:".
        return Condition("1", ()) if field in FIELDS else None
    if field in TEXT_FIELDS and operator in (":", "="):
        column = f"casefold({TEXT_FIELDS[field]})"
        if operator == "=":
            return Condition(f"{column} = ?", (value.casefold(),))
        return Condition(f"instr({column}, ?) > 0", (value.casefold(),))
    if field in NUMBER_FIELDS:
        return _match_number(NUMBER_FIELDS[field], operator, value)
    if field in DATE_FIELDS:
        return _match_date(DATE_FIELDS[field], operator, value)
    if field == "thumb" and value.lower() in THUMBS:
        return Condition("thumb = ?", (THUMBS[value.lower()],))
    return None


def _match_number(column: str, operator: str, value: str) -> Condition | None:
    span = _RANGE.fullmatch(value)
    if span and operator in (":", "="):
        low, high = sorted((float(span[1]), float(span[2])))
        return Condition(f"{column} BETWEEN ? AND ?", (low, high))
    is_plain = re.fullmatch(r"\d+(?:\.\d+)?", value) is not None
    duration = parse_duration(value) if "seconds" in column and not is_plain else None
    if duration is not None:
        return Condition(f"round(seconds) {operator if operator != ':' else '='} ?", (duration,))
    try:
        number = float(value)
    except ValueError:
        return None
    if operator in (":", "="):  # 120 matches 120.4, and length 3 matches 2:58
        return Condition(f"round({column}) = round(?)", (number,))
    return Condition(f"{column} {operator} ?", (number,))


def _match_date(column: str, operator: str, value: str) -> Condition | None:
    """Condition on a year, month or day in local time; the column holds UTC as ISO text."""
    if not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", value):
        return None
    parts = [int(part) for part in value.split("-")]
    year, month, day = (*parts, 1, 1)[:3]
    try:
        first = datetime(year, month, day)
        after = first + timedelta(1)
        if len(parts) == 2:
            after = datetime(year + month // 12, month % 12 + 1, 1)
        elif len(parts) == 1:
            after = datetime(year + 1, 1, 1)
        low, high = (edge.astimezone(UTC).isoformat()[:19] for edge in (first, after))
    except (ValueError, OverflowError, OSError):
        return None
    if operator in (":", "="):
        return Condition(f"{column} >= ? AND {column} < ?", (low, high))
    return {
        "<": Condition(f"{column} < ?", (low,)),
        "<=": Condition(f"{column} < ?", (high,)),
        ">": Condition(f"{column} >= ?", (high,)),
        ">=": Condition(f"{column} >= ?", (low,)),
    }[operator]
