"""Measures whether the songs of feelings obey them: ``python -m tests.listening --moods``.

Tempo and beats are heard by Essentia's multi-feature tracker (J. Zapata et al., "Multi-feature beat
tracking", 2014) and, for comparison, by librosa's; all else by librosa.

Songs are made from held-out sentences, four a mood: does arousal show in tempo and onsets, valence
in mode and brightness, and do the beats of the light lie on the beats that a tracker hears? Other
songs, by the moods' names, are told apart by the nearest centroid of audio features.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import essentia.standard
import librosa
import numpy as np
from scipy.stats import spearmanr

from tests.listening.key_profiles import MAJOR, MINOR

ROOT = Path(__file__).parents[2]
_RATE, _HOP = 22_050, 256
_TRACKER_RATE = 44_100  # that Essentia's tracker needs
# Hz from which pitch classes are heard: the pitch of bass drums, which is lower, is not the key's.
_LOWEST, _CHROMA_OCTAVES = 130.8, 5
_BRIGHT = 1500.0  # Hz above which MIRtoolbox counts as brightness
_SENTENCES = 4  # a mood
_MINUTES = "0.75"
_KNOWN_SEEDS, _NEW_SEEDS = range(1, 7), range(101, 105)
_IN_STEP = 0.05  # seconds


@dataclass(frozen=True)
class MoodSong:
    """What is heard of a song.

    Parameters
    ----------
    mood : str
    valence, arousal : float
        Of the feeling.
    tempo, librosa_tempo : float
        Beats a minute that the trackers hear.
    onset_rate : float
        Onsets a second.
    majorness : float
        How much better the best major key fits the pitch classes than the best minor one.
    brightness : float
        Share of the energy above 1500 Hz.
    centroid : float
        Mean spectral centroid, Hz.
    in_step, librosa_in_step : float
        Share of the heard beats that lie within 50 ms of a beat of the light.
    features : tuple of float
        For telling moods apart.
    """

    mood: str
    valence: float
    arousal: float
    tempo: float
    librosa_tempo: float
    onset_rate: float
    majorness: float
    brightness: float
    centroid: float
    in_step: float
    librosa_in_step: float
    features: tuple[float, ...]


def measure_moods(arguments: list[str]) -> None:
    """Make the songs, measure them and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.listening --moods")
    parser.add_argument("--out", type=Path, default=Path("mood-songs"))
    parser.add_argument("--python", default=sys.executable, help="with the program's packages")
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--seed", type=int, default=0, help="of the first song of each mood")
    args = parser.parse_args(arguments)
    told = _make_told_songs(args.python, args.out / "told", args.split, args.seed)
    named = _make_named_songs(args.python, args.out / "named")
    with ProcessPoolExecutor(2) as pool:
        songs = list(pool.map(analyze, told))
        others = list(pool.map(analyze, named))
    arousal, valence = [s.arousal for s in songs], [s.valence for s in songs]
    figures = {
        "songs": len(songs),
        "arousal to tempo": _correlate(arousal, [s.tempo for s in songs]),
        "arousal to tempo, librosa": _correlate(arousal, [s.librosa_tempo for s in songs]),
        "arousal to onset rate": _correlate(arousal, [s.onset_rate for s in songs]),
        "valence to mode": _correlate(valence, [s.majorness for s in songs]),
        "valence to brightness": _correlate(valence, [s.brightness for s in songs]),
        "valence to centroid": _correlate(valence, [s.centroid for s in songs]),
        "beats in step": float(np.mean([s.in_step for s in songs])),
        "beats in step, librosa": float(np.mean([s.librosa_in_step for s in songs])),
        "nearest centroid": _nearest_centroid(others),
    }
    (args.out / "songs.json").write_text(
        json.dumps([asdict(s) for s in (*songs, *others)]), encoding="utf-8"
    )
    for name, value in figures.items():
        print(f"{name}: {value:.3f}" if isinstance(value, float) else f"{name}: {value}")


def analyze(path: Path) -> MoodSong:
    """Listen to a song with its ``.json`` and ``.light.json`` beside it."""
    details = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    show = json.loads(path.with_suffix(".light.json").read_text(encoding="utf-8"))
    sound, _ = librosa.load(path, sr=_RATE, mono=True)
    strength = librosa.onset.onset_strength(y=sound, sr=_RATE, hop_length=_HOP)
    tempo, beats = librosa.beat.beat_track(
        onset_envelope=strength, sr=_RATE, hop_length=_HOP, start_bpm=details["tempo"], units="time"
    )
    onsets = librosa.onset.onset_detect(onset_envelope=strength, sr=_RATE, hop_length=_HOP)
    centroid = librosa.feature.spectral_centroid(y=sound, sr=_RATE)[0]
    harmonic = librosa.effects.harmonic(sound)
    chroma = librosa.feature.chroma_cqt(
        y=harmonic, sr=_RATE, fmin=_LOWEST, n_octaves=_CHROMA_OCTAVES
    ).mean(axis=1)
    free, _ = librosa.beat.beat_track(onset_envelope=strength, sr=_RATE, hop_length=_HOP)
    heard_tempo, heard_beats = _track_beats(path)
    light = [at for at, _ in show["beats"]]
    feeling = details["feeling"] or {"valence": 0.0, "arousal": 0.0}
    loud = librosa.feature.rms(y=sound)[0]
    is_heard = loud > loud.max() / 30
    return MoodSong(
        show["mood"],
        feeling["valence"],
        feeling["arousal"],
        heard_tempo,
        float(np.atleast_1d(free)[0]),
        len(onsets) / (len(sound) / _RATE),
        _majorness(chroma),
        _brightness(sound),
        float(centroid[: len(is_heard)][is_heard[: len(centroid)]].mean()),
        _share_in_step(heard_beats, light),
        _share_in_step(beats, light),
        _features(sound, strength, centroid, loud, float(np.atleast_1d(tempo)[0]), chroma, onsets),
    )


def _features(
    sound: np.ndarray,
    strength: np.ndarray,
    centroid: np.ndarray,
    loud: np.ndarray,
    tempo: float,
    chroma: np.ndarray,
    onsets: np.ndarray,
) -> tuple[float, ...]:
    mfcc = librosa.feature.mfcc(y=sound, sr=_RATE, n_mfcc=13)
    contrast = librosa.feature.spectral_contrast(y=sound, sr=_RATE).mean(axis=1)
    flatness = librosa.feature.spectral_flatness(y=sound).mean()
    return (
        tempo,
        len(onsets) / (len(sound) / _RATE),
        float(strength.mean()),
        float(strength.std()),
        _majorness(chroma),
        float(np.log(centroid.mean())),
        float(np.log(centroid.std() + 1)),
        float(np.log(loud.std() / loud.mean() + 1e-6)),
        float(np.log(flatness + 1e-9)),
        *map(float, mfcc.mean(axis=1)),
        *map(float, mfcc.std(axis=1)),
        *map(float, contrast),
    )


def _track_beats(path: Path) -> tuple[float, np.ndarray]:
    """Tempo and beats (in seconds) that Essentia hears."""
    sound = essentia.standard.MonoLoader(filename=str(path), sampleRate=_TRACKER_RATE)()
    tempo, beats, *_ = essentia.standard.RhythmExtractor2013(method="multifeature")(sound)
    return float(tempo), np.asarray(beats)


def _brightness(sound: np.ndarray) -> float:
    """Share of the energy above 1500 Hz (O. Lartillot & P. Toiviainen, MIRtoolbox, 2007)."""
    power = (np.abs(librosa.stft(sound)) ** 2).sum(axis=1)
    frequencies = librosa.fft_frequencies(sr=_RATE)
    return float(power[frequencies > _BRIGHT].sum() / power.sum())


def _majorness(chroma: np.ndarray) -> float:
    def best(profile: np.ndarray) -> float:
        return max(float(np.corrcoef(chroma, np.roll(profile, n))[0, 1]) for n in range(12))

    return best(MAJOR) - best(MINOR)


def _share_in_step(heard: np.ndarray, light: list[float]) -> float:
    """Share of the heard beats near a beat of the light.

    A tracker that hears twice as many beats may also find those in between.
    """
    grid = np.array(light)
    if np.median(np.diff(heard)) < 0.75 * np.median(np.diff(grid)):
        grid = np.sort(np.concatenate((grid, (grid[1:] + grid[:-1]) / 2)))
    inside = heard[heard < light[-1] + 0.1]
    return float(np.mean([np.abs(grid - at).min() < _IN_STEP for at in inside]))


def _correlate(labels: list[float], values: list[float]) -> float:
    return float(spearmanr(labels, values)[0])


def _nearest_centroid(songs: list[MoodSong]) -> float:
    """Share of the songs with new seeds that are nearest to the centroid of their mood."""
    known, new = songs[: 12 * len(_KNOWN_SEEDS)], songs[12 * len(_KNOWN_SEEDS) :]
    features = np.array([s.features for s in known])
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-9
    moods = sorted({s.mood for s in known})
    scaled = (features - mean) / deviation
    labels = np.array([s.mood for s in known])
    centroids = np.array([scaled[labels == mood].mean(axis=0) for mood in moods])
    distances = [
        np.linalg.norm((np.array(s.features) - mean) / deviation - centroids, axis=1) for s in new
    ]
    found = [moods[int(d.argmin())] for d in distances]
    return float(np.mean([mood == s.mood for mood, s in zip(found, new, strict=True)]))


def _make_told_songs(python: str, out: Path, split: str, seed: int) -> list[Path]:
    """A song for each of four held-out sentences of each mood."""
    rows = [
        json.loads(line)
        for path in sorted((ROOT / "training" / "mood" / "sentences").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    rng, paths = random.Random(48 + seed), []
    for mood in sorted({row["mood"] for row in rows}):
        texts = [r["text"] for r in rows if r["mood"] == mood and r.get("split") == split]
        for n, text in enumerate(rng.sample(texts, _SENTENCES)):
            done = _run(
                python, "mood", text, "--length", _MINUTES, "--seed", str(seed + n), out=out
            )
            paths.append(_path_of(json.loads(done)["track"]["preview_uri"]))
    return paths


def _make_named_songs(python: str, out: Path) -> list[Path]:
    """Songs of each mood by name: first all with known seeds, then those with new ones."""
    styles = [line["style"] for line in _mood_tables().values()]
    paths = []
    for seeds in (_KNOWN_SEEDS, _NEW_SEEDS):
        for style in styles:
            first, count = seeds[0], len(seeds)
            done = _run(
                *(python, "generate", style, "--length", _MINUTES),
                *("--seed", str(first), "--songs", str(count)),
                out=out,
            )
            made = [json.loads(line) for line in done.splitlines()]
            paths += [Path(m["path"]) for m in made if m.get("event") == "song"]
    return paths


def _mood_tables() -> dict[str, dict[str, str]]:
    return tomllib.loads((ROOT / "data" / "moods.toml").read_text(encoding="utf-8"))


def _run(python: str, *words: str, out: Path) -> str:
    command = [python, str(ROOT / "launcher.py"), *words, "--out", str(out), "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def _path_of(uri: str) -> Path:
    return Path(unquote(urlsplit(uri).path))
