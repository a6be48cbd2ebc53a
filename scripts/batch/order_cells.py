"""Parsers of job file cells; lenient, because spreadsheets and locales differ."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from scripts.batch.order import parse_formats
from scripts.core.errors import UsageError
from scripts.request.parse import read_length
from scripts.request.request import ENDLESS

_TEXT_COLUMNS = (
    *("styles", "key", "meter", "form", "chords", "motif", "energy", "instruments", "without"),
)
_YES, _NO = ("yes", "y", "true", "1", "x"), ("", "no", "n", "false", "0")


def _parse_text(value: Any) -> str:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise UsageError(f'invalid value "{str(value)[:20]}": expected text')
    return str(value)


def _parse_length(value: Any) -> str:
    return read_length(_parse_text(value))


def _parse_yes_no(value: Any) -> bool:
    text = str(value).strip().casefold()
    if text not in (*_YES, *_NO):
        raise UsageError(f'invalid value "{text[:20]}": expected yes or no')
    return text in _YES


def _parse_number(value: Any) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(str(value).replace(",", "."))
        if not abs(number) < 1e12:
            raise ValueError
    except ValueError:
        raise UsageError(f'invalid value "{str(value)[:20]}": expected a number') from None
    return number


def _parse_integer(value: Any) -> int:
    number = _parse_number(value)
    # 1,000 and 1.000 mean a thousand in some locales and one in others.
    is_ambiguous = re.fullmatch(r"\s*[+-]?\d+[.,]\d{3}\s*", str(value))
    if number != int(number) or is_ambiguous:
        raise UsageError(
            f'invalid value "{str(value)[:20]}": expected a whole number without separators, '
            "such as 1000"
        )
    return int(number)


def _parse_formats(value: Any) -> tuple[str, ...]:
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return parse_formats(text.replace(";", ",").replace(" ", ","))


def _parse_songs(value: Any) -> int | str:
    text = str(value).strip().casefold()
    return text if text == ENDLESS else _parse_integer(value)


REQUEST_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "tempo": _parse_text,
    "tuning": _parse_number,
    "binaural": _parse_number,
    "loop": _parse_yes_no,
    "length": _parse_length,
    **dict.fromkeys(_TEXT_COLUMNS, _parse_text),
}
ORDER_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "songs": _parse_songs,
    "number": _parse_songs,  # alias of songs
    "seed": _parse_integer,
    "temperature": _parse_number,
    "model": _parse_text,
    "also": _parse_formats,
}
