"""Main menu screen."""

from __future__ import annotations

from scripts.core.formatting import count_songs, format_clock
from scripts.tui.layout import MARGINS, Size, fitted, framed
from scripts.tui.screens.shared import brief_jobs, length_text, look, now_playing, told
from scripts.tui.state import State

FOOT = "Selection; Menu Option = 1-3, Refresh = R, Exit Program = X:"


def main_menu(state: State, size: Size) -> list[str]:
    """Draw the menu items, facts about library and orders, and the song playing."""
    settings = state.settings
    facts = [
        f"    Song Length: {length_text(state.wishes.get('length', settings.song_length))}"
        f"    Tuning: {state.wishes.get('tuning', '440')} Hz    "
        f"Model: {state.model or 'none'}",
        f"    Songs Made: {state.songs}, {format_clock(state.total_seconds)} in all",
    ]
    if state.unfinished:
        facts.append(
            f"    Unfinished: {count_songs(state.unfinished)} left from the last session; G resumes"
        )
    failed = sum(job.failed for job in state.jobs)
    if failed and not any(job.going for job in state.jobs):
        facts.append(f"    Failed: {count_songs(failed)}; Generate Music, then Esc, shows why")
    latest = ["    Latest: " + ", ".join(state.latest)] if state.latest else []
    said = told(state, size[0], "    ")
    playing = now_playing(state, size)
    body = fitted(
        [
            (0, ["    1. Generate Music", "    2. Output Jukebox", "    3. Configure Options"]),
            (4, [""]),
            (0, facts),
            (3, latest),
            (5, [""]),
            (2, brief_jobs(state.jobs)),
            (6, [""] if said else []),
            (0, said),
        ],
        size[1] - MARGINS - len(playing),
    )
    return framed("Main Menu", body, FOOT, size, look(state), playing)
