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

from scripts.batch.order import MOST_SEED, Order, separate, words_also
from scripts.core.errors import MusicGenError, UsageError
from scripts.production.recipe import wishes_from_json
from scripts.request.spec import Wishes

MOST_BYTES = 1 << 20
MOST_ORDERS = 1000
_YES, _NO = ("yes", "y", "true", "1", "x"), ("", "no", "n", "false", "0")


def read_job_file(
    path: Path, usual: Order, check: Callable[[Order], object] = lambda order: None
) -> list[Order]:
    """The orders of a file; what a row leaves out is as in `usual`.

    The columns are those of :class:`Wishes` (styles, length, key, tempo, meter, tuning, form,
    chords, motif, binaural, loop) and songs (or number), seed, model, temperature, also. Styles
    with ``|`` between them are several orders.

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
        raise UsageError(f"{path}: it cannot be read ({error.strerror}); check the name") from error
    rows = _json_rows(path, text) if text.lstrip()[:1] in ("[", "{") else _csv_rows(path, text)
    if not rows:
        raise UsageError(
            f"{path.name}: there is no order in it; write a line of column names "
            "(styles,songs,length) and a line for each order"
        )
    if len(rows) > MOST_ORDERS:
        raise UsageError(f"{path.name}: {len(rows):,} orders; at most {MOST_ORDERS:,} are read")
    orders: list[Order] = []
    for place, row in rows:
        try:
            # Rows without a seed go on where the songs of those before end.
            for part in _parts(row):
                before = sum(order.songs for order in orders)
                orders.append(_order(part, replace(usual, seed=(usual.seed + before) % MOST_SEED)))
                check(orders[-1])
        except MusicGenError as error:
            raise UsageError(f"{path.name}, {place}: {error}") from error
    return orders


def _parts(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each of several styles."""
    styles = row.get("styles")
    return (
        [{**row, "styles": part} for part in separate(styles)] if isinstance(styles, str) else [row]
    )


def _csv_rows(path: Path, text: str) -> list[tuple[str, dict[str, Any]]]:
    lines = text.split("\n")
    above, mark = 0, ""  # lines before the one of names; what parts the fields
    while above < len(lines):
        told = re.fullmatch(r"\s*sep=([,;\t|])\s*", lines[above])  # a spreadsheet's own hint
        if lines[above].strip() and (mark or not told):
            break
        mark, above = told[1] if told else mark, above + 1
    head = lines[above] if above < len(lines) else ""
    mark = mark or max(",;\t", key=head.count)  # a comma is the decimal sign of half of Europe
    try:
        reader = csv.reader(io.StringIO("\n".join(lines[above:])), delimiter=mark, strict=True)
        names = [name.strip().lower() for name in next(reader, [])]
        twice = [name for name in names if name and names.count(name) > 1]
        if twice:
            raise UsageError(
                f'{path.name}, line {above + 1}: the column "{twice[0][:20]}" is there twice'
            )
        rows = []
        for fields_of in reader:
            place = f"line {above + reader.line_num}"
            if any(field.strip() for field in fields_of[len(names) :]):
                raise UsageError(
                    f"{path.name}, {place}: it has more fields than the line of "
                    "column names; put what holds commas in quotes"
                )
            given = {
                name: value.strip()
                for name, value in zip(names, fields_of, strict=False)
                if value.strip()
            }
            if given:
                rows.append((place, given))
    except csv.Error as error:
        raise UsageError(f"{path.name}, line {above + reader.line_num}: {error}") from error
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
            raise UsageError(
                f'{path.name}, order {n}: it is no object such as {{"styles": "Jazz", "songs": 5}}'
            )
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
    # 5 and 5.0 are; 1,000 and 1.000 are a thousand for some and one for others.
    found = _number(value)
    if found != int(found) or re.fullmatch(r"\s*[+-]?\d+[.,]\d{3}\s*", str(value)):
        raise UsageError(
            f'"{str(value)[:20]}" is not a whole number; write it without marks, such as 1000'
        )
    return int(found)


def _also(value: Any) -> tuple[str, ...]:
    return words_also(
        " ".join(map(str, value)).replace(" ", ",")
        if isinstance(value, list)
        else str(value).replace(";", ",").replace(" ", ",")
    )


_READ: dict[str, Callable[[Any], Any]] = {
    "tempo": _number,
    "tuning": _number,
    "binaural": _number,
    "loop": _yes,
    "length": _length,
    **dict.fromkeys(("styles", "key", "meter", "form", "chords", "motif"), _text),
}
_READ_ORDER: dict[str, Callable[[Any], Any]] = {
    "songs": _whole,
    "number": _whole,
    "seed": _whole,
    "temperature": _number,
    "model": _text,
    "also": _also,
}


def _order(row: dict[str, Any], usual: Order) -> Order:
    wishes = {f.name for f in fields(Wishes)}
    own: dict[str, Any] = {}
    asked: dict[str, Any] = {
        f.name: getattr(usual.wishes, f.name)
        for f in fields(Wishes)
        if getattr(usual.wishes, f.name) is not None
    }
    for name, value in row.items():
        if value is None:
            continue
        if name in wishes:
            asked[name] = _READ[name](value)
        elif name in _READ_ORDER:
            if "songs" in own and name in ("songs", "number"):
                raise UsageError("songs and number are the same; leave one of them out")
            own["songs" if name == "number" else name] = _READ_ORDER[name](value)
        else:
            raise UsageError(
                f'the column "{str(name)[:20]}" is not known; there can be '
                + ", ".join(sorted({*wishes, *_READ_ORDER}))
            )
    return replace(usual, wishes=wishes_from_json(asked), **own)
