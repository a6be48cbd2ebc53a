"""Everything the screens show."""

from __future__ import annotations

from dataclasses import dataclass, field

from scripts.jukebox.player import Playing
from scripts.settings import Settings

MENU, GENERATE, JUKEBOX, OPTIONS = "menu", "generate", "jukebox", "options"


@dataclass
class JobState:
    """An order in the making.

    Parameters
    ----------
    styles : str
    songs : int
    number : int
        The song being made, from 1.
    stages : dict
        Share done (0 to 1) of each stage of that song.
    text : str
        The end of what the model has written.
    made : list of str
        Titles of finished songs.
    failures : list of str
    done : bool
    """

    styles: str
    songs: int
    number: int = 1
    stages: dict[str, float] = field(default_factory=dict)
    text: str = ""
    made: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stopping: bool = False
    done: bool = False


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
        Why the last answer was not taken.
    """

    question: str
    name: str
    text: str = ""
    problem: str = ""


@dataclass
class State:
    """The program at one moment."""

    settings: Settings
    model: str = ""
    screen: str = MENU
    songs: int = 0
    total_seconds: float = 0.0
    latest: tuple[str, ...] = ()
    playing: Playing | None = None
    jobs: list[JobState] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    field: Field | None = None
    message: str = ""
    leaving: bool = False
