"""Reads a file of orders: CSV as a spreadsheet writes it, or JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from scripts.batch.orders import MOST_SEED, Order, words_also
from scripts.brief import Wishes
from scripts.errors import MusicGenError, UsageError
from scripts.recipe import wishes_from_json

MOST_BYTES = 1 << 20
MOST_ORDERS = 1000
_YES, _NO = ("yes", "y", "true", "1", "x"), ("", "no", "n", "false", "0")


def read_job_file(path: Path, usual: Order,
                  check: Callable[[Order], object] = lambda order: None) -> list[Order]:
    """The orders of a file; what a row leaves out is as in `usual`.

    The columns are those of :class:`Wishes` (styles, length, key, tempo, meter, tuning, form,
    chords, motif, binaural, loop) and songs, seed, model, temperature, also.

    Raises
    ------
    UsageError
        When a row cannot be understood, or `check` refuses it; it names the line.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: a job file has at most 1 MB; split it")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: it is not UTF-8 text; save it as CSV UTF-8") from error
    except OSError as error:
        raise UsageError(f"{path}: it cannot be read ({error.strerror}); check the name"
                         ) from error
    rows = _json_rows(path, text) if text.lstrip()[:1] in ("[", "{") else _csv_rows(path, text)
    if not rows:
        raise UsageError(f"{path.name}: there is no order in it; write a line of column names "
                         "(styles,songs,length) and a line for each order")
    if len(rows) > MOST_ORDERS:
        raise UsageError(f"{path.name}: {len(rows):,} orders; at most {MOST_ORDERS:,} are read")
    orders: list[Order] = []
    for place, row in rows:
        try:
            # Rows without a seed go on where the songs of those before end.
            before = sum(order.songs for order in orders)
            orders.append(_order(row, replace(usual, seed=(usual.seed + before) % MOST_SEED)))
            check(orders[-1])
        except MusicGenError as error:
            raise UsageError(f"{path.name}, {place}: {error}") from error
    return orders


def _csv_rows(path: Path, text: str) -> list[tuple[str, dict[str, Any]]]:
    head = text.lstrip().splitlines()[0] if text.strip() else ""
    mark = max(",;\t", key=head.count)  # a comma is the decimal sign of half of Europe
    try:
        reader = csv.DictReader(io.StringIO(text.lstrip()), delimiter=mark, restkey="",
                                strict=True)
        rows = []
        for row in reader:
            if row.get(""):
                raise UsageError(f"{path.name}, line {reader.line_num}: it has more fields than "
                                 "the first line; put what holds commas in quotes")
            given = {str(k).strip().lower(): v.strip() for k, v in row.items() if v and v.strip()}
            if given:
                rows.append((f"line {reader.line_num}", given))
    except csv.Error as error:
        raise UsageError(f"{path.name}, line {reader.line_num}: {error}") from error
    return rows


def _json_rows(path: Path, text: str) -> list[tuple[str, dict[str, Any]]]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path.name}, line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path.name}: it is nested too deep, or a number is too long") from error
    rows = data.get("orders") if isinstance(data, dict) and "orders" in data else data
    rows = rows if isinstance(rows, list) else [rows]
    for n, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise UsageError(f'{path.name}, order {n}: it is no object such as '
                             '{"styles": "Jazz", "songs": 5}')
    return [(f"order {n}", row) for n, row in enumerate(rows, 1)]


def _text(value: Any) -> str:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise UsageError(f'"{str(value)[:20]}" is not a text')
    return str(value)


def _length(value: Any) -> str:
    """A length; half of Europe writes 0,5."""
    return re.sub(r"(?<=\d),(?=\d)", ".", _text(value))


def _yes(value: Any) -> bool:
    text = str(value).strip().casefold()
    if text not in (*_YES, *_NO):
        raise UsageError(f'"{text[:20]}" is neither yes nor no')
    return text in _YES


def _number(value: Any) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        found = float(str(value).replace(",", "."))
        if not abs(found) < 1e12:
            raise ValueError
    except ValueError:
        raise UsageError(f'"{str(value)[:20]}" is not a number') from None
    return found


def _whole(value: Any) -> int:
    found = _number(value)
    if found != int(found):
        raise UsageError(f'"{str(value)[:20]}" is not a whole number')
    return int(found)


def _also(value: Any) -> tuple[str, ...]:
    return words_also(" ".join(map(str, value)).replace(" ", ",") if isinstance(value, list)
                      else str(value).replace(";", ",").replace(" ", ","))


_READ: dict[str, Callable[[Any], Any]] = {
    "tempo": _number, "tuning": _number, "binaural": _number, "loop": _yes, "length": _length,
    **dict.fromkeys(("styles", "key", "meter", "form", "chords", "motif"), _text)}
_READ_ORDER: dict[str, Callable[[Any], Any]] = {
    "songs": _whole, "seed": _whole, "temperature": _number, "model": _text, "also": _also}


def _order(row: dict[str, Any], usual: Order) -> Order:
    wishes = {f.name for f in fields(Wishes)}
    own: dict[str, Any] = {}
    asked: dict[str, Any] = {f.name: getattr(usual.wishes, f.name) for f in fields(Wishes)
                             if getattr(usual.wishes, f.name) is not None}
    for name, value in row.items():
        if value is None:
            continue
        if name in wishes:
            asked[name] = _READ[name](value)
        elif name in _READ_ORDER:
            own[name] = _READ_ORDER[name](value)
        else:
            raise UsageError(f'the column "{str(name)[:20]}" is not known; there can be '
                             + ", ".join(sorted({*wishes, *_READ_ORDER})))
    return replace(usual, wishes=wishes_from_json(asked), **own)
