"""Controller of the jukebox: playback, ratings, search, playlists and the saved session."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from scripts.audio.play_stats import Heard
from scripts.core import paths
from scripts.core.errors import MusicGenError
from scripts.core.formatting import count_songs
from scripts.core.text import strip_control_chars
from scripts.jukebox.player import Player
from scripts.jukebox.queue import REPEATS, Queue
from scripts.jukebox.session import Session, load_session, save_session
from scripts.library.bin import remove, restore
from scripts.library.index import Catalogue
from scripts.library.playlists import load_playlists, songs_for
from scripts.library.songs import LONGEST_TEXT, Song
from scripts.tui.screens.jukebox import song_facts
from scripts.tui.spectrum import spectrum, sunk
from scripts.tui.state import JUKEBOX, Field, Overlay, State

SLEEPS = (15, 30, 60, 90)  # minutes
_SAVED = 10.0  # seconds between saves of the session
_FOUND = 200  # results listed by a search

MakePlayer = Callable[[Queue, str, float, float], Player]


class Listening:
    """Controls the player and keeps the state, the library and the session up to date.

    Parameters
    ----------
    state : State
    make_player : callable
        Factory of the player: queue, output, volume (0 to 1), crossfade (seconds). Tests pass a
        fake.
    """

    def __init__(self, state: State, make_player: MakePlayer = Player) -> None:
        self.state = state
        self.songs: list[Song] = []
        self._make_player = make_player
        self._player: Player | None = None
        self.library = Catalogue(paths.LIBRARY, paths.OUTPUT)
        self._playlist = ""  # playlist name or query being played; empty for all songs
        self._number = 0
        self._saved, self._kept = time.monotonic(), Session()
        self._sleep_at: float | None = None
        self._found: list[Song] = []
        self.spectrum_shown = True
        self._untouched = False  # the last session is loaded, but no key has been pressed

    # -- the player ------------------------------------------------------------------------

    def follow(self, songs: list[Song]) -> None:
        """Use a new song list of the library."""
        self.songs = songs
        if self._player:
            self._player.refresh(self._chosen())

    def resume(self) -> None:
        """Load the last session's queue, song and position, paused."""
        session = load_session(paths.SESSION)
        if not session.order and not session.song:
            return
        song = next((s for s in self.songs if str(s.path) == session.song), None)
        self._playlist = session.playlist
        queue = Queue(self._chosen(), session.repeat, session.shuffle)
        queue.restore([Path(p) for p in session.order], song.path if song else None)
        player = self._open(queue)
        self._untouched = True
        if song is not None:
            player.start(song, session.position, paused=True)

    def start(self) -> None:
        """Start or resume playback."""
        player = self._touched() or self._open(Queue(self._chosen()))
        if player.playing().paused:
            player.pause(False)
        player.start()

    def play_newest(self, song: Song) -> None:
        """Play a song that was just finished, unless the user is listening to another one."""
        if self._untouched or self._player is None or self._player.ended:
            self._play(song)

    def _play(self, song: Song) -> None:
        """Play one song now."""
        player = self._touched() or self._open(Queue(self._chosen()))
        player.start(song)

    def _open(self, queue: Queue) -> Player:
        settings = self.state.settings
        self._player = self._make_player(queue, settings.sound, settings.volume, settings.crossfade)
        return self._player

    def _touched(self) -> Player | None:
        """Return the player, and note that the user has started to use it."""
        self._untouched = False
        return self._player

    def update(self) -> None:
        """Update the state from the player, save the session regularly, and run the sleep timer."""
        player, state = self._player, self.state
        state.playing = player.playing() if player else None
        now = state.playing
        if player is None or now is None:
            return
        if now.song and now.number != self._number and not now.paused:
            self._number = now.number
            self.library.played(now.song.path)
            self._save()
        heard = self.library.heard(now.song.path) if now.song else Heard()
        state.rating, state.thumb = heard.rating, heard.thumb
        looks = state.screen == JUKEBOX and self.spectrum_shown and not state.overlay
        state.spectrum = (
            sunk(state.spectrum, spectrum(player.heard()[-2048:]))
            if looks and now.song and not now.paused
            else ()
        )
        if self.library.notice:
            state.message, self.library.notice = self.library.notice, ""
        if self._sleep_at is not None:
            state.sleep = self._sleep_at - time.monotonic()
            if state.sleep <= 0:
                self._sleep_at = state.sleep = None
                player.pause(True)
                state.message = "Good night."
        # Long queues are saved less often: the file holds the order of all songs.
        pause = max(_SAVED, len(self.songs) / 200)
        if time.monotonic() - self._saved > pause and not now.paused:
            self._save()

    def close(self) -> None:
        """Save the session and close player and library."""
        if self._player:
            self._save()
            self._player.close()
        self.library.close()

    def _save(self) -> None:
        self._saved = time.monotonic()
        assert self._player
        now = self._player.playing()
        session = Session(
            str(now.song.path) if now.song else "",
            round(now.position, 1),
            tuple(map(str, self._player.order())),
            now.repeat,
            now.shuffle,
            self._playlist,
        )
        if session != self._kept and save_session(paths.SESSION, session):
            self._kept = session

    # -- keys ------------------------------------------------------------------------------

    def pause(self) -> None:
        player = self._touched()
        if player is None or player.ended:
            self.start()
        else:
            player.toggle_pause()
            self._save()

    def skip(self) -> None:
        player = self._touched()
        if player is None or player.ended:
            self.start()
        else:
            player.next()

    def previous(self) -> None:
        if player := self._touched():
            player.previous()

    def seek(self, seconds: float) -> None:
        if player := self._touched():
            player.seek_by(seconds)

    def seek_to(self, second: float) -> None:
        if player := self._touched():
            player.seek(second)

    def set_volume(self, volume: float) -> None:
        if self._player:
            self._player.set_volume(volume)

    def set_crossfade(self, seconds: float) -> None:
        if self._player:
            self._player.set_crossfade(seconds)

    def set_output(self, choice: str) -> None:
        """Switch to another output device."""
        if self._player:
            self._player.set_output(choice)

    def shuffle(self) -> None:
        """Toggle shuffle."""
        if player := self._touched():
            on = not player.playing().shuffle
            player.change(lambda queue: queue.set_shuffle(on))
            self.state.message = "Shuffle: every song once." if on else "Shuffle off."

    def repeat(self) -> None:
        """Switch to the next repeat mode: all, one, off."""
        if player := self._touched():
            now = player.playing().repeat
            after = REPEATS[(REPEATS.index(now) + 1) % len(REPEATS)]
            player.change(lambda queue: setattr(queue, "repeat", after))
            self.state.message = f"Repeat {after}."

    def rate(self, rating: int) -> None:
        """Rate the current song: 0 (none) to 5."""
        song = self._song()
        if song:
            self.library.rate(song.path, rating)
            self.state.message = (
                f"{song.title}: {rating} of 5." if rating else f"{song.title}: no rating."
            )

    def thumb_up(self) -> None:
        self._thumb(1)

    def thumb_down(self) -> None:
        self._thumb(-1)

    def _thumb(self, thumb: int) -> None:
        """Set the current song's thumb (1 or -1), or clear it if it is already set."""
        song = self._song()
        if song:
            after = 0 if self.library.heard(song.path).thumb == thumb else thumb
            self.library.thumb(song.path, after)
            self.state.message = f"{song.title}: {('no thumb', 'thumb up', 'thumb down')[after]}."

    def remove(self) -> None:
        """Move the current song to the bin."""
        song = self._song()
        if not song or not self._player:
            return
        if song.path.parent != self.library.folder:
            self.state.message = "Only library songs can be binned; D removes it from the queue."
            return
        try:
            self.library.write_changes()
            self._player.change(lambda queue: queue.drop(song))
            remove(song.path)
        except MusicGenError as error:
            self.state.message = str(error)
            return
        self.library.forget(song.path)
        self.state.message = f"Moved {song.title} to the bin; Z restores it."

    def undo(self) -> None:
        """Restore the song that was moved to the bin last."""
        try:
            path = restore(paths.OUTPUT)
        except MusicGenError as error:
            self.state.message = str(error)
            return
        self.library.take_in(path)
        self.state.message = f"Restored {path.stem}."

    def drop(self) -> None:
        """Remove the current song from the queue; the file stays."""
        song = self._song()
        if song and self._player:
            self._player.change(lambda queue: queue.drop(song))
            self.state.message = f"Removed {song.title} from the queue; its file stays."

    def sleep(self) -> None:
        """Set the sleep timer to the next longer time, or turn it off after the longest."""
        left = None if self._sleep_at is None else (self._sleep_at - time.monotonic()) / 60
        times = [m for m in SLEEPS if left is None or m > left + 0.5]
        self._sleep_at = time.monotonic() + 60 * times[0] if times else None
        self.state.sleep = 60.0 * times[0] if times else None
        self.state.message = f"Silence in {times[0]} minutes." if times else "Sleep timer off."

    def toggle_spectrum(self) -> None:
        self.spectrum_shown = not self.spectrum_shown

    def about(self) -> None:
        """Show the details of the current song."""
        song = self._song()
        if song:
            self.state.overlay = Overlay(f"About {song.title}", about_lines(song))

    def like_this(self) -> tuple[str, dict[str, str]] | None:
        """Return styles and wishes for songs like the current one; None if they are unknown."""
        song = self._song()
        if not song or not isinstance(song.details.get("asked"), str):
            self.state.message = "This song has no record of its styles and settings."
            return None
        details = song.details
        wishes = {
            name: str(details[name])
            for name in ("key", "meter")
            if isinstance(details.get(name), str)
        }
        if isinstance(details.get("tempo"), (int, float)):
            wishes["tempo"] = f"{details['tempo']:g}"
        return str(details["asked"]), wishes

    # -- search ----------------------------------------------------------------------------

    def search(self) -> None:
        """Open the search prompt."""
        self.state.field = Field("Which song? (Words of its title, style or key)", "search")
        self.find()

    def find(self) -> None:
        """Search for the text typed so far."""
        field = self.state.field
        assert field
        self._found = self.library.find(field.text, _FOUND)
        field.offers = tuple(
            f"{s.title} ({song_facts(s)})" if song_facts(s) else s.title for s in self._found
        )
        field.chosen = min(field.chosen, max(0, len(self._found) - 1))

    def play_found(self, chosen: int) -> None:
        """Play a search result by its index."""
        if 0 <= chosen < len(self._found):
            self._play(self._found[chosen])

    # -- playlists -------------------------------------------------------------------------

    def ask_playlist(self) -> None:
        """Ask for a playlist or query to play."""
        self.state.field = Field(
            "Which songs? (A playlist, or style:chill rating>=4; empty: all)", "playlist"
        )
        self.offer_playlists()

    def offer_playlists(self) -> None:
        """Suggest the playlists that start with the text typed so far."""
        field = self.state.field
        assert field
        try:
            names = load_playlists(paths.PLAYLISTS)
        except MusicGenError as error:
            names, field.problem = {}, str(error)
        typed = field.text.casefold()
        field.offers = tuple(n for n in names if n.casefold().startswith(typed))[:_FOUND]
        field.chosen = min(field.chosen, max(0, len(field.offers) - 1))

    def play_playlist(self, text: str) -> None:
        """Replace the queue by the songs of a playlist or query (empty: all songs)."""
        before, self._playlist = self._playlist, text
        songs = self._chosen()
        if not songs:
            self._playlist = before
            self.state.message = "No songs match."
            return
        self._touched()
        if self._player is None:
            self._open(Queue(songs)).start()
        else:
            self._player.refresh(songs)
            if self._song() is None or self._song() not in songs:
                self._player.start(songs[0])
                self._player.refresh(songs)  # drop the song played before, too
        self.state.message = f"{text or 'All songs'}: {count_songs(len(songs))}."

    def _chosen(self) -> list[Song]:
        """Songs of the playlist or query being played."""
        if not self._playlist:
            return self.songs
        try:
            kept = load_playlists(paths.PLAYLISTS)
        except MusicGenError:
            kept = {}
        return songs_for(self._playlist, kept, self._matching, lambda: self.songs)

    def _matching(self, query: str) -> list[Song]:
        """Songs that match a query, taken from the loaded ones instead of read again."""
        known = {song.path.name: song for song in self.songs}
        return [known[name] for name in self.library.names(query) if name in known]

    def _song(self) -> Song | None:
        return self._player.playing().song if self._player else None


def about_lines(song: Song) -> list[str]:
    """Lines of a song's details: summary and lead sheet."""
    summary = song.details.get("summary")
    lines = (
        [f"    {strip_control_chars(line, LONGEST_TEXT)}" for line in summary.splitlines()]
        if isinstance(summary, str)
        else [f"    Title: {song.title}", f"    File: {song.path.name}"]
    )
    try:
        sheet = song.path.with_suffix(".abc").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return lines
    return [
        *lines,
        "",
        *(f"    {strip_control_chars(row, LONGEST_TEXT)}" for row in sheet[:20_000].splitlines()),
    ]
