"""Times and bars as text."""

from __future__ import annotations

BAR_WIDTH = 30


def clock(seconds: float) -> str:
    """``MM:SS``, with hours in front from an hour on."""
    whole = int(seconds)
    hours = f"{whole // 3600}:" if whole >= 3600 else ""
    return f"{hours}{whole // 60 % 60:02}:{whole % 60:02}"


def bar(share: float) -> str:
    """``[##########--------------------]`` for a share of 0 to 1."""
    filled = int(min(max(share, 0.0), 1.0) * BAR_WIDTH)
    return f"[{'#' * filled}{'-' * (BAR_WIDTH - filled)}]"


def percent_bar(share: float) -> str:
    """``[##########--------------------] 33% Complete``."""
    return f"{bar(share)} {int(min(max(share, 0.0), 1.0) * 100)}% Complete"


def time_bar(position: float, duration: float) -> str:
    """``[##########--------------------] MM:SS/MM:SS``."""
    share = position / duration if duration > 0 else 0.0
    return f"{bar(share)} {clock(position)}/{clock(duration)}"
