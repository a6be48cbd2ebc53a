"""``python -m tests.listening --taggers``: lets taggers listen, and writes docs/recognition.md.

It needs the extra ``taggers`` and ``pip install --no-deps musicnn==0.1.0``, in any Python;
``launcher.py`` generates the songs in the program's own environment.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from tests.listening.leads import lead_lines
from tests.listening.production import production_lines
from tests.listening.recognition import STYLES, HeardSong, frechet_distance, report_lines
from tests.listening.songs import ROOT, generate_songs
from tests.listening.taggers import hear_file

_SECONDS = 60.0  # of a recording
_HEADING = """# Would a stranger recognize the style?

Networks that were trained on real recordings, and never heard this program, tag {count} songs
of {minutes:g} min: {styles} styles, seeds {seeds}.
`python -m tests.listening --taggers` composes and tags them again.
[listening.md](listening.md) says what was found.
"""


def recognize(arguments: list[str]) -> None:
    """Generate the songs, tag them and write the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.listening --taggers")
    parser.add_argument("--out", type=Path, default=ROOT / "output" / "recognition")
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "recognition.md")
    parser.add_argument("--python", default=str(ROOT / ".venv" / "bin" / "python"))
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--styles", nargs="+", default=list(STYLES))
    parser.add_argument("--references", type=Path, help="folder with recordings to compare with")
    args = parser.parse_args(arguments)
    generate = partial(
        generate_songs,
        seeds=args.seeds,
        minutes=args.minutes,
        out=args.out,
        python=args.python,
    )
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(args.styles, pool.map(generate, args.styles), strict=True))
    songs = [HeardSong(style, hear_file(mp3)) for style in found for mp3 in found[style]]
    heading = _HEADING.format(
        count=len(songs),
        minutes=args.minutes,
        styles=len(args.styles),
        seeds=", ".join(map(str, args.seeds)),
    )
    lines = [heading, *report_lines(songs)]
    if args.references:
        lines += ["", _compare(songs, args.references)]
    lines += ["", "## What are the tunes like?", *lead_lines(found)]
    lines += ["", "## How do they sound beside recordings?", *production_lines(found), ""]
    args.report.write_text("\n".join(lines), encoding="utf-8")
    print(args.report)


def _compare(songs: Sequence[HeardSong], folder: Path) -> str:
    """Frechet distance of the songs to the recordings in a folder, and between their halves."""
    kinds = {".mp3", ".ogg", ".flac", ".opus"}
    paths = sorted(p for p in folder.rglob("*") if p.suffix in kinds and p.is_file())
    recordings = np.array([hear_file(path, _SECONDS).embedding for path in paths])
    order = np.random.default_rng(1).permutation(len(recordings))
    first, second = np.array_split(recordings[order], 2)
    distance = frechet_distance(np.array([song.hearing.embedding for song in songs]), recordings)
    return (
        f"Frechet distance to {len(recordings)} recordings: {distance:.0f} "
        f"({frechet_distance(first, second):.0f} between two halves of them)."
    )
