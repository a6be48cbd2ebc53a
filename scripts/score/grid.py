"""Puts loose timing on the grid that notation can write."""

from __future__ import annotations

from collections.abc import Sequence

GRIDS = (6, 8)  # ticks of a sixteenth and of an eighth's triplet
_BEAT = 24


def on_grid(ticks: Sequence[float]) -> list[int]:
    """The nearest written place of each moment; a quarter is cut in sixteenths or in triplets.

    Whichever fits the quarter's own moments better is taken, sixteenths where both do.
    """
    beats: dict[int, list[float]] = {}
    for tick in ticks:
        beats.setdefault(int(tick // _BEAT), []).append(tick)
    grid = {beat: min(GRIDS, key=lambda g, found=found: (  # type: ignore[misc]
        sum(abs(t - g * round(t / g)) for t in found), g)) for beat, found in beats.items()}
    return [grid[int(t // _BEAT)] * round(t / grid[int(t // _BEAT)]) for t in ticks]
