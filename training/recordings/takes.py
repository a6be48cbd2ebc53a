"""Takes: recordings of single notes or hits, read from SoundFonts and sample libraries."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import miniaudio
import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE

Audio = npt.NDArray[np.float32]  # (1 or 2, n)
_PITCHES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_NOTE = re.compile(r"([a-gA-G])([b#]?)(-?\d)")
_MAX_RELEASE = 4.0  # seconds that a hit of a SoundFont may ring on


@dataclass(frozen=True)
class Take:
    """One recording of a key.

    Parameters
    ----------
    key : int
        MIDI key, or percussion key.
    velocity : float
        Highest velocity, 0 to 1, that it is for.
    number : int
        Of several takes of the same key and velocity.
    audio : (1 or 2, n) array
        At 44,100 Hz.
    """

    key: int
    velocity: float
    number: int
    audio: Audio


def read_soundfont(path: Path, row: Mapping[str, Any]) -> Iterator[Take]:
    """Render keys of a preset.

    They are ``keys``, or from the first to the last one of ``range`` in its steps; held for
    ``hold`` or ``seconds``.

    ``velocities`` maps the highest velocity of a layer to the one that is rendered, 0 to 1.
    """
    synth, font = _open_soundfont(path)
    is_kit = row.get("bank", 0) == 128
    channel = 9 if is_kit else 0
    synth.program_select(channel, font, row.get("bank", 0), row["program"], is_kit)
    first, last, step = row.get("range", (0, -1, 1))
    for key in row.get("keys", range(first, last + 1, step)):
        for highest, velocity in row["velocities"]:
            synth.sounds_off(channel)
            synth.noteon(channel, key, max(1, round(velocity * 127)))
            held = _generate(synth, row.get("hold", row["seconds"]))
            synth.noteoff(channel, key)
            rest = _generate(synth, _MAX_RELEASE) if is_kit else held[:, :0]
            yield Take(key, highest, 0, np.concatenate((held, rest), axis=1))


@cache
def _open_soundfont(path: Path) -> tuple[Any, Any]:
    import tinysoundfont

    synth = tinysoundfont.Synth(samplerate=RATE)
    return synth, synth.sfload(str(path))


def _generate(synth: Any, seconds: float) -> Audio:
    data = np.frombuffer(synth.generate_simple(round(seconds * RATE)), np.float32)
    return np.ascontiguousarray(data.reshape(-1, 2).T)


def read_files(folder: Path, row: Mapping[str, Any]) -> Iterator[Take]:
    """Read notes from files whose names match ``pattern``.

    The groups of the pattern are ``note`` (``eb3``), ``layer`` (one of ``layers``, which maps it to
    its highest velocity) and ``take``. ``octave`` shifts the note, where C4 is key 60.
    ``takes`` of each are read.
    """
    pattern, layers = re.compile(row["pattern"]), row["layers"]
    wanted = set(row.get("keys", ()))
    found: dict[tuple[int, float], list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        match = pattern.fullmatch(path.relative_to(folder).as_posix())
        if match and match["layer"] in layers:
            key = _parse_note(match["note"]) + 12 * row.get("octave", 0)
            if not wanted or key in wanted:
                found[key, layers[match["layer"]]].append(path)
    for (key, velocity), paths in sorted(found.items()):
        for number, path in enumerate(paths[: row.get("takes", 1)]):
            yield Take(key, velocity, number, read_audio(path))


def read_hits(folder: Path, row: Mapping[str, Any]) -> Iterator[Take]:
    """Read one file for each piece of a drum machine; ``hits`` maps percussion keys to files."""
    for key, name in row["hits"].items():
        yield Take(int(key), 1.0, 0, _read_with_ffmpeg(folder / name))


def read_pieces(folder: Path, row: Mapping[str, Any]) -> Iterator[Take]:
    """Read the pieces of a kit that was recorded with several microphones.

    ``pieces`` maps percussion keys to the name of a piece, ``mics`` the folders of microphones to
    a gain in dB and a pan; ``layers`` the highest velocities to layers of the files.
    """
    for key, piece in row["pieces"].items():
        for velocity, layer in row["layers"]:
            for number in range(1, row["takes"] + 1):
                audio = _mix_mics(folder, row["mics"], piece, layer, number)
                if audio is not None:
                    yield Take(int(key), velocity, number - 1, audio)


def _mix_mics(
    folder: Path, mics: Mapping[str, Sequence[float]], piece: str, layer: float, number: int
) -> Audio | None:
    """Mix the microphones of one hit; the layer is a share of those that the piece has."""
    layers = sorted(
        {int(m[1]) for path in (folder / next(iter(mics))).glob(f"{piece}_vl*_rr1.*")
         if (m := re.search(r"_vl(\d)", path.name))}
    )  # fmt: skip
    if not layers:
        return None
    chosen = layers[min(len(layers) - 1, round(layer * (len(layers) - 1)))]
    parts = []
    for mic, (gain, pan) in mics.items():
        path = folder / mic / f"{piece}_vl{chosen}_rr{number}.wav"
        if not path.exists():
            return None
        angle = (pan + 1) * np.pi / 4
        sides = np.array([[np.cos(angle)], [np.sin(angle)]], np.float32)
        parts.append(read_audio(path)[:1] * sides * np.float32(10 ** (gain / 20)))
    longest = max(part.shape[1] for part in parts)
    return sum(
        (np.pad(part, ((0, 0), (0, longest - part.shape[1]))) for part in parts),
        np.zeros((2, longest), np.float32),
    )


def read_audio(path: Path) -> Audio:
    """Read a sound file as (channels, n) at 44,100 Hz."""
    data = path.read_bytes()
    kind = path.suffix.lower()
    info = {
        ".wav": miniaudio.wav_get_info,
        ".flac": miniaudio.flac_get_info,
        ".ogg": miniaudio.vorbis_get_info,
        ".mp3": miniaudio.mp3_get_info,
    }[kind](data)
    channels = min(2, info.nchannels)
    decoded = miniaudio.decode(data, miniaudio.SampleFormat.FLOAT32, channels, RATE)
    return np.ascontiguousarray(np.array(decoded.samples, np.float32).reshape(-1, channels).T)


def _read_with_ffmpeg(path: Path) -> Audio:
    """Read a file of any kind, such as Opus, as (2, n) at 44,100 Hz."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path)]
    command += ["-f", "f32le", "-ac", "2", "-ar", str(RATE), "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.ascontiguousarray(np.frombuffer(raw, np.float32).reshape(-1, 2).T)


def _parse_note(text: str) -> int:
    match = _NOTE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a note: {text}")
    sign = {"b": -1, "#": 1, "": 0}[match[2]]
    return _PITCHES[match[1].lower()] + sign + 12 * (int(match[3]) + 1)
