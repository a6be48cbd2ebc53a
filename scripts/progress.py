"""Times and bars as text, and JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from scripts.theme import ASCII, Theme

BAR_WIDTH = 30

# Hears of a song's stage, the share of it that is done (0 to 1), and the text so far.
Report = Callable[[str, float, str], None]


def emit(**message: Any) -> None:
    """One JSON object on a line of standard output, for programs."""
    print(json.dumps(message, ensure_ascii=True), flush=True)


def harmless(text: str) -> str:
    """`text` without anything that could steer the console."""
    return "".join(c if c.isprintable() else " " for c in text)


def show(line: str) -> None:
    """A line of a result, for people."""
    print(harmless(line))


def tell(line: str) -> None:
    """A line for the user, beside the results."""
    print(f"llm-music-gen: {harmless(line)}", file=sys.stderr)


def duration_words(seconds: float) -> str:
    """A rough length of time."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


STAGES = ("compose", "render", "convert")
_SHARES = {"compose": 0.25, "render": 0.65, "convert": 0.1}  # of the time that a song takes


def come_to(stage: str, done: float) -> dict[str, float]:
    """What is done (0 to 1) of each stage of a song that has come so far in one of them."""
    return {**dict.fromkeys(STAGES[:STAGES.index(stage)], 1.0), stage: done}


def share_of(stages: Mapping[str, float]) -> float:
    """How much of a song is done, 0 to 1, by its stages."""
    return sum(share * stages.get(stage, 0.0) for stage, share in _SHARES.items())


def songs_words(count: int) -> str:
    """So many songs."""
    return "1 song" if count == 1 else f"{count:,} songs"


def clock(seconds: float) -> str:
    """``MM:SS``, with hours in front from an hour on."""
    whole = int(seconds)
    hours = f"{whole // 3600}:" if whole >= 3600 else ""
    return f"{hours}{whole // 60 % 60:02}:{whole % 60:02}"


def bar(share: float, theme: Theme = ASCII) -> str:
    """``[##########--------------------]`` for a share of 0 to 1."""
    filled = int(min(max(share, 0.0), 1.0) * BAR_WIDTH)
    return f"[{theme.full * filled}{theme.empty * (BAR_WIDTH - filled)}]"


def percent_bar(share: float, theme: Theme = ASCII) -> str:
    """``[##########--------------------] 33% Complete``."""
    return f"{bar(share, theme)} {int(min(max(share, 0.0), 1.0) * 100)}% Complete"


def time_bar(position: float, duration: float, theme: Theme = ASCII) -> str:
    """``[##########--------------------] MM:SS/MM:SS``."""
    share = position / duration if duration > 0 else 0.0
    return f"{bar(share, theme)} {clock(position)}/{clock(duration)}"
