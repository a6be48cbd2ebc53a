"""Output Jukebox screen: songs played, the song playing, the next five; search."""

from __future__ import annotations

from scripts.core.formatting import time_bar
from scripts.jukebox.player import Playing
from scripts.library.songs import Song
from scripts.tui.layout import MARGINS, Size, clip, fitted, fold, framed, listed, width_of, wrap
from scripts.tui.screens.shared import (
    asked,
    brief_jobs,
    columns_of,
    look,
    now_playing,
    sleep_text,
    stars,
    told,
)
from scripts.tui.state import Field, State

FOOT = "Selection; Back to Main = B, Exit Program = X:"
_EMPTY = "There are no songs yet. Make some with 1. Generate Music; they appear here."
_KEYS = "Keys: Space pause, N next, < back, arrows seek, / search, I about, ? all"
_BANDS_HIGH = 4


def jukebox(state: State, size: Size) -> list[str]:
    """Draw songs played, the song playing and the next five; or the search."""
    if state.field:
        return _search(state.field, state, size)
    now, columns = state.playing, size[0]
    if now is None or (now.song is None and not state.songs):
        body = fold(_EMPTY, columns) + fold(state.message, columns)
        return framed("Output Jukebox", body, FOOT, size, look(state))
    played = (
        ["Played: " + clip(", ".join(reversed(now.played[-5:])), columns - 9)] if now.played else []
    )
    song = _song(now, state, columns) if now.song else ["Stopped. Space plays."]
    bands = columns_of(state.spectrum, _BANDS_HIGH, look(state)) if state.spectrum else []
    said = told(state, columns)
    body = fitted(
        [
            (7, played),
            (9, [""] if played else []),
            (0, song[:2]),
            (4, song[2:]),
            (12, [""]),
            (8, bands),
            (10, [""] if bands else []),
            (0, wrap("Next 5 Songs: ", now.upcoming, columns)),
            (11, [""]),
            (5, _modes(now, state, columns)),
            (6, [_KEYS]),
            (2, brief_jobs(state.jobs)),
            (1, said),
        ],
        size[1] - MARGINS,
    )
    return framed("Output Jukebox", body, FOOT, size, look(state))


def _song(now: Playing, state: State, columns: int) -> list[str]:
    assert now.song
    held = " (paused)" if now.paused else ""
    rating = f"  [{stars(state.rating)}]" if state.rating else ""
    rating += {1: "  [up]", -1: "  [down]"}.get(state.thumb, "")
    title = clip(f"Playing song: {now.song.title}", columns - len(held) - len(rating))
    bar = time_bar(now.position, now.duration, look(state))
    facts = song_facts(now.song)
    return [f"{title}{held}{rating}", bar, *([clip("    " + facts, columns)] if facts else [])]


def song_facts(song: Song) -> str:
    """Describe a song: styles, key, tempo, meter and model, as far as known."""
    details = song.details
    known = [str(details[k]) for k in ("asked", "key", "meter", "model") if details.get(k)]
    if isinstance(details.get("tempo"), (int, float)):
        known.insert(min(2, len(known)), f"{details['tempo']:g} bpm")
    return ", ".join(known)


def _modes(now: Playing, state: State, columns: int) -> list[str]:
    words = [
        f"Volume {state.settings.volume:.0%}",
        f"Repeat {now.repeat}",
        f"Shuffle {'on' if now.shuffle else 'off'}",
        f"Sleep {sleep_text(state.sleep)}",
    ]
    line = "   ".join(words)
    return [line if width_of(line) <= columns else clip(", ".join(words), columns)]


def _search(field: Field, state: State, size: Size) -> list[str]:
    """Draw the search text and the songs found."""
    playing = now_playing(state, size)
    columns, room = size[0], size[1] - MARGINS - 3 - len(playing)
    rows = listed(field.offers, field.chosen, room, columns)
    none = ["    No songs match."] if field.name == "search" else []
    body = [*asked(field, columns, talks=True), "", *(rows or none)]
    foot = "Type; Choose = Up, Down, Play = Enter, Back = Esc:"
    return framed("Output Jukebox", body, foot, size, look(state), playing)
