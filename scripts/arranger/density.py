"""Sparse patterns for calm feelings, busy ones for excited feelings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scripts.arranger.patterns import Patterns
from scripts.score.time_signature import TimeSignature
from scripts.styles.style import TrackStyle

_CALM, _EXCITED = 0.35, 0.65  # arousal up to which, from which patterns are chosen
_SILENT = ".-"  # characters of a pattern that strike nothing
_DRUMS = ("drums", "percussion")
_ROLES = ("chords", "arp", "bass", *_DRUMS)


def suit_arousal(
    tracks: Mapping[str, TrackStyle], patterns: Patterns, meter: TimeSignature, arousal: float
) -> Mapping[str, TrackStyle]:
    """Return tracks with the sparser or the busier half of their patterns.

    Tracks with riffs or grooves learned from drummers keep all.

    Parameters
    ----------
    tracks : mapping of str to TrackStyle
        By role.
    patterns : Patterns
    meter : TimeSignature
    arousal : float
        0 (calm) to 1.
    """
    if _CALM < arousal < _EXCITED:
        return tracks
    sign = 1 if arousal <= _CALM else -1

    def choose(role: str, track: TrackStyle) -> TrackStyle:
        counts = {name: _strokes(patterns, role, name, meter) for name in track.patterns}
        known = {name: count for name, count in counts.items() if count is not None}
        if len(known) < len(counts):  # learned grooves and riffs stay with their style
            return track
        ranked = sorted(known, key=lambda name: sign * known[name])
        kept = ranked[: (len(ranked) + 1) // 2]
        return replace(track, patterns=tuple(name for name in track.patterns if name in kept))

    return {role: choose(role, t) if role in _ROLES else t for role, t in tracks.items()}


def _strokes(patterns: Patterns, role: str, name: str, meter: TimeSignature) -> float | None:
    """Strokes a bar, or None if it is no written pattern."""
    if role in _DRUMS:
        if name not in patterns.drums:
            return None
        drum_bars = patterns.drum_bars(name, meter)
        return sum(_count(line) for bar in drum_bars for line in bar.values()) / len(drum_bars)
    if name not in (patterns.bass if role == "bass" else patterns.chords):
        return None
    bars = patterns.bars(role, name, meter)
    return sum(map(_count, bars)) / len(bars)


def _count(line: str) -> int:
    return sum(mark not in _SILENT for mark in line)
