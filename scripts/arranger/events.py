"""What the arranger hands to the synth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from scripts.styles.style import TrackStyle


@dataclass(frozen=True, slots=True)
class NoteEvent:
    """One note of a track.

    Parameters
    ----------
    start, ticks : float
        Ticks (24 a quarter) from the start of the song, and length.
    pitch : int
        MIDI number; for drums the General MIDI percussion key.
    velocity : float
        0 to 1.
    manner : str
        How it is played, for instruments that know more than one way: ``wobble3`` sweeps a
        bass's filter three times in a quarter note.
    """

    start: float
    ticks: float
    pitch: int
    velocity: float
    manner: str = ""


def touch_of(energy: float) -> float:
    """Velocity at which a section of some energy (0 to 1) is played."""
    return 0.38 + 0.48 * energy


@dataclass(frozen=True)
class Section:
    """A stretch of the form.

    Parameters
    ----------
    name : str
    start, bars : int
        In bars from the start of the song.
    part : int
        Which part of the lead sheet it develops.
    turn : int
        How often a section of this name came before.
    energy : float
        0 to 1.
    """

    name: str
    start: int
    bars: int
    part: int
    turn: int
    energy: float


@dataclass(frozen=True)
class SectionEvents:
    """A section and the notes of each role, sorted by start."""

    section: Section
    tracks: Mapping[str, tuple[NoteEvent, ...]]


class Arrangement(Protocol):
    """A song as tracks, section by section."""

    @property
    def tempo(self) -> float:
        """Quarter notes a minute."""

    @property
    def length(self) -> float:
        """Seconds."""

    @property
    def tuning(self) -> float:
        """Hz of A4."""

    @property
    def tonic(self) -> int:
        """Pitch class of the key's first note, 0 for C."""

    @property
    def loop(self) -> bool:
        """Whether the end joins the beginning."""

    @property
    def binaural(self) -> tuple[float, float]:
        """Hz between two tones for the two ears (0: none), and Hz of their middle."""

    @property
    def bar_ticks(self) -> int:
        """Length of a bar."""

    @property
    def tracks(self) -> Mapping[str, TrackStyle]:
        """How each role sounds."""

    @property
    def form(self) -> tuple[Section, ...]:
        """The sections in order."""

    @property
    def room(self) -> float:
        """Seconds of reverberation."""

    def section(self, index: int) -> SectionEvents:
        """The notes of one section of the form."""

    def sections(self) -> Iterator[SectionEvents]:
        """Yield the sections in order; only one is held in memory."""


def gathered(arrangement: Arrangement) -> dict[str, list[NoteEvent]]:
    """The notes of the whole song by role."""
    found: dict[str, list[NoteEvent]] = {}
    for section in arrangement.sections():
        for role, events in section.tracks.items():
            found.setdefault(role, []).extend(events)
    return found


# General MIDI percussion keys of the kit's pieces.
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
