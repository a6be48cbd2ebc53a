"""Editing of one line of text: the keys that people know from shells and text boxes."""

from __future__ import annotations

import re
from collections.abc import Callable

from scripts.tui import keys
from scripts.tui.state import Field

MAX_INPUT_LENGTH = 500  # characters


def edit_line(field: Field, key: str) -> bool:
    """Apply a key to the text of a field; return whether it is an editing key or a character."""
    action = _ACTIONS.get(key)
    is_selected, field.is_selected = field.is_selected, False
    if action:
        action(field)
        return True
    if len(key) == 1 and key.isprintable():
        if is_selected:
            replace_line(field, "")
        if len(field.text) < MAX_INPUT_LENGTH:
            before, after = split_at_cursor(field)
            field.text = before + key + after
        return True
    return False


def split_at_cursor(field: Field) -> tuple[str, str]:
    """Split the text into the parts before and after the cursor."""
    at = len(field.text) - min(field.after_cursor, len(field.text))
    return field.text[:at], field.text[at:]


def replace_line(field: Field, text: str) -> None:
    """Replace the whole text, with the cursor at its end."""
    field.text, field.after_cursor = text, 0


def _set(field: Field, before: str, after: str) -> None:
    field.text, field.after_cursor = before + after, len(after)


def _move(field: Field, steps: int) -> None:
    field.after_cursor = min(max(field.after_cursor - steps, 0), len(field.text))


def _move_to_start(field: Field) -> None:
    field.after_cursor = len(field.text)


def _move_to_end(field: Field) -> None:
    field.after_cursor = 0


def _delete_before(field: Field) -> None:
    before, after = split_at_cursor(field)
    _set(field, before[:-1], after)


def _delete_after(field: Field) -> None:
    before, after = split_at_cursor(field)
    _set(field, before, after[1:])


def _delete_word(field: Field) -> None:
    before, after = split_at_cursor(field)
    _set(field, re.sub(r"\S*\s*$", "", before), after)


def _delete_to_start(field: Field) -> None:
    _set(field, "", split_at_cursor(field)[1])


_ACTIONS: dict[str, Callable[[Field], None]] = {
    "left": lambda field: _move(field, -1),
    "right": lambda field: _move(field, 1),
    "home": _move_to_start,
    "ctrl-a": _move_to_start,
    "end": _move_to_end,
    "ctrl-e": _move_to_end,
    keys.BACKSPACE: _delete_before,
    "delete": _delete_after,
    "ctrl-w": _delete_word,
    "ctrl-u": _delete_to_start,
}
