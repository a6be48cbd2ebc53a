"""The final chord of a song, by the style's ending."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from scripts.arranger.events import DRUM_KEYS, NoteEvent
from scripts.arranger.voicing import bass_note, power_chord, voice_chord
from scripts.score.chords import Chord

_JAZZ_EXTENSIONS = {
    "": "6",
    "maj7": "maj9",
    "m": "m6",
    "m7": "m9",
    "7": "9",
}  # extensions of a jazz ending
_DAMPED_TICKS = 14.0  # ticks of a damped chord
_KICK, _CRASH = DRUM_KEYS["kick"], DRUM_KEYS["crash"]

Ending = dict[str, list[NoteEvent]]  # notes by role


def last_chord(
    kind: str,
    at: float,
    ticks: float,
    tonic: Chord,
    tune: Sequence[int],
    power: bool,
    rng: random.Random,
) -> Ending:
    """Build the notes after the last bar.

    Parameters
    ----------
    kind : str
        One of :data:`scripts.styles.style.ENDINGS`: a chord that rings, is damped (``hit``), is
        arpeggiated upwards (``roll``), has jazz sixths and ninths (``tag``), is short and left
        to the echo, or fades.
    at : float
        Tick of the downbeat after the last bar.
    ticks : float
        Longest duration of a note.
    tonic : Chord
    tune : sequence of int
        Pitches of the song's melody; the top note is taken from them if one fits.
    power : bool
        Whether the chords are power chords.

    Returns
    -------
    dict of str to list of NoteEvent
        Notes by role.
    """
    chord = (
        replace(tonic, quality=_JAZZ_EXTENSIONS.get(tonic.quality, tonic.quality))
        if kind == "tag"
        else tonic
    )
    fitting = [p for p in tune if p % 12 in chord.pitch_classes]
    top = next(
        (p for p in reversed(fitting) if p % 12 == chord.root),
        fitting[-1] if fitting else 60 + chord.root,
    )
    low, voicing = bass_note(chord), voice_chord(chord, ())
    held = {
        "melody": [NoteEvent(at, ticks, top, 0.7)],
        "chords": [
            NoteEvent(at + n, ticks, p, 0.6)
            for n, p in enumerate(power_chord(chord) if power else voicing)
        ],
        "pad": [NoteEvent(at, ticks, p, 0.55) for p in voicing],
        "bass": [NoteEvent(at, ticks, low, 0.75)],
        "drums": [NoteEvent(at, 48, _KICK, 0.8), NoteEvent(at, ticks, _CRASH, 0.45)],
    }
    if kind == "hit":
        return _hit(held, at)
    if kind == "echo":
        return _echo(held, at, ticks, low)
    if kind == "roll":
        return _roll(held, at, ticks, voicing)
    if kind == "tag":
        return _tag(held, at, ticks, low, rng)
    if kind == "fade":
        return _fade(held, at, ticks)
    return held


def _hit(held: Ending, at: float) -> Ending:
    short = {
        role: [
            replace(e, ticks=_DAMPED_TICKS, velocity=min(1.0, e.velocity + 0.15))
            for e in held[role]
        ]
        for role in ("melody", "chords", "bass")
    }
    return {**short, "drums": [NoteEvent(at, 24, _KICK, 0.95), NoteEvent(at, 48, _CRASH, 0.7)]}


def _echo(held: Ending, at: float, ticks: float, low: int) -> Ending:
    return {
        "chords": [replace(e, ticks=_DAMPED_TICKS) for e in held["chords"]],
        "bass": [NoteEvent(at, min(ticks, 36.0), low, 0.8)],
        "pad": held["pad"],
        "drums": [NoteEvent(at, 48, _KICK, 0.9)],
    }


def _roll(held: Ending, at: float, ticks: float, voicing: Sequence[int]) -> Ending:
    spread = [*voicing, *(p + 12 for p in voicing)]
    step = min(4.0, ticks / 3 / len(spread))
    return {
        "melody": [replace(held["melody"][0], start=at + step * len(spread))],
        "chords": [
            NoteEvent(at + n * step, ticks - n * step, p, 0.5 + 0.02 * n)
            for n, p in enumerate(spread)
        ],
        "pad": held["pad"],
        "bass": held["bass"],
    }


def _tag(held: Ending, at: float, ticks: float, low: int, rng: random.Random) -> Ending:
    bass = [NoteEvent(at, ticks, low, 0.8)]
    if ticks > 60:  # the bass repeats the root after the chord
        bass = [NoteEvent(at, 24, low + 12, 0.7), NoteEvent(at + 36, ticks - 36, low, 0.75)]
    swell = [
        NoteEvent(at + 3 * n, 12, DRUM_KEYS["ride"], 0.3 + 0.02 * rng.random()) for n in range(4)
    ]
    return {**held, "bass": bass, "drums": [*held["drums"], *swell]}


def _fade(held: Ending, at: float, ticks: float) -> Ending:
    quiet = {
        role: [replace(e, velocity=0.3) for e in held[role]]
        for role in ("melody", "chords", "pad", "bass")
    }
    late = [
        replace(e, start=at + 24, ticks=max(6.0, ticks - 24), velocity=0.25) for e in held["melody"]
    ]
    return {**quiet, "melody": late}
