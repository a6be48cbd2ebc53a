"""Timing of players: swing, and small deviations from the beat."""

from __future__ import annotations

import random
from dataclasses import replace

from scripts.arranger.events import NoteEvent

_DEVIATION = {"drums": 0.002, "bass": 0.003}  # seconds, standard deviation by role
_USUAL_DEVIATION, _MAX_DEVIATION = 0.005, 0.012


def swing_tick(start: float, swing: float) -> float:
    """Map a tick of straight eighths to a style's swing, 0 (straight) to 1."""
    beat, within = divmod(start, 24)
    middle = 12 * (1 + swing)
    if within < 12:
        return beat * 24 + within * middle / 12
    return beat * 24 + middle + (within - 12) * (24 - middle) / 12


def humanize(event: NoteEvent, role: str, tempo: float, rng: random.Random) -> NoteEvent:
    """Move a note by up to 12 ms either way.

    Parameters
    ----------
    tempo : float
        Quarter notes a minute.
    """
    drawn = rng.gauss(0.0, _DEVIATION.get(role, _USUAL_DEVIATION))
    shift = min(max(drawn, -_MAX_DEVIATION), _MAX_DEVIATION) * tempo / 60 * 24
    return replace(event, start=max(0.0, event.start + shift))
