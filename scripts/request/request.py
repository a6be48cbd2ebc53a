"""What the user asks for: the options of a song, not yet checked."""

from __future__ import annotations

from dataclasses import dataclass, fields

from scripts.core.errors import UsageError
from scripts.core.text import is_unicode, strip_control_chars
from scripts.request.feeling import Feeling
from scripts.score.tuning import CONCERT_PITCH

MAX_SONGS = 10_000
ENDLESS = "endless"  # in place of a number of songs


@dataclass(frozen=True)
class SongRequest:
    """The user's options for a song; None or empty leaves the choice to the style.

    Parameters
    ----------
    styles : str
        Words separated by commas (see :func:`find_styles`).
    length : str
        See :func:`parse_length`.
    key : str, optional
        For example ``F minor``.
    tempo : float, optional
        Quarter notes per minute, 20 to 300.
    meter : str, optional
        For example ``6/8``.
    tuning : float
        Frequency of A4 in Hz, or a solfeggio frequency (see :func:`find_tuning`).
    form : str, optional
        Section names, see :data:`SECTIONS`.
    chords : str, optional
        Up to 32 chord symbols, one per bar, which repeat.
    binaural : float
        Frequency difference between the ears in Hz, 0.5 to 40; 0 for none.
    loop : bool
        Whether the end joins the beginning.
    motif : str, optional
        Notes with which the melody begins, for example ``C4 E4 G4``.
    pace : str, optional
        How fast without a number: a name in :data:`scripts.request.pace.PACES`.
    energy : str, optional
        ``low`` (soft, sparse) or ``high`` (loud, full).
    instruments : str, optional
        What should play, see :func:`scripts.request.instrument_names.parse_instruments`.
    without : str, optional
        What must not play, see :func:`scripts.request.instrument_names.parse_excluded`.
    text : str
        The user's own sentence, if the other fields were read from one.
    feeling : Feeling, optional
        What that sentence says about how the user feels.

    Raises
    ------
    UsageError
        When a text is not valid Unicode. Control characters become spaces.
    """

    styles: str
    length: str = "3"
    key: str | None = None
    tempo: float | None = None
    meter: str | None = None
    tuning: float = CONCERT_PITCH
    form: str | None = None
    chords: str | None = None
    binaural: float = 0.0
    loop: bool = False
    motif: str | None = None
    pace: str | None = None
    energy: str | None = None
    instruments: str | None = None
    without: str | None = None
    text: str = ""
    feeling: Feeling | None = None

    @property
    def label(self) -> str:
        """What the user asked for, as it was typed."""
        return self.text or self.styles

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not isinstance(value, str):
                continue
            if not is_unicode(value):
                raise UsageError(f"invalid {item.name}: it is not valid Unicode text")
            object.__setattr__(self, item.name, strip_control_chars(value))
