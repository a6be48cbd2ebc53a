"""``python -m tests.listening --taggers``: lets taggers listen, and writes docs/recognition.md.

It needs the extra ``taggers`` and ``pip install --no-deps musicnn==0.1.0``, in any Python;
``launcher.py`` generates the songs in the program's own environment.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.listening.leads import lead_lines
from tests.listening.recognition import STYLES, HeardSong, report_lines
from tests.listening.songs import ROOT, generate_songs
from tests.listening.taggers import hear_file

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
    leads = lead_lines(found)
    lines = [heading, *report_lines(songs), "", "## What are the tunes like?", *leads, ""]
    args.report.write_text("\n".join(lines), encoding="utf-8")
    print(args.report)
