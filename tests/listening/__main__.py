"""``python -m tests.listening``: generates songs, analyzes them and writes the report.

It needs the extra ``listening``, in any Python; ``launcher.py`` generates the songs in the
program's own environment.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from tests.listening.measures import SongAnalysis, analyze_song
from tests.listening.report import plot_song, write_report

ROOT = Path(__file__).resolve().parents[2]
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
MINOR_SCALES = (
    "minor",
    "dorian",
    "phrygian",
    "harmonic minor",
    "melodic minor",
    "minor pentatonic",
    "blues",
)
PLOTTED_STYLES = ("ambient", "celtic", "dubstep", "jazz", "pop", "techno")


def read_reference_spectrum() -> np.ndarray:
    """Read the reference spectrum of mastered music from the program's source."""
    text = (ROOT / "scripts/synth/tone.py").read_text(encoding="utf-8")
    found = re.search(r"REFERENCE_SPECTRUM = np\.array\(\[([^\]]*)\]", text)
    assert found
    return np.array([float(x) for x in found[1].split(",")])


def choose_key(style: str, seed: int) -> str:
    """Choose a random major or minor key for the style, as key trackers know and users type."""
    with (ROOT / "data" / "styles" / f"{style}.toml").open("rb") as file:
        scales = tomllib.load(file)["scales"]
    minor_share = sum(w for name, w in scales.items() if name in MINOR_SCALES) / sum(
        scales.values()
    )
    rng = random.Random(f"{style} {seed}")
    tonic = rng.choice(("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"))
    return f"{tonic} {'minor' if rng.random() < minor_share else 'major'}"


def generate_songs(style: str, seeds: tuple[int, ...], minutes: float, out: Path) -> list[Path]:
    """Generate the songs of one style, replacing earlier ones."""
    found = []
    for seed in (s + 100 * (STYLES.index(style) if style in STYLES else 0) for s in seeds):
        folder = out / f"{style} {seed}"
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(
            [
                sys.executable,
                str(ROOT / "launcher.py"),
                "generate",
                style,
                "--key",
                choose_key(style, seed),
                "--length",
                f"{minutes:g}",
                "--seed",
                str(seed),
                "--also",
                "wav,mid",
                "--out",
                str(folder),
            ],
            check=True,
            capture_output=True,
        )
        found += list(folder.glob("*.mp3"))
    return found


def analyze_style(
    style: str, seeds: tuple[int, ...], minutes: float, out: Path
) -> list[SongAnalysis]:
    """Generate and analyze the songs of one style."""
    return [
        analyze_song(mp3, style, number, read_reference_spectrum())
        for number, mp3 in enumerate(generate_songs(style, seeds, minutes, out))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.listening")
    parser.add_argument("--out", type=Path, default=ROOT / "output" / "listening")
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "quality.md")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--styles", nargs="+", default=list(STYLES))
    args = parser.parse_args()
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


if __name__ == "__main__":
    main()
