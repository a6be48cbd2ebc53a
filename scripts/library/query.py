"""The search language: words, and fields such as ``style:chill rating>=4 tempo<100``.

Every term must be met. ``-term`` must not. ``field:text`` looks for text in a field,
``field:90-120`` for a number between two, ``field=``, ``<``, ``<=``, ``>``, ``>=`` compare;
quotes hold words together. A word without a field is looked for everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scripts.audio.play_stats import THUMBS

MOST_TERMS = 40
_TERM = re.compile(r'(-?)(?:([A-Za-z]+)(:|<=|>=|<|>|=))?(?:"([^"]*)"?|(\S*))')
_SPAN = re.compile(r"(-?\d+(?:\.\d+)?)(?:\.\.|-)(\d+(?:\.\d+)?)")
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?")

# Field -> column of the catalogue.
TEXTS = {
    "title": "title",
    "style": "asked || ' ' || styles",
    "mood": "mood",
    "key": "key",
    "meter": "meter",
    "model": "model",
    "file": "file",
    "asked": "asked",
}
NUMBERS = {
    "tempo": "tempo",
    "bpm": "tempo",
    "rating": "rating",
    "plays": "plays",
    "length": "seconds / 60.0",
    "seed": "seed",
}
DATES = {"date": "made", "made": "made"}
FIELDS = tuple(dict.fromkeys((*TEXTS, *NUMBERS, *DATES, "thumb")))


@dataclass(frozen=True)
class Condition:
    """SQL for one term, and the values of its question marks."""

    words: str
    values: tuple[object, ...]


def conditions(text: str) -> list[Condition]:
    """What a song must be; whatever is typed is understood somehow."""
    found = []
    for match in list(_TERM.finditer(text))[: MOST_TERMS * 2]:
        without, field, sign, quoted, plain = match.groups()
        value = quoted if quoted is not None else plain
        if not field and not value:
            if without:  # a dash on its own
                found.append(_anywhere(without))
            continue
        term = _term((field or "").lower(), sign or "", value) or _anywhere(
            f"{field}{sign}{value}" if field else value
        )
        # What is not known (NULL) is not so.
        found.append(Condition(f"NOT coalesce({term.words}, 0)", term.values) if without else term)
    return found[:MOST_TERMS]


def _anywhere(value: str) -> Condition:
    return Condition("instr(text, ?) > 0", (value.casefold(),))


def _term(field: str, sign: str, value: str) -> Condition | None:
    """SQL for a field; None where it is no field, or its value cannot be one yet."""
    if not value:
        # Somebody is still typing "rating:".
        return Condition("1", ()) if field in FIELDS else None
    if field in TEXTS and sign in (":", "="):
        column = f"casefold({TEXTS[field]})"
        if sign == "=":
            return Condition(f"{column} = ?", (value.casefold(),))
        return Condition(f"instr({column}, ?) > 0", (value.casefold(),))
    if field in NUMBERS:
        return _number(NUMBERS[field], sign, value)
    if field in DATES:
        return _date(DATES[field], sign, value)
    if field == "thumb" and value.lower() in THUMBS:
        return Condition("thumb = ?", (THUMBS[value.lower()],))
    return None


def _number(column: str, sign: str, value: str) -> Condition | None:
    span = _SPAN.fullmatch(value)
    if span and sign in (":", "="):
        low, high = sorted((float(span[1]), float(span[2])))
        return Condition(f"{column} BETWEEN ? AND ?", (low, high))
    clock = _CLOCK.fullmatch(value)
    if clock and "seconds" in column:  # 3:30 is minutes and seconds, 1:00:00 an hour
        parts = [int(p) for p in clock.groups() if p is not None]
        seconds = (
            parts[0] * 3600 + parts[1] * 60 + parts[2]
            if len(parts) == 3
            else parts[0] * 60 + parts[1]
        )
        return Condition(f"round(seconds) {sign if sign != ':' else '='} ?", (seconds,))
    try:
        number = float(value)
    except ValueError:
        return None
    if sign in (":", "="):  # 120 finds 120.4, and 3 minutes find 2:58
        return Condition(f"round({column}) = round(?)", (number,))
    return Condition(f"{column} {sign} ?", (number,))


def _date(column: str, sign: str, value: str) -> Condition | None:
    """A year, month or day of the listener's clock; what is kept is UTC, and compared as text."""
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
    if sign in (":", "="):
        return Condition(f"{column} >= ? AND {column} < ?", (low, high))
    return {
        "<": Condition(f"{column} < ?", (low,)),
        "<=": Condition(f"{column} < ?", (high,)),
        ">": Condition(f"{column} >= ?", (high,)),
        ">=": Condition(f"{column} >= ?", (low,)),
    }[sign]
