"""Stages of making a song, and its overall progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping

STAGES = ("compose", "render", "convert")
LIVE_STAGE = "live"  # no work of its own: the song can be played while it is rendered
_SHARES = {"compose": 0.25, "render": 0.65, "convert": 0.1}  # of the total time

# Called with a stage, the fraction of it that is done (0 to 1), and the text composed so far.
StageCallback = Callable[[str, float, str], None]


def stage_fractions(stage: str, done: float) -> dict[str, float]:
    """Fractions done (0 to 1) by stage while `stage` is at `done`.

    Earlier stages count as finished; later ones are left out.
    """
    return {**dict.fromkeys(STAGES[: STAGES.index(stage)], 1.0), stage: done}


def overall_fraction(stages: Mapping[str, float]) -> float:
    """Fraction of the whole song (0 to 1), from the fractions of its stages."""
    return sum(share * stages.get(stage, 0.0) for stage, share in _SHARES.items())
