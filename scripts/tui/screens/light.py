"""Light screen: what is written over the light of the music."""

from __future__ import annotations

from scripts.core.formatting import time_bar
from scripts.jukebox.player import PlayerStatus
from scripts.tui.layout import Size, clip, display_width, wrap_text
from scripts.tui.screens.shared import active_theme
from scripts.tui.state import State

LIGHT_FOOTER = "Selection; Back to Jukebox = B, Lights = C, Exit Program = X:"
_MAX_NARRATION_LINES = 3
_MARGIN = 4  # columns beside the narration


def light_texts(state: State, size: Size) -> dict[int, str]:
    """Words by line: title above, narration in the middle, bar and keys below."""
    columns, lines = size
    now = state.playing
    texts: dict[int, str] = {}
    if now is not None and now.song is not None:
        texts |= _song_texts(now, state, size)
    texts[lines - 1] = clip(state.message or LIGHT_FOOTER, columns - 1)
    return texts


def _song_texts(now: PlayerStatus, state: State, size: Size) -> dict[int, str]:
    columns, lines = size
    assert now.song
    paused = " (paused)" if now.paused else ""
    bar = time_bar(now.position, now.duration, active_theme(state), now.ready)
    title = _center(now.song.title + paused, columns)
    texts = {lines // 4: title, lines - 3: _center(bar, columns)}
    narration = now.song.details.get("narration")
    if isinstance(narration, str) and narration:
        found = _wrap_evenly(narration, max(10, columns - 2 * _MARGIN))[:_MAX_NARRATION_LINES]
        first = lines // 2
        for n, line in enumerate(found):
            if first + n < lines - 4:
                texts[first + n] = _center(line, columns)
    return texts


def _wrap_evenly(text: str, columns: int) -> list[str]:
    """Wrap a text to as few lines as possible, of about the same length."""
    found = wrap_text(text, columns)
    for width in range(columns - 1, columns // 3, -1):
        narrower = wrap_text(text, width)
        if len(narrower) > len(found):
            break
        found = narrower
    return found


def _center(text: str, columns: int) -> str:
    text = clip(text, columns - 2)
    return " " * ((columns - display_width(text)) // 2) + text
