"""Draws the screen, overlay or question that a state shows."""

from __future__ import annotations

from scripts.tui.layout import FRAME_LINES, Size, build_frame, wrap_page
from scripts.tui.screens.generate import generate_screen, wishes_screen
from scripts.tui.screens.jukebox import jukebox_screen
from scripts.tui.screens.menu import menu_screen
from scripts.tui.screens.options import options_screen
from scripts.tui.screens.shared import active_theme, now_playing
from scripts.tui.state import CONFIRM, GENERATE, JUKEBOX, LIGHT, MENU, OPTIONS, WISHES, State

_SCREENS = {
    MENU: menu_screen,
    GENERATE: generate_screen,
    CONFIRM: generate_screen,
    JUKEBOX: jukebox_screen,
    LIGHT: jukebox_screen,  # of a console that is too small for it
    OPTIONS: options_screen,
    WISHES: wishes_screen,
}


def draw(state: State, size: Size) -> list[str]:
    """Return exactly ``size[1]`` lines of at most ``size[0]`` columns."""
    playing = now_playing(state, size)
    if state.confirming_exit:
        return build_frame(
            "Exit",
            [
                "",
                "    Songs are still being made. Stop them and exit?",
                "    They are saved and can be resumed next time (G in the menu).",
            ],
            "Selection; Stop and Exit = Y, Stay = N:",
            size,
            active_theme(state),
            playing,
        )
    if state.overlay:
        page = state.overlay
        room = size[1] - FRAME_LINES - len(playing)
        lines = wrap_page(page.lines, size[0])
        more = ", More = Up, Down" if len(lines) > room else ""
        return build_frame(
            page.title,
            lines[page.top : page.top + room],
            f"Selection; Back = B{more}, Exit Program = X:",
            size,
            active_theme(state),
            playing,
        )
    return _SCREENS[state.screen](state, size)
