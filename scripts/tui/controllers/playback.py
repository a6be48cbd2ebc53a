"""Controller of the jukebox: the player, its queue, the sleep timer and the saved session."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scripts.audio.live_audio import LIVE_SUFFIX, has_failed, is_live
from scripts.audio.play_stats import PlayStats
from scripts.audio.tags import FileTags
from scripts.core import paths
from scripts.core.errors import MusicGenError
from scripts.jukebox.lamp_thread import LampThread, start_lamps
from scripts.jukebox.light_follower import LightFollower
from scripts.jukebox.player import Player
from scripts.jukebox.queue import REPEAT_MODES, Queue
from scripts.jukebox.session import Session, load_session, save_session
from scripts.library.index import LibraryIndex
from scripts.library.playlists import load_playlists, resolve_songs
from scripts.library.songs import Song, build_song, read_song
from scripts.lights.show import Light, LightMode
from scripts.lights.show_file import LIGHT_SUFFIX, show_path
from scripts.tui.spectrum import decay, spectrum
from scripts.tui.state import JUKEBOX, State

SLEEP_TIMES = (15, 30, 60, 90)  # minutes
_SAVE_INTERVAL = 10.0  # seconds between saves of the session

_STALE_AFTER = 60.0  # seconds after which live audio of an earlier run is removed

PlayerFactory = Callable[[Queue, str, float, float], Player]


class PlaybackController:
    """Controls the player and keeps the state, the library and the session up to date.

    Parameters
    ----------
    state : State
    make_player : callable
        Factory of the player: queue, output, volume (0 to 1), crossfade (seconds). Tests pass a
        fake.
    """

    def __init__(self, state: State, make_player: PlayerFactory = Player, lamps: str = "") -> None:
        self.state = state
        self.songs: list[Song] = []
        self._make_player = make_player
        self._player: Player | None = None
        self.library = LibraryIndex(paths.LIBRARY, paths.OUTPUT)
        self._playlist = ""  # playlist name or query being played; empty for all songs
        self._last_play_number = 0
        self._last_save, self._saved_session = time.monotonic(), Session()
        self._sleep_at: float | None = None
        self.spectrum_shown = True
        self._preview_player: Player | None = None
        self._resumes_after_preview = False
        self._light_follower = LightFollower(LightMode(state.settings.lights))
        self._unfinished: dict[Path, Song] = {}  # in the queue as live audio, without an MP3
        self._live_files = _stale_live_files()  # to remove when they are not played any more
        self._is_preloaded = False  # the last session is loaded, but no key has been pressed
        self._lamps = self._start_lamps(lamps)

    def _start_lamps(self, addresses: str) -> LampThread | None:
        settings = self.state.settings
        try:
            return start_lamps(addresses, settings.lights, settings.light_delay, self._heard)
        except MusicGenError as error:
            self.state.message = str(error)
            return None

    # -- the player ------------------------------------------------------------------------

    def set_songs(self, songs: list[Song]) -> None:
        """Use a new song list of the library."""
        self.songs = songs
        if self._player:
            self._player.refresh(self._selected_songs())

    def restore_session(self) -> None:
        """Load the last session's queue, song and position, paused."""
        session = load_session(paths.SESSION)
        if not session.order and not session.song:
            return
        song = next((s for s in self.songs if str(s.path) == session.song), None)
        self._playlist = session.playlist
        queue = Queue(self._selected_songs(), session.repeat, session.shuffle)
        queue.restore([Path(p) for p in session.order], song.path if song else None)
        player = self._create_player(queue)
        self._is_preloaded = True
        if song is not None:
            player.start(song, session.position, paused=True)

    def start(self) -> None:
        """Start or resume playback."""
        player = self._player_in_use() or self._create_player(Queue(self._selected_songs()))
        if player.status().paused:
            player.pause(False)
        player.start()

    def play_or_queue(self, songs: Sequence[Song]) -> None:
        """Play the newest of some finished songs, or next if the user is listening to another."""
        player = self._listened_player()
        if player is None:
            self.play(songs[-1])
            return

        def put_next(queue: Queue) -> None:
            for song in songs:
                queue.put_next(song)

        player.edit_queue(put_next)

    def _listened_player(self) -> Player | None:
        """The player, if the user is listening to a song or has paused one."""
        is_idle = self._is_preloaded or self._player is None or self._player.ended
        return None if is_idle else self._player

    def play_live(self, live: Mapping[str, Any]) -> None:
        """Play a song that is still being rendered, unless the user is listening to another one.

        Parameters
        ----------
        live : mapping
            Its file, title and details, as in the event ``live``.
        """
        song = build_song(Path(str(live["path"])), dict(live), FileTags.empty())
        if self.state.settings.auto_play and self._listened_player() is None:
            self._unfinished[song.path] = song
            self.play(song)
        else:
            self._live_files.add(song.path)

    def finish_live(self, live_file: Path, path: Path) -> bool:
        """Put a finished song in the place of its live audio; whether it was played from that."""
        if live_file not in self._unfinished:
            return False
        del self._unfinished[live_file]
        self._live_files.add(live_file)
        if self._player:
            self._player.replace(live_file, read_song(path))
        return True

    def _drop_failed_songs(self) -> None:
        """Drop the songs whose rendering ended early, such as those of a cancelled order."""
        for path in [path for path in self._unfinished if has_failed(path)]:
            song = self._unfinished.pop(path)
            self._live_files.add(path)
            if self._player:
                self._player.edit_queue(partial(Queue.drop, song=song))

    def _remove_live_files(self) -> None:
        """Remove the live audio that is not played any more."""
        playing = self._player.playing_path if self._player else None
        for path in [*self._live_files]:
            if path != playing:
                try:
                    path.unlink(missing_ok=True)
                    show_path(path).unlink(missing_ok=True)
                except OSError:  # still open on Windows
                    continue
                self._live_files.discard(path)

    def play(self, song: Song) -> None:
        """Play one song now."""
        player = self._player_in_use() or self._create_player(Queue(self._selected_songs()))
        player.start(song)

    def _create_player(self, queue: Queue) -> Player:
        settings = self.state.settings
        self._player = self._make_player(
            queue, settings.audio_output, settings.volume, settings.crossfade
        )
        return self._player

    def _player_in_use(self) -> Player | None:
        """Return the player, and note that the user has started to use it."""
        self._is_preloaded = False
        return self._player

    def update(self) -> None:
        """Update the state from the player, save the session regularly, and run the sleep timer."""
        player, state = self._player, self.state
        self._drop_failed_songs()
        if self._live_files:
            self._remove_live_files()
        if self._preview_player:
            state.playing = self._preview_player.status()
            if self._preview_player.ended:
                self.play_preview(None)
            return
        state.playing = player.status() if player else None
        now = state.playing
        if player is None or now is None:
            return
        finished = now.song if now.song and not is_live(now.song.path) else None
        if finished and now.number != self._last_play_number and not now.paused:
            self._last_play_number = now.number
            self.library.count_play(finished.path)
            self._save()
        stats = self.library.get_stats(now.song.path) if now.song else PlayStats()
        state.rating, state.thumb = stats.rating, stats.thumb
        spectrum_visible = state.screen == JUKEBOX and self.spectrum_shown and not state.overlay
        state.spectrum = (
            decay(state.spectrum, spectrum(player.recent_samples()[-2048:]))
            if spectrum_visible and now.song and not now.paused
            else ()
        )
        if self.library.notice:
            state.message, self.library.notice = self.library.notice, ""
        if self._sleep_at is not None:
            state.sleep_remaining = self._sleep_at - time.monotonic()
            if state.sleep_remaining <= 0:
                self._sleep_at = state.sleep_remaining = None
                player.pause(True)
                state.message = "Good night."
        # Long queues are saved less often: the file holds the order of all songs.
        interval = max(_SAVE_INTERVAL, len(self.songs) / 200)
        if time.monotonic() - self._last_save > interval and not now.paused:
            self._save()

    def light(self) -> Light:
        """Light of what is heard now."""
        settings = self.state.settings
        self._light_follower.mode = LightMode(settings.lights)
        self._light_follower.delay = settings.light_delay
        return self._light_follower.light(self._heard())

    def set_light_mode(self, mode: LightMode) -> None:
        """Let the lamps follow the setting ``lights``."""
        if self._lamps:
            self._lamps.follower.mode = mode

    def _heard(self) -> tuple[tuple[Path, float, float], ...]:
        """What is heard now, as :meth:`Player.heard` returns it."""
        player = self._preview_player or self._player
        return player.heard() if player else ()

    def play_preview(self, path: Path | None) -> None:
        """Play a file once, with the song that is playing paused meanwhile; None stops it."""
        if self._preview_player:
            self._preview_player.close()
            self._preview_player = None
            if self._player and self._resumes_after_preview:
                self._player.pause(False)
        if path is None:
            return
        now = self._player.status() if self._player else None
        self._resumes_after_preview = now is not None and now.song is not None and not now.paused
        if self._player:
            self._player.pause(True)
        song = read_song(path)
        settings = self.state.settings
        queue = Queue([song], "off")
        self._preview_player = self._make_player(queue, settings.audio_output, settings.volume, 0.0)
        self._preview_player.start(song)

    def close(self) -> None:
        """Save the session and close player and library."""
        self.play_preview(None)
        if self._lamps:
            self._lamps.close()
        if self._player:
            self._save()
            self._player.close()
        for suffix in (LIVE_SUFFIX, LIGHT_SUFFIX):  # whatever the renderer has left
            for path in paths.LIVE.glob(f"*{suffix}"):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
        self.library.close()

    def _save(self) -> None:
        self._last_save = time.monotonic()
        assert self._player
        now = self._player.status()
        saved = now.song if now.song and not is_live(now.song.path) else None
        session = Session(
            str(saved.path) if saved else "",
            round(now.position, 1) if saved else 0.0,
            tuple(str(path) for path in self._player.play_order() if not is_live(path)),
            now.repeat,
            now.shuffle,
            self._playlist,
        )
        if session != self._saved_session and save_session(paths.SESSION, session):
            self._saved_session = session

    # -- keys ------------------------------------------------------------------------------

    def toggle_pause(self) -> None:
        """Pause or resume; start when nothing plays."""
        player = self._player_in_use()
        if player is None or player.ended:
            self.start()
        else:
            player.toggle_pause()
            self._save()

    def play_next(self) -> None:
        """Play the next song; start when nothing plays."""
        player = self._player_in_use()
        if player is None or player.ended:
            self.start()
        else:
            player.next()

    def play_previous(self) -> None:
        """Restart the song, or play the previous one at its start."""
        if player := self._player_in_use():
            player.previous()

    def seek_by(self, seconds: float) -> None:
        """Seek forward or backward by seconds."""
        if player := self._player_in_use():
            player.seek_by(seconds)

    def seek_to(self, second: float) -> None:
        """Seek to a position in seconds."""
        if player := self._player_in_use():
            player.seek(second)

    def set_volume(self, volume: float) -> None:
        """Set the volume, 0 to 1."""
        if self._player:
            self._player.set_volume(volume)

    def set_crossfade(self, seconds: float) -> None:
        """Set the crossfade in seconds."""
        if self._player:
            self._player.set_crossfade(seconds)

    def set_output(self, choice: str) -> None:
        """Switch to another output device."""
        if self._player:
            self._player.set_output(choice)

    def toggle_shuffle(self) -> None:
        """Toggle shuffle."""
        if player := self._player_in_use():
            enabled = not player.status().shuffle
            player.edit_queue(lambda queue: queue.set_shuffle(enabled))
            self.state.message = "Shuffle: every song once." if enabled else "Shuffle off."

    def cycle_repeat(self) -> None:
        """Switch to the next repeat mode: all, one, off."""
        if player := self._player_in_use():
            now = player.status().repeat
            after = REPEAT_MODES[(REPEAT_MODES.index(now) + 1) % len(REPEAT_MODES)]
            player.edit_queue(lambda queue: setattr(queue, "repeat", after))
            self.state.message = f"Repeat {after}."

    def cycle_sleep_timer(self) -> None:
        """Set the sleep timer to the next longer time, or turn it off after the longest."""
        minutes_left = None if self._sleep_at is None else (self._sleep_at - time.monotonic()) / 60
        times = [m for m in SLEEP_TIMES if minutes_left is None or m > minutes_left + 0.5]
        self._sleep_at = time.monotonic() + 60 * times[0] if times else None
        self.state.sleep_remaining = 60.0 * times[0] if times else None
        self.state.message = f"Silence in {times[0]} minutes." if times else "Sleep timer off."

    def toggle_spectrum(self) -> None:
        """Show or hide the spectrum."""
        self.spectrum_shown = not self.spectrum_shown

    # -- the songs -------------------------------------------------------------------------

    def current_song(self) -> Song | None:
        """Return the song that is playing or paused."""
        return self._player.status().song if self._player else None

    def drop(self, song: Song) -> None:
        """Remove a song from the queue."""
        if self._player:
            self._player.edit_queue(lambda queue: queue.drop(song))

    def put_back(self, song: Song) -> None:
        """Put a song that was removed back into the queue."""
        if self._player:
            self._player.edit_queue(lambda queue: queue.put_back(song))
            self._player.refresh(self._selected_songs())

    def select(self, playlist: str) -> int:
        """Play only the songs of a playlist or query (empty: all songs); how many there are.

        Without such songs nothing changes.
        """
        before, self._playlist = self._playlist, playlist
        songs = self._selected_songs()
        if not songs:
            self._playlist = before
            return 0
        self._player_in_use()
        if self._player is None:
            self._create_player(Queue(songs)).start()
        else:
            self._player.refresh(songs)
            if self.current_song() not in songs:
                self._player.start(songs[0])
                self._player.refresh(songs)  # drop the song played before, too
        return len(songs)

    def _selected_songs(self) -> list[Song]:
        """Songs of the playlist or query being played."""
        if not self._playlist:
            return self.songs
        try:
            playlists = load_playlists(paths.PLAYLISTS)
        except MusicGenError:
            playlists = {}
        return resolve_songs(self._playlist, playlists, self._find_songs, lambda: self.songs)

    def _find_songs(self, query: str) -> list[Song]:
        """Songs that match a query, taken from the loaded ones instead of read again."""
        known = {song.path.name: song for song in self.songs}
        return [known[name] for name in self.library.find_names(query) if name in known]


def _stale_live_files() -> set[Path]:
    """Live audio that a run has left that could not clean up."""
    oldest = time.time() - _STALE_AFTER
    try:
        return {p for p in paths.LIVE.glob(f"*{LIVE_SUFFIX}") if p.stat().st_mtime < oldest}
    except OSError:
        return set()
