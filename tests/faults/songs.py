"""What must be true of a folder of songs, whatever has happened."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

from mutagen.mp3 import MP3

from scripts.audio.mp3 import ffmpeg_path

LENGTH = "0.17"  # minutes


def problems_of(folder: Path) -> list[str]:
    """Songs that are not whole: without their files, not to be decoded, of the wrong length."""
    found = []
    for mp3 in sorted(folder.glob("*.mp3")):
        try:
            details = json.loads(mp3.with_suffix(".json").read_text(encoding="utf-8"))
            if not mp3.with_suffix(".abc").read_text(encoding="utf-8").startswith("X:"):
                found.append(f"{mp3.name}: no sheet")
            length = MP3(mp3).info.length
            if abs(length - details["seconds"]) > 0.1:
                found.append(f"{mp3.name}: {length:.2f} s instead of {details['seconds']:.2f}")
            said = subprocess.run(
                [ffmpeg_path(), "-v", "error", "-i", str(mp3), "-f", "null", "-"],
                capture_output=True,
                text=True,
                check=False,
            ).stderr
            if said:
                found.append(f"{mp3.name}: {said.splitlines()[0]}")
        except Exception as error:
            found.append(f"{mp3.name}: {type(error).__name__} {error}")
    return found


def made(folder: Path) -> Counter[tuple[str, int]]:
    """How often each song of each order lies in a folder."""
    recipes = [
        json.loads(p.read_text(encoding="utf-8"))["recipe"]
        for p in folder.glob("*.json")
        if p.with_suffix(".mp3").exists()
    ]
    return Counter((r["order"], r["number"]) for r in recipes)


def leftovers(folder: Path) -> list[str]:
    """Files that are no whole song's."""
    return sorted(
        p.name
        for p in folder.iterdir()
        if p.name.endswith((".lmg-part", ".lmg-lock")) or not p.with_suffix(".mp3").exists()
    )
