"""The menu program: keys in, state changed, lines out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from scripts import paths
from scripts.brief import MOST_SONGS, parse_length
from scripts.errors import MusicGenError, UsageError
from scripts.jukebox.player import Player
from scripts.jukebox.queue import Queue
from scripts.library.song_files import recover
from scripts.library.songs import Song, list_songs
from scripts.llm.registry import find_model
from scripts.settings import Settings, checked, save_settings
from scripts.styles.lookup import find_styles
from scripts.styles.style import load_styles
from scripts.theme import THEMES
from scripts.tui import keys
from scripts.tui.jobs import Job
from scripts.tui.screens import OPTION_ROWS, draw, option_text
from scripts.tui.state import GENERATE, JUKEBOX, MENU, OPTIONS, Field, State
from scripts.tui.terminal import Screen

POLL = 0.1  # seconds between looks at player and jobs
LONGEST_INPUT = 200


class App:
    """The program behind the screens.

    Parameters
    ----------
    screen : Screen
    settings : Settings
    player : callable
        Makes the player; replaced in tests.
    """

    def __init__(self, screen: Screen, settings: Settings,
                 player: Callable[[Queue, str, float], Player] = Player,
                 notes: Sequence[str] = ()) -> None:
        self.screen = screen
        self.state = State(settings, message="; ".join(notes))
        self.jobs: list[Job] = []
        self._make_player = player
        self._player: Player | None = None
        self._songs: list[Song] = []
        self._running = True
        self._frame: list[str] = []
        self._keys: dict[str, dict[str, Callable[[], None]]] = {
            MENU: {"1": self.open_generate, "2": self.open_jukebox, "3": self.open_options,
                   "r": self.refresh, "p": self.pause, "n": self.skip, "x": self.leave},
            GENERATE: {"b": self.back, "m": self.ask_styles, "c": self.cancel_jobs,
                       "x": self.leave},
            JUKEBOX: {"b": self.back, "x": self.leave, "p": self.pause, " ": self.pause,
                      "n": self.skip, ">": self.skip, "<": self.previous, "+": self.louder,
                      "=": self.louder, "-": self.softer},
            OPTIONS: {"b": self.back, "x": self.leave,
                      **{str(n): self._opener(name) for n, (name, _) in
                         enumerate(OPTION_ROWS, 1)}}}

    def run(self) -> int:
        """Serve keys until the user leaves."""
        recover(paths.OUTPUT, time.time())
        self.refresh()
        try:
            while self._running:
                self.update()
                self.draw()
                pressed = self.screen.key(POLL)
                if pressed:
                    self.press(pressed)
        finally:
            for job in self.jobs:
                job.cancel()  # all at once, then wait for each
            for job in self.jobs:
                job.end()
            if self._player:
                self._player.close()
        return 0

    def draw(self) -> None:
        """Draw when something has changed."""
        frame = draw(self.state, self.screen.size())
        if frame != self._frame:
            self._frame = frame
            self.screen.show(frame)

    def update(self) -> None:
        """Take in what player and jobs have done."""
        for job in self.jobs:
            job.poll()
        self.state.jobs = [job.state for job in self.jobs]
        self.state.playing = self._player.playing() if self._player else None

    def press(self, key: str) -> None:
        """Act on a key."""
        if key == keys.RESIZE:
            self._frame = []
            return
        if key == "ctrl-c":
            self.leave()
            return
        if self.state.leaving:
            if key.lower() in ("y", "x"):
                self._running = False
            elif key.lower() in ("n", "b", keys.ESCAPE):
                self.state.leaving = False
            return
        if self.state.field:
            self._type(key)
            return
        if key == keys.ESCAPE:
            key = "b"
        action = self._keys[self.state.screen].get(key.lower())
        if action:
            self.state.message = ""
            action()

    # -- moving about ----------------------------------------------------------------------

    def back(self) -> None:
        self.state.screen = MENU
        self.state.field = None
        self.refresh()

    def leave(self) -> None:
        """Exit; asks first while songs are being made."""
        if any(not job.state.done for job in self.jobs):
            self.state.leaving = True
        else:
            self._running = False

    def refresh(self) -> None:
        """Look at the disk again."""
        self._read_songs()
        try:
            self.state.model = find_model(self.state.settings.model, paths.MODELS).path.name
        except MusicGenError as error:
            self.state.model = ""
            self.state.message = str(error)

    def _read_songs(self) -> None:
        """Follow the output folder; new songs join what plays, vanished ones leave."""
        self._songs = list_songs(paths.OUTPUT)
        self.state.songs = len(self._songs)
        self.state.total_seconds = sum(s.seconds for s in self._songs)
        self.state.latest = tuple(s.title for s in reversed(self._songs[-3:]))
        if self._player:
            self._player.refresh(self._songs)

    # -- making songs ----------------------------------------------------------------------

    def open_generate(self) -> None:
        self.state.screen = GENERATE
        if not any(not job.state.done for job in self.jobs):
            self.ask_styles()

    def ask_styles(self) -> None:
        self.state.answers = {}
        self.state.field = Field("What kind of music are we making today? "
                                 "(Styles, separated, by, commas)", "styles")

    def cancel_jobs(self) -> None:
        for job in self.jobs:
            job.cancel()

    def _song_done(self) -> None:
        self._read_songs()
        if self.state.settings.auto_play:
            self._start_playing()

    # -- playing ---------------------------------------------------------------------------

    def open_jukebox(self) -> None:
        self.state.screen = JUKEBOX
        self._read_songs()
        self._start_playing()

    def _start_playing(self) -> None:
        if self._player is None:
            settings = self.state.settings
            self._player = self._make_player(Queue(self._songs), settings.output,
                                             settings.volume)
        self._player.start()

    def pause(self) -> None:
        if self._player:
            if self._player.ended:
                self._player.start()
            else:
                self._player.toggle_pause()

    def skip(self) -> None:
        if self._player:
            self._player.next()

    def previous(self) -> None:
        if self._player:
            self._player.previous()

    def louder(self) -> None:
        self._volume(0.05)

    def softer(self) -> None:
        self._volume(-0.05)

    def _volume(self, by: float) -> None:
        volume = round(min(1.0, max(0.0, self.state.settings.volume + by)), 2)
        self._set("volume", volume)
        self.state.message = f"Volume {volume:.0%}"

    # -- settings --------------------------------------------------------------------------

    def open_options(self) -> None:
        self.state.screen = OPTIONS

    def _opener(self, name: str) -> Callable[[], None]:
        label = dict(OPTION_ROWS)[name]
        if name == "auto_play":
            return lambda: self._set(name, not self.state.settings.auto_play)
        if name == "theme":
            return self._next_theme
        hint = {"thread_fraction": "0.01 to 1", "temperature": "0 to 2", "volume": "0 to 100 %",
                "model": "a name in models/, empty for automatic",
                "song_length": "minutes (3), a range (4-6) or hours (1:30)",
                "output": "auto, miniaudio, simpleaudio or null"}[name]
        return lambda: self._ask(Field(f"{label} ({hint}):", name))

    def _next_theme(self) -> None:
        names = list(THEMES)
        self._set("theme", names[(names.index(self.state.settings.theme) + 1) % len(names)])

    def _ask(self, question: Field) -> None:
        self.state.field = question

    def _set(self, name: str, value: Any) -> None:
        self.state.settings = checked(self.state.settings, name, value)
        try:
            save_settings(paths.SETTINGS, self.state.settings)
        except MusicGenError as error:
            self.state.message = str(error)
        if self._player and name == "volume":
            self._player.set_volume(self.state.settings.volume)
        if self._player and name == "output":
            self._player.close()
            self._player = None  # the jukebox opens the new device

    # -- typing ----------------------------------------------------------------------------

    def _type(self, key: str) -> None:
        entry = self.state.field
        assert entry
        if key == keys.ESCAPE:
            self.state.field = None
            if self.state.screen == GENERATE and not self.jobs:
                self.back()
        elif key == keys.BACKSPACE:
            entry.text = entry.text[:-1]
        elif key == keys.ENTER:
            try:
                self._answer(entry, entry.text.strip())
            except UsageError as error:
                entry.problem = str(error)
                entry.text = ""
        elif len(key) == 1 and key.isprintable() and len(entry.text) < LONGEST_INPUT:
            entry.text += key

    def _answer(self, entry: Field, text: str) -> None:
        """Take an answer; a UsageError keeps the question open."""
        if entry.name == "styles":
            find_styles(text, load_styles(paths.DATA / "styles"))
            self.state.answers["styles"] = text
            self.state.field = Field("How many songs should I generate?", "songs")
        elif entry.name == "songs":
            if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_SONGS:
                raise UsageError(f"Please type a number from 1 to {MOST_SONGS:,}.")
            self.state.answers["songs"] = text
            self.state.field = None
            self.jobs = [j for j in self.jobs if not j.state.done]
            self.jobs.append(Job(self.state.answers["styles"], int(text), [], self._song_done))
        else:
            self._set(entry.name, _value(entry.name, text))
            self.state.field = None
            label = dict(OPTION_ROWS)[entry.name]
            self.state.message = f"{label}: {option_text(self.state.settings, entry.name)}"
            if entry.name == "model":
                self.refresh()


def _value(name: str, text: str) -> Any:
    """A typed setting as its value."""
    if name == "song_length":
        parse_length(text)
        return text
    if name == "model":
        if text:
            try:
                find_model(text, paths.MODELS)
            except MusicGenError as error:
                raise UsageError(str(error)) from error
        return text
    if name in ("thread_fraction", "temperature", "volume"):
        try:
            if "/" in text:
                top, bottom = text.split("/", 1)
                number = float(top) / float(bottom)
            else:
                number = float(text.rstrip("% "))
        except (ValueError, ZeroDivisionError):
            raise UsageError(f'"{text[:20]}" is not a number') from None
        if name == "volume" and (number > 1 or text.endswith("%")):
            number /= 100
        return number
    return text.lower()
