"""State shown by the screens."""

from __future__ import annotations

from dataclasses import dataclass, field

from scripts.core.settings import Settings
from scripts.jukebox.player import Playing

MENU, GENERATE, JUKEBOX, OPTIONS, WISHES = "menu", "generate", "jukebox", "options", "wishes"


@dataclass
class JobState:
    """Progress of one order, as the screens show it.

    Parameters
    ----------
    styles : str
        As the user typed them.
    songs : int
        Number of songs ordered.
    number : int
        Number (from 1) of the song in progress that is nearest to its end.
    stages : dict
        Fraction done (0 to 1) of each stage of that song: ``compose``, ``render``, ``convert``.
    text : str
        End of the lead sheet the model has written so far.
    made : list of str
        Titles of the songs finished since the program was started.
    failures : list of str
        Reasons of failed songs, of a stop or of a cancellation.
    notes : list of str
        Warnings and notices about the order.
    left : float or None
        Estimated seconds until all songs are done; None while unknown.
    stopping : bool
        Whether it was cancelled and its songs in progress are being stopped.
    done : bool
        Whether no more songs will be made, for whatever reason.
    id : int
        Order number in the store.
    before : int
        Songs finished before the program was started.
    going : int
        Songs in progress now.
    paused : bool
    failed : int
        Songs that could not be made.
    """

    styles: str
    songs: int
    number: int = 1
    stages: dict[str, float] = field(default_factory=dict)
    text: str = ""
    made: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: float | None = None
    stopping: bool = False
    done: bool = False
    id: int = 0
    before: int = 0
    going: int = 1
    paused: bool = False
    failed: int = 0

    @property
    def open(self) -> bool:
        """Whether commands still apply: songs are unfinished, or failed ones can be retried."""
        return not self.done or self.failed > 0


@dataclass
class Field:
    """Text input with a question and suggestions.

    Parameters
    ----------
    question : str
    name : str
        What the answer sets: a setting, ``styles``, ``songs``, ``wish NAME``, ``search`` or
        ``playlist``.
    text : str
        Typed so far.
    problem : str
        Why the answer is invalid.
    offers : tuple of str
        Suggestions: completions of the last word, or songs found.
    chosen : int
        Index of the suggestion that Enter accepts.
    """

    question: str
    name: str
    text: str = ""
    problem: str = ""
    offers: tuple[str, ...] = ()
    chosen: int = 0


@dataclass
class Overlay:
    """Page shown over a screen: the keys, or the details of a song.

    Parameters
    ----------
    title : str
    lines : list of str
    top : int
        Index of the first line shown.
    """

    title: str
    lines: list[str]
    top: int = 0


@dataclass
class State:
    """State of the whole program.

    Parameters
    ----------
    settings : Settings
    model : str
        File name of the selected model; empty if there is none.
    model_words : str
        Size, architecture and quantization of that model.
    screen : str
        One of `MENU`, `GENERATE`, `JUKEBOX`, `OPTIONS` and `WISHES`.
    songs : int
        Number of songs in the library.
    total_seconds : float
        Duration of all of them.
    latest : tuple of str
        Titles of the newest songs, newest first.
    playing : Playing or None
    rating : int
        Rating of the song playing: 0 (none) to 5.
    thumb : int
        Thumb of the song playing: 1 up, -1 down, 0 none.
    spectrum : tuple of float
        Level of each band, 0 to 1; empty when it is not drawn.
    sleep : float or None
        Seconds until the sleep timer pauses the player; None when it is off.
    jobs : list of JobState
        Oldest first.
    shown : int
        Index of the selected order; -1 for the latest.
    unfinished : int
        Unfinished songs of earlier sessions, while none are being made.
    answers : dict
        Answers to the questions of the Generate Music screen so far.
    wishes : dict
        Wishes for the next songs as typed, by name.
    field : Field or None
        Text input in progress.
    overlay : Overlay or None
    reading : str
        Progress of a long library scan, as a message.
    message : str
    leaving : bool
        Whether the user is asked to confirm the exit.
    """

    settings: Settings
    model: str = ""
    model_words: str = ""
    screen: str = MENU
    songs: int = 0
    total_seconds: float = 0.0
    latest: tuple[str, ...] = ()
    playing: Playing | None = None
    rating: int = 0
    thumb: int = 0
    spectrum: tuple[float, ...] = ()
    sleep: float | None = None
    jobs: list[JobState] = field(default_factory=list)
    shown: int = -1
    unfinished: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    wishes: dict[str, str] = field(default_factory=dict)
    field: Field | None = None
    overlay: Overlay | None = None
    reading: str = ""
    message: str = ""
    leaving: bool = False
