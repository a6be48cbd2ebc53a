"""Extracts a lead sheet from a piece: its melody and its chords, bar by bar."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from scripts.score.chords import Chord
from scripts.score.grid import quantize
from scripts.score.harmonize import Slot, candidate_chords, group_by_bar, viterbi
from scripts.score.piece import Piece, PieceNote, Voice
from scripts.score.sheet import Bar, LeadSheet, Note, split_into_parts
from scripts.score.time_signature import TimeSignature

_PART, _SHORTEST, _LONGEST = 8, 4, 16  # bars


def extract_lead_sheet(piece: Piece) -> LeadSheet:
    """Extract the lead sheet, in the parts that the file marks or of about eight bars."""
    tune = _extract_melody(find_lead_voice(piece), piece.meter, piece.bar_count)
    chords = _find_chords(piece)
    bars = [Bar(tuple(notes), tuple(found)) for notes, found in zip(tune, chords, strict=True)]
    return LeadSheet(
        piece.key,
        piece.meter,
        split_into_parts(bars, find_part_sizes(piece)),
        piece.tempo,
        piece.title,
        origin=piece.composer,
    )


def find_lead_voice(piece: Piece) -> Voice:
    """Find the melody: a voice that is high, mostly monophonic and present throughout."""
    pitched = [v for v in piece.voices if not v.is_kit] or list(piece.voices)

    def carries(voice: Voice) -> float:
        height = sum(n.pitch for n in voice.notes) / len(voice.notes)
        starts = len({round(n.start) for n in voice.notes})
        there = min(1.0, starts / max(1, piece.bar_count * 2))
        return height / 12 + 2.5 * starts / len(voice.notes) + 2 * there

    return max(pitched, key=carries)


def find_part_sizes(piece: Piece) -> list[int]:
    """Number of bars of each part: as marked in the file, or about eight."""
    full, total = piece.meter.bar_ticks, piece.bar_count
    marks = [round(b / full) for b in piece.part_starts if abs(b / full - round(b / full)) < 0.01]
    sizes: list[int] = []
    for first, last in pairwise(sorted({0, total, *(m for m in marks if 0 < m < total)})):
        size = last - first
        while size > _LONGEST or (not marks and size > _PART):
            sizes.append(_PART)
            size -= _PART
        sizes.append(size)
    whole: list[int] = []
    for size in sizes:  # merge what is too short for a part into the one before
        if whole and (size < _SHORTEST or whole[-1] < _SHORTEST):
            whole[-1] += size
        else:
            whole.append(size)
    return whole


def _extract_melody(voice: Voice, meter: TimeSignature, bars: int) -> list[list[Note]]:
    """Extract the top line of a voice as written notes, with ties over the bar lines."""
    top: dict[int, PieceNote] = {}
    for start, note in zip(quantize([n.start for n in voice.notes]), voice.notes, strict=True):
        if start not in top or note.pitch > top[start].pitch:
            top[start] = note
    end = bars * meter.bar_ticks
    starts = sorted(s for s in top if s < end)
    pieces: list[tuple[int, int, int | None]] = []  # start, end, pitch
    at = 0
    for start, following in pairwise([*starts, end]):
        stop = min(following, max(quantize([top[start].start + top[start].ticks])[0], start + 6))
        if start > at:
            pieces.append((at, start, None))
        if following - stop < 6:
            stop = following  # too short for a rest
        pieces.append((start, stop, top[start].pitch))
        at = stop
    if at < end:
        pieces.append((at, end, None))
    return _split_at_bar_lines(pieces, meter, bars)


def _split_at_bar_lines(
    pieces: list[tuple[int, int, int | None]], meter: TimeSignature, bars: int
) -> list[list[Note]]:
    """Split (start, end, pitch) at the bar lines, with ties."""
    out: list[list[Note]] = [[] for _ in range(bars)]
    full = meter.bar_ticks
    for start, end, pitch in pieces:
        while start < end:
            bar = start // full
            stop = min(end, (bar + 1) * full)
            out[bar].append(Note(pitch, stop - start, tied=pitch is not None and stop < end))
            start = stop
    return out


def _find_chords(piece: Piece) -> list[list[tuple[int, Chord]]]:
    """Chords of each bar: the file's own, or harmonized from all its notes."""
    full, bars = piece.meter.bar_ticks, piece.bar_count
    if piece.chords:
        out: list[list[tuple[int, Chord]]] = [[] for _ in range(bars)]
        for tick, chord in piece.chords:
            bar, within = divmod(round(tick), full)
            if bar < bars and not (out[bar] and out[bar][-1][0] >= within):
                out[bar].append((within, chord))
        held = piece.chords[0][1]
        for found in out:
            if not found or found[0][0] > 0:
                found.insert(0, (0, held))
            held = found[-1][1]
        return out
    half = piece.meter.half_bar
    cuts = [0, half] if half < full else [0]
    sounding = {(b, t): np.zeros(12) for b in range(bars) for t in cuts}
    for note in piece.notes:
        at, end = note.start, min(note.start + note.ticks, bars * full)
        while at < end - 0.5:  # a long note counts in each half bar it sounds in
            bar = int(at // full)
            cut = half if at - bar * full >= half and half < full else 0
            stop = bar * full + (half if cut == 0 and half < full else full)
            share = min(end, stop) - at
            low = 1.5 if note.pitch < 52 else 1.0  # the bass says most about the chord
            sounding[bar, cut][note.pitch % 12] += low * share / 24
            at = stop
    slots = [Slot(b, t, weights) for (b, t), weights in sorted(sounding.items())]
    best = group_by_bar(slots, viterbi(slots, candidate_chords(piece.key), piece.key))
    return [best[bar] for bar in range(bars)]
