"""JSON from and for files: read field by field, so that one invalid value costs no other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from scripts.core.text import is_unicode

T = TypeVar("T")

# What msgspec raises for data that do not fit; the second for text with lone surrogates.
INVALID_DATA = (msgspec.ValidationError, UnicodeError)


def convert_valid_fields(data: Any, kind: type[T]) -> T:
    """Convert an object to a dataclass; missing and invalid fields get their defaults.

    Parameters
    ----------
    data : object
        Parsed JSON; anything but an object gives the defaults.
    kind : type
        Dataclass whose fields all have defaults.
    """
    valid: dict[str, Any] = {}
    if isinstance(data, Mapping):
        for name, field_type in get_type_hints(kind, include_extras=True).items():
            if name in data:
                try:
                    valid[name] = convert_field(data[name], field_type)
                except INVALID_DATA:
                    continue
    return kind(**valid)


def convert_field(value: Any, field_type: Any) -> Any:
    """Convert a value; items of a list that do not fit a ``tuple[X, ...]`` are left out.

    Raises
    ------
    msgspec.ValidationError
        When the value does not fit.
    """
    try:
        return msgspec.convert(value, field_type)
    except INVALID_DATA:
        if not isinstance(value, list) or get_origin(field_type) is not tuple:
            raise
        return tuple(item for item in value if _fits(item, get_args(field_type)[0]))


def format_json(data: Any) -> str:
    """Format as indented JSON that can be written as UTF-8, ending in a line feed.

    Text is readable as it is, unless it has lone surrogates, as names that are not UTF-8 have.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return (text if is_unicode(text) else json.dumps(data, indent=2)) + "\n"


def _fits(value: Any, field_type: Any) -> bool:
    try:
        msgspec.convert(value, field_type)
    except INVALID_DATA:
        return False
    return True
