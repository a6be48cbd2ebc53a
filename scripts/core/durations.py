"""Durations as people write them."""

from __future__ import annotations

import re

_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d))?")
_HOUR_MINUTES = re.compile(r"(\d{1,2})\s?h\s?([0-5]?\d)\s?(?:m|min)?", re.IGNORECASE)
_MINUTE_SECONDS = re.compile(r"(\d{1,3})\s?(?:m|min)\s?([0-5]?\d)\s?(?:s|sec)?", re.IGNORECASE)
_PRIMES = re.compile(r"(\d{1,3})['’′]([0-5]\d)[\"”″]?")
_UNIT = re.compile(r"(\d+(?:[.,]\d+)?)\s?(s|sec|m|min|h)", re.IGNORECASE)
_PLAIN = re.compile(r"\d+(?:[.,]\d+)?")
_SECONDS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float | None:
    """Parse a duration; None if it is none.

    Parameters
    ----------
    text : str
        Minutes (``3``), minutes and seconds (``3:30``, ``2m30``, ``3'30``), hours (``1:30:00``,
        ``1h30``, ``2h``), seconds (``90s``), or with a leading zero hours and minutes (``01:30``).

    Returns
    -------
    float or None
        Seconds.
    """
    text = text.strip()
    if match := _CLOCK.fullmatch(text):
        first, second = int(match[1]), int(match[2])
        if match[3] is not None:
            return first * 3600.0 + second * 60 + int(match[3])
        is_hours = len(match[1]) == 2 and text.startswith("0")
        return first * 3600.0 + second * 60 if is_hours else first * 60.0 + second
    if match := _HOUR_MINUTES.fullmatch(text):
        return int(match[1]) * 3600.0 + int(match[2]) * 60
    if match := _MINUTE_SECONDS.fullmatch(text) or _PRIMES.fullmatch(text):
        return int(match[1]) * 60.0 + int(match[2])
    if match := _UNIT.fullmatch(text):
        return float(match[1].replace(",", ".")) * _SECONDS[match[2].lower()]
    if _PLAIN.fullmatch(text):
        return float(text.replace(",", ".")) * 60
    return None
