"""Reads job files: tables of orders, in CSV as spreadsheets write it or in JSON."""

from __future__ import annotations

import csv
import errno
import io
import json
import re
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path, PureWindowsPath
from typing import Any

from scripts.batch.interpreter import Interpreter
from scripts.batch.order import MAX_SEED, Order, parse_until, split_styles
from scripts.batch.order_cells import ORDER_COLUMNS, REQUEST_COLUMNS
from scripts.batch.planned_order import PlannedOrder
from scripts.core.errors import MusicGenError, UsageError
from scripts.core.input_files import find_beside, is_regular_file, read_input_text
from scripts.request.pace import parse_tempo
from scripts.request.request import ENDLESS, SongRequest
from scripts.request.request_json import request_from_json

MAX_BYTES = 1 << 20
MAX_ORDERS = 1000
_MAX_COLUMNS = 200
_FIELDS = {"number": "songs", "also": "extra_formats"}  # fields not named as their columns
_Row = tuple[str, dict[str, Any]]  # place in the file for messages, and values by column


def read_order_file(
    path: Path,
    defaults: Order,
    interpreter: Interpreter,
    check: Callable[[Order], object] = lambda order: None,
) -> list[PlannedOrder]:
    """Read the orders of a file.

    Columns are those of :class:`SongRequest` (styles, length, key, tempo, meter, tuning, form,
    chords, motif, binaural, loop, energy, instruments, without) and songs (or number), seed, model,
    temperature, also. The styles may be a sentence; the other columns take precedence. Styles
    separated by ``|`` become several orders.

    Parameters
    ----------
    path : Path
    defaults : Order
        Values of the columns that a row leaves out; an empty length is the interpreter's.
    interpreter : Interpreter
    check : callable
        Raises a MusicGenError for an order that cannot be fulfilled.

    Raises
    ------
    UsageError
        When a row is invalid or `check` refuses it; the message names the line.
    """
    text = _read(path)
    rows = _json_rows(path, text) if text.lstrip()[:1] in ("[", "{") else _csv_rows(path, text)
    if not rows:
        raise UsageError(
            f"{path.name}: no orders found; write a line of column names "
            "(styles,songs,length), then a line for each order"
        )
    if len(rows) > MAX_ORDERS:
        raise UsageError(
            f"{path.name}: {len(rows):,} orders are too many; split it into files of at most "
            f"{MAX_ORDERS:,}"
        )
    plans: list[PlannedOrder] = []
    for place, row in rows:
        try:
            _resolve_model(path, row)
            for part in _split_row(row):
                # Rows without a seed continue after the seeds of the rows before.
                before = sum(plan.order.songs for plan in plans)
                seeded = replace(defaults, seed=(defaults.seed + before) % MAX_SEED)
                plans.append(_plan(part, seeded, interpreter))
                check(plans[-1].order)
        except MusicGenError as error:
            raise UsageError(f"{path.name}, {place}: {error}") from error
    return plans


def _read(path: Path) -> str:
    try:
        return read_input_text(path, MAX_BYTES, "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text; save it as CSV UTF-8") from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise UsageError(f"{path}: the job file is larger than 1 MB; split it") from error
        raise UsageError(f"cannot read {path}: {error.strerror}; check the name") from error


def _resolve_model(path: Path, row: dict[str, Any]) -> None:
    """Replace the row's model by its path if it lies beside the job file.

    Raises
    ------
    UsageError
        When it is a path to anywhere else.
    """
    name = row.get("model")
    if not isinstance(name, str) or not name:
        return
    written = PureWindowsPath(name)
    is_plain = len(written.parts) == 1 and not written.anchor and name != ".."
    beside = path.parent.absolute() / name if is_plain else find_beside(path, name)
    if is_regular_file(beside):
        row["model"] = str(beside)
    elif not is_plain:
        raise UsageError(f'no model "{name[:60]}" beside the job file; copy it there')


def _split_row(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Split a row into one row per order, by the ``|`` in its styles."""
    styles = row.get("styles")
    if not isinstance(styles, str):
        return [row]
    return [{**row, "styles": part} for part in split_styles(styles)]


def _csv_rows(path: Path, text: str) -> list[_Row]:
    lines = text.split("\n")
    header, delimiter = _find_header(lines)
    rows: list[_Row] = []
    try:
        reader = csv.reader(
            io.StringIO("\n".join(lines[header:])), delimiter=delimiter, strict=True
        )
        names = [name.strip().lower() for name in next(reader, [])]
        if len(names) > _MAX_COLUMNS:
            raise UsageError(
                f"{path.name}, line {header + 1}: {len(names):,} columns are too many; "
                f"the limit is {_MAX_COLUMNS}"
            )
        duplicates = [name for name in names if name and names.count(name) > 1]
        if duplicates:
            raise UsageError(
                f'{path.name}, line {header + 1}: duplicate column "{duplicates[0][:20]}"'
            )
        for cells in reader:
            place = f"line {header + reader.line_num}"
            if any(cell.strip() for cell in cells[len(names) :]):
                raise UsageError(
                    f"{path.name}, {place}: more fields than column names; put values that "
                    "contain commas in quotes"
                )
            row = {
                name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()
            }
            if row:
                rows.append((place, row))
    except csv.Error as error:
        raise UsageError(f"{path.name}, line {header + reader.line_num}: {error}") from error
    return rows


def _find_header(lines: list[str]) -> tuple[int, str]:
    """Find the index of the line of column names, and the delimiter.

    Spreadsheets may write ``sep=;`` above it. Otherwise the delimiter is the most frequent of
    comma, semicolon and tab in that line, because half of Europe uses decimal commas.
    """
    header, delimiter = 0, ""
    while header < len(lines):
        hint = re.fullmatch(r"\s*sep=([,;\t|])\s*", lines[header])
        if lines[header].strip() and (delimiter or not hint):
            break
        delimiter, header = hint[1] if hint else delimiter, header + 1
    line = lines[header] if header < len(lines) else ""
    return header, delimiter or max(",;\t", key=line.count)


def _json_rows(path: Path, text: str) -> list[_Row]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path.name}, line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path.name}: nested too deeply, or a number is too long") from error
    rows = data.get("orders") if isinstance(data, dict) and "orders" in data else data
    rows = rows if isinstance(rows, list) else [rows]
    for n, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise UsageError(
                f"{path.name}, order {n}: expected an object such as "
                '{"styles": "Jazz", "songs": 5}'
            )
    return [(f"order {n}", row) for n, row in enumerate(rows, 1)]


def _plan(row: dict[str, Any], defaults: Order, interpreter: Interpreter) -> PlannedOrder:
    changes: dict[str, Any] = {}
    request: dict[str, Any] = {
        f.name: getattr(defaults.request, f.name)
        for f in fields(SongRequest)
        if getattr(defaults.request, f.name) is not None
    }
    for name, value in row.items():
        if value is None:
            continue
        if name == "tempo":
            request["tempo"], request["pace"] = parse_tempo(str(value))
        elif name in REQUEST_COLUMNS:
            request[name] = REQUEST_COLUMNS[name](value)
        elif name in ORDER_COLUMNS:
            field = _FIELDS.get(name, name)
            if field == "songs" and field in changes:
                raise UsageError("songs and number mean the same; leave one of them out")
            changes[field] = ORDER_COLUMNS[name](value)
        else:
            raise UsageError(
                f'unknown column "{str(name)[:20]}": expected '
                + ", ".join(sorted({*REQUEST_COLUMNS, *ORDER_COLUMNS}))
            )
    given = request_from_json({k: v for k, v in request.items() if v is not None})
    understood = interpreter.interpret(given.styles, given)
    songs = changes.pop("songs", understood.songs)
    if songs == ENDLESS:
        changes["endless"] = True
        if understood.until and not defaults.until:
            changes["until"] = parse_until(understood.until, datetime.now())
    elif songs != "":
        changes |= {"songs": int(songs), "endless": False, "until": 0.0, "keep_bytes": 0}
    return PlannedOrder(replace(defaults, request=understood.request, **changes), understood)
