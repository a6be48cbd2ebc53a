"""Detects melodies copied from a model's training tunes.

A model may come with ``NAME.figures``: a Bloom filter (Bloom 1970) of every two-bar figure of
its training tunes, independent of key. It can test whether a figure occurred, but the tunes
cannot be recovered from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scripts.score.sheet import LeadSheet, relative_to_first

_HASHES = 7
_BITS_PER_FIGURE = 11  # about one false positive in 200

Figure = tuple[tuple[int | None, int], ...]


class TrainingFilter:
    """Bloom filter of melodic figures; ``in`` tests membership, with rare false positives.

    Parameters
    ----------
    bits : (n,) uint8 array
        The filter's bits, eight per byte, lowest bit first.
    """

    def __init__(self, bits: npt.NDArray[np.uint8]) -> None:
        self.bits = bits

    @staticmethod
    def from_figures(figures: Iterable[Figure]) -> TrainingFilter:
        """Build the filter of `figures`."""
        known = set(figures)
        bits = np.zeros(max(1, len(known) * _BITS_PER_FIGURE // 8 + 1), np.uint8)
        for figure in known:
            for place in _bit_positions(figure, len(bits) * 8):
                bits[place >> 3] |= np.uint8(1 << (place & 7))
        return TrainingFilter(bits)

    @staticmethod
    def load_beside(model: Path) -> TrainingFilter | None:
        """Load the filter next to a model file; None if it is missing, empty or unreadable."""
        try:
            data = model.with_suffix(".figures").read_bytes()
        except OSError:
            return None
        return TrainingFilter(np.frombuffer(data, np.uint8)) if data else None

    def __contains__(self, figure: Figure) -> bool:
        return all(
            self.bits[p >> 3] >> (p & 7) & 1 for p in _bit_positions(figure, len(self.bits) * 8)
        )

    def longest_run(self, sheet: LeadSheet) -> int:
        """Count the bars of the longest run in which every two-bar figure is known; 0 if none."""
        run = longest = 0
        for figure in extract_figures(sheet):
            run = run + 1 if figure in self else 0
            longest = max(longest, run)
        return longest + 1 if longest else 0


def extract_figures(sheet: LeadSheet) -> list[Figure]:
    """Extract the figure of each pair of neighboring bars.

    A figure holds each note as (semitones above the first note or None for a rest, ticks);
    ``(None, 0)`` marks the bar line.
    """
    out = []
    for a, b in pairwise(sheet.bars):
        notes = relative_to_first([*a.notes, *b.notes])
        line = len(a.notes)
        out.append((*notes[:line], (None, 0), *notes[line:]))
    return out


def _bit_positions(figure: Figure, size: int) -> list[int]:
    """Bit indices of a figure, by double hashing (Kirsch and Mitzenmacher 2006)."""
    digest = hashlib.blake2b(repr(figure).encode(), digest_size=16).digest()
    a, b = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little") | 1
    return [(a + i * b) % size for i in range(_HASHES)]
