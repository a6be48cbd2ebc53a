"""Everything the screens show."""

from __future__ import annotations

from dataclasses import dataclass, field

from scripts.core.settings import Settings
from scripts.jukebox.player import Playing

MENU, GENERATE, JUKEBOX, OPTIONS, WISHES = "menu", "generate", "jukebox", "options", "wishes"


@dataclass
class JobState:
    """An order in the making.

    Parameters
    ----------
    styles : str
    songs : int
    number : int
        The song being made that is nearest to its end, from 1.
    stages : dict
        Share done (0 to 1) of each stage of that song.
    text : str
        The end of what the model has written.
    made : list of str
        Titles of finished songs.
    failures : list of str
    left : float or None
        Seconds until all are done, once one song has shown how long it takes.
    done : bool
    id : int
        Number of the order.
    before : int
        Songs that were over when the program was started.
    going : int
        Songs that are being made at once.
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
        """Whether there is something to do about it: songs to be made, or failed ones."""
        return not self.done or self.failed > 0


@dataclass
class Field:
    """A line the user types into.

    Parameters
    ----------
    question : str
    name : str
        What the answer is for.
    text : str
        Typed so far.
    problem : str
        Why the answer is not taken.
    offers : tuple of str
        What it may become: words that begin so, songs that are found.
    chosen : int
        The offer that Enter would take.
    """

    question: str
    name: str
    text: str = ""
    problem: str = ""
    offers: tuple[str, ...] = ()
    chosen: int = 0


@dataclass
class Overlay:
    """A page over the screen: help, or what a song is made of.

    Parameters
    ----------
    title : str
    lines : list of str
    top : int
        The first line shown.
    """

    title: str
    lines: list[str]
    top: int = 0


@dataclass
class State:
    """The program at one moment.

    Parameters
    ----------
    rating : int
        Of the song that plays, 0 to 5.
    thumb : int
        Of the same: 1 up, -1 down.
    spectrum : tuple of float
        Level of each band, 0 to 1; empty when it is not drawn.
    sleep : float or None
        Seconds until the jukebox falls silent.
    wishes : dict
        What the next songs are to be like, in the user's words.
    shown : int
        Which of the orders is looked at.
    unfinished : int
        Songs that were left from the last time.
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
    reading: str = ""  # how far a long reading of the library has come
    message: str = ""
    leaving: bool = False
