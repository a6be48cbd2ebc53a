"""Generates the songs that are listened to."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MINOR_SCALES = (
    "minor",
    "dorian",
    "phrygian",
    "harmonic minor",
    "melodic minor",
    "minor pentatonic",
    "blues",
)


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


def generate_songs(
    style: str, seeds: Iterable[int], minutes: float, out: Path, python: str = sys.executable
) -> list[Path]:
    """Generate the songs of one style, replacing earlier ones.

    `python` is that of the program's own environment.
    """
    found = []
    for seed in seeds:
        folder = out / f"{style} {seed}"
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(
            [
                python,
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
