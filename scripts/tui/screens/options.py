"""Configure Options screen."""

from __future__ import annotations

from scripts.core.settings import Settings
from scripts.tui.layout import MARGINS, Size, clip, fitted, fold, framed, listed
from scripts.tui.screens.shared import asked, look, now_playing
from scripts.tui.state import State

_OFFERS = 5  # lines
AUTOMATIC = {"model": "automatic", "device": "the system's"}

# Setting -> label and input hint; the hint is empty where the key alone changes it.
ROWS = {
    "thread_fraction": ("Thread Fraction", "0.01 to 1, or 5/6"),
    "temperature": ("Temperature", "0 to 2"),
    "volume": ("Volume", "0 to 100 %"),
    "model": ("Model", "Up, Down, or a part of its name"),
    "song_length": ("Song Length", "minutes (3), a range (4-6) or hours (1:30)"),
    "auto_play": ("Auto-Play After Convert", ""),
    "output": ("Output Device", "auto, miniaudio, simpleaudio or null"),
    "theme": ("Theme", ""),
    "crossfade": ("Crossfade", "0 to 12 seconds"),
    "device": ("Sound Device", "Up, Down, or a part of its name"),
}


def options(state: State, size: Size) -> list[str]:
    """Draw the settings, each with its key, and the text input."""
    rows = []
    for n, (name, (label, _)) in enumerate(ROWS.items(), 1):
        rows.append(clip(f"    {n % 10}. {label}: {option_text(state.settings, name)}", size[0]))
        if name == "model" and state.model_words:
            rows[-1] = clip(f"{rows[-1]} - {state.model_words}", size[0])
    talk: list[str] = []
    if state.field:
        field = state.field
        talk = asked(field, size[0]) + [
            f"    {row}" for row in listed(field.offers, field.chosen, _OFFERS, size[0] - 4)
        ]
    elif state.message:
        talk = fold(f"    {state.message}", size[0])
    playing = now_playing(state, size)
    room = size[1] - MARGINS - len(playing)
    if len(rows) > room:  # small windows show two options on one line
        rows[1:3] = [clip(f"{rows[1]}  {rows[2].strip()}", size[0])]
    body = fitted([(0, rows), (1, [""]), (0, talk)], room)
    if len(rows) + len(talk) > room:  # the question matters more than the list
        body = [*rows[: max(0, room - len(talk))], *talk][:room]
    foot = (
        "Type, then Enter; Cancel = Esc:"
        if state.field
        else "Selection; Option = 0-9, Back to Main = B, Exit Program = X:"
    )
    return framed("Configure Options", body, foot, size, look(state), playing)


def option_text(settings: Settings, name: str) -> str:
    """Format a setting's value for the screen."""
    value = getattr(settings, name)
    if name == "volume":
        return f"{value:.0%}"
    if name == "thread_fraction":
        return f"{value:.2f} ({settings.threads} threads)"
    if name == "auto_play":
        return "yes" if value else "no"
    if name in ("model", "device"):
        return value or AUTOMATIC[name]
    if name == "crossfade":
        return f"{value:g} s" if value else "none (songs join without a gap)"
    return f"{value:g}" if isinstance(value, float) else str(value)
