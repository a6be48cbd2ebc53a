"""Time signatures, and musical time in ticks."""

from __future__ import annotations

import re
from dataclasses import dataclass

TICKS_PER_QUARTER = 24  # divides into 32nds (3) and triplets of eighths (8)
TICKS_PER_EIGHTH = TICKS_PER_QUARTER // 2
TICKS_PER_WHOLE = TICKS_PER_QUARTER * 4

# Felt beats in ticks, for time signatures whose eighths group into longer beats.
_GROUPS: dict[tuple[int, int], tuple[int, ...]] = {
    (6, 8): (36, 36),
    (9, 8): (36, 36, 36),
    (12, 8): (36, 36, 36, 36),
    (3, 8): (36,),
    (5, 8): (36, 24),
    (7, 8): (24, 24, 36),
    (11, 8): (24, 24, 36, 24, 24),
    (13, 8): (36, 36, 36, 24, 24),
}


@dataclass(frozen=True)
class TimeSignature:
    """A time signature such as ``Meter(7, 8)``."""

    numerator: int
    denominator: int

    @property
    def bar_ticks(self) -> int:
        """Length of one bar in ticks."""
        return self.numerator * TICKS_PER_WHOLE // self.denominator

    @property
    def groups(self) -> tuple[int, ...]:
        """Lengths of the felt beats in ticks; they sum to the bar."""
        known = _GROUPS.get((self.numerator, self.denominator))
        return known or (TICKS_PER_WHOLE // self.denominator,) * self.numerator

    @property
    def beat_starts(self) -> tuple[int, ...]:
        """Start of each felt beat within the bar, in ticks."""
        starts, at = [], 0
        for length in self.groups:
            starts.append(at)
            at += length
        return tuple(starts)

    @property
    def half_bar(self) -> int:
        """Tick of the bar's second strong beat, where the harmony may change."""
        starts = self.beat_starts
        return starts[(len(starts) + 1) // 2] if len(starts) > 1 else self.bar_ticks

    @property
    def is_compound(self) -> bool:
        """True for 3/8, 6/8, 9/8, 12/8 and 15/8."""
        return self.denominator == 8 and self.numerator % 3 == 0

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


def parse_time_signature(text: str) -> TimeSignature | None:
    """Parse ``6/8``, ``C`` or ``C|``: 1 to 16 halves, quarters, eighths or sixteenths, or None."""
    text = text.strip()
    common = {"C": TimeSignature(4, 4), "C|": TimeSignature(2, 2)}.get(text)
    if common:
        return common
    match = re.fullmatch(r"(\d{1,2})\s*/\s*(\d{1,2})", text)
    if not match:
        return None
    beats, unit = int(match[1]), int(match[2])
    if not 1 <= beats <= 16 or unit not in (2, 4, 8, 16):
        return None
    return TimeSignature(beats, unit)
