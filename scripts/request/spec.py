"""The specification of one song: everything that is decided before composing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scripts.request.feeling import Feeling
from scripts.score.chords import Chord
from scripts.score.keys import Key
from scripts.score.time_signature import TimeSignature
from scripts.score.tuning import Tuning
from scripts.styles.style import Style

CHAPTER_SECONDS = 15 * 60.0  # seconds of a long song that one lead sheet covers
MAX_CHAPTERS = 12


@dataclass(frozen=True)
class SongSpec:
    """Specification of one song: everything decided before composing.

    Parameters
    ----------
    requested_styles : str
        The styles in the user's words.
    styles : tuple of str
        Names of the styles found for them.
    style : Style
        Blend of these styles.
    style_by_role : mapping of str to str
        Name of the style that provides each role.
    key : Key
    meter : TimeSignature
    tempo : float
        Quarter notes per minute.
    length : float
        Seconds.
    parts : tuple of int
        Bars of each part of the lead sheet.
    form : tuple of str
        Section names.
    form_requested : bool
        Whether the user requested the form.
    chords : tuple of Chord
        Requested by the user, one per bar; may be empty.
    tuning : Tuning
    binaural : float
        Frequency difference between the tones for left and right ear in Hz; 0 for none.
    loop : bool
        Whether the end joins the beginning.
    motif : tuple of int
        MIDI pitches with which the melody begins; may be empty.
    seed : int
    warnings : tuple of str
        Guesses and changes that the user should know of.
    energy : float
        Added to the energy (0 to 1) of each section.
    feeling : Feeling, optional
        How the user feels, if that was said.
    arousal : float, optional
        Arousal (0 to 1) that the rhythms suit; None leaves all rhythms of the style.
    requested_bars : int
        Number of bars of an imported piece; 0 if the length decides.
    """

    requested_styles: str
    styles: tuple[str, ...]
    style: Style
    style_by_role: Mapping[str, str]
    key: Key
    meter: TimeSignature
    tempo: float
    length: float
    parts: tuple[int, ...]
    form: tuple[str, ...]
    form_requested: bool
    chords: tuple[Chord, ...]
    tuning: Tuning
    binaural: float
    loop: bool
    motif: tuple[int, ...]
    seed: int
    warnings: tuple[str, ...]
    energy: float = 0.0
    feeling: Feeling | None = None
    arousal: float | None = None
    requested_bars: int = 0

    @property
    def bar_seconds(self) -> float:
        return self.meter.bar_ticks / 24 * 60 / self.tempo

    @property
    def chapter_count(self) -> int:
        """Number of consecutive lead sheets in a song of this length, 1 to 12."""
        return max(1, min(MAX_CHAPTERS, round(self.length / CHAPTER_SECONDS)))

    @property
    def bars(self) -> int:
        """Number of whole bars; the last chord rings for the rest of the length."""
        if self.requested_bars:
            return self.requested_bars
        if self.loop:
            return round(self.length / self.bar_seconds)
        return max(2, int((self.length - min_tail_seconds(self.length)) / self.bar_seconds))


def min_tail_seconds(length: float) -> float:
    """Least time in seconds for the last chord to ring after the last bar."""
    return 1.2 if length < 30 else 2.0
