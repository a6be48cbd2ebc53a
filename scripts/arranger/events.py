"""Note events and sections: the arranger's output and the synth's input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from scripts.score.chords import Chord
from scripts.score.keys import Key
from scripts.score.time_signature import TimeSignature
from scripts.styles.mastering import Mastering
from scripts.styles.style import TrackStyle

Bend = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class NoteEvent:
    """Note of a track.

    Parameters
    ----------
    start : float
        Ticks (24 a quarter) from the start of the song.
    ticks : float
        Duration.
    pitch : int
        MIDI number; for drums the General MIDI percussion key.
    velocity : float
        0 to 1.
    manner : str
        Playing technique, for instruments that have several: ``wobble3`` sweeps a bass's filter
        three times in a quarter note.
    bend : tuple of (float, float)
        Pitch curve: ticks from the start of the note and semitones, with straight lines between.
    """

    start: float
    ticks: float
    pitch: int
    velocity: float
    manner: str = ""
    bend: Bend = ()


def base_velocity(energy: float) -> float:
    """Return the base velocity (0 to 1) for a section's energy (0 to 1)."""
    return 0.38 + 0.48 * energy


@dataclass(frozen=True)
class Section:
    """Section of the form.

    Parameters
    ----------
    name : str
    start : int
        Bars from the start of the song.
    bars : int
        Length in bars.
    part : int
        Index of the lead sheet's part that it develops.
    occurrence : int
        Number of earlier sections with this name.
    energy : float
        0 to 1.
    """

    name: str
    start: int
    bars: int
    part: int
    occurrence: int
    energy: float


Harmony = Sequence[Sequence[tuple[int, Chord]]]  # per bar: (tick, chord) pairs


@dataclass(frozen=True)
class Passage:
    """Section with what its accompaniment follows.

    Parameters
    ----------
    section : Section
    meter : TimeSignature
    key : Key
    harmony : sequence
        Chords of each bar.
    """

    section: Section
    meter: TimeSignature
    key: Key
    harmony: Harmony


@dataclass(frozen=True)
class SectionEvents:
    """Section with the notes of each role, sorted by start."""

    section: Section
    tracks: Mapping[str, tuple[NoteEvent, ...]]


class Arrangement(Protocol):
    """Song as tracks, section by section."""

    @property
    def tempo(self) -> float:
        """Quarter notes a minute."""

    @property
    def length(self) -> float:
        """Length in seconds."""

    @property
    def tuning(self) -> float:
        """Frequency of A4 in Hz."""

    @property
    def tonic(self) -> int:
        """Pitch class of the key's tonic, 0 for C."""

    @property
    def loop(self) -> bool:
        """Whether the end joins the beginning."""

    @property
    def binaural(self) -> tuple[float, float]:
        """Beat frequency (0: none) and center frequency of the binaural tones, in Hz."""

    @property
    def bar_ticks(self) -> int:
        """Length of a bar in ticks."""

    @property
    def tracks(self) -> Mapping[str, TrackStyle]:
        """Sound of each role."""

    @property
    def form(self) -> tuple[Section, ...]:
        """The sections in order."""

    @property
    def room(self) -> float:
        """Reverberation time in seconds."""

    @property
    def mastering(self) -> Mastering:
        """What the finished song is like."""

    def section(self, index: int) -> SectionEvents:
        """Return the notes of one section of the form."""

    def sections(self) -> Iterator[SectionEvents]:
        """Iterate over the sections in order, without building all of them first."""


def collect_notes(arrangement: Arrangement) -> dict[str, list[NoteEvent]]:
    """Collect the notes of the whole song by role."""
    found: dict[str, list[NoteEvent]] = {}
    for section in arrangement.sections():
        for role, events in section.tracks.items():
            found.setdefault(role, []).extend(events)
    return found


# Drum piece -> General MIDI percussion key.
DRUM_KEYS = {
    "kick": 36,
    "rim": 37,
    "snare": 38,
    "clap": 39,
    "tom1": 41,
    "hat": 42,
    "pedal": 44,
    "tom": 45,
    "tom2": 45,
    "openhat": 46,
    "tom3": 48,
    "crash": 49,
    "ride": 51,
    "bell": 53,
    "tambourine": 54,
    "cowbell": 56,
    "bongohigh": 60,
    "bongolow": 61,
    "congamute": 62,
    "congahigh": 63,
    "congalow": 64,
    "shaker": 70,
    "guiro": 73,
    "claves": 75,
    "woodblock": 76,
    "triangle": 81,
    "snap": 85,
    "surdo": 86,
    "surdoopen": 87,
}
