"""Drum grooves learned from recordings, read from ``data/grooves/played.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scripts.arranger.events import DRUM_KEYS
from scripts.core.toml import parse_tables
from scripts.score.time_signature import TimeSignature


@dataclass(frozen=True, slots=True)
class Hit:
    """Possible hit of a drum piece in a bar.

    Parameters
    ----------
    tick : float
        Within the bar.
    probability : float
        Fraction of bars in which it is struck, 0 to 1.
    velocity : float
        Velocity, 0 to 1.
    delay : float
        Ticks behind the beat; negative is early.
    """

    tick: float
    probability: float
    velocity: float
    delay: float


@dataclass(frozen=True)
class Groove:
    """Drum groove: statistics of a cluster of recorded bars.

    Parameters
    ----------
    name : str
        Family and number: ``funk-2``, ``funk-fill-1``.
    steps : int
        Steps in a 4/4 bar: 16, or 12 for triplets.
    pieces : mapping of str to (probability, velocity, timing)
        For each piece three strings with one character a step; the data file explains them.
    """

    name: str
    steps: int
    pieces: Mapping[str, tuple[str, str, str]]

    @property
    def family(self) -> str:
        return self.name.split("-")[0]

    def hits(self, piece: str, meter: TimeSignature) -> list[Hit]:
        """Return the possible hits of `piece` in one bar of `meter`.

        Meters other than 4/4 use the groove's four beats in rotation and end on its last one; a
        dotted-quarter beat uses three steps.
        """
        each = self.steps // 4
        often, hard, late = self.pieces[piece]
        found, start = [], 0
        for n, length in enumerate(meter.groups):
            beat = n % 4 if n < len(meter.groups) - 1 or n < 4 else 3
            chosen = (
                range(each)
                if length == 24 or each == 3
                else (0, 2, 3)
                if length == 36
                else range(max(1, each * length // 24))
            )
            gap = length / len(chosen)
            for i, step in enumerate(chosen):
                at = beat * each + step
                if often[at] != ".":
                    found.append(
                        Hit(
                            start + i * gap,
                            int(often[at]) / 9,
                            int(hard[at]) / 9,
                            (ord(late[at]) - ord("m")) / 4,
                        )
                    )
            start += length
        return found


@lru_cache(maxsize=4)
def load_grooves(path: Path) -> Mapping[str, Groove]:
    """Read the learned grooves by name.

    Raises
    ------
    UsageError
        When the file is invalid; the message names the line.
    """
    return parse_tables(path, _parse_groove)


def _parse_groove(name: str, row: Mapping[str, object]) -> Groove:
    steps = row["steps"]
    if steps not in (12, 16):
        raise ValueError("steps must be 12 or 16")
    pieces: dict[str, tuple[str, str, str]] = {}
    for piece, lines in row.items():
        if piece == "steps":
            continue
        if piece not in DRUM_KEYS:
            raise ValueError(f'unknown drum piece "{piece}"; expected kick, snare, hat, ...')
        if not (
            isinstance(lines, list)
            and len(lines) == 3
            and all(isinstance(s, str) and len(s) == steps for s in lines)
        ):
            raise ValueError(f"{piece}: expected three strings of {steps} characters")
        if (
            set(lines[0] + lines[1]) - set("123456789.")
            or any(c != "." and not "a" <= c <= "y" for c in lines[2])
            or any(len({c == "." for c in at}) != 1 for at in zip(*lines, strict=True))
        ):
            raise ValueError(f"{piece}: a step is two digits 1-9 and a letter a-y, or three dots")
        pieces[piece] = (lines[0], lines[1], lines[2])
    return Groove(name, int(str(steps)), pieces)
