"""Checks that a folder of songs must pass after any fault."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

from mutagen.mp3 import MP3

from scripts.audio.mp3 import ffmpeg_path

LENGTH = "0.17"  # minutes


def find_problems(folder: Path) -> list[str]:
    """List songs that are incomplete, cannot be decoded or have the wrong length."""
    found = []
    for mp3 in sorted(folder.glob("*.mp3")):
        try:
            details = json.loads(mp3.with_suffix(".json").read_text(encoding="utf-8"))
            if not mp3.with_suffix(".abc").read_text(encoding="utf-8").startswith("X:"):
                found.append(f"{mp3.name}: no sheet")
            length = MP3(mp3).info.length
            if abs(length - details["seconds"]) > 0.1:
                found.append(f"{mp3.name}: {length:.2f} s instead of {details['seconds']:.2f}")
            errors = subprocess.run(
                [ffmpeg_path(), "-v", "error", "-i", str(mp3), "-f", "null", "-"],
                capture_output=True,
                text=True,
                check=False,
            ).stderr
            if errors:
                found.append(f"{mp3.name}: {errors.splitlines()[0]}")
        except Exception as error:
            found.append(f"{mp3.name}: {type(error).__name__} {error}")
    return found


def count_songs(folder: Path) -> Counter[tuple[str, int]]:
    """Count how often a folder contains each song of each order."""
    recipes = [
        json.loads(p.read_text(encoding="utf-8"))["recipe"]
        for p in folder.glob("*.json")
        if p.with_suffix(".mp3").exists()
    ]
    return Counter((r["order"], r["number"]) for r in recipes)


def find_leftovers(folder: Path) -> list[str]:
    """List the files that belong to no complete song."""
    return sorted(
        p.name
        for p in folder.iterdir()
        if p.name.endswith((".lmg-part", ".lmg-lock")) or not _song_of(p).exists()
    )


def _song_of(path: Path) -> Path:
    """The MP3 that a file belongs to."""
    name = path.name.removesuffix(".light.json").removesuffix(path.suffix)
    return path.with_name(f"{name}.mp3")
