"""Menu program: reads keys, updates the state and draws the screens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts.core import paths
from scripts.core.errors import MusicGenError
from scripts.core.settings import Settings
from scripts.jukebox.player import Player
from scripts.library.songs import Song
from scripts.library.watcher import LibraryWatcher
from scripts.lights.show import LightMode
from scripts.llm.registry import find_model
from scripts.tui import keys
from scripts.tui.bindings import BINDINGS, actions_by_key, help_lines
from scripts.tui.controllers.order_dialog import OrderDialog
from scripts.tui.controllers.orders import OrdersController
from scripts.tui.controllers.playback import PlaybackController, PlayerFactory
from scripts.tui.controllers.selection import SongSelection
from scripts.tui.controllers.settings import SettingsController, describe_model
from scripts.tui.controllers.song_actions import SongActions
from scripts.tui.controllers.wishes import load_wish_sets
from scripts.tui.history import History
from scripts.tui.layout import FRAME_LINES, is_too_small, wrap_page
from scripts.tui.light_canvas import paint
from scripts.tui.mouse import key_at
from scripts.tui.screens.draw import draw
from scripts.tui.screens.light import light_texts
from scripts.tui.screens.options import OPTION_ROWS
from scripts.tui.screens.shared import active_theme, now_playing
from scripts.tui.state import GENERATE, JUKEBOX, LIGHT, MENU, OPTIONS, Field, Overlay, State
from scripts.tui.terminal import Screen
from scripts.tui.text_input import edit_field

FRAME_INTERVAL = 0.1  # seconds between frames while the screen changes by itself
_LIGHT_INTERVAL = 1 / 15  # seconds between frames of light
_IDLE_INTERVAL = 0.5  # seconds between frames otherwise
_VOLUME_STEP = 0.05  # volume change per key press or wheel step
_FIRST_FRAME_TIMEOUT = 0.1  # seconds the first frame waits for the library
_JUKEBOX_TIMEOUT = 5.0  # seconds the jukebox waits for the library when opened first
# Settings that the process reads which waits for the next order.
_PREPARED_SETTINGS = ("model", "writer", "guide", "gpu_layers", "thread_fraction")
_RECENT_SONGS = 1000  # newest songs searched for just finished ones


class App:
    """Main loop of the menu: dispatches keys to the controllers and draws the screens.

    Parameters
    ----------
    screen : Screen
    settings : Settings
    make_player : callable
        Factory of the player; tests pass a fake.
    notices : sequence of str
        Notices for the first screen.
    lamps : str
        Addresses of lamps that follow the music, with spaces between them.
    """

    state: State
    playback: PlaybackController
    selection: SongSelection
    song_actions: SongActions
    orders: OrdersController
    dialog: OrderDialog
    options: SettingsController

    def __init__(
        self,
        screen: Screen,
        settings: Settings,
        make_player: PlayerFactory = Player,
        notices: Sequence[str] = (),
        lamps: str = "",
    ) -> None:
        self.screen = screen
        self.state = State(settings, message="; ".join(notices))
        self.playback = PlaybackController(self.state, make_player, lamps)
        self.selection = SongSelection(self.state, self.playback)
        self.song_actions = SongActions(self.state, self.playback)
        self.orders = OrdersController(self.state, self._on_song_finished, self.playback.play_live)
        self.dialog = OrderDialog(self.state, self.orders.place, self.playback.play_preview)
        self.history = History(paths.HISTORY)
        self.options = SettingsController(self.state, self._on_setting_changed)
        self.library_watcher = LibraryWatcher(paths.LIBRARY, paths.OUTPUT)
        self._write_error = ""  # first error while writing a rating or play to a file
        self._unlisted_songs: list[Path] = []  # finished songs the library has not listed yet
        self.first_frame_timeout = _FIRST_FRAME_TIMEOUT
        self._running, self._session_restored = True, False
        self._frame: list[str] = []
        self._actions = {name: actions_by_key(name) for name in BINDINGS}

    def run(self) -> int:
        """Run the main loop until the user exits; return the exit status."""
        self.library_watcher.start()
        self._load_totals()
        self.orders.load_previous_orders()
        self.refresh()
        if self.library_watcher.wait(self.first_frame_timeout):
            self._sync_library()
        try:
            while self._running:
                self.update()
                self.draw()
                pressed = self.screen.read_key(self._frame_interval())
                while pressed and self._running:
                    self.press(pressed)
                    pressed = self.screen.read_key(0.0)  # drain pending keys before drawing
        finally:
            self.dialog.close()
            self.orders.close()
            self.library_watcher.close()
            self.playback.close()
        return 0

    def draw(self) -> None:
        """Draw the current screen if its lines have changed; light always."""
        if self._shows_light():
            self._draw_light()
            return
        frame = draw(self.state, self.screen.size())
        if frame != self._frame:
            self._frame = frame
            self.screen.show(frame, active_theme(self.state).color)

    def _shows_light(self) -> bool:
        state = self.state
        is_covered = state.overlay or state.confirming_exit or is_too_small(self.screen.size())
        return state.screen == LIGHT and not is_covered

    def _draw_light(self) -> None:
        self._frame = []
        size = self.screen.size()
        light = self.playback.light()
        self.screen.show_light(paint(light, size, light_texts(self.state, size)))

    def update(self) -> None:
        """Apply pending events of the orders, the library and the player to the state."""
        self.dialog.update()
        self.orders.update()
        if self.state.screen == GENERATE and self.state.field and not self.orders.is_busy:
            self.orders.prepare()
        self._sync_library()
        self.playback.update()
        now = self.state.playing
        self.library_watcher.set_playing(now.song.path if now and now.song else None)

    def _frame_interval(self) -> float:
        """Seconds until the next frame, unless a key is pressed."""
        if not self._is_animated():
            return _IDLE_INTERVAL
        return _LIGHT_INTERVAL if self._shows_light() else FRAME_INTERVAL

    def _is_animated(self) -> bool:
        """Whether anything on the screen changes without a key press."""
        now = self.state.playing
        return (
            self.orders.is_busy
            or self.state.sleep_remaining is not None
            or (now is not None and now.song is not None and not now.paused)
        )

    def press(self, key: str) -> None:
        """Handle a key, named as in :mod:`scripts.tui.keys`."""
        if key == keys.RESIZE:
            self._frame = []
        elif key == "ctrl-c" or (key.lower() == "x" and is_too_small(self.screen.size())):
            self.request_exit()
        elif key.startswith(keys.CLICK + " "):
            self._click(key)
        elif key in (keys.WHEEL_UP, keys.WHEEL_DOWN):
            self._scroll_wheel(key == keys.WHEEL_UP)
        elif self.state.confirming_exit:
            self._answer_exit(key.lower())
        elif self.state.overlay:
            self._scroll_overlay(key)
        elif self.state.field:
            edit_field(self, key, self.state.field)
        else:
            action = self._actions[self.state.screen].get(key.lower())
            if action:
                self.state.message = ""
                action(self)

    def _click(self, key: str) -> None:
        """Handle a click; `key` is ``click COLUMN LINE``."""
        x, y = (int(n) for n in key.split()[1:])
        found = key_at(self._frame, x, y)
        now = self.state.playing
        if isinstance(found, float):
            if now is not None and now.song is not None:
                self.playback.seek_to(found * now.duration)
        elif found and not self.state.field:
            self.press(found)

    def _scroll_wheel(self, up: bool) -> None:
        if self.state.overlay or self.state.field:
            self.press("up" if up else "down")
        elif self.state.screen == JUKEBOX:
            self.change_volume(1 if up else -1)

    # -- navigation ------------------------------------------------------------------------

    def open_menu(self) -> None:
        """Show the main menu."""
        self.state.screen = MENU
        self.state.field = None
        self.orders.forget_prepared()
        self.refresh()

    def request_exit(self) -> None:
        """Exit; ask for confirmation first while songs are being made."""
        if self.orders.is_busy and not self.state.confirming_exit:
            self.state.confirming_exit = True
        else:
            self._running = False

    def open_help(self) -> None:
        """Show the keys of the current screen."""
        self.state.overlay = Overlay("Keys", help_lines(self.state.screen))

    def refresh(self) -> None:
        """Rescan the song folder and look up the selected model."""
        self.library_watcher.scan_now()
        self._sync_library()
        try:
            info = find_model(self.state.settings.model, paths.MODELS)
            self.state.model, self.state.model_description = info.path.name, describe_model(info)
        except MusicGenError as error:
            self.state.model = self.state.model_description = ""
            self.state.message = str(error)

    def _load_totals(self) -> None:
        """Show the totals stored in the library index, before the folder is scanned."""
        library = self.playback.library
        self.state.song_count, self.state.total_seconds, _ = library.totals()
        self.state.latest_titles = tuple(library.latest_titles(3))

    def _sync_library(self) -> None:
        """Apply the latest song list of the library watcher to the state and the player."""
        self.state.scan_progress = self.library_watcher.scan_status
        if self.library_watcher.write_error and not self._write_error:
            self._write_error = self.library_watcher.write_error
            self.state.message = f"Ratings or plays are in the library only: {self._write_error}."
        songs = self.library_watcher.take_changed_songs()
        if songs is None:
            return
        self.state.song_count = len(songs)
        self.state.total_seconds = sum(s.seconds for s in songs)
        self.state.latest_titles = tuple(s.title for s in reversed(songs[-3:]))
        self.playback.set_songs(songs)
        if not self._session_restored:
            self._session_restored = True
            self.playback.restore_session()
        self._auto_play(songs)

    def _auto_play(self, songs: list[Song]) -> None:
        """Play finished songs once the library lists them, now or next."""
        by_path = {song.path: song for song in songs[-_RECENT_SONGS:]}
        found = [path for path in self._unlisted_songs if path in by_path]
        self._unlisted_songs = [path for path in self._unlisted_songs if path not in by_path]
        if found and self.state.settings.auto_play:
            self.playback.play_or_queue([by_path[path] for path in found])

    def _answer_exit(self, key: str) -> None:
        if key in ("y", "x"):
            self._running = False
        elif key in ("n", "b", keys.ESCAPE):
            self.state.confirming_exit = False

    def _scroll_overlay(self, key: str) -> None:
        page, size = self.state.overlay, self.screen.size()
        assert page
        page_rows = max(1, size[1] - FRAME_LINES - len(now_playing(self.state, size)))
        step = {
            "up": -1,
            "down": 1,
            "page up": -page_rows,
            "page down": page_rows,
            " ": page_rows,
        }.get(key)
        if step:
            rows = len(wrap_page(page.lines, size[0]))
            page.top = max(0, min(page.top + step, rows - page_rows))
        elif key.lower() in ("b", "i", "?", "q", keys.ESCAPE, keys.ENTER):
            self.state.overlay = None
        elif key.lower() == "x":
            self.request_exit()

    # -- orders ----------------------------------------------------------------------------

    def open_generate(self) -> None:
        """Show Generate Music, and ask for styles unless songs are being made."""
        self.state.screen = GENERATE
        if not self.orders.is_busy:
            self.dialog.ask_styles()

    def open_wishes(self) -> None:
        """Show the wishes: of the order that is asked about, else of all songs to come."""
        if self.state.field is None:
            self.dialog.forget_order()
        self.state.field = None
        self.dialog.open_wishes()

    def close_wishes(self) -> None:
        """Go back to the questions of the order."""
        self.dialog.return_from_wishes()

    def open_save_wishes(self) -> None:
        """Ask for the name to keep the wishes under."""
        self.state.field = Field("Keep these wishes under which name?", "save wishes")

    def open_load_wishes(self) -> None:
        """Ask which wishes to load."""
        names = tuple(load_wish_sets())
        if names:
            self.state.field = Field("Which wishes? (Up, Down)", "load wishes", suggestions=names)
        else:
            self.state.message = "No wishes have been kept yet; K keeps them."

    def order_similar_song(self) -> None:
        """Order one more song like the one playing."""
        found = self.song_actions.similar_song_request()
        if found:
            styles, wishes = found
            try:
                self.dialog.place_order(styles, 1, {**self.state.wishes, **wishes})
                self.state.message = f'Making one more "{styles}".'
            except MusicGenError as error:
                self.state.message = str(error)

    def _on_song_finished(self, path: Path, live_file: Path | None) -> None:
        if live_file is None or not self.playback.finish_live(live_file, path):
            self._unlisted_songs.append(path)
        self.library_watcher.scan_now()

    # -- playback --------------------------------------------------------------------------

    def open_jukebox(self) -> None:
        """Show the jukebox and play."""
        self.state.screen = JUKEBOX
        if not self._session_restored and self.library_watcher.wait(_JUKEBOX_TIMEOUT):
            self._sync_library()
        self.playback.start()

    def open_light(self) -> None:
        """Show the light of the music over the whole console."""
        self.state.screen = LIGHT

    def close_light(self) -> None:
        """Go back to the jukebox."""
        self.state.screen = JUKEBOX

    def cycle_lights(self) -> None:
        """Change between full, calm and no light."""
        modes = [mode.value for mode in (LightMode.FULL, LightMode.CALM, LightMode.OFF)]
        mode = modes[(modes.index(self.state.settings.lights) + 1) % len(modes)]
        self.options.set("lights", mode)
        self.playback.set_light_mode(LightMode(mode))
        self.state.message = f"Lights {mode}"

    def change_volume(self, steps: int) -> None:
        """Change the volume by steps of :data:`_VOLUME_STEP`."""
        volume = self.state.settings.volume + steps * _VOLUME_STEP
        volume = round(min(1.0, max(0.0, volume)), 2)
        self.options.set("volume", volume)
        self.state.message = f"Volume {volume:.0%}"

    # -- settings --------------------------------------------------------------------------

    def open_options(self) -> None:
        """Show the options."""
        self.state.screen = OPTIONS

    def open_option(self, number: int) -> None:
        """Edit the setting with this number on the screen, from 1."""
        self.options.edit(list(OPTION_ROWS)[number - 1])

    def _on_setting_changed(self, name: str) -> None:
        settings = self.state.settings
        if name in _PREPARED_SETTINGS:
            self.orders.forget_prepared()
        if name == "volume":
            self.playback.set_volume(settings.volume)
        elif name == "crossfade":
            self.playback.set_crossfade(settings.crossfade)
        elif name in ("output", "device"):
            self.playback.set_output(settings.audio_output)
        elif name == "model":
            self.refresh()
