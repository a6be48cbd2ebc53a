"""State shown by the screens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.core.settings import Settings
from scripts.jukebox.player import PlayerStatus

MENU, GENERATE, JUKEBOX, OPTIONS, WISHES = "menu", "generate", "jukebox", "options", "wishes"
LIGHT = "light"  # the light of the music, over the whole console
CONFIRM = "confirm"  # Generate Music, with the order that is about to be placed


@dataclass(frozen=True)
class OrderView:
    """Progress of one order, as the screens show it.

    Parameters
    ----------
    styles : str
        As the user typed them.
    songs : int
        Number of songs ordered.
    id : int
        Order number in the store.
    current_song : int
        Number (from 1) of the song in progress that is nearest to its end.
    stages : dict
        Fraction done (0 to 1) of each stage of that song: ``compose``, ``render``, ``convert``.
    sheet_text : str
        End of the lead sheet the model has written so far.
    finished_titles : tuple of str
        Titles of the finished songs.
    finished_count : int
    failed : int
        Songs that could not be made and can be retried.
    failures : tuple of str
        Reasons of failed songs, of a stop or of a cancellation.
    notices : tuple of str
        Warnings and notices about the order.
    seconds_left : float or None
        Estimated seconds until all songs are done; None while unknown.
    songs_in_progress : int
    stopping : bool
        Whether it was cancelled and its songs in progress are being stopped.
    done : bool
        Whether no more songs will be made, for whatever reason.
    paused : bool
    endless : bool
        Whether its songs have no end.
    """

    styles: str
    songs: int
    id: int = 0
    current_song: int = 1
    stages: Mapping[str, float] = field(default_factory=dict)
    sheet_text: str = ""
    finished_titles: tuple[str, ...] = ()
    finished_count: int = 0
    failed: int = 0
    failures: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    seconds_left: float | None = None
    songs_in_progress: int = 0
    stopping: bool = False
    done: bool = False
    paused: bool = False
    endless: bool = False

    @property
    def total(self) -> str:
        """The number of songs for people: ``of 12 songs``, or ``songs (endless)``."""
        return "songs (endless)" if self.endless else f"of {self.songs} songs"

    @property
    def is_actionable(self) -> bool:
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
    suggestions : tuple of str
        Suggestions: completions of the last word, or songs found.
    selected : int
        Index of the suggestion that Enter accepts.
    after_cursor : int
        Number of characters after the cursor.
    is_selected : bool
        Whether the whole text is selected: the next character replaces it.
    """

    question: str
    name: str
    text: str = ""
    problem: str = ""
    suggestions: tuple[str, ...] = ()
    selected: int = 0
    after_cursor: int = 0
    is_selected: bool = False


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
    model_description : str
        Size, architecture and quantization of that model.
    screen : str
        One of `MENU`, `GENERATE`, `CONFIRM`, `JUKEBOX`, `OPTIONS` and `WISHES`.
    song_count : int
        Number of songs in the library.
    total_seconds : float
        Duration of all of them.
    latest_titles : tuple of str
        Titles of the newest songs, newest first.
    playing : PlayerStatus or None
    rating : int
        Rating of the song playing: 0 (none) to 5.
    thumb : int
        Thumb of the song playing: 1 up, -1 down, 0 none.
    spectrum : tuple of float
        Level of each band, 0 to 1; empty when it is not drawn.
    sleep_remaining : float or None
        Seconds until the sleep timer pauses the player; None when it is off.
    orders : list of OrderState
        Oldest first.
    selected_index : int
        Index of the selected order; -1 for the latest.
    unfinished_songs : int
        Unfinished songs of earlier sessions, while none are being made.
    answers : dict
        Answers to the questions of the Generate Music screen so far.
    wishes : dict
        Wishes for the next songs as typed, by name.
    plan : tuple of str
        How the text of the next order is understood, a line for each part and guess.
    understood : dict
        What was understood from the text, as the user could have typed it, by wish.
    field : Field or None
        Text input in progress.
    overlay : Overlay or None
    scan_progress : str
        Progress of a long library scan, as a message.
    message : str
    confirming_exit : bool
        Whether the user is asked to confirm the exit.
    """

    settings: Settings
    model: str = ""
    model_description: str = ""
    screen: str = MENU
    song_count: int = 0
    total_seconds: float = 0.0
    latest_titles: tuple[str, ...] = ()
    playing: PlayerStatus | None = None
    rating: int = 0
    thumb: int = 0
    spectrum: tuple[float, ...] = ()
    sleep_remaining: float | None = None
    orders: list[OrderView] = field(default_factory=list)
    selected_index: int = -1
    unfinished_songs: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    wishes: dict[str, str] = field(default_factory=dict)
    plan: tuple[str, ...] = ()
    understood: dict[str, str] = field(default_factory=dict)
    field: Field | None = None
    overlay: Overlay | None = None
    scan_progress: str = ""
    message: str = ""
    confirming_exit: bool = False
