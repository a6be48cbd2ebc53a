"""Formatting of durations, counts and progress bars."""

from __future__ import annotations

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


def progress_bar(fraction: float, theme: Theme = ASCII) -> str:
    """Format a fraction (0 to 1) as ``[##########--------------------]``."""
    filled = int(min(max(fraction, 0.0), 1.0) * BAR_WIDTH)
    return f"[{theme.full * filled}{theme.empty * (BAR_WIDTH - filled)}]"


def percent_bar(fraction: float, theme: Theme = ASCII) -> str:
    """Format a fraction (0 to 1) as ``[##########--------------------] 33% Complete``."""
    return f"{progress_bar(fraction, theme)} {int(min(max(fraction, 0.0), 1.0) * 100)}% Complete"


def time_bar(position: float, duration: float, theme: Theme = ASCII) -> str:
    """Format a playback position in seconds as a bar and ``MM:SS/MM:SS``."""
    fraction = position / duration if duration > 0 else 0.0
    return f"{progress_bar(fraction, theme)} {format_clock(position)}/{format_clock(duration)}"
