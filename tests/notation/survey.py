"""Reads many notation files, and compares their notes with what independent programs read.

abc2midi (Debian's abcmidi) reads ABC, symusic MIDI and partitura MusicXML. The last two are no
requirement of the tests; install them to compare.
"""

from __future__ import annotations

import importlib
import random
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.core.errors import MusicGenError
from scripts.score.abc_piece import read_abc_piece
from scripts.score.mxl_archive import unpack_mxl
from scripts.score.open_piece import open_piece
from scripts.score.piece import Piece
from tests.notation import abc2midi

_GRACE_TICKS = 12.1  # partitura starts grace notes together with the note that follows
SUFFIXES = (".abc", ".mid", ".midi", ".mxl", ".xml", ".musicxml")


@dataclass
class SourceResult:
    """Outcomes of the files of one source."""

    files: int = 0
    whole: int = 0
    with_remarks: int = 0
    refused: int = 0
    slowest: float = 0.0
    compared: int = 0
    equal: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    different: list[str] = field(default_factory=list)


def choose_files(folder: Path, count: int, seed: int) -> list[Path]:
    """Choose `count` notation files below a folder at random."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    random.Random(seed).shuffle(files)
    return sorted(files[:count])


def survey(folder: Path, count: int, comparisons: int, seed: int) -> SourceResult:
    """Read `count` files of a folder, and compare `comparisons` of those that were read."""
    result = SourceResult()
    for path in choose_files(folder, count, seed):
        result.files += 1
        started = time.process_time()
        try:
            piece = open_piece(path)
        except MusicGenError as error:
            result.refused += 1
            result.reasons[_without_names(str(error), path)] += 1
            continue
        finally:
            result.slowest = max(result.slowest, time.process_time() - started)
        result.with_remarks += bool(piece.warnings)
        result.whole += not piece.warnings
        result.reasons.update(_without_names(text, path) for text in piece.warnings)
        if result.compared < comparisons:
            _compare(path, piece, result)
    return result


def _compare(path: Path, piece: Piece, result: SourceResult) -> None:
    independent = _READERS.get(path.suffix.lower())
    theirs = independent(path) if independent else None
    if not theirs:
        return
    if path.suffix.lower() == ".abc":
        piece = read_abc_piece(abc2midi.without_performance(_first_tune(path)))
    ours = abc2midi.align((n.start, n.pitch) for v in piece.voices for n in v.notes)
    is_score = path.suffix.lower() in (".mxl", ".xml", ".musicxml")
    tolerance = _GRACE_TICKS if is_score else abc2midi.TOLERANCE
    different = abc2midi.count_differences(ours, theirs, tolerance)
    result.compared += 1
    result.equal += different == 0
    if different:
        told = "; ".join(piece.warnings) or "no remark"
        result.different.append(f"{path.name}: {different} of {len(theirs)} notes ({told})")


def _first_tune(path: Path) -> str:
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    tunes = re.split(r"(?m)^(?=X:)", text)
    return next((tune for tune in tunes if tune.startswith("X:")), text)


def _play_abc(path: Path) -> abc2midi.Notes | None:
    if abc2midi.PROGRAM is None:
        return None
    return abc2midi.play(abc2midi.without_performance(_first_tune(path)))


def _read_with_symusic(path: Path) -> abc2midi.Notes | None:
    symusic = _optional("symusic")
    if symusic is None:
        return None
    score = symusic.Score(str(path))
    scale = 24 / score.ticks_per_quarter
    return abc2midi.align((n.time * scale, n.pitch) for track in score.tracks for n in track.notes)


def _read_with_partitura(path: Path) -> abc2midi.Notes | None:
    partitura = _optional("partitura")
    if partitura is None:
        return None
    data = path.read_bytes()
    copy = path
    if path.suffix.lower() == ".mxl":
        copy = Path(tempfile.mkdtemp(), f"{path.stem}.musicxml")
        copy.write_bytes(unpack_mxl(data))
    try:
        score = partitura.load_score(str(copy), force_note_ids="keep")
        unfolded = [partitura.score.unfold_part_maximal(part) for part in score.parts]
        rows = [row for part in unfolded for row in part.note_array(include_grace_notes=True)]
    except Exception:  # it reads fewer files than it is given
        return None
    finally:
        if copy != path:
            shutil.rmtree(copy.parent)
    return abc2midi.align((24 * float(row["onset_quarter"]), int(row["pitch"])) for row in rows)


def _optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


_READERS: dict[str, Callable[[Path], abc2midi.Notes | None]] = {
    ".abc": _play_abc,
    **dict.fromkeys((".mid", ".midi"), _read_with_symusic),
    **dict.fromkeys((".mxl", ".xml", ".musicxml"), _read_with_partitura),
}


def _without_names(text: str, path: Path) -> str:
    """Shorten a message to its kind: no file names, lines, numbers or quoted text."""
    text = text.replace(path.name, "").strip(": ")
    text = re.sub(r"^(?:line|bar) \d+: |\(and .*?lines?\)", "", text)
    text = re.sub(r"\"[^\"]*\"|'[^']*'|\d[\d,.]*", "N", text)
    return text.strip()[:90]


def format_table(results: Sequence[tuple[str, SourceResult]]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield "| source | files | read whole | with remarks | refused | slowest | compared | equal |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, r in results:
        yield (
            f"| {name} | {r.files} | {r.whole} | {r.with_remarks} | {r.refused} | "
            f"{r.slowest:.1f} s | {r.compared} | {r.equal} |"
        )
