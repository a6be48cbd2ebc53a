"""Builds ``data/instruments/recordings`` from sample libraries: see ``instruments.toml``."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from scripts.core import paths
from scripts.core.audio_format import RATE
from training.recordings import prepare
from training.recordings.takes import (
    Audio,
    Take,
    read_files,
    read_hits,
    read_pieces,
    read_soundfont,
)

_TABLE = Path(__file__).with_name("instruments.toml")
_OUT = paths.DATA / "instruments" / "recordings"
_QUALITY = 3  # of Vorbis: about 56 kbit/s for mono
_READERS = {
    "soundfont": read_soundfont,
    "files": read_files,
    "pieces": read_pieces,
    "hits": read_hits,
}
_KIT_LEVEL = -20.0  # dBFS, K-weighted, of the loudest piece
_MAX_CENTS = 48.0  # beyond it a pitch was not measured


def build_recordings(sources: Path, names: list[str], out: Path = _OUT) -> None:
    """Build the folders `names` (all if empty) from the libraries in the folder `sources`."""
    tables = tomllib.loads(_TABLE.read_text("utf-8"))
    libraries, instruments = tables["library"], tables["instrument"]
    for name in names or instruments:
        row = instruments[name]
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        lines = []
        for part in row.get("parts", [row]):
            library = libraries[part["library"]]
            settings = {**row, **part}
            takes = _READERS[library["kind"]](sources / library["path"], settings)
            lines += list(_write_takes(takes, settings, folder))
        head = [f"# {row['about']}", f"# Made by: python -m training recordings ({_TABLE.name})"]
        text = "\n".join([*head, "zones = [", *(f"  {line}," for line in lines), "]"])
        (folder / "zones.toml").write_text(text + "\n", encoding="utf-8")
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(f"{name}: {len(lines)} recordings, {size / 1000:.0f} kB", flush=True)


def _write_takes(takes: Iterator[Take], row: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Write the sound files of an instrument and yield their rows of the table."""
    is_kit = row.get("kit", False)
    prepared = [(take, _prepare(take, row, is_kit)) for take in takes]
    strengths = _piece_levels(prepared) if is_kit else {}
    for take, (audio, loop) in prepared:
        gain = strengths[take.key] - prepare.loudness(audio) if is_kit else 0.0
        layer = round(take.velocity * 100)
        name = f"{take.key:03}-{layer:03}-{take.number}.ogg"
        _write_ogg(audio, folder / name)
        cents = 0.0 if is_kit else prepare.measure_cents(audio, take.key)
        if abs(cents) > _MAX_CENTS:
            print(f"  {folder.name} {name}: {cents:+.0f} cents")
        values = [f'file = "{name}"', f"key = {take.key}", f"velocity = {take.velocity:g}"]
        if loop:
            values.append(f"loop = [{loop[0]}, {loop[1]}]")
        values += [f"tune = {cents:.1f}"] * (abs(cents) >= 0.1)
        values += [f"gain = {gain:.1f}"] * (abs(gain) >= 0.05)
        yield "{ " + ", ".join(values) + " }"


def _prepare(
    take: Take, row: Mapping[str, Any], is_kit: bool
) -> tuple[Audio, tuple[int, int] | None]:
    """Trim, loop and level one recording."""
    audio = take.audio
    if not row.get("stereo", is_kit):
        audio = audio.mean(axis=0, keepdims=True)
    lengths = row["lengths"] if is_kit and "lengths" in row else {}
    seconds = lengths.get(str(take.key), row.get("seconds", 2.0))
    audio = prepare.trim(audio, seconds)
    loop = None
    if row.get("loop", False):
        audio, loop = prepare.make_loop(audio)
    audio = audio * np.float32(10 ** (prepare.loudness_gain(audio) / 20))
    if loop is None:
        audio = prepare.fade_out(prepare.cut_silence(audio), 0.5 if is_kit else 0.3)
    return audio, loop


def _piece_levels(
    prepared: list[tuple[Take, tuple[Audio, tuple[int, int] | None]]],
) -> dict[int, float]:
    """Loudness of each piece of a kit in its loudest layer, so that the loudest piece has 0 dB."""
    levels: dict[int, float] = {}
    for take, _ in prepared:
        levels[take.key] = max(levels.get(take.key, -200.0), prepare.loudness(take.audio))
    loudest = max(levels.values())
    return {key: level - loudest + _KIT_LEVEL for key, level in levels.items()}


def _write_ogg(audio: Audio, path: Path) -> None:
    """Encode with ffmpeg, without metadata that changes from run to run."""
    channels = len(audio)
    pcm = (np.clip(audio.T, -1, 1) * 32767).astype("<i2").tobytes()
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-v", "error", "-y", "-f", "s16le", "-ar", str(RATE), "-ac", str(channels), "-i", "-"),
        *("-c:a", "libvorbis", "-q:a", str(_QUALITY), "-map_metadata", "-1"),
        *("-fflags", "+bitexact", "-flags:a", "+bitexact", str(path)),
    ]
    subprocess.run(command, input=pcm, check=True)
