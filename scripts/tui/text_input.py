"""Typing into the field of the state: editing keys, suggestions, answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts.core.errors import MusicGenError
from scripts.tui import keys
from scripts.tui.state import GENERATE, OPTIONS, Field

if TYPE_CHECKING:
    from scripts.tui.app import App

MAX_INPUT_LENGTH = 200  # characters


def edit_field(app: App, key: str, field: Field) -> None:
    """Handle a key while a field is open."""
    if key == keys.ESCAPE:
        app.state.field = None
        if app.state.screen == GENERATE and not app.orders.has_actionable_orders:
            app.open_menu()  # otherwise the orders are shown
    elif key == keys.ENTER:
        _submit(app, field)
    elif key == keys.TAB:
        app.orders.complete_style(field)
    elif key in ("up", "down"):
        last = max(0, len(field.suggestions) - 1)
        field.selected = min(max(field.selected + (1 if key == "down" else -1), 0), last)
    elif field.name == "songs" and key.lower() == "w":
        app.open_wishes()
    else:
        if key == keys.BACKSPACE:
            field.text = field.text[:-1]
        elif len(key) == 1 and key.isprintable() and len(field.text) < MAX_INPUT_LENGTH:
            field.text += key
        _update_suggestions(app, field)


def _update_suggestions(app: App, field: Field) -> None:
    if field.name == "search":
        app.selection.update_search()
    elif field.name == "playlist":
        app.selection.suggest_playlists()
    elif app.state.screen == OPTIONS:
        app.options.validate_text(field)
    else:
        app.orders.suggest_styles(field)


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
            app.orders.submit_answer(field, text)
    except MusicGenError as error:
        app.state.field = field
        field.problem, field.suggestions = str(error), ()
        if not field.name.startswith("wish "):  # keep long wishes for editing
            field.text = ""
