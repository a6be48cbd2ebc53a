"""Configure Options screen."""

from __future__ import annotations

from scripts.core.settings import Settings
from scripts.request.parse import describe_length
from scripts.tui.layout import (
    FRAME_LINES,
    Size,
    build_frame,
    clip,
    fit_blocks,
    scroll_list,
    wrap_text,
)
from scripts.tui.screens.shared import active_theme, input_lines, now_playing
from scripts.tui.state import State

_SUGGESTION_ROWS = 5  # lines
AUTOMATIC_LABELS = {"model": "automatic", "device": "the system's"}

# Setting -> label and input hint; the hint is empty where the key alone changes it.
OPTION_ROWS = {
    "thread_fraction": ("Thread Fraction", "0.01 to 1, or 5/6"),
    "temperature": ("Temperature", "0 to 2"),
    "volume": ("Volume", "0 to 100 %"),
    "model": ("Model", "Up, Down, or a part of its name"),
    "song_length": ("Song Length", "3, 3:30, 1h30, 90s, or a range 4-6"),
    "auto_play": ("Auto-Play After Convert", ""),
    "output": ("Output Device", "auto, miniaudio, simpleaudio or null"),
    "theme": ("Theme", ""),
    "crossfade": ("Crossfade", "0 to 12 seconds"),
    "device": ("Sound Device", "Up, Down, or a part of its name"),
}


def options_screen(state: State, size: Size) -> list[str]:
    """Draw the settings, each with its key, and the text input."""
    rows = []
    for n, (name, (label, _)) in enumerate(OPTION_ROWS.items(), 1):
        rows.append(clip(f"    {n % 10}. {label}: {format_option(state.settings, name)}", size[0]))
        if name == "model" and state.model_description:
            rows[-1] = clip(f"{rows[-1]} - {state.model_description}", size[0])
    dialog: list[str] = []
    if state.field:
        field = state.field
        dialog = input_lines(field, size[0]) + [
            f"    {row}"
            for row in scroll_list(field.suggestions, field.selected, _SUGGESTION_ROWS, size[0] - 4)
        ]
    elif state.message:
        dialog = wrap_text(f"    {state.message}", size[0])
    playing = now_playing(state, size)
    room = size[1] - FRAME_LINES - len(playing)
    if len(rows) > room:  # small windows show two options on one line
        rows[1:3] = [clip(f"{rows[1]}  {rows[2].strip()}", size[0])]
    body = fit_blocks([(0, rows), (1, [""]), (0, dialog)], room)
    if len(rows) + len(dialog) > room:  # the question matters more than the list
        body = [*rows[: max(0, room - len(dialog))], *dialog][:room]
    footer = (
        "Type, then Enter; Cancel = Esc:"
        if state.field
        else "Selection; Option = 0-9, Back to Main = B, Exit Program = X:"
    )
    return build_frame("Configure Options", body, footer, size, active_theme(state), playing)


def format_option(settings: Settings, name: str) -> str:
    """Format a setting's value for the screen."""
    value = getattr(settings, name)
    if name == "volume":
        return f"{value:.0%}"
    if name == "thread_fraction":
        return f"{value:.2f} ({settings.threads} threads)"
    if name == "auto_play":
        return "yes" if value else "no"
    if name in ("model", "device"):
        return value or AUTOMATIC_LABELS[name]
    if name == "song_length":
        return describe_length(value)
    if name == "crossfade":
        return f"{value:g} s" if value else "none (songs join without a gap)"
    return f"{value:g}" if isinstance(value, float) else str(value)
