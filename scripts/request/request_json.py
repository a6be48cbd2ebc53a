"""The request of a song as JSON data, in recipes, job files and the order store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import msgspec

from scripts.core.errors import UsageError
from scripts.core.json_fields import INVALID_DATA
from scripts.request.request import SongRequest

_MAX_TEXT_LENGTH = 2000  # characters
_EXPECTED = {
    "tempo": "a number",
    "tuning": "a number",
    "binaural": "a number",
    "loop": "true or false",
    "feeling": "a mood, valence -1 to 1 and arousal 0 to 1",
}


def request_to_json(request: SongRequest) -> dict[str, Any]:
    """Convert to JSON data: the styles, and the fields that differ from their defaults."""
    default = asdict(SongRequest(""))
    return {k: v for k, v in asdict(request).items() if k == "styles" or v != default[k]}


def request_from_json(data: Any) -> SongRequest:
    """Parse JSON data; :func:`scripts.request.build.build_spec` validates the values.

    Raises
    ------
    UsageError
        When the styles are missing, a field is unknown, or a value has the wrong type or is too
        long.
    """
    styles = data.get("styles") if isinstance(data, Mapping) else None
    if not isinstance(styles, str) or not styles.strip():
        raise UsageError('missing "styles"; name at least one style')
    known = {f.name for f in fields(SongRequest)}
    for name, value in data.items():
        if name not in known:
            raise UsageError(
                f'unknown field "{str(name)[:20]}": expected one of ' + ", ".join(sorted(known))
            )
        if isinstance(value, str) and len(value) > _MAX_TEXT_LENGTH:
            raise _invalid(name, value)
        try:
            msgspec.convert({"styles": styles, name: value}, SongRequest)
        except INVALID_DATA as error:
            raise _invalid(name, value) from error
    return msgspec.convert(data, SongRequest)


def _invalid(name: str, value: object) -> UsageError:
    expected = _EXPECTED.get(name, "a text of at most 2,000 characters")
    return UsageError(f"invalid {name} {str(value)[:40]!r}: expected {expected}")
