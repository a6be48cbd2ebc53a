"""Data files in TOML, with the line of a mistake."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from scripts.core.errors import UsageError

T = TypeVar("T")


def read_tables(path: Path) -> tuple[dict[str, Any], str]:
    """The tables of a file, and its text.

    Raises
    ------
    UsageError
        When it cannot be read or is no TOML; the line is named.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path.name}: {error}; mend the file") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error


def read_each(path: Path, make: Callable[[str, Any], T]) -> dict[str, T]:
    """What `make` makes of each table of a file, by name.

    Raises
    ------
    UsageError
        When `make` finds a table wrong; its line and name are named.
    """
    tables, text = read_tables(path)
    found = {}
    for name, row in tables.items():
        try:
            found[name] = make(name, row)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise UsageError(
                f"{path.name}, line {line_of(text, name)}: [{name}] {error}"
            ) from error
    return found


def line_of(text: str, *keys: str) -> int:
    """The line (from 1) where the dotted `keys` are set; the nearest one above if they are not.

    A key may be a table's head, the name before ``=``, or a name within an inline table.
    """
    lines = text.splitlines()
    line = 1
    for depth, key in enumerate(keys):
        name = re.escape(key)
        # A head may spell out the whole way to the key.
        way = r"\s*\.\s*".join(rf'"?{re.escape(k)}"?' for k in keys[: depth + 1])
        head = re.compile(rf'\s*\[+\s*(?:{way}|"?{name}"?)\s*\]')
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
