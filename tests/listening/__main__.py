"""``python -m tests.listening``: makes songs with the program, listens, and writes the report.

It needs the extra ``listening``, in any Python; the songs are made by ``launcher.py`` in the
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

from tests.listening.measures import Heard, listen
from tests.listening.report import draw, write_report

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
MINOR = (
    "minor",
    "dorian",
    "phrygian",
    "harmonic minor",
    "melodic minor",
    "minor pentatonic",
    "blues",
)
DRAWN = ("ambient", "celtic", "dubstep", "jazz", "pop", "techno")


def reference() -> np.ndarray:
    """The octave curve of mastered music that the program states."""
    text = (ROOT / "scripts/synth/tone.py").read_text(encoding="utf-8")
    found = re.search(r"REFERENCE_SPECTRUM = np\.array\(\[([^\]]*)\]", text)
    assert found
    return np.array([float(x) for x in found[1].split(",")])


def asked_key(style: str, seed: int) -> str:
    """A major or minor key for the style: what trackers know, and what users type."""
    with (ROOT / "data" / "styles" / f"{style}.toml").open("rb") as file:
        scales = tomllib.load(file)["scales"]
    dark = sum(w for name, w in scales.items() if name in MINOR) / sum(scales.values())
    rng = random.Random(f"{style} {seed}")
    tonic = rng.choice(("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"))
    return f"{tonic} {'minor' if rng.random() < dark else 'major'}"


def make(style: str, seeds: tuple[int, ...], minutes: float, out: Path) -> list[Path]:
    """Songs of one style, made anew."""
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
                asked_key(style, seed),
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


def hear(style: str, seeds: tuple[int, ...], minutes: float, out: Path) -> list[Heard]:
    """Make and measure the songs of one style."""
    return [
        listen(mp3, style, number, reference())
        for number, mp3 in enumerate(make(style, seeds, minutes, out))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.listening")
    parser.add_argument("--out", type=Path, default=ROOT / "output" / "listening")
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "quality.md")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--styles", nargs="+", default=list(STYLES))
    args = parser.parse_args()
    work = partial(hear, seeds=tuple(args.seeds), minutes=args.minutes, out=args.out)
    heard: list[Heard] = []
    with ProcessPoolExecutor(2) as pool:
        for songs in pool.map(work, args.styles):
            heard += songs
            print(
                songs[0].style,
                *(f"{h.asked_tempo:g}/{h.tempo:.1f} {h.asked_key}/{h.key}" for h in songs),
                flush=True,
            )
    rows = [{k: v for k, v in vars(h).items() if k != "features"} for h in heard]
    (args.out / "heard.json").write_text(json.dumps(rows, indent=1, default=float))
    write_report(heard, args.report, args.minutes)
    pictures = args.report.parent / "pictures"
    pictures.mkdir(exist_ok=True)
    for style in (s for s in DRAWN if s in args.styles):
        mp3 = min(args.out.glob(f"{style} */*.mp3"))
        draw(mp3, pictures / f"{style}.png")
    print(args.report)


if __name__ == "__main__":
    main()
