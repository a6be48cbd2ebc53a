"""Reads JSON objects field by field, so that one invalid value does not cost the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

import msgspec

T = TypeVar("T")


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
                    valid[name] = msgspec.convert(data[name], field_type)
                except msgspec.ValidationError:
                    continue
    return kind(**valid)
