"""Generates songs, analyzes them and writes docs/quality.md.

It needs the extra ``listening``, in any Python; ``launcher.py`` generates the songs in the
program's own environment.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from scripts.styles.style import read_style
from tests.listening.measures import SongAnalysis, analyze_song
from tests.listening.report import plot_song, write_report
from tests.listening.songs import ROOT, generate_songs

STYLES = (
    "afrobeat",
    "ambient",
    "baroque",
    "blues",
    "bossa nova",
    "celtic",
    "chill",
    "chiptune",
    "classical",
    "country",
    "disco",
    "drum and bass",
    "dubstep",
    "film",
    "folk",
    "funk",
    "hip-hop",
    "house",
    "jazz",
    "lo-fi",
    "metal",
    "pop",
    "reggae",
    "rock",
    "salsa",
    "soul",
    "synthwave",
    "techno",
    "trance",
    "waltz",
)
PLOTTED_STYLES = ("classical", "country", "jazz", "metal", "pop", "techno")


def analyze_style(
    style: str, seeds: tuple[int, ...], minutes: float, out: Path
) -> list[SongAnalysis]:
    """Generate and analyze the songs of one style."""
    own_seeds = [seed + 100 * (STYLES.index(style) if style in STYLES else 0) for seed in seeds]
    target = read_style(ROOT / "data" / "styles" / f"{style}.toml").mastering
    return [
        analyze_song(mp3, style, number, target)
        for number, mp3 in enumerate(generate_songs(style, own_seeds, minutes, out))
    ]


def analyze(arguments: list[str]) -> None:
    """Generate the songs, analyze them and write the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.listening")
    parser.add_argument("--out", type=Path, default=ROOT / "output" / "listening")
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "quality.md")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--styles", nargs="+", default=list(STYLES))
    args = parser.parse_args(arguments)
    work = partial(analyze_style, seeds=tuple(args.seeds), minutes=args.minutes, out=args.out)
    analyses: list[SongAnalysis] = []
    with ProcessPoolExecutor(2) as pool:
        for songs in pool.map(work, args.styles):
            analyses += songs
            print(
                songs[0].style,
                *(f"{h.asked_tempo:g}/{h.tempo:.1f} {h.asked_key}/{h.key}" for h in songs),
                flush=True,
            )
    rows = [{k: v for k, v in vars(h).items() if k != "features"} for h in analyses]
    (args.out / "analyses.json").write_text(json.dumps(rows, indent=1, default=float))
    write_report(analyses, args.report, args.minutes)
    plots = args.report.parent / "pictures"
    plots.mkdir(exist_ok=True)
    for style in (s for s in PLOTTED_STYLES if s in args.styles):
        mp3 = min(args.out.glob(f"{style} */*.mp3"))
        plot_song(mp3, plots / f"{style}.png")
    print(args.report)
