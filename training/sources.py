"""Readers of the open collections, each as lead sheets with tags.

The ``styles`` of the sheets are the tags of the ``R:`` line. Sheets have at most 32 bars; the tag
``part`` marks a sheet that was cut out of a longer piece.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from scripts.core.errors import NotationError
from scripts.score.abc_notes import parse_header
from scripts.score.abc_reader import read_abc, split_tunes
from scripts.score.chords import Chord
from scripts.score.harmonize import Slot, harmonize, viterbi, with_chords
from scripts.score.keys import Key, key_from_pc
from scripts.score.sheet import Bar, LeadSheet, Note
from scripts.score.time_signature import TimeSignature, parse_time_signature
from training.charts import MAX_BARS, read_billboard, read_progressions
from training.musicxml import RawBar, RawNote, RawPart, read_mxl

_DANCES = (
    "slip jig",
    "slide",
    "jig",
    "reel",
    "hornpipe",
    "polka",
    "waltz",
    "march",
    "strathspey",
    "mazurka",
    "quadrille",
    "clog",
    "breakdown",
    "walkaround",
    "schottische",
    "galop",
    "quickstep",
    "minuet",
    "air",
    "lament",
    "song",
    "fling",
)
# Key profiles (Krumhansl and Kessler 1982).
_MAJOR_PROFILE = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR_PROFILE = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])


def read_all_sources(folder: Path) -> Iterator[tuple[str, LeadSheet]]:
    """Yield every usable sheet as (source, sheet); `folder` contains the downloaded collections."""
    for name, source in (
        ("folk", read_folk_tunes()),
        ("openewld", read_open_ewld(folder)),
        ("chorales", read_chorales()),
        ("hymnal", read_hymns(folder)),
        ("lieder", read_lieder(folder)),
        ("billboard", read_billboard(folder)),
        ("progressions", read_progressions(folder)),
    ):
        for sheet in source:
            yield name, sheet


def read_folk_tunes() -> Iterator[LeadSheet]:
    """Read O'Neill, Aird, Ryan's Mammoth and miscellaneous folk tunes from music21's corpus."""
    import music21

    corpus = Path(music21.__file__).parent / "corpus"
    for name in ("oneills1850", "airdsAirs", "ryansMammoth", "miscFolk"):
        for path in sorted((corpus / name).glob("*.abc")):
            for text in split_tunes(path.read_text(encoding="utf-8", errors="replace")):
                try:
                    sheet = read_abc(text)
                except NotationError:
                    continue
                yield from _trim(
                    replace(sheet, styles=(*_dance_tags(text, path.stem), "folk")), chords=False
                )


def read_hymns(folder: Path) -> Iterator[LeadSheet]:
    """Read the soprano of each hymn of the Open Hymnal."""
    text = (folder / "openhymnal.abc").read_text(encoding="utf-8", errors="replace")
    for tune in split_tunes(re.sub(r"(?m)^X: ", "X:", text)):
        try:
            yield from _trim(replace(read_abc(tune), styles=("hymn",)), chords=False)
        except NotationError:
            continue


def read_open_ewld(folder: Path) -> Iterator[LeadSheet]:
    """Read the OpenEWLD lead sheets with their own chords."""
    with (
        zipfile.ZipFile(folder / "openewld.zip") as z,
        (folder / "openewld.csv").open(encoding="utf-8") as table,
    ):
        for row in csv.DictReader(table):
            genre = re.sub(r"[^a-z ]", "", row["genres"].split("|")[0].lower().split(",")[0])
            try:
                parts = read_mxl(z.read(row["file"]))
            except (KeyError, ValueError, SyntaxError):
                continue
            tags = ("song", *genre.split()[:1])
            for bars, key, meter in _segments(parts[0], None, 8):
                for sheet in _cut_sheets(bars, key, meter, tags, MAX_BARS):
                    if sum(bool(b.chords) for b in sheet.bars) >= len(sheet.bars) / 3:
                        yield sheet


def read_chorales() -> Iterator[LeadSheet]:
    """Read the Bach chorales of music21's corpus: soprano, chords from all four voices."""
    import music21

    corpus = Path(music21.__file__).parent / "corpus" / "bach"
    for path in sorted(corpus.glob("*.mxl")):
        try:
            parts = read_mxl(path.read_bytes())
        except (KeyError, ValueError, SyntaxError, IndexError):
            continue
        if len(parts) == 4:
            yield from _reduce_score(parts, parts[0], ("chorale", "classical"), 24)


def read_lieder(folder: Path) -> Iterator[LeadSheet]:
    """Read the OpenScore Lieder: the voice, chords from voice and piano."""
    with zipfile.ZipFile(folder / "openscore-lieder.zip") as z:
        for name in sorted(n for n in z.namelist() if n.endswith(".mxl")):
            try:
                parts = read_mxl(z.read(name))
            except (KeyError, ValueError, SyntaxError, IndexError):
                continue
            voices = [p for p in parts if p.has_lyrics]
            if len(voices) == 1:
                yield from _reduce_score(parts, voices[0], ("lied", "classical"), 16)


def _dance_tags(text: str, stem: str) -> tuple[str, ...]:
    head = parse_header(text)
    words = " ".join([head.get("R", ""), head.get("T", ""), stem]).lower()
    kind = next((d for d in _DANCES if d in words), "tune")
    return tuple(kind.split())


def _trim(sheet: LeadSheet, chords: bool) -> Iterator[LeadSheet]:
    """Keep whole parts up to 32 bars, add missing chords, and drop sheets without a melody."""
    kept, total = [], 0
    for part in sheet.parts:
        if total + len(part) > MAX_BARS:
            break
        kept.append(part)
        total += len(part)
    if not kept and sheet.parts:
        kept = [sheet.parts[0][:16]]
        sheet = replace(sheet, styles=(*sheet.styles, "part"))
        total = 16
    sheet = replace(sheet, parts=tuple(kept))
    if (
        total >= 4
        and len(sheet.pitches) >= 8
        and len(set(sheet.pitches)) >= 4
        and _is_writable(sheet)
    ):
        yield sheet if chords else harmonize(sheet)


def _is_writable(sheet: LeadSheet) -> bool:
    for bar in sheet.bars:
        i = 0
        while i < len(bar.notes):
            n = bar.notes[i]
            group = bar.notes[i : i + 3]
            if n.triplet:
                if (
                    len(group) < 3
                    or any(g.ticks != n.ticks or not g.triplet for g in group)
                    or n.ticks not in (4, 8, 16)
                ):
                    return False
                i += 3
            else:
                if n.ticks % 6:
                    return False
                i += 1
    return max(sheet.pitches) - min(sheet.pitches) <= 26


def _find_key(fifths: int, weights: np.ndarray, stated: str) -> Key:
    """Choose the major key of a signature, or its relative minor if that fits the notes better."""
    major_pc = (7 * fifths) % 12
    if stated in ("major", "minor"):
        pc = major_pc if stated == "major" else (major_pc + 9) % 12
        return key_from_pc(pc, stated)
    minor_pc = (major_pc + 9) % 12
    major = np.corrcoef(np.roll(_MAJOR_PROFILE, major_pc), weights)[0, 1]
    minor = np.corrcoef(np.roll(_MINOR_PROFILE, minor_pc), weights)[0, 1]
    return key_from_pc(minor_pc, "minor") if minor > major else key_from_pc(major_pc, "major")


def _pc_weights(bars: list[RawBar]) -> np.ndarray:
    weights = np.zeros(12) + 1e-6
    for bar in bars:
        for note in bar.notes + bar.other_notes:
            if note.pitch is not None:
                weights[note.pitch % 12] += note.ticks
    return weights


def _melody_bar(bar: RawBar, full: int, last: bool) -> tuple[Note, ...] | None:
    """Return a bar's melody, or None for a pickup, a split bar or one of the wrong length."""
    notes, at = [], 0.0
    if bar.ticks < full - 0.01 and not (last and bar.ticks >= full / 2):
        return None
    for raw in sorted(bar.notes, key=lambda n: n.start):
        if raw.start > at + 0.01:
            notes.append(Note(None, round(raw.start - at)))
        if raw.start < at - 0.01 or abs(raw.ticks - round(raw.ticks)) > 0.01 or raw.ticks < 1:
            return None
        notes.append(
            Note(raw.pitch, round(raw.ticks), raw.tied and raw.pitch is not None, raw.triplet)
        )
        at = raw.start + raw.ticks
    if at < full - 0.01:
        notes.append(Note(None, round(full - at)))
    if sum(n.ticks for n in notes) != full:
        return None
    return _merge_rests(notes)


def _merge_rests(notes: list[Note]) -> tuple[Note, ...]:
    """Join ties inside the bar and runs of rests; a tie stays only at the bar's end."""
    out: list[Note] = []
    for note in notes:
        last = out[-1] if out else None
        joins = (
            last is not None
            and not note.triplet
            and not last.triplet
            and (
                (last.tied and last.pitch == note.pitch)
                or (last.pitch is None and note.pitch is None)
            )
        )
        if joins and last is not None:
            out[-1] = Note(note.pitch, last.ticks + note.ticks, note.tied)
        else:
            out.append(note)
    return tuple(replace(n, tied=n.tied and i == len(out) - 1) for i, n in enumerate(out))


def _segments(
    part: RawPart, others: list[RawPart] | None, min_bars: int
) -> Iterator[tuple[list[tuple[RawBar, tuple[Note, ...]]], Key, TimeSignature]]:
    """Yield runs of bars with one key and meter, each bar with its melody."""
    runs: list[tuple[list[tuple[RawBar, tuple[Note, ...]]], tuple[int, str], TimeSignature]] = []
    fifths, mode, meter = 0, "", TimeSignature(4, 4)
    current: list[tuple[RawBar, tuple[Note, ...]]] = []

    def flush() -> None:
        nonlocal current
        if len(current) >= min_bars:
            runs.append((current, (fifths, mode), meter))
        current = []

    for i, bar in enumerate(part.bars):
        new_meter = parse_time_signature(f"{bar.meter[0]}/{bar.meter[1]}") if bar.meter else None
        if bar.fifths is not None and bar.fifths != fifths:
            flush()
            fifths, mode = bar.fifths, bar.mode
        if new_meter and new_meter != meter:
            flush()
            meter = new_meter
        if others:
            bar.other_notes = bar.other_notes + [
                n
                for p in others
                if i < len(p.bars)
                for n in p.bars[i].notes + p.bars[i].other_notes
            ]
        notes = _melody_bar(bar, meter.bar_ticks, i == len(part.bars) - 1)
        if notes is None:
            if i and current:
                flush()
            continue
        current.append((bar, notes))
    flush()
    for run, (f, m), mt in runs:
        yield run, _find_key(f, _pc_weights([b for b, _ in run]), m), mt


def _cut_sheets(
    run: list[tuple[RawBar, tuple[Note, ...]]],
    key: Key,
    meter: TimeSignature,
    tags: tuple[str, ...],
    size: int,
) -> Iterator[LeadSheet]:
    """Cut a run into sheets of at most `size` bars, without leading or trailing silence."""
    sounding = [any(n.pitch is not None for n in notes) for _, notes in run]
    pieces, start = [], 0
    for i in range(len(run) + 1):
        empty = i == len(run) or not (
            sounding[i] or (i + 1 < len(run) and sounding[i + 1] and i and sounding[i - 1])
        )
        if empty:
            if i > start:
                pieces.append((start, i))
            start = i + 1
    for begin, end in pieces:
        length = end - begin
        whole = length <= size
        for at in range(begin, end, length if whole else 16):
            chunk = run[at : min(at + (length if whole else 16), end)]
            if len(chunk) < 4:
                continue
            parts: list[list[Bar]] = [[]]
            chord = next((c for raw, _ in chunk for _, c in raw.chords), None)
            for raw, notes in chunk:
                chords = [(round(t), c) for t, c in raw.chords]
                if chord and (not chords or chords[0][0] > 0):
                    chords.insert(0, (0, chord))
                chord = chords[-1][1] if chords else chord
                parts[-1].append(Bar(notes, tuple(chords)))
                if raw.section_end and len(parts[-1]) >= 4:
                    parts.append([])
            if len(parts) > 1 and len(parts[-1]) < 2:
                tail = parts.pop()
                parts[-1] += tail
            final = whole or at + 16 >= end
            sheet = LeadSheet(
                key,
                meter,
                tuple(tuple(p) for p in parts if p),
                styles=tags if final else (*tags, "part"),
            )
            yield from _trim(sheet, chords=True)


def _reduce_score(
    parts: list[RawPart], voice: RawPart, tags: tuple[str, ...], size: int
) -> Iterator[LeadSheet]:
    """Build sheets with `voice` as the melody and chords found from all parts."""
    others = [p for p in parts if p is not voice]
    for run, key, meter in _segments(voice, others, 6):
        raw_by_notes = {id(notes): raw for raw, notes in run}
        for sheet in _cut_sheets(run, key, meter, tags, size):
            slots: list[Slot] = []
            for b, bar in enumerate(sheet.bars):
                raw = raw_by_notes[id(bar.notes)]
                ticks = [0] if meter.half_bar >= meter.bar_ticks else [0, meter.half_bar]
                for n, tick in enumerate(ticks):
                    end = ticks[n + 1] if n + 1 < len(ticks) else meter.bar_ticks
                    slots.append(
                        Slot(b, tick, _slot_weights(raw.notes + raw.other_notes, tick, end))
                    )
            chords = viterbi(slots, _candidate_chords(key), key)
            yield with_chords(sheet, slots, chords)


def _slot_weights(notes: list[RawNote], start: int, end: int) -> np.ndarray:
    weights = np.zeros(12)
    lowest = min((n.pitch for n in notes if n.pitch is not None and n.start <= start), default=None)
    for n in notes:
        overlap = min(end, n.start + n.ticks) - max(start, n.start)
        if n.pitch is not None and overlap > 0:
            weights[n.pitch % 12] += (1.6 if n.pitch == lowest else 1.0) * overlap / 24
    top = weights.max()
    return weights / top * 1.5 if top else weights


def _candidate_chords(key: Key) -> list[tuple[Chord, float]]:
    """List major, minor, diminished and seventh chords with costs, higher outside the scale."""
    inside = set(key.pitch_classes) | ({(key.tonic_pc + 11) % 12} if key.is_minor else set())
    out = []
    for root in range(12):
        for quality, cost in (
            ("", 0.3),
            ("m", 0.3),
            ("7", 0.8),
            ("dim", 1.2),
            ("m7", 1.3),
            ("dim7", 1.6),
        ):
            chord = Chord(root, quality)
            strange = sum(pc not in inside for pc in chord.pitch_classes)
            out.append((chord, cost + 0.9 * strange + (0 if root == key.tonic_pc else 0.3)))
    return out
