"""Main menu screen."""

from __future__ import annotations

from scripts.core.formatting import format_clock, format_song_count
from scripts.request.parse import describe_length, read_length
from scripts.tui.layout import FRAME_LINES, Size, build_frame, fit_blocks
from scripts.tui.screens.shared import (
    active_theme,
    message_lines,
    now_playing,
    order_summaries,
)
from scripts.tui.state import State

FOOTER = "Selection; Menu Option = 1-3, Refresh = R, Exit Program = X:"


def menu_screen(state: State, size: Size) -> list[str]:
    """Draw the menu items, facts about library and orders, and the song playing."""
    facts = [
        f"    Song Length: {_song_length(state)}"
        f"    Tuning: {state.wishes.get('tuning', '440')} Hz    "
        f"Model: {state.model or 'none'}",
        f"    Songs Made: {state.song_count}, {format_clock(state.total_seconds)} in all",
    ]
    if state.unfinished_songs:
        facts.append(f"    Unfinished: {_unfinished(state)} from the last session; G resumes")
    failed = sum(order.failed for order in state.orders)
    if failed and not any(order.songs_in_progress for order in state.orders):
        facts.append(
            f"    Failed: {format_song_count(failed)}; Generate Music, then Esc, shows why"
        )
    latest = ["    Latest: " + ", ".join(state.latest_titles)] if state.latest_titles else []
    messages = message_lines(state, size[0], "    ")
    playing = now_playing(state, size)
    body = fit_blocks(
        [
            (0, ["    1. Generate Music", "    2. Output Jukebox", "    3. Configure Options"]),
            (4, [""]),
            (0, facts),
            (3, latest),
            (5, [""]),
            (2, order_summaries(state.orders)),
            (6, [""] if messages else []),
            (0, messages),
        ],
        size[1] - FRAME_LINES - len(playing),
    )
    return build_frame("Main Menu", body, FOOTER, size, active_theme(state), playing)


def _unfinished(state: State) -> str:
    if any(order.endless and not order.done for order in state.orders):
        return "songs without end"
    return f"{format_song_count(state.unfinished_songs)} left"


def _song_length(state: State) -> str:
    """Length of the next songs: as wished, or as set."""
    wished = state.wishes.get("length")
    return describe_length(read_length(wished) if wished else state.settings.song_length)
