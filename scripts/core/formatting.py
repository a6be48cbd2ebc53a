"""Formatting of durations, counts and progress bars."""

from __future__ import annotations

import math

from scripts.core.theme import ASCII, Theme

BAR_WIDTH = 30  # characters


def format_duration(seconds: float) -> str:
    """Format a rough duration: ``45 s``, ``12 min``, ``1.5 h``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def format_song_count(count: int) -> str:
    """Format a number of songs: ``1 song``, ``2,000 songs``."""
    return "1 song" if count == 1 else f"{count:,} songs"


def format_clock(seconds: float) -> str:
    """Format a duration as ``MM:SS``, or ``H:MM:SS`` from an hour on."""
    whole = int(seconds)
    hours = f"{whole // 3600}:" if whole >= 3600 else ""
    return f"{hours}{whole // 60 % 60:02}:{whole % 60:02}"


def format_short_clock(seconds: float) -> str:
    """Format a duration as ``M:SS``, or ``H:MM:SS`` from an hour on."""
    clock = format_clock(seconds)
    return clock[1:] if clock.startswith("0") else clock


def progress_bar(fraction: float, theme: Theme = ASCII, ready: float = 1.0) -> str:
    """Format a fraction (0 to 1) as ``[##########--------------------]``.

    What lies beyond the fraction `ready` stays blank.
    """
    filled, shown = (int(min(max(part, 0.0), 1.0) * BAR_WIDTH) for part in (fraction, ready))
    rest = theme.empty * (shown - filled)
    return f"[{(theme.full * filled + rest):<{BAR_WIDTH}}]"


def percent_bar(fraction: float, theme: Theme = ASCII) -> str:
    """Format a fraction (0 to 1) as ``[##########--------------------] 33% Complete``."""
    return f"{progress_bar(fraction, theme)} {int(min(max(fraction, 0.0), 1.0) * 100)}% Complete"


def time_bar(
    position: float, duration: float, theme: Theme = ASCII, ready: float = math.inf
) -> str:
    """Format a playback position in seconds as a bar and ``MM:SS/MM:SS``.

    What lies beyond `ready` seconds, which cannot be played yet, stays blank.
    """
    fraction = position / duration if duration > 0 else 0.0
    bar = progress_bar(fraction, theme, ready / duration if ready < duration else 1.0)
    return f"{bar} {format_clock(position)}/{format_clock(duration)}"
