"""Imported music: the voices and notes of an ABC, MIDI or MusicXML file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from scripts.core.errors import NotationError
from scripts.core.text import MAX_MESSAGE_LENGTH, MAX_NAME_LENGTH, clean_line
from scripts.score.chords import Chord
from scripts.score.keys import Key, key_from_pc
from scripts.score.time_signature import TICKS_PER_QUARTER, TimeSignature

PitchClassWeights = npt.NDArray[np.float64]  # (12,), by pitch class

MAX_FILE_BYTES = 8 << 20  # bytes; a symphony takes less
MAX_VOICES = 24
DRUM_CHANNEL = 9  # General MIDI, counted from 0
_MIN_NOTE_TICKS = 0.25  # after a change of tempo; shorter notes make no sound
MIN_TEMPO, MAX_TEMPO = 20.0, 300.0  # quarter notes per minute that can be arranged

# Key profiles: how well each degree fits a key (Krumhansl, "Cognitive Foundations of Musical
# Pitch", 1990).
_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


class MusicTooLargeError(NotationError):
    """Music with more notes, bars or voices than the program plays."""


@dataclass(frozen=True, slots=True)
class PieceNote:
    """A note: start and length in ticks (24 per quarter), MIDI pitch, velocity 0 to 1."""

    start: float
    ticks: float
    pitch: int
    velocity: float = 0.75


@dataclass(frozen=True)
class Voice:
    """Notes of one player.

    Parameters
    ----------
    name : str
    notes : tuple of PieceNote
        Sorted by start.
    program : int or None
        General MIDI program, 0 to 127, if the file names one.
    is_kit : bool
        Whether the pitches are General MIDI percussion keys.
    """

    name: str
    notes: tuple[PieceNote, ...]
    program: int | None = None
    is_kit: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean_line(self.name, MAX_NAME_LENGTH))


@dataclass(frozen=True)
class Piece:
    """Music read from a notation file.

    Parameters
    ----------
    title, composer : str
    key, meter
    tempo : float
        Quarter notes per minute, for most of the piece.
    voices : tuple of Voice
        At least one note in all.
    chords : tuple of (tick, Chord)
        The file's own chord symbols; may be empty.
    part_starts : tuple of int
        Ticks of the bar lines where a part starts; may be empty.
    tempos : tuple of (tick, tempo)
        Where the tempo changes; may be empty.
    warnings : tuple of str
        Warnings: what could not be read, and what was guessed.
    is_played : bool
        True for performed timing (MIDI), False for a score's.
    """

    title: str
    composer: str
    key: Key
    meter: TimeSignature
    tempo: float
    voices: tuple[Voice, ...]
    chords: tuple[tuple[float, Chord], ...] = ()
    part_starts: tuple[int, ...] = ()
    tempos: tuple[tuple[float, float], ...] = ()
    warnings: tuple[str, ...] = field(default=(), compare=False)
    is_played: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", clean_line(self.title, MAX_NAME_LENGTH))
        object.__setattr__(self, "composer", clean_line(self.composer, MAX_NAME_LENGTH))
        warnings = tuple(clean_line(text, MAX_MESSAGE_LENGTH) for text in self.warnings)
        object.__setattr__(self, "warnings", warnings)

    @property
    def notes(self) -> list[PieceNote]:
        """Pitched notes of all voices, sorted by start."""
        return sorted(
            (n for v in self.voices if not v.is_kit for n in v.notes),
            key=lambda n: (n.start, n.pitch),
        )

    @property
    def bar_count(self) -> int:
        """Number of bars until the last note ends; overlaps of up to 1/100 bar are ignored."""
        end = max(n.start + n.ticks for v in self.voices for n in v.notes)
        return max(1, -int(-(end - self.meter.bar_ticks / 100) // self.meter.bar_ticks))


def transpose_piece(piece: Piece, key: Key) -> Piece:
    """Transpose `piece` to `key` by the smaller interval; drums stay."""
    steps = (key.tonic_pc - piece.key.tonic_pc + 5) % 12 - 5
    voices = tuple(
        v
        if v.is_kit
        else replace(
            v, notes=tuple(replace(n, pitch=min(127, max(0, n.pitch + steps))) for n in v.notes)
        )
        for v in piece.voices
    )
    chords = tuple((t, replace(c, root=(c.root + steps) % 12)) for t, c in piece.chords)
    return replace(piece, voices=voices, chords=chords, key=key)


def with_constant_tempo(piece: Piece) -> Piece:
    """Return `piece` at one constant tempo, with every note at the same second as before."""
    changes = [(0.0, piece.tempos[0][1] if piece.tempos else piece.tempo), *piece.tempos]
    at = np.array([t for t, _ in changes])
    speeds = np.array([1 / tempo for _, tempo in changes])
    seconds = np.concatenate(([0.0], np.cumsum(np.diff(at) * speeds[:-1])))
    steady = min(MAX_TEMPO, max(MIN_TEMPO, piece.tempo))

    def moved(tick: float) -> float:
        i = max(0, int(np.searchsorted(at, tick, "right")) - 1)
        return float((seconds[i] + (tick - at[i]) * speeds[i]) * steady)

    voices = tuple(
        replace(
            v,
            notes=tuple(
                replace(
                    n,
                    start=moved(n.start),
                    ticks=max(_MIN_NOTE_TICKS, moved(n.start + n.ticks) - moved(n.start)),
                )
                for n in v.notes
            ),
        )
        for v in piece.voices
    )
    return replace(
        piece,
        voices=voices,
        tempo=steady,
        tempos=(),
        part_starts=(),
        chords=tuple((moved(t), c) for t, c in piece.chords),
    )


def find_main_tempo(tempos: Sequence[tuple[float, float]], end: float) -> float:
    """Return the tempo that lasts longest in seconds, 120 if there is none.

    Parameters
    ----------
    tempos : sequence of (tick, tempo)
        Sorted.
    end : float
        Tick where the music ends.
    """
    held: dict[float, float] = {}
    for (start, tempo), (stop, _) in pairwise([*tempos, (max(end, 1.0), 0.0)]):
        held[tempo] = held.get(tempo, 0.0) + max(0.0, stop - start) / tempo
    return max(held, key=held.__getitem__) if held else 120.0


def duration_seconds(tempos: Sequence[tuple[float, float]], end: float) -> float:
    """Seconds from tick 0 to `end`, at 120 quarter notes per minute before the first tempo.

    Parameters
    ----------
    tempos : sequence of (tick, tempo)
        Sorted.
    end : float
        Tick where the music ends.
    """
    return sum(
        max(0.0, min(stop, end) - start) / TICKS_PER_QUARTER * 60 / tempo
        for (start, tempo), (stop, _) in pairwise([(0.0, 120.0), *tempos, (end, 0.0)])
    )


def pitch_class_weights(notes: Sequence[PieceNote]) -> PitchClassWeights:
    """Sum the duration of each pitch class in quarters; a note counts for at most four."""
    found = np.zeros(12)
    for note in notes:
        found[note.pitch % 12] += min(note.ticks, 96) / TICKS_PER_QUARTER
    return found


def chord_weights(chords: Iterable[tuple[Chord, float]]) -> PitchClassWeights:
    """Sum the length of each pitch class over (chord, length) pairs; roots count twice."""
    found = np.zeros(12)
    for chord, length in chords:
        found[list(chord.pitch_classes)] += length
        found[chord.root] += length
    return found


def find_key(sounding: PitchClassWeights) -> Key:
    """Find the key whose profile fits the (12,) `sounding` best (Krumhansl-Schmuckler)."""
    fits = _key_fits(sounding)
    return key_from_pc(*max(fits, key=fits.__getitem__))


def _key_fits(sounding: PitchClassWeights) -> Mapping[tuple[int, str], float]:
    """Correlation of `sounding` with the profile of each key, by tonic and mode."""

    def fit(pc: int, scale: str) -> float:
        profile = np.roll(np.array(_PROFILES[scale]), pc)
        return float(np.corrcoef(profile, sounding)[0, 1]) if sounding.std() else 0.0

    return {(pc, scale): fit(pc, scale) for scale in _PROFILES for pc in range(12)}


def matches_key(sounding: PitchClassWeights, key: Key) -> bool:
    """Whether `sounding` fits `key`: same tonic and mode, or the same pitch classes."""
    return fit_key(sounding, key)[0]


def fit_key(sounding: PitchClassWeights, key: Key) -> tuple[bool, float]:
    """Compare how well a key and all others fit `sounding`.

    Returns
    -------
    matches : bool
        As :func:`matches_key`.
    margin : float
        How much better the key fits than any with other pitch classes, as correlations, -2 to 2.
    """
    fits = _key_fits(sounding)
    own, classes = (key.tonic_pc, "minor" if key.is_minor else "major"), set(key.pitch_classes)
    best = max(fits, key=fits.__getitem__)
    others = {name for name in fits if set(key_from_pc(*name).pitch_classes) != classes}
    margin = fits[own] - max(fits[name] for name in others)
    return best == own or best not in others, margin
