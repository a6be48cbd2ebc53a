"""Output Jukebox screen: songs played, the song playing, the next five; search."""

from __future__ import annotations

from scripts.core.formatting import time_bar
from scripts.jukebox.player import PlayerStatus
from scripts.library.songs import Song
from scripts.tui.layout import (
    FRAME_LINES,
    Size,
    build_frame,
    clip,
    display_width,
    fit_blocks,
    scroll_list,
    wrap_text,
    wrap_titles,
)
from scripts.tui.screens.shared import (
    active_theme,
    format_sleep_timer,
    input_lines,
    message_lines,
    now_playing,
    order_summaries,
    spectrum_lines,
    stars,
)
from scripts.tui.state import Field, State

FOOTER = "Selection; Back to Main = B, Exit Program = X:"
_EMPTY = "There are no songs yet. Make some with 1. Generate Music; they appear here."
_KEYS = "Keys: Space pause, N next, < back, arrows seek, / search, C light, ? all"
_SPECTRUM_ROWS = 4


def jukebox_screen(state: State, size: Size) -> list[str]:
    """Draw songs played, the song playing and the next five; or the search."""
    if state.field:
        return _search_screen(state.field, state, size)
    now, columns = state.playing, size[0]
    if now is None or (now.song is None and not state.song_count):
        body = wrap_text(_EMPTY, columns) + wrap_text(state.message, columns)
        return build_frame("Output Jukebox", body, FOOTER, size, active_theme(state))
    played = (
        ["Played: " + clip(", ".join(reversed(now.played[-5:])), columns - 9)] if now.played else []
    )
    song = _song_lines(now, state, columns) if now.song else ["Stopped. Space plays."]
    bands = (
        spectrum_lines(state.spectrum, _SPECTRUM_ROWS, active_theme(state))
        if state.spectrum
        else []
    )
    messages = message_lines(state, columns)
    body = fit_blocks(
        [
            (7, played),
            (9, [""] if played else []),
            (0, song[:2]),
            (4, song[2:]),
            (12, [""]),
            (8, bands),
            (10, [""] if bands else []),
            (0, wrap_titles("Next 5 Songs: ", now.upcoming, columns)),
            (11, [""]),
            (5, _playback_settings(now, state, columns)),
            (6, [_KEYS]),
            (2, order_summaries(state.orders)),
            (1, messages),
        ],
        size[1] - FRAME_LINES,
    )
    return build_frame("Output Jukebox", body, FOOTER, size, active_theme(state))


def _song_lines(now: PlayerStatus, state: State, columns: int) -> list[str]:
    assert now.song
    paused = " (paused)" if now.paused else ""
    rating = f"  [{stars(state.rating)}]" if state.rating else ""
    rating += {1: "  [up]", -1: "  [down]"}.get(state.thumb, "")
    title = clip(f"Playing song: {now.song.title}", columns - len(paused) - len(rating))
    bar = time_bar(now.position, now.duration, active_theme(state), now.ready)
    description = describe_song(now.song)
    return [
        f"{title}{paused}{rating}",
        bar,
        *([clip("    " + description, columns)] if description else []),
    ]


def describe_song(song: Song) -> str:
    """Describe a song: styles, key, tempo, meter and model, as far as known."""
    details = song.details
    known = [str(details[k]) for k in ("asked", "key", "meter", "model") if details.get(k)]
    if isinstance(details.get("tempo"), (int, float)):
        known.insert(min(2, len(known)), f"{details['tempo']:g} bpm")
    return ", ".join(known)


def _playback_settings(now: PlayerStatus, state: State, columns: int) -> list[str]:
    entries = [
        f"Volume {state.settings.volume:.0%}",
        f"Repeat {now.repeat}",
        f"Shuffle {'on' if now.shuffle else 'off'}",
        f"Sleep {format_sleep_timer(state.sleep_remaining)}",
    ]
    line = "   ".join(entries)
    return [line if display_width(line) <= columns else clip(", ".join(entries), columns)]


def _search_screen(field: Field, state: State, size: Size) -> list[str]:
    """Draw the search text and the songs found."""
    playing = now_playing(state, size)
    columns, room = size[0], size[1] - FRAME_LINES - 3 - len(playing)
    rows = scroll_list(field.suggestions, field.selected, room, columns)
    none = ["    No songs match."] if field.name == "search" else []
    body = [*input_lines(field, columns, as_dialog=True), "", *(rows or none)]
    footer = "Type; Choose = Up, Down, Play = Enter, Back = Esc:"
    return build_frame("Output Jukebox", body, footer, size, active_theme(state), playing)
