"""Measurements of a song with librosa, MusPy and pyloudnorm."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import librosa
import muspy
import numpy as np
import pyloudnorm
import soundfile

from scripts.styles.mastering import Mastering
from tests.listening.key_profiles import MAJOR, MINOR

HOP = 256
SILENT = -60.0  # dBFS of a tenth of a second
_RATE = 22_050
_OCTAVES = np.array([31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16_000])
_TONICS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
# Semitones from a mode's tonic up to the major key with the same notes.
_MAJOR_OF = {
    "major": 0,
    "minor": 3,
    "dorian": 10,
    "phrygian": 8,
    "lydian": 7,
    "mixolydian": 5,
    "locrian": 1,
    "harmonic minor": 3,
    "melodic minor": 3,
    "phrygian dominant": 8,
    "major pentatonic": 0,
    "minor pentatonic": 3,
    "blues": 3,
}


@dataclass(frozen=True)
class SongAnalysis:
    """Measurements of one song.

    Parameters
    ----------
    fold : int
        Index of the song among those of its style.
    tempo : float
        Detected quarter notes per minute, folded by powers of two towards the requested tempo.
    tempo_error : float
        Relative error of the tempo.
    key : str
    key_right : bool
        Whether the detected key is the requested tonic and mode, or the relative key.
    loudness, loudness_error, peak : float
        LUFS, difference from the target of the style's family in LU, and dBFS.
    silence : float
        Longest silence inside, in seconds.
    clipped : int
        Samples at full scale.
    octaves : tuple of float
        Level of each octave in dB relative to the reference, with the mean difference removed.
    entropy, consistency, groove : float
        MusPy's metrics of the MIDI file.
    boundaries : float
        Share of the form's boundaries that stand out in the self-similarity.
    features : array
        Feature vector for classifying styles.
    """

    style: str
    fold: int
    seed: int
    title: str
    asked_tempo: float
    asked_key: str
    tempo: float
    tempo_error: float
    key: str
    key_right: bool
    loudness: float
    loudness_error: float
    peak: float
    silence: float
    clipped: int
    octaves: tuple[float, ...]
    entropy: float
    consistency: float
    groove: float
    boundaries: float
    features: Any


def analyze_song(mp3: Path, style: str, fold: int, target: Mastering) -> SongAnalysis:
    """Measure one song, whose ``.wav``, ``.mid`` and ``.json`` files are beside it."""
    details = json.loads(mp3.with_suffix(".json").read_text(encoding="utf-8"))
    sound, rate = soundfile.read(mp3.with_suffix(".wav"), dtype="float32")
    mono = librosa.resample(sound.mean(axis=1), orig_sr=rate, target_sr=_RATE)
    onsets = librosa.onset.onset_strength(y=mono, sr=_RATE, hop_length=HOP)
    chroma = librosa.feature.chroma_cqt(y=mono, sr=_RATE, hop_length=512)
    mfcc = librosa.feature.mfcc(y=mono, sr=_RATE, n_mfcc=13)
    tempo = _estimate_tempo(onsets)
    felt = details["tempo"] * (2 / 3 if details["meter"] in ("6/8", "9/8", "12/8") else 1)
    error, folded = min(
        (abs(tempo * f / t - 1), tempo * f * details["tempo"] / t)
        for f in (0.25, 0.5, 1, 2, 4)
        for t in {felt, details["tempo"]}
    )
    key, is_right = _detect_key(chroma.mean(axis=1), details["key"])
    loudness = pyloudnorm.Meter(rate).integrated_loudness(sound)
    return SongAnalysis(
        style,
        fold,
        details["seed"],
        details["title"],
        details["tempo"],
        details["key"],
        folded,
        error,
        key,
        is_right,
        loudness,
        loudness - target.loudness,
        20 * np.log10(np.abs(sound).max()),
        _longest_silence(sound, rate),
        int((np.abs(sound) >= 0.9999).sum()),
        tuple(_octave_levels(sound, rate, np.array(target.spectrum))),
        *_compute_muspy_metrics(mp3.with_suffix(".mid")),
        _boundary_share(mfcc, chroma, details),
        _compute_features(mfcc, chroma, onsets, len(mono) / _RATE),
    )


def _estimate_tempo(onsets: np.ndarray) -> float:
    """Estimate the tempo in beats per minute by a line fit through the beats of librosa."""
    _, beats = librosa.beat.beat_track(onset_envelope=onsets, sr=_RATE, hop_length=HOP, trim=False)
    if len(beats) < 8:
        return 0.0
    times = librosa.frames_to_time(beats, sr=_RATE, hop_length=HOP)
    steps = np.diff(times)
    period = np.median(steps)
    number = np.concatenate(([0], np.cumsum(np.maximum(1, np.round(steps / period)))))
    return float(60 / np.polyfit(number, times, 1)[0])


def _detect_key(chroma: np.ndarray, requested: str) -> tuple[str, bool]:
    fits = {
        (pc, mode): np.corrcoef(np.roll(profile, pc), chroma)[0, 1]
        for mode, profile in (("major", MAJOR), ("minor", MINOR))
        for pc in range(12)
    }
    tonic, mode = max(fits, key=fits.__getitem__)
    name, scale = requested.split(" ", 1)
    requested_pc = (_TONICS[name[0]] + name.count("#") - name[1:].count("b")) % 12
    major = (requested_pc + _MAJOR_OF[scale]) % 12
    minor_third = scale not in (
        "major",
        "lydian",
        "mixolydian",
        "major pentatonic",
        "phrygian dominant",
    )
    is_right = (tonic, mode) in {
        (major, "major"),
        ((major + 9) % 12, "minor"),
        (requested_pc, "minor" if minor_third else "major"),
    }
    if scale == "blues":  # neither major nor minor
        is_right |= tonic == requested_pc
    return f"{_NAMES[tonic]} {mode}", is_right


def _longest_silence(sound: np.ndarray, rate: int) -> float:
    """Longest stretch below the threshold between the first and the last sound."""
    size = rate // 10
    tenths = np.sqrt((sound[: len(sound) // size * size].reshape(-1, size, 2) ** 2).mean((1, 2)))
    loud = np.flatnonzero(20 * np.log10(tenths + 1e-9) > SILENT)
    return float(np.diff(loud).max() - 1) / 10 if len(loud) > 1 else 0.0


def _octave_levels(sound: np.ndarray, rate: int, reference: np.ndarray) -> np.ndarray:
    size = 1 << 15
    blocks = sound[: len(sound) // size * size].reshape(-1, size, 2)
    power = (np.abs(np.fft.rfft(blocks * np.hanning(size)[:, None], axis=1)) ** 2).sum((0, 2))
    at = np.fft.rfftfreq(size, 1 / rate)
    levels = np.array(
        [10 * np.log10(power[(at >= f / 2**0.5) & (at < f * 2**0.5)].sum()) for f in _OCTAVES]
    )
    difference = levels - reference
    return difference - difference[1:-1].mean()


def _compute_muspy_metrics(path: Path) -> tuple[float, float, float]:
    music = muspy.read_midi(path)
    for track in music.tracks:  # muspy drops nothing itself, and drums have no pitch class
        track.notes = [n for n in track.notes if n.duration > 0]
    entropy, consistency = muspy.pitch_class_entropy(music), muspy.scale_consistency(music)
    time_signature = music.time_signatures[0]
    bar = 12 * 4 * time_signature.numerator // time_signature.denominator
    music.adjust_resolution(12)
    return entropy, consistency, muspy.groove_consistency(music, bar)


def _boundary_share(mfcc: np.ndarray, chroma: np.ndarray, details: dict[str, Any]) -> float:
    """Share of the form's boundaries that are within a bar of a novelty peak (Foote, 2000)."""
    similar, _ = similarity(mfcc, chroma, details)
    half = 4
    kernel = np.kron(np.array([[1, -1], [-1, 1]]), np.ones((half, half)))
    n = len(similar)
    padded = np.pad(similar, half, mode="edge")
    novelty = np.array(
        [(padded[i : i + 2 * half, i : i + 2 * half] * kernel).sum() for i in range(n)]
    )
    peaks = [
        i
        for i in range(1, n - 1)
        if novelty[i] >= novelty[i - 1]
        and novelty[i] > novelty[i + 1]
        and novelty[i] > np.median(novelty)
    ]
    starts = [s["bar"] for s in details["form"][1:] if half <= s["bar"] < n - half]
    return float(np.mean([any(abs(p - s) <= 1 for p in peaks) for s in starts])) if starts else 1.0


def similarity(
    mfcc: np.ndarray, chroma: np.ndarray, details: dict[str, Any]
) -> tuple[np.ndarray, float]:
    """Self-similarity bar by bar (0 to 1), and the seconds of a bar."""
    beats, unit = map(int, details["meter"].split("/"))
    seconds = beats * 4 / unit * 60 / details["tempo"]
    bars = int(details["length"] / seconds)
    joined = np.concatenate(
        (_average_bars(mfcc[1:], bars, seconds), _average_bars(chroma, bars, seconds))
    )
    joined = (joined - joined.mean(1, keepdims=True)) / (joined.std(1, keepdims=True) + 1e-6)
    distance = np.sqrt(((joined[:, :, None] - joined[:, None, :]) ** 2).sum(0))
    return 1 - distance / distance.max(), seconds


def _average_bars(rows: np.ndarray, bars: int, seconds: float) -> np.ndarray:
    edges = librosa.time_to_frames(np.arange(bars + 1) * seconds, sr=_RATE, hop_length=512)
    return np.stack([rows[:, a : max(b, a + 1)].mean(axis=1) for a, b in pairwise(edges)], axis=1)


def _compute_features(
    mfcc: np.ndarray, chroma: np.ndarray, onsets: np.ndarray, seconds: float
) -> np.ndarray:
    count = len(librosa.onset.onset_detect(onset_envelope=onsets, sr=_RATE, hop_length=HOP))
    chroma_change = np.abs(np.diff(chroma, axis=1)).mean()
    return np.array(
        [
            *mfcc.mean(axis=1),
            *mfcc.std(axis=1),
            count / seconds,
            onsets.std(),
            *np.sort(chroma.mean(axis=1)),
            chroma_change,
        ]
    )
