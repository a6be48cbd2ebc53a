"""Menu program: reads keys, updates the state and draws the screens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scripts.core import paths
from scripts.core.errors import MusicGenError
from scripts.core.settings import Settings
from scripts.jukebox.player import Player
from scripts.library.songs import Song
from scripts.library.watcher import Librarian
from scripts.llm.registry import find_model
from scripts.tui import keys
from scripts.tui.bindings import BINDINGS, help_lines, table_of
from scripts.tui.controllers.orders import Making
from scripts.tui.controllers.playback import Listening, MakePlayer
from scripts.tui.controllers.settings import Choosing, model_words
from scripts.tui.layout import MARGINS, is_too_small, paged
from scripts.tui.mouse import pointed_at
from scripts.tui.screens.draw import draw
from scripts.tui.screens.generate import WISHES as WISH_ROWS
from scripts.tui.screens.options import ROWS
from scripts.tui.screens.shared import look, now_playing
from scripts.tui.state import GENERATE, JUKEBOX, MENU, OPTIONS, WISHES, Field, Overlay, State
from scripts.tui.terminal import Screen

POLL = 0.1  # seconds between frames while the screen changes by itself
_STILL = 0.5  # seconds between frames otherwise
_SHORT, _LONG = 5.0, 30.0  # seconds; the two seek steps
_LOUDER = 0.05  # volume change per key press or wheel step
_PATIENCE = 0.1  # seconds the first frame waits for the library
_LONGEST_WAIT = 5.0  # seconds the jukebox waits for the library when opened first
_LATEST = 1000  # newest songs searched for just finished ones
LONGEST_INPUT = 200  # characters


class App:
    """Main loop of the menu: dispatches keys to the controllers and draws the screens.

    Parameters
    ----------
    screen : Screen
    settings : Settings
    player : callable
        Factory of the player; tests pass a fake.
    notes : sequence of str
        Notices for the first screen.
    """

    def __init__(
        self,
        screen: Screen,
        settings: Settings,
        player: MakePlayer = Player,
        notes: Sequence[str] = (),
    ) -> None:
        self.screen = screen
        self.state = State(settings, message="; ".join(notes))
        self.listening = Listening(self.state, player)
        self.making = Making(self.state, self._song_done)
        self.choosing = Choosing(self.state, self._setting_changed)
        self.librarian = Librarian(paths.LIBRARY, paths.OUTPUT)
        self._unwritten = ""  # first error while writing a rating or play to a file
        self._fresh: list[Path] = []  # finished songs the library has not listed yet
        self.patience = _PATIENCE
        self._running, self._resumed = True, False
        self._frame: list[str] = []
        self._tables = {
            name: {key: self._action(action) for key, action in table_of(name).items()}
            for name in BINDINGS
        }

    def run(self) -> int:
        """Run the main loop until the user exits; return the exit status."""
        self.librarian.start()
        self._count()
        self.making.begin()
        self.refresh()
        if self.librarian.wait(self.patience):
            self._take_songs()
        try:
            while self._running:
                self.update()
                self.draw()
                pressed = self.screen.key(POLL if self._moves() else _STILL)
                while pressed and self._running:
                    self.press(pressed)
                    pressed = self.screen.key(0.0)  # drain pending keys before drawing
        finally:
            self.making.close()
            self.librarian.close()
            self.listening.close()
        return 0

    def draw(self) -> None:
        """Draw the current screen if its lines have changed."""
        frame = draw(self.state, self.screen.size())
        if frame != self._frame:
            self._frame = frame
            self.screen.show(frame, look(self.state).colour)

    def update(self) -> None:
        """Apply pending events of the orders, the library and the player to the state."""
        self.making.update()
        self._take_songs()
        self.listening.update()
        now = self.state.playing
        self.librarian.plays(now.song.path if now and now.song else None)

    def _moves(self) -> bool:
        """Whether anything on the screen changes without a key press."""
        now = self.state.playing
        return (
            self.making.busy
            or self.state.sleep is not None
            or (now is not None and now.song is not None and not now.paused)
        )

    def press(self, key: str) -> None:
        """Handle a key, named as in :mod:`scripts.tui.keys`."""
        if key == keys.RESIZE:
            self._frame = []
        elif key == "ctrl-c" or (key.lower() == "x" and is_too_small(self.screen.size())):
            self.leave()
        elif key.startswith(keys.CLICK + " "):
            self._point(key)
        elif key in (keys.WHEEL_UP, keys.WHEEL_DOWN):
            self._turn_wheel(key == keys.WHEEL_UP)
        elif self.state.leaving:
            self._answer_leaving(key.lower())
        elif self.state.overlay:
            self._turn_page(key)
        elif self.state.field:
            self._type(key, self.state.field)
        else:
            action = self._tables[self.state.screen].get(key.lower())
            if action:
                self.state.message = ""
                action()

    def _point(self, key: str) -> None:
        """Handle a click; `key` is ``click COLUMN LINE``."""
        x, y = (int(n) for n in key.split()[1:])
        found = pointed_at(self._frame, x, y)
        now = self.state.playing
        if isinstance(found, float):
            if now is not None and now.song is not None:
                self.listening.seek_to(found * now.duration)
        elif found and not self.state.field:
            self.press(found)

    def _turn_wheel(self, up: bool) -> None:
        if self.state.overlay or self.state.field:
            self.press("up" if up else "down")
        elif self.state.screen == JUKEBOX:
            self._volume(_LOUDER if up else -_LOUDER)

    def _action(self, name: str) -> Callable[[], None]:
        """Find the method a binding names, on this object or on a controller."""
        stem, _, number = name.rpartition("_")
        numbered = {"rate": self._rate, "wish": self._ask_wish, "option": self._open_option}
        if stem in numbered and number.isdigit():
            return lambda: numbered[stem](int(number))
        for part in (self, self.listening, self.making):
            found = getattr(part, name, None)
            if found is not None:
                method: Callable[[], None] = found
                return method
        raise AttributeError(name)

    # -- navigation ------------------------------------------------------------------------

    def back(self) -> None:
        self.state.screen = MENU
        self.state.field = None
        self.refresh()

    def leave(self) -> None:
        """Exit; ask for confirmation first while songs are being made."""
        if self.making.busy and not self.state.leaving:
            self.state.leaving = True
        else:
            self._running = False

    def help(self) -> None:
        self.state.overlay = Overlay("Keys", help_lines(self.state.screen))

    def refresh(self) -> None:
        """Rescan the song folder and look up the selected model."""
        self.librarian.look()
        self._take_songs()
        try:
            info = find_model(self.state.settings.model, paths.MODELS)
            self.state.model, self.state.model_words = info.path.name, model_words(info)
        except MusicGenError as error:
            self.state.model = self.state.model_words = ""
            self.state.message = str(error)

    def _count(self) -> None:
        """Show the totals stored in the library index, before the folder is scanned."""
        library = self.listening.library
        self.state.songs, self.state.total_seconds, _ = library.totals()
        self.state.latest = tuple(library.latest(3))

    def _take_songs(self) -> None:
        """Apply the latest song list of the library watcher to the state and the player."""
        self.state.reading = self.librarian.reading
        if self.librarian.unwritten and not self._unwritten:
            self._unwritten = self.librarian.unwritten
            self.state.message = f"Ratings or plays are in the library only: {self._unwritten}."
        songs = self.librarian.take()
        if songs is None:
            return
        self.state.songs = len(songs)
        self.state.total_seconds = sum(s.seconds for s in songs)
        self.state.latest = tuple(s.title for s in reversed(songs[-3:]))
        self.listening.follow(songs)
        if not self._resumed:
            self._resumed = True
            self.listening.resume()
        self._play_fresh(songs)

    def _play_fresh(self, songs: list[Song]) -> None:
        """Auto-play the newest finished song once the library lists it."""
        there = {song.path: song for song in songs[-_LATEST:]}
        found = [path for path in self._fresh if path in there]
        self._fresh = [path for path in self._fresh if path not in there]
        if found and self.state.settings.auto_play:
            self.listening.play_newest(there[found[-1]])

    def _answer_leaving(self, key: str) -> None:
        if key in ("y", "x"):
            self._running = False
        elif key in ("n", "b", keys.ESCAPE):
            self.state.leaving = False

    def _turn_page(self, key: str) -> None:
        page, size = self.state.overlay, self.screen.size()
        assert page
        room = max(1, size[1] - MARGINS - len(now_playing(self.state, size)))
        step = {"up": -1, "down": 1, "page up": -room, "page down": room, " ": room}.get(key)
        if step:
            rows = len(paged(page.lines, size[0]))
            page.top = max(0, min(page.top + step, rows - room))
        elif key.lower() in ("b", "i", "?", "q", keys.ESCAPE, keys.ENTER):
            self.state.overlay = None
        elif key.lower() == "x":
            self.leave()

    # -- orders ----------------------------------------------------------------------------

    def open_generate(self) -> None:
        self.state.screen = GENERATE
        if not self.making.busy:
            self.making.ask_styles()

    def open_wishes(self) -> None:
        self.state.field = None
        self.state.screen = WISHES

    def close_wishes(self) -> None:
        self.state.screen = GENERATE
        if "styles" in self.state.answers and "songs" not in self.state.answers:
            self.making.answer(Field("", "styles"), self.state.answers["styles"])

    def look_up(self) -> None:
        self.making.look(-1)

    def look_down(self) -> None:
        self.making.look(1)

    def more_like_this(self) -> None:
        found = self.listening.like_this()
        if found:
            styles, wishes = found
            try:
                self.making.order(styles, 1, {**self.state.wishes, **wishes})
                self.state.message = f'Making one more "{styles}".'
            except MusicGenError as error:
                self.state.message = str(error)

    def _song_done(self, path: Path) -> None:
        self._fresh.append(path)
        self.librarian.look()

    def _ask_wish(self, number: int) -> None:
        self.making.ask_wish(list(WISH_ROWS)[number - 1])

    # -- playback --------------------------------------------------------------------------

    def open_jukebox(self) -> None:
        self.state.screen = JUKEBOX
        if not self._resumed and self.librarian.wait(_LONGEST_WAIT):
            self._take_songs()
        self.listening.start()

    def seek_on(self) -> None:
        self.listening.seek(_SHORT)

    def seek_back(self) -> None:
        self.listening.seek(-_SHORT)

    def leap_on(self) -> None:
        self.listening.seek(_LONG)

    def leap_back(self) -> None:
        self.listening.seek(-_LONG)

    def louder(self) -> None:
        self._volume(_LOUDER)

    def softer(self) -> None:
        self._volume(-_LOUDER)

    def _rate(self, rating: int) -> None:
        self.listening.rate(rating)

    def _volume(self, by: float) -> None:
        volume = round(min(1.0, max(0.0, self.state.settings.volume + by)), 2)
        self.choosing.set("volume", volume)
        self.state.message = f"Volume {volume:.0%}"

    # -- settings --------------------------------------------------------------------------

    def open_options(self) -> None:
        self.state.screen = OPTIONS

    def _open_option(self, number: int) -> None:
        self.choosing.open(list(ROWS)[number - 1])

    def _setting_changed(self, name: str) -> None:
        settings = self.state.settings
        if name == "volume":
            self.listening.set_volume(settings.volume)
        elif name == "crossfade":
            self.listening.set_crossfade(settings.crossfade)
        elif name in ("output", "device"):
            self.listening.set_output(settings.sound)
        elif name == "model":
            self.refresh()

    # -- text input ------------------------------------------------------------------------

    def _type(self, key: str, field: Field) -> None:
        if key == keys.ESCAPE:
            self.state.field = None
            if self.state.screen == GENERATE and not self.making.to_do:
                self.back()  # otherwise the orders are shown
        elif key == keys.ENTER:
            self._answer(field)
        elif key == keys.TAB:
            self.making.complete(field)
        elif key in ("up", "down"):
            last = max(0, len(field.offers) - 1)
            field.chosen = min(max(field.chosen + (1 if key == "down" else -1), 0), last)
        elif field.name == "songs" and key.lower() == "w":
            self.open_wishes()
        else:
            if key == keys.BACKSPACE:
                field.text = field.text[:-1]
            elif len(key) == 1 and key.isprintable() and len(field.text) < LONGEST_INPUT:
                field.text += key
            self._typed(field)

    def _typed(self, field: Field) -> None:
        if field.name == "search":
            self.listening.find()
        elif field.name == "playlist":
            self.listening.offer_playlists()
        elif self.state.screen == OPTIONS:
            self.choosing.typed(field)
        else:
            self.making.typed(field)

    def _answer(self, field: Field) -> None:
        text: Any = field.text.strip()
        try:
            if field.name == "search":
                self.state.field = None
                self.listening.play_found(field.chosen)
            elif field.name == "playlist":
                self.state.field = None
                self.listening.play_playlist(field.offers[field.chosen] if field.offers else text)
            elif self.state.screen == OPTIONS:
                self.choosing.answer(field, text)
            else:
                self.making.answer(field, text)
        except MusicGenError as error:
            self.state.field = field
            field.problem, field.offers = str(error), ()
            if not field.name.startswith("wish "):  # keep long wishes for editing
                field.text = ""
