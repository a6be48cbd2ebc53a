"""Puts loose timing on the grid that notation can write."""

from __future__ import annotations

from collections.abc import Sequence

# Ticks of a sixteenth, of an eighth's triplet and of a 32nd, with how much worse than its error
# each one is taken for: a grid that is fine fits everything.
GRIDS = {6: 0.0, 8: 0.01, 3: 0.9}
_BEAT = 24


def on_grid(ticks: Sequence[float]) -> list[int]:
    """The nearest written place of each moment; a quarter is cut in one of :data:`GRIDS`.

    Whichever fits the quarter's own moments best is taken, sixteenths where several do.
    """
    beats: dict[int, list[float]] = {}
    for tick in ticks:
        beats.setdefault(int(tick // _BEAT), []).append(tick)
    grid = {
        beat: min(
            GRIDS,
            key=lambda g, found=found: sum(  # type: ignore[misc]
                abs(t - g * round(t / g)) + GRIDS[g] for t in found
            ),
        )
        for beat, found in beats.items()
    }
    return [grid[int(t // _BEAT)] * round(t / grid[int(t // _BEAT)]) for t in ticks]
