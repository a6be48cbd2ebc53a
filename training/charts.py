"""Chord charts and progressions as lead sheets whose melody is rests."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scripts.score.chords import Chord, parse_chord, parse_roman_numeral
from scripts.score.keys import SCALES, Key, key_from_pc, parse_key
from scripts.score.sheet import Bar, LeadSheet, Note
from scripts.score.time_signature import TimeSignature, parse_time_signature

MAX_BARS = 32


def read_billboard(folder: Path) -> Iterator[LeadSheet]:
    """Read the McGill Billboard chord charts from ``billboard-chords.zip``."""
    with zipfile.ZipFile(folder / "billboard-chords.zip") as z:
        for name in sorted(n for n in z.namelist() if n.endswith(".txt")):
            yield from _parse_chart(z.read(name).decode("utf-8", "replace"))


def read_progressions(folder: Path) -> Iterator[LeadSheet]:
    """Read chord progressions with moods from ``progressions.csv``, as eight-bar charts."""
    with (folder / "progressions.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            key = Key("A", "minor") if "min" in row["group"] else Key("C")
            names = [re.sub(r"^([iIvV]+)M", r"\1maj", n) for n in row["progression"].split()]
            chords = [parse_roman_numeral(n.replace("dom7", "7"), key) for n in names]
            known = [c for c in chords if c]
            if len(known) < len(chords) or not known:
                continue
            bars = tuple(_chord_bar(known[i % len(known)], TimeSignature(4, 4)) for i in range(8))
            moods = tuple(re.sub(r"[^a-z]", "", m.lower()) for m in row["moods"].split())
            yield LeadSheet(key, TimeSignature(4, 4), (bars,), styles=("chart", *moods[:2]))


def _chord_bar(chord: Chord, meter: TimeSignature) -> Bar:
    return Bar((Note(None, meter.bar_ticks),), ((0, chord),))


def _parse_chart(text: str) -> Iterator[LeadSheet]:
    """Parse a Billboard chart: sheets of up to 3 sections and 32 bars, 1 or 2 chords a bar."""
    tonic = re.search(r"# tonic: (\S+)", text)
    meter_match = re.search(r"# metre: (\S+)", text)
    meter = parse_time_signature(meter_match[1]) if meter_match else None
    if not tonic or meter not in (
        TimeSignature(4, 4),
        TimeSignature(3, 4),
        TimeSignature(6, 8),
        TimeSignature(12, 8),
    ):
        return
    parts: list[tuple[Bar, ...]] = []
    for line in text.splitlines():
        body = re.findall(r"\|([^|]+)(?=\|)", line)
        bars: list[Bar] = []
        for cell in body:
            names = [c for c in cell.split() if ":" in c]
            found = [_parse_harte_chord(c) for c in names]
            chords = [chord for chord in found if chord is not None]
            if len(chords) not in (1, 2) or len(chords) < len(found):
                bars = []
                break
            bar = _chord_bar(chords[0], meter)
            if len(chords) == 2 and meter.half_bar < meter.bar_ticks:
                half = meter.half_bar
                bar = Bar(
                    (Note(None, half), Note(None, meter.bar_ticks - half)),
                    ((0, chords[0]), (half, chords[1])),
                )
            bars.append(bar)
        if len(bars) >= 4:
            part = tuple(bars[:16])
            if part not in parts:
                parts.append(part)
    for i in range(0, len(parts), 3):
        chosen = parts[i : i + 3]
        weights = np.zeros(12) + 1e-6
        for p in chosen:
            for bar in p:
                for _, c in bar.chords:
                    for pc in c.pitch_classes:
                        weights[pc] += 1
        key = parse_key(tonic[1])
        if key is None or sum(map(len, chosen)) > MAX_BARS:
            continue
        pc = key.tonic_pc
        scale = max(
            ("major", "minor", "mixolydian", "dorian"),
            key=lambda s: sum(weights[(pc + i) % 12] for i in SCALES[s].intervals),
        )
        yield LeadSheet(key_from_pc(pc, scale), meter, tuple(chosen), styles=("chart", "pop"))


_HARTE_QUALITIES = {
    "maj": "",
    "min": "m",
    "7": "7",
    "min7": "m7",
    "maj7": "maj7",
    "dim": "dim",
    "dim7": "dim7",
    "hdim7": "m7b5",
    "aug": "aug",
    "sus4": "sus4",
    "sus2": "sus2",
    "maj6": "6",
    "min6": "m6",
    "9": "9",
    "min9": "m9",
    "maj9": "maj9",
    "13": "13",
    "5": "5",
    "1": "5",
    "sus4(b7)": "7sus4",
    "11": "9",
    "7(#9)": "7#9",
    "sus4(b7,9)": "7sus4",
    "maj(9)": "add9",
    "min(9)": "m9",
    "min11": "m9",
}


def _parse_harte_chord(text: str) -> Chord | None:
    root, _, quality = text.partition(":")
    quality = quality.split("/")[0]
    return parse_chord(
        root[:2] + _HARTE_QUALITIES.get(quality, _HARTE_QUALITIES.get(quality.split("(")[0], ""))
    )
