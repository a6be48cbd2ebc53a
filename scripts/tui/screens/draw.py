"""Draws the screen, overlay or question that a state shows."""

from __future__ import annotations

from scripts.tui.layout import MARGINS, Size, framed, paged
from scripts.tui.screens.generate import generate, wishes
from scripts.tui.screens.jukebox import jukebox
from scripts.tui.screens.menu import main_menu
from scripts.tui.screens.options import options
from scripts.tui.screens.shared import look, now_playing
from scripts.tui.state import GENERATE, JUKEBOX, MENU, OPTIONS, WISHES, State

_SCREENS = {MENU: main_menu, GENERATE: generate, JUKEBOX: jukebox, OPTIONS: options, WISHES: wishes}


def draw(state: State, size: Size) -> list[str]:
    """Return exactly ``size[1]`` lines of at most ``size[0]`` columns."""
    playing = now_playing(state, size)
    if state.leaving:
        return framed(
            "Exit",
            [
                "",
                "    Songs are still being made. Stop them and exit?",
                "    They are saved and can be resumed next time (G in the menu).",
            ],
            "Selection; Stop and Exit = Y, Stay = N:",
            size,
            look(state),
            playing,
        )
    if state.overlay:
        page = state.overlay
        room = size[1] - MARGINS - len(playing)
        lines = paged(page.lines, size[0])
        more = ", More = Up, Down" if len(lines) > room else ""
        return framed(
            page.title,
            lines[page.top : page.top + room],
            f"Selection; Back = B{more}, Exit Program = X:",
            size,
            look(state),
            playing,
        )
    return _SCREENS[state.screen](state, size)
