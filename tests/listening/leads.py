"""Measures the lead of exported MIDI files: phrases, silence, syncopation, range, leaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import mido
import numpy as np

_LEAD = "melody"  # name of the track
_REST = 0.5  # quarters: a shorter gap between notes is articulation
_LONG_NOTE = 2.0  # quarters, which end a phrase as a rest does
_LEAP = 4  # semitones; more is a leap
_COLUMNS = {"phrase": 1, "silence": 2, "syncopation": 2, "span": 0, "leaps": 2}  # and digits
_GRID = 4  # positions in a quarter


@dataclass(frozen=True)
class Lead:
    """Measures of one lead.

    Parameters
    ----------
    phrase : float
        Quarters until a rest or long note, the median.
    silence : float
        Share of the song in which it is silent.
    syncopation : float
        Share of notes that begin between two beats and last over the next one.
    span : int
        Semitones from the lowest to the highest note.
    leaps : float
        Share of intervals of more than four semitones.
    bars : frozenset of tuple
        Rhythms of its bars.
    """

    phrase: float
    silence: float
    syncopation: float
    span: int
    leaps: float
    bars: frozenset[tuple[int, ...]]


def measure_lead(path: Path) -> Lead | None:
    """Measure the lead of a MIDI file; None without one."""
    midi = mido.MidiFile(path)
    notes = _read_notes(midi)
    if len(notes) < 4:
        return None
    end = max(midi_end(midi), notes[-1][1])
    phrases, first = [], notes[0][0]
    for (start, stop, _), following in zip(notes, [*notes[1:], None], strict=True):
        is_end = following is None or following[0] - stop >= _REST or stop - start >= _LONG_NOTE
        if is_end:
            phrases.append(stop - first)
            first = following[0] if following else stop
    gaps = [b[0] - a[1] for a, b in pairwise(notes)]
    silent = notes[0][0] + sum(gap for gap in gaps if gap > 0.25) + end - notes[-1][1]
    steps = np.abs(np.diff([pitch for _, _, pitch in notes]))
    bars: dict[int, list[int]] = {}
    for start, _, _ in notes:
        bar, within = divmod(round(start * _GRID), 4 * _GRID)
        bars.setdefault(bar, []).append(within)
    return Lead(
        phrase=float(np.median(phrases)),
        silence=silent / end,
        syncopation=float(np.mean([_is_syncopated(a, b) for a, b, _ in notes])),
        span=int(np.ptp([pitch for _, _, pitch in notes])),
        leaps=float((steps > _LEAP).mean()),
        bars=frozenset(tuple(sorted(set(found))) for found in bars.values() if len(found) > 1),
    )


def lead_lines(songs: Mapping[str, Sequence[Path]]) -> list[str]:
    """Table of medians by style as lines of Markdown; `songs` are audio files by style."""
    lines = [
        "Medians by style: quarters until a rest or a long note; share of the song without the",
        "lead; share of notes off the beat that last over it; semitones from the lowest to the",
        "highest note; share of intervals over four semitones; share of bar rhythms that two songs",
        "of the style have in common.",
        "",
        "| style | phrase | silent | syncopated | range | leaps | shared rhythms |",
        "|---|---|---|---|---|---|---|",
    ]
    for style, paths in songs.items():
        measured = (measure_lead(path.with_suffix(".mid")) for path in paths)
        leads = [lead for lead in measured if lead]
        if leads:
            cells = [
                f"{np.median([getattr(lead, name) for lead in leads]):.{digits}f}"
                for name, digits in _COLUMNS.items()
            ]
            shared = f"{shared_bar_rhythms(leads):.2f}"
            lines.append(f"| {style} | {' | '.join([*cells, shared])} |")
    return lines


def shared_bar_rhythms(leads: Sequence[Lead]) -> float:
    """Mean share of the bar rhythms of two songs that both have."""
    shares = [
        len(a.bars & b.bars) / max(1, len(a.bars | b.bars)) for a, b in combinations(leads, 2)
    ]
    return float(np.mean(shares)) if shares else 0.0


def midi_end(midi: mido.MidiFile) -> float:
    """Length of a MIDI file in quarters."""
    return (
        max(sum(message.time for message in track) for track in midi.tracks) / midi.ticks_per_beat
    )


def _is_syncopated(start: float, stop: float) -> bool:
    beat = np.ceil(start + 1e-6)
    return bool(beat - start > 0.2 and beat - start < 0.9 and stop > beat + 0.2)


def _read_notes(midi: mido.MidiFile) -> list[tuple[float, float, int]]:
    """Start, end in quarters and pitch of the lead's notes; the highest of a chord."""
    found: list[tuple[float, float, int]] = []
    for track in midi.tracks:
        if _LEAD not in track.name.lower():
            continue
        now, open_notes = 0, {}
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                open_notes[message.note] = now
            elif message.type in ("note_on", "note_off") and message.note in open_notes:
                start = open_notes.pop(message.note) / midi.ticks_per_beat
                found.append((start, now / midi.ticks_per_beat, message.note))
    by_start: dict[float, tuple[float, float, int]] = {}
    for note in sorted(found):
        by_start[round(note[0], 2)] = note
    return [by_start[start] for start in sorted(by_start)]
