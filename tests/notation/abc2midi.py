"""Notes of an ABC tune as abc2midi (Debian's package abcmidi) plays them."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import mido

Notes = list[tuple[float, int]]  # start in ticks (24 per quarter) from the first note, pitch

PROGRAM = shutil.which("abc2midi")
TOLERANCE = 1.6  # ticks: abc2midi starts the notes of a chord one after another

# abc2midi plays trills, rolls and staccato, swings hornpipes and adds chords: performance, which a
# reader of notes leaves to others.
_ORNAMENTS = re.compile(
    r"!(?:trill|fermata|roll|\w*mordent|turn|pralltriller|trem\d|arpeggio|\.|staccato|wedge|tenuto)!"
)
_ORNAMENT_SIGNS = re.compile(r"[~.T](?=[\^_=~.T]*[A-Ga-g\[{])")


def without_performance(tune: str) -> str:
    """Remove the chord symbols, ornaments and rhythm names of a tune."""
    tune = re.sub(r'"[^"\n]*"', "", _ORNAMENTS.sub("", tune))
    lines = [
        line if re.match("[A-Za-z]:|%", line) else _ORNAMENT_SIGNS.sub("", line)
        for line in re.sub(r"(?m)^R:.*$", "N:", tune).splitlines(keepends=True)
    ]
    return "".join(lines)


def play(tune: str) -> Notes | None:
    """Notes that abc2midi plays, sorted; None when it writes no file."""
    assert PROGRAM
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "tune.abc"), Path(folder, "tune.mid")
        source.write_text(tune, encoding="utf-8", errors="surrogateescape")
        subprocess.run(
            [PROGRAM, str(source), "-o", str(target), "-NFER"],
            capture_output=True,
            check=False,
            timeout=60,
        )
        if not target.exists():
            return None
        return align(_note_starts(mido.MidiFile(target, clip=True)))


def _note_starts(file: mido.MidiFile) -> Notes:
    found = []
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                found.append((tick * 24 / file.ticks_per_beat, message.note))
    return found


def align(notes: Iterable[tuple[float, int]]) -> Notes:
    """Sort notes, and count their starts from the first one."""
    found = sorted(notes)
    first = found[0][0] if found else 0.0
    return [(round(start - first, 3), pitch) for start, pitch in found]


def count_differences(
    ours: Sequence[tuple[float, int]],
    theirs: Sequence[tuple[float, int]],
    tolerance: float = TOLERANCE,
) -> int:
    """Number of notes that only one of two lists has; starts may differ by `tolerance` ticks."""
    a, b = (sorted((pitch, start) for start, pitch in notes) for notes in (ours, theirs))
    i = j = different = 0
    while i < len(a) and j < len(b):
        if a[i][0] == b[j][0] and abs(a[i][1] - b[j][1]) < tolerance:
            i, j = i + 1, j + 1
        else:
            i, j = (i + 1, j) if a[i] < b[j] else (i, j + 1)
            different += 1
    return different + len(a) - i + len(b) - j
