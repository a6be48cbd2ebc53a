"""Typing into the field of the state: editing keys, suggestions, answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts.core.errors import MusicGenError
from scripts.request.request import ENDLESS
from scripts.tui import keys
from scripts.tui.line_editor import edit_line, replace_line
from scripts.tui.state import GENERATE, OPTIONS, Field

if TYPE_CHECKING:
    from scripts.tui.app import App

# Fields whose suggestions are a list, in which Up and Down choose.
_LISTS = ("search", "playlist", "model", "device", "load wishes")
_KEPT_FOR_EDITING = ("wish ", "styles")  # fields whose invalid text may be long
_COUNT_KEYS = {"w": "wishes", "e": ENDLESS}  # at the question how many songs


def edit_field(app: App, key: str, field: Field) -> None:
    """Handle a key while a field is open."""
    if key == keys.ESCAPE:
        app.state.field = None
        if app.state.screen == GENERATE and not app.orders.has_actionable_orders:
            app.open_menu()  # otherwise the orders are shown
    elif key == keys.ENTER:
        _submit(app, field)
    elif key == keys.TAB:
        app.dialog.complete_style(field)
    elif key in ("up", "down") and field.name in _LISTS:
        last = max(0, len(field.suggestions) - 1)
        field.selected = min(max(field.selected + (1 if key == "down" else -1), 0), last)
    elif key in ("up", "down"):
        earlier = app.history.step(field.name, key == "up", field.text)
        if earlier is not None:
            replace_line(field, earlier)
            _update_suggestions(app, field)
    elif _is_count_key(field, key, "wishes"):
        app.open_wishes()
    elif _is_count_key(field, key, ENDLESS):
        replace_line(field, ENDLESS)
        _submit(app, field)
    elif edit_line(field, key):
        _update_suggestions(app, field)


def _is_count_key(field: Field, key: str, name: str) -> bool:
    """Whether a key has its own meaning at the question how many, before anything is typed."""
    is_open = not field.text or field.is_selected
    return field.name == "songs" and is_open and _COUNT_KEYS.get(key.lower()) == name


def _update_suggestions(app: App, field: Field) -> None:
    if field.name == "search":
        app.selection.update_search()
    elif field.name == "playlist":
        app.selection.suggest_playlists()
    elif app.state.screen == OPTIONS:
        app.options.validate_text(field)
    else:
        app.dialog.suggest_styles(field)


def _submit(app: App, field: Field) -> None:
    text: Any = field.text.strip()
    try:
        if field.name == "search":
            app.state.field = None
            app.selection.play_result(field.selected)
        elif field.name == "playlist":
            app.state.field = None
            chosen = field.suggestions[field.selected] if field.suggestions else text
            app.selection.play_playlist(chosen)
        elif app.state.screen == OPTIONS:
            app.options.submit_answer(field, text)
        else:
            app.dialog.submit_answer(field, text)
        app.history.add(field.name, text)
    except MusicGenError as error:
        app.state.field = field
        field.problem, field.suggestions = str(error), ()
        if not field.name.startswith(_KEPT_FOR_EDITING):
            replace_line(field, "")
