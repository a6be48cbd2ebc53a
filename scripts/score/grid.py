"""Quantizes loose timing to the grid that notation can write."""

from __future__ import annotations

from collections.abc import Sequence

# Grid steps in ticks (a sixteenth, an eighth triplet, a 32nd) -> penalty in ticks, added to the
# error of each note: without it, the finest grid would fit everything.
GRID_PENALTIES = {6: 0.0, 8: 0.01, 3: 0.9}
_BEAT = 24


def quantize(ticks: Sequence[float]) -> list[int]:
    """Round each position to a grid, chosen for each quarter from :data:`GRID_PENALTIES`.

    The grid with the smallest total error in that quarter wins; sixteenths win a tie.

    Parameters
    ----------
    ticks : sequence of float
        Positions, 24 ticks a quarter.

    Returns
    -------
    list of int
        Rounded positions, in the same order.
    """
    beats: dict[int, list[float]] = {}
    for tick in ticks:
        beats.setdefault(int(tick // _BEAT), []).append(tick)
    grid = {
        beat: min(
            GRID_PENALTIES,
            key=lambda g, found=found: sum(  # type: ignore[misc]
                abs(t - g * round(t / g)) + GRID_PENALTIES[g] for t in found
            ),
        )
        for beat, found in beats.items()
    }
    return [grid[int(t // _BEAT)] * round(t / grid[int(t // _BEAT)]) for t in ticks]
