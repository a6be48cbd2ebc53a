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
from scripts.score.playing_order import find_playing_order, order_parts
from scripts.score.time_signature import TimeSignature
from scripts.score.written_bars import WrittenBar, place_chords, place_notes

MAX_NOTES = 200_000
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
    written = [v for v in reader.voices.values() if v.bars]
    named: list[tuple[VoiceReader, list[WrittenBar]]] = []
    for voice in written:
        bars = order_parts(voice.bars, reader.order, reader.warn)
        named.append((voice, [bars[i] for i in find_playing_order(bars, reader.warn)]))
    if not any(bar.notes for _, bars in named for bar in bars):
        raise NotationError("ABC: the tune has no notes")
    if sum(len(bar.notes) for _, bars in named for bar in bars) > MAX_NOTES:
        raise MusicTooLargeError(
            f"ABC: with its repeats the tune has more than {MAX_NOTES:,} notes"
        )
    meter = written[0].bars[0].full
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
    repeated = Counter(reader.faults.values())
    by_line = sorted(reader.faults.items())
    seen: set[str] = set()
    for line, text in by_line:
        if text not in seen:
            seen.add(text)
            more = repeated[text] - 1
            others = f" (and {more:,} more lines)" if more > 1 else " (and one more line)" * more
            found.append(f"line {line}: {text}{others}")
    if len(found) > _MAX_WARNINGS:
        found[_MAX_WARNINGS:] = [f"{len(found) - _MAX_WARNINGS} more lines have faults"]
    if len({bar.full for v in reader.voices.values() for bar in v.bars}) > 1:
        found.append("the time signature changes; only the first is used")
    if reader.tunes > 1:
        found.append(f"the file has {reader.tunes} tunes; only the first is played")
    return tuple(found)


def _find_part_starts(
    bars: Sequence[WrittenBar], starts: Sequence[Fraction], full: Fraction | None
) -> list[int]:
    """Bar lines, in ticks, where a part of at least four bars starts."""
    found: list[int] = []
    for bar, start in zip(bars, starts, strict=True):
        if full and bar.starts_part and (not found or start - found[-1] >= 4 * full):
            found.append(int(-(-start // full) * full))
    return found
