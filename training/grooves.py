"""Drum grooves for ``data/grooves/played.toml``, learned from the Groove MIDI Dataset.

The dataset (Gillick et al. 2019, "Learning to Groove with Inverse Sequence Transformations"; Google
LLC, CC BY 4.0) contains performances on an electronic kit. The bars of each family of styles are
clustered. A cluster is stored as three figures per step: how often a piece is struck there, how
hard, and how early or late. The performances cannot be reconstructed from them.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import numpy.typing as npt
from scipy.cluster.vq import kmeans2

# MIDI note of the electronic kit -> drum piece.
_PIECES = {
    36: "kick",
    38: "snare",
    40: "snare",
    37: "rim",
    48: "tom3",
    50: "tom3",
    45: "tom2",
    47: "tom2",
    43: "tom1",
    58: "tom1",
    46: "openhat",
    26: "openhat",
    42: "hat",
    22: "hat",
    44: "pedal",
    49: "crash",
    55: "crash",
    57: "crash",
    52: "crash",
    51: "ride",
    59: "ride",
    53: "bell",
}
PIECES = tuple(dict.fromkeys(_PIECES.values()))
# Family -> style names of the dataset, or their first words.
FAMILIES = {
    "funk": ("funk", "jazz/funk"),
    "soul": ("soul", "gospel"),
    "hiphop": ("hiphop",),
    "pop": ("pop",),
    "rock": ("rock", "rock/indie", "rock/prog", "rock/groove8", "rock/folk"),
    "shuffle": ("rock/shuffle", "blues/shuffle", "funk/purdieshuffle", "neworleans/shuffle"),
    "punk": ("punk",),
    "disco": ("dance/disco",),
    "breakbeat": ("dance/breakbeat",),
    "swing": ("jazz/swing", "jazz/mediumfast", "jazz/fast", "jazz"),
    "fusion": ("jazz/fusion", "jazz/linear"),
    "bossa": ("latin/brazilian-bossa",),
    "samba": ("latin/brazilian-samba", "latin/samba", "latin/brazilian-songo"),
    "latin": ("latin", "afrocuban", "afrocuban/rhumba", "latin/reggaeton"),
    "baiao": ("latin/brazilian-baiao", "latin/brazilian-ijexa"),
    "afrobeat": ("afrobeat", "highlife"),
    "reggae": ("reggae",),
    "secondline": ("neworleans/secondline", "neworleans/funk"),
    "country": ("country", "rock/rockabilly"),
    "march": ("jazz/march",),
}
CLUSTERS = 5
_MIN_CLUSTER_BARS = 6  # minimum bars of a cluster
_TRIPLET_FAMILIES = ("swing", "shuffle")


@dataclass(frozen=True)
class _Bars:
    """Bars as (n, pieces, steps) arrays: struck (0 or 1), velocity (0 to 1), delay in ticks."""

    hits: npt.NDArray[np.float64]
    velocity: npt.NDArray[np.float64]
    delay: npt.NDArray[np.float64]


def learn_grooves(archive: Path, index: Path, out: Path) -> None:
    """Learn the grooves of every family and write them as TOML.

    Parameters
    ----------
    archive : Path
        The dataset's zip archive of MIDI files.
    index : Path
        The dataset's CSV table of performances.
    out : Path
        TOML file to write.
    """
    rows = list(csv.DictReader(index.read_text(encoding="utf-8").splitlines()))
    lines = [
        "# Drum grooves learned by `python -m training grooves` from the Groove MIDI Dataset "
        "(Gillick et al. 2019),",
        "# Google LLC, CC BY 4.0, https://magenta.tensorflow.org/datasets/groove. For each step of "
        "a bar: how often a piece is",
        "# struck (0 to 9), how hard (0 to 9), and how early (a to l) or late (n to y), in "
        "quarters of a tick (24 per quarter note); m is on the beat.",
        "",
    ]
    with zipfile.ZipFile(archive) as files:
        for family, names in FAMILIES.items():
            steps = 12 if family in _TRIPLET_FAMILIES else 16
            for kind in ("beat", "fill"):
                chosen = [
                    r
                    for r in rows
                    if r["beat_type"] == kind
                    and r["time_signature"] == "4-4"
                    and _is_in_family(r["style"], names)
                ]
                bars = _read_bars(files, chosen, steps, kind == "fill")
                for n, cluster in enumerate(
                    _find_clusters(bars, CLUSTERS if kind == "beat" else 3), 1
                ):
                    lines += _format_table(family, kind, n, cluster, steps)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _is_in_family(style: str, names: tuple[str, ...]) -> bool:
    return style in names or (
        style.split("/")[0] in names and not any(style in other for other in FAMILIES.values())
    )


def _read_bars(files: zipfile.ZipFile, rows: list[dict[str, str]], steps: int, fill: bool) -> _Bars:
    names = set(files.namelist())
    found = [
        bar
        for row in rows
        if row["midi_filename"] in names
        for bar in _parse_bars(files.read(row["midi_filename"]), steps, fill)
    ]
    if not found:
        return _Bars(*(np.zeros((0, len(PIECES), steps)) for _ in range(3)))
    return _Bars(*(np.stack([bar[i] for bar in found]) for i in range(3)))


def _parse_bars(
    data: bytes, steps: int, fill: bool
) -> Iterator[tuple[npt.NDArray[np.float64], ...]]:
    file = mido.MidiFile(file=io.BytesIO(data))
    step = 4 * file.ticks_per_beat / steps
    notes: list[tuple[float, str, float]] = []
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity and message.note in _PIECES:
                notes.append((now, _PIECES[message.note], message.velocity / 127))
    if not notes:
        return
    count = int(max(n[0] for n in notes) / step / steps) + 1
    hits, force, late = (np.zeros((count, len(PIECES), steps)) for _ in range(3))
    for tick, piece, velocity in notes:
        place = round(tick / step)
        bar, at = divmod(place, steps)
        if bar >= count:
            continue
        p = PIECES.index(piece)
        if velocity > force[bar, p, at]:
            hits[bar, p, at], force[bar, p, at] = 1, velocity
            late[bar, p, at] = (tick - place * step) / file.ticks_per_beat * 24
    kept = range(count) if fill else range(count - 1)
    for bar in kept:
        if hits[bar].sum() >= (5 if fill else 6):
            yield hits[bar], force[bar], late[bar]


def _find_clusters(bars: _Bars, count: int) -> list[_Bars]:
    """Find the largest clusters of similar bars, at most `count`."""
    n = len(bars.hits)
    if n < _MIN_CLUSTER_BARS:
        return []
    weight = np.array([2.0 if p in ("kick", "snare", "rim") else 1.0 for p in PIECES])
    points = (bars.hits * (0.4 + 0.6 * bars.velocity) * weight[:, None]).reshape(n, -1)
    _, labels = kmeans2(points, min(count + 3, max(1, n // _MIN_CLUSTER_BARS)), minit="++", seed=11)
    groups = [np.flatnonzero(labels == k) for k in range(labels.max() + 1)]
    groups = sorted((g for g in groups if len(g) >= _MIN_CLUSTER_BARS), key=len, reverse=True)[
        :count
    ]
    return [_Bars(bars.hits[g], bars.velocity[g], bars.delay[g]) for g in groups]


def _format_table(family: str, kind: str, number: int, bars: _Bars, steps: int) -> list[str]:
    name = f"{family}-{number}" if kind == "beat" else f"{family}-fill-{number}"
    lines = [f"[{name}]", f"steps = {steps}"]
    share = bars.hits.mean(axis=0)
    for p, piece in enumerate(PIECES):
        if share[p].max() < 0.12:
            continue
        struck = np.maximum(bars.hits[:, p].sum(axis=0), 1e-9)
        often = np.round(share[p] * 9).astype(int)
        hard = np.clip(np.round(bars.velocity[:, p].sum(axis=0) / struck * 9), 1, 9).astype(int)
        late = np.clip(np.round(bars.delay[:, p].sum(axis=0) / struck * 4), -12, 12).astype(int)
        lines.append(
            f'{piece} = ["{_digits(often)}", "{_digits(np.where(often, hard, 0))}", "'
            + "".join(
                chr(ord("m") + int(v)) if o else "." for v, o in zip(late, often, strict=True)
            )
            + '"]'
        )
    return [*lines, ""]


def _digits(values: npt.NDArray[np.int_]) -> str:
    return "".join(str(v) if v else "." for v in values.tolist())
