"""Reads any ABC tune as a piece: every voice, chord and repeat, recovering from errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from scripts.core.errors import NotationError
from scripts.score.abc_fields import name_key
from scripts.score.abc_notes import parse_tempo_field
from scripts.score.abc_tune import TuneReader
from scripts.score.abc_voice import VoiceReader
from scripts.score.bar_placement import place_bars
from scripts.score.chords import Chord
from scripts.score.piece import MusicTooLargeError, Piece, Voice, find_main_tempo
from scripts.score.playing_order import find_playing_order, merge_marks, order_parts
from scripts.score.time_signature import TimeSignature
from scripts.score.written_bars import MAX_NOTES, WrittenBar, place_chords, place_notes

_MAX_WARNINGS = 6  # listed one by one; the rest are counted


def read_abc_piece(text: str) -> Piece:
    """Read the first tune of `text`.

    Returns
    -------
    Piece
        With one voice per ABC voice; problems are listed by line in `warnings`.

    Raises
    ------
    NotationError
        If there is no ``K:`` field or no note, or the tune is too large.
    """
    reader = TuneReader(text)
    named = _order_bars(reader)
    if not any(bar.notes for _, bars in named for bar in bars):
        raise NotationError("ABC: the tune has no notes")
    if sum(len(bar.notes) for _, bars in named for bar in bars) > MAX_NOTES:
        raise MusicTooLargeError(
            f"ABC: with its repeats the tune has more than {MAX_NOTES:,} notes"
        )
    meter = named[0][1][0].full
    starts = place_bars([bars for _, bars in named], meter, reader.warn)
    voices: list[Voice] = []
    chords: list[tuple[float, Chord]] = []
    tempos: dict[float, float] = {}
    for number, ((voice, bars), at) in enumerate(zip(named, starts, strict=True), 1):
        notes = place_notes(bars, at)
        if notes:
            name = voice.name or f"voice {number}"
            voices.append(Voice(name, tuple(notes), voice.program, voice.is_kit))
        chords = chords or place_chords(bars, at)
        tempos |= {float(t + n): q for b, t in zip(bars, at, strict=True) for n, q in b.tempos}
    first, at = named[0][1], starts[0]
    return _build_piece(reader, voices, chords, tempos, _find_part_starts(first, at, meter))


def _order_bars(reader: TuneReader) -> list[tuple[VoiceReader, list[WrittenBar]]]:
    """Voices that have bars, with their bars in playing order."""
    voices = [(v, order_parts(v.bars, reader.order, reader.warn)) for v in reader.voices.values()]
    voices = [(voice, bars) for voice, bars in voices if bars]
    if len({len(bars) for _, bars in voices}) == 1:  # signs in one voice count for all
        merged = merge_marks([bars for _, bars in voices])
        order = find_playing_order(merged, reader.warn)
        return [(voice, [bars[i] for i in order]) for voice, bars in voices]
    return [(v, [bars[i] for i in find_playing_order(bars, reader.warn)]) for v, bars in voices]


def _build_piece(
    reader: TuneReader,
    voices: list[Voice],
    chords: list[tuple[float, Chord]],
    tempos: dict[float, float],
    part_starts: list[int],
) -> Piece:
    assert reader.key is not None
    tempo = parse_tempo_field(reader.fields.get("Q", ""))
    if tempos and 0.0 not in tempos:
        tempos[0.0] = tempo
    changes = sorted(tempos.items())
    end = max(n.start + n.ticks for v in voices for n in v.notes)
    return Piece(
        reader.fields.get("T", ""),
        reader.fields.get("C", ""),
        name_key(reader.key),
        reader.meter.signature or TimeSignature(4, 4),
        find_main_tempo(changes, end) if changes else tempo,
        tuple(voices),
        tuple(chords),
        tuple(part_starts),
        tuple(changes) if len(set(tempos.values())) > 1 else (),
        warnings=_list_warnings(reader),
    )


def _list_warnings(reader: TuneReader) -> tuple[str, ...]:
    found: list[str] = []
    if reader.meter.signature is None:
        found.append(f"M:{reader.fields['M'][:20]}: bars are counted in 4/4")
    lines = Counter(text for texts in reader.faults.values() for text in texts)
    seen: set[str] = set()
    for line, texts in sorted(reader.faults.items()):
        for text in texts:
            if text not in seen:
                seen.add(text)
                found.append(f"line {line}: {text}{_format_others(lines[text] - 1)}")
    if len(found) > _MAX_WARNINGS:
        found[_MAX_WARNINGS:] = [f"other problems: {len(found) - _MAX_WARNINGS} kinds"]
    if len({bar.full for v in reader.voices.values() for bar in v.bars}) > 1:
        found.append("the time signature changes; only the first is used")
    if reader.tunes > 1:
        found.append(f"the file has {reader.tunes} tunes; only the first is played")
    return tuple(found)


def _format_others(count: int) -> str:
    if not count:
        return ""
    return " (and one more line)" if count == 1 else f" (and {count:,} more lines)"


def _find_part_starts(
    bars: Sequence[WrittenBar], starts: Sequence[Fraction], full: Fraction | None
) -> list[int]:
    """Bar lines, in ticks, where a part of at least four bars starts."""
    found: list[int] = []
    for bar, start in zip(bars, starts, strict=True):
        if full and bar.starts_part and (not found or start - found[-1] >= 4 * full):
            found.append(int(-(-start // full) * full))
    return found
