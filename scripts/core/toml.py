"""TOML data files with line numbers in error messages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from scripts.core.errors import UsageError
from scripts.core.input_files import read_input_text

T = TypeVar("T")
_MAX_BYTES = 4 << 20


def read_tables(path: Path) -> tuple[dict[str, Any], str]:
    """Read a file; return its tables and its text.

    Raises
    ------
    UsageError
        When it cannot be read or is not valid TOML; the message has the line number.
    """
    try:
        text = read_input_text(path, _MAX_BYTES)
        return tomllib.loads(text), text
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path.name}: {error}; correct the file") from error
    except OSError as error:
        raise UsageError(f"cannot read {path} ({error.strerror})") from error


def parse_tables(path: Path, parse_table: Callable[[str, Any], T]) -> dict[str, T]:
    """Convert each top-level table of a file.

    Parameters
    ----------
    path : Path
    parse_table : callable
        Called with a table's name and content. It raises TypeError, ValueError, KeyError or
        AttributeError for an invalid table.

    Returns
    -------
    dict
        Results by table name, in the order of the file.

    Raises
    ------
    UsageError
        When the file or a table is invalid; the message has the line number and the name.
    """
    tables, text = read_tables(path)
    found = {}
    for name, row in tables.items():
        try:
            found[name] = parse_table(name, row)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise UsageError(
                f"{path.name}, line {find_line(text, name)}: [{name}] {error}"
            ) from error
    return found


def convert_tables(path: Path, kind: type[T]) -> dict[str, T]:
    """Convert all tables of a file to a kind of ``msgspec.Struct``, by name.

    Raises
    ------
    UsageError
        When the file or a value is invalid.
    """
    tables, _ = read_tables(path)
    try:
        return msgspec.convert(tables, dict[str, kind])  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        raise UsageError(f"{path.name}: {error}; correct the file") from error


def find_line(text: str, *keys: str) -> int:
    """Return the line number (from 1) where the dotted `keys` are set.

    A key may be a table header, a name before ``=``, or a name in an inline table. For keys that
    are missing it is the line of the nearest parent, else 1.
    """
    lines = text.splitlines()
    line = 1
    for depth, key in enumerate(keys):
        name = re.escape(key)
        # A header may contain the whole dotted path.
        dotted_path = r"\s*\.\s*".join(rf'"?{re.escape(k)}"?' for k in keys[: depth + 1])
        head = re.compile(rf'\s*\[+\s*(?:{dotted_path}|"?{name}"?)\s*\]')
        entry = re.compile(rf'(?:^|[{{,])\s*"?{name}"?\s*[=.]')
        for i in range(line - 1, len(lines)):
            if (
                depth
                and i >= line
                and lines[i].lstrip().startswith("[")
                and not head.match(lines[i])
            ):
                continue
            if head.match(lines[i]) or entry.search(lines[i]):
                line = i + 1
                break
    return line
