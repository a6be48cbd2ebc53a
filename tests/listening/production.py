"""Measures how a recording is produced: loudness range, peaks, width, attacks, spectrum."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE
from scripts.synth.loudness import Planar, block_powers, gated_loudness

_SHORT_TERM = 30  # tenths of a second that the loudness range compares
_FFT, _HOP = 2048, 512
_OCTAVES = np.array([62.5, 125, 250, 500, 1000, 2000, 4000, 8000, 16000])  # band centers in Hz
_SMOOTHING = 1e-3  # of the loudest bin, below which a spectrum is floor


@dataclass(frozen=True)
class Sound:
    """Measures of one recording.

    Parameters
    ----------
    loudness_range : float
        EBU Tech 3342, in LU.
    peak_to_loudness : float
        Sample peak above integrated loudness, in dB.
    width : float
        Level of the sides relative to the middle, in dB; -40 at the least.
    flux : float
        Mean share of a spectrum's magnitude that is new since 12 ms before.
    onset_contrast : float
        95th percentile of the onset strength over its median.
    tilt : float
        Decibels per octave from 125 Hz to 8 kHz.
    """

    loudness_range: float
    peak_to_loudness: float
    width: float
    flux: float
    onset_contrast: float
    tilt: float


MEASURES = tuple(field.name for field in fields(Sound))
_REFERENCES = Path(__file__).with_name("references.toml")


def decode(path: Path, seconds: float | None = None) -> Planar:
    """Decode a file to (2, n) samples at 44,100 Hz, the first `seconds` of it."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path)]
    command += ["-t", str(seconds)] if seconds else []
    command += ["-f", "f32le", "-ac", "2", "-ar", str(RATE), "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.float32).reshape(-1, 2).T


def measure_sound(sound: Planar) -> Sound:
    """Measure (2, n) audio at 44,100 Hz of at least five seconds."""
    powers = block_powers(np.ascontiguousarray(sound))
    loudness = gated_loudness(powers)
    middle, sides = (sound[0] + sound[1]) / 2, (sound[0] - sound[1]) / 2
    ratio = float((sides**2).mean() / max(float((middle**2).mean()), 1e-12))
    spectra = _spectra(middle)
    rise = np.maximum(np.diff(spectra, axis=0), 0)
    logs = np.log10(np.maximum(spectra, _SMOOTHING * spectra.max()))
    onsets = np.maximum(np.diff(logs, axis=0), 0).mean(axis=1)
    levels = 10 * np.log10(octave_powers(spectra) + 1e-12)[1:8]
    return Sound(
        loudness_range=_loudness_range(powers),
        peak_to_loudness=20 * float(np.log10(max(1e-6, np.abs(sound).max()))) - loudness,
        width=max(-40.0, 10 * float(np.log10(ratio + 1e-12))),
        flux=float(rise.sum() / spectra[1:].sum()),
        onset_contrast=float(np.percentile(onsets, 95) / max(1e-9, float(np.median(onsets)))),
        tilt=float(np.polyfit(np.arange(len(levels)), levels, 1)[0]),
    )


def octave_powers(spectra: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Mean power in nine octaves of magnitude spectra of shape (frames, bins)."""
    power = (spectra.astype(np.float64) ** 2).mean(axis=0)
    frequencies = np.fft.rfftfreq(_FFT, 1 / RATE)
    return np.array(
        [power[(frequencies >= f / 2**0.5) & (frequencies < f * 2**0.5)].sum() for f in _OCTAVES]
    )


def production_lines(songs: Mapping[str, Sequence[Path]]) -> list[str]:
    """Tables as lines of Markdown; `songs` are audio files by style."""
    bands: dict[str, list[float]] = tomllib.loads(_REFERENCES.read_text("utf-8"))
    found = {style: [measure_sound(decode(path)) for path in songs[style]] for style in songs}
    sounds = [sound for measured in found.values() for sound in measured]
    lines = [
        "Loudness range in LU, peak above loudness in dB, level of the sides relative to the",
        "middle in dB, share of a spectrum that is new since 12 ms before, 95th percentile of the",
        "onset strength over its median. Recordings are 391 tracks of free soundtracks",
        "(`tests/listening/references.toml`).",
        "",
        "| | recordings, 10 % to 90 % | median | songs, median | songs inside |",
        "|---|---|---|---|---|",
    ]
    for name, (low, middle, high) in bands.items():
        values = np.array([getattr(sound, name) for sound in sounds])
        inside = np.mean((values >= low) & (values <= high))
        lines.append(
            f"| {name.replace('_', ' ')} | {low:g} to {high:g} | {middle:g} | "
            f"{np.median(values):.2g} | {inside:.0%} |"
        )
    lines += ["", f"| style | {' | '.join(n.replace('_', ' ') for n in bands)} |"]
    lines.append("|" + "---|" * (1 + len(bands)))
    for style, measured in found.items():
        cells = [f"{np.median([getattr(s, n) for s in measured]):.2f}" for n in bands]
        lines.append(f"| {style} | {' | '.join(cells)} |")
    return lines


def _spectra(mono: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    frames = np.lib.stride_tricks.sliding_window_view(mono, _FFT)[::_HOP]
    window = np.hanning(_FFT).astype(np.float32)
    return np.concatenate(
        [
            np.abs(np.fft.rfft(frames[at : at + 1000] * window, axis=1)).astype(np.float32)
            for at in range(0, len(frames), 1000)
        ]
    )


def _loudness_range(powers: npt.NDArray[np.float64]) -> float:
    """Loudness range of block powers, one every tenth of a second."""
    blocks = np.lib.stride_tricks.sliding_window_view(powers, min(_SHORT_TERM, len(powers)))
    short = -0.691 + 10 * np.log10(np.maximum(blocks.mean(axis=1), 1e-12))
    audible = short[short > -70]
    gate = -0.691 + 10 * np.log10((10 ** ((audible + 0.691) / 10)).mean()) - 20
    loud = audible[audible > gate]
    return float(np.percentile(loud, 95) - np.percentile(loud, 10))
