"""Report of the analyses as Markdown, and plots of a few songs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import librosa
import matplotlib
import numpy as np
import pretty_midi
import soundfile
from PIL import Image

from tests.listening.measures import SongAnalysis, similarity

matplotlib.use("Agg")
from matplotlib import pyplot as plt

# Ranges of MusPy's metrics in real music: 5th percentile of fiddle tunes or chorales, whichever is
# lower, to the higher 95th. A song entirely in its scale is fine, so that range is open above.
ENTROPY, CONSISTENCY, GROOVE = (2.37, 3.19), (0.89, 1.0), (0.89, 0.99)
LABELS = (
    "ambient",
    "baroque",
    "celtic",
    "chiptune",
    "drum and bass",
    "dubstep",
    "funk",
    "jazz",
    "lo-fi",
    "metal",
    "reggae",
    "techno",
)
OCTAVES = ("31", "63", "125", "250", "500", "1k", "2k", "4k", "8k", "16k")


def classify_styles(analyses: Sequence[SongAnalysis]) -> tuple[float, list[str]]:
    """Share of songs of the twelve styles that a nearest-centroid classifier recognizes.

    One song of each style in turn is left out of the training, which also scales the features.
    """
    songs = [h for h in analyses if h.style in LABELS]
    right, wrong = 0, []
    for fold in sorted({h.fold for h in songs}):
        training = [h for h in songs if h.fold != fold]
        table = np.stack([h.features for h in training])
        center, spread = table.mean(0), table.std(0) + 1e-9
        centroids = {
            s: np.mean([(h.features - center) / spread for h in training if h.style == s], 0)
            for s in LABELS
        }
        for song in (h for h in songs if h.fold == fold):
            position = (song.features - center) / spread
            predicted = min(centroids, key=lambda s: np.linalg.norm(centroids[s] - position))
            right += predicted == song.style
            wrong += [f"{song.style} as {predicted}"] * (predicted != song.style)
    return right / max(1, len(songs)), wrong


def write_report(analyses: Sequence[SongAnalysis], path: Path, minutes: float) -> None:
    """Write the tables to `path`."""
    share, wrong = classify_styles(analyses)
    in_range = {
        name: np.mean([low <= getattr(h, name) <= high for h in analyses])
        for name, (low, high) in (
            ("entropy", ENTROPY),
            ("consistency", CONSISTENCY),
            ("groove", GROOVE),
        )
    }
    errors = np.array([h.octaves for h in analyses])[
        :, 1:-1
    ]  # below 45 Hz and above 11 kHz is taste
    styles = list(dict.fromkeys(h.style for h in analyses))
    lines = [
        "# How good do the songs sound?",
        "",
        f"{len(analyses)} songs of {minutes:g} minutes, {len(styles)} styles with "
        f"{len({h.fold for h in analyses})} seeds each, composed by the starter model. `python -m "
        "tests.listening` composes and measures them again (extra `listening`).",
        "",
        "| | target | measured |",
        "|---|---|---|",
        "| tempo detected by librosa within 2 % of the requested one (half and double count) "
        "| 95 % "
        f"| {np.mean([h.tempo_error < 0.02 for h in analyses]):.1%} |",
        "| detected key (Krumhansl on chroma) is the requested or its relative | 90 % | "
        f"{np.mean([h.key_right for h in analyses]):.1%} |",
        *(
            f"| MusPy {word} between {low} and {high} | all | {in_range[name]:.1%} (median "
            f"{np.median([getattr(h, name) for h in analyses]):.3f}) |"
            for name, word, (low, high) in (
                ("entropy", "pitch-class entropy", ENTROPY),
                ("consistency", "scale consistency", CONSISTENCY),
                ("groove", "groove consistency", GROOVE),
            )
        ),
        f"| nearest centroid finds the right one of {len(LABELS)} styles, for a seed it was not "
        f"trained on | 80 % | {share:.1%} |",
        f"| longest silence inside a song | 1.5 s | {max(h.silence for h in analyses):.1f} s |",
        f"| clipped samples | 0 | {sum(h.clipped for h in analyses)} |",
        "| loudness less that of the family (`data/mastering.toml`) | within 1 LU | "
        f"{min(h.loudness_error for h in analyses):+.1f} to "
        f"{max(h.loudness_error for h in analyses):+.1f} LU |",
        "| octaves from 63 Hz to 8 kHz within 6 dB of the reference | all | "
        f"{np.mean(np.abs(errors) <= 6):.1%} of bands; {np.mean((np.abs(errors) <= 6).all(1)):.1%} "
        "of songs in all eight |",
        "| section boundaries that stand out in the self-similarity | visible | "
        f"{np.mean([h.boundaries for h in analyses]):.1%} |",
        "",
        "The key of recorded instruments is often heard a fifth too high by chroma, as their third "
        "partials are strong; [listening.md](listening.md) has what a network hears.",
        "",
        "Misclassified styles: " + (", ".join(wrong) or "none") + ".",
        "",
        "## How does each style measure?",
        "",
        "Octaves are in dB relative to the spectrum of the style's family "
        "(`data/mastering.toml`), averaged over the style's songs.",
        "",
        "| style | tempo requested / detected | keys requested / detected | LUFS | entropy | scale "
        "| groove | " + " | ".join(OCTAVES) + " |",
        "|" + "---|" * (7 + len(OCTAVES)),
    ]
    for style in styles:
        own = [h for h in analyses if h.style == style]
        tempi = "; ".join(f"{h.asked_tempo:g} / {h.tempo:.1f}" for h in own)
        keys = "; ".join(
            f"{h.asked_key} / {h.key}{'' if h.key_right else ' **wrong**'}" for h in own
        )
        figures = [
            np.mean([getattr(h, n) for h in own])
            for n in ("loudness", "entropy", "consistency", "groove")
        ]
        lines.append(
            f"| {style} | {tempi} | {keys} | {figures[0]:.1f} | {figures[1]:.2f} | "
            f"{figures[2]:.2f} | {figures[3]:.3f} | "
            + " | ".join(f"{x:+.0f}" for x in np.mean([h.octaves for h in own], axis=0))
            + " |"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def plot_song(mp3: Path, path: Path) -> None:
    """Plot the spectrogram, piano roll and self-similarity of a song, with its sections marked."""
    details = json.loads(mp3.with_suffix(".json").read_text(encoding="utf-8"))
    sound, rate = soundfile.read(mp3.with_suffix(".wav"), dtype="float32")
    mono = sound.mean(axis=1)
    figure = plt.figure(figsize=(11, 7.5))
    grid = figure.add_gridspec(2, 3)
    spectrum, roll, similar = (
        figure.add_subplot(grid[0, :]),
        figure.add_subplot(grid[1, :2]),
        figure.add_subplot(grid[1, 2]),
    )
    mel = librosa.feature.melspectrogram(
        y=mono, sr=rate, n_fft=4096, hop_length=2048, n_mels=160, fmax=18_000
    )
    librosa.display.specshow(
        librosa.power_to_db(mel, ref=np.max),
        sr=rate,
        hop_length=2048,
        x_axis="time",
        y_axis="mel",
        fmax=18_000,
        ax=spectrum,
    )
    low = librosa.resample(mono, orig_sr=rate, target_sr=22_050)
    matrix, seconds = similarity(
        librosa.feature.mfcc(y=low, sr=22_050, n_mfcc=13),
        librosa.feature.chroma_cqt(y=low, sr=22_050),
        details,
    )
    similar.imshow(matrix, origin="lower", cmap="magma")
    similar.set_title("self-similarity, bars")
    midi = pretty_midi.PrettyMIDI(str(mp3.with_suffix(".mid")))
    for n, track in enumerate(t for t in midi.instruments if not t.is_drum):
        roll.hlines(
            [x.pitch for x in track.notes],
            [x.start for x in track.notes],
            [x.end for x in track.notes],
            color=f"C{n}",
            lw=1.6,
            label=track.name,
        )
    for track in (t for t in midi.instruments if t.is_drum):
        roll.plot([x.start for x in track.notes], [x.pitch - 20 for x in track.notes], "k.", ms=1)
    roll.legend(loc="upper right", fontsize=7)
    for section in details["form"]:
        for axis in (spectrum, roll):
            axis.axvline(section["bar"] * seconds, color="w" if axis is spectrum else "0.6", lw=0.8)
        similar.axvline(section["bar"] - 0.5, color="w", lw=0.5)
        spectrum.text(section["bar"] * seconds + 0.3, 12_000, section["name"], color="w", size=8)
    spectrum.set_title(
        f"{mp3.stem}: {', '.join(details['styles'])}, {details['key']}, {details['tempo']:g} bpm"
    )
    figure.tight_layout()
    figure.savefig(path, dpi=72)
    plt.close(figure)
    with Image.open(path) as image:  # an image of few colors is half the size
        small = image.convert("RGB").quantize(240, kmeans=1)
    small.save(path, optimize=True)
