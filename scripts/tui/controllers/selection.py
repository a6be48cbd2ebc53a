"""Which songs to play: the search, and playlists."""

from __future__ import annotations

from scripts.core import paths
from scripts.core.errors import MusicGenError
from scripts.core.formatting import format_song_count
from scripts.library.playlists import load_playlists
from scripts.library.songs import Song
from scripts.tui.controllers.playback import PlaybackController
from scripts.tui.screens.jukebox import describe_song
from scripts.tui.state import Field, State

_MAX_RESULTS = 200  # results listed by a search


class SongSelection:
    """Searches for songs and chooses playlists.

    Parameters
    ----------
    state : State
    playback : PlaybackController
    """

    def __init__(self, state: State, playback: PlaybackController) -> None:
        self._state, self._playback = state, playback
        self._library = playback.library
        self._search_results: list[Song] = []

    # -- search ----------------------------------------------------------------------------

    def open_search(self) -> None:
        """Open the search prompt."""
        self._state.field = Field("Which song? (Words of its title, style or key)", "search")
        self.update_search()

    def update_search(self) -> None:
        """Search for the text typed so far."""
        field = self._state.field
        assert field
        self._search_results = self._library.find(field.text, _MAX_RESULTS)
        field.suggestions = tuple(
            f"{s.title} ({describe_song(s)})" if describe_song(s) else s.title
            for s in self._search_results
        )
        field.selected = min(field.selected, max(0, len(self._search_results) - 1))

    def play_result(self, index: int) -> None:
        """Play a search result by its index."""
        if 0 <= index < len(self._search_results):
            self._playback.play(self._search_results[index])

    # -- playlists -------------------------------------------------------------------------

    def open_playlist_prompt(self) -> None:
        """Ask for a playlist or query to play."""
        self._state.field = Field(
            "Which songs? (A playlist, or style:chill rating>=4; empty: all)", "playlist"
        )
        self.suggest_playlists()

    def suggest_playlists(self) -> None:
        """Suggest the playlists that start with the text typed so far."""
        field = self._state.field
        assert field
        try:
            names = load_playlists(paths.PLAYLISTS)
        except MusicGenError as error:
            names, field.problem = {}, str(error)
        typed = field.text.casefold()
        field.suggestions = tuple(n for n in names if n.casefold().startswith(typed))[:_MAX_RESULTS]
        field.selected = min(field.selected, max(0, len(field.suggestions) - 1))

    def play_playlist(self, text: str) -> None:
        """Replace the queue by the songs of a playlist or query (empty: all songs)."""
        count = self._playback.select(text)
        self._state.message = (
            f"{text or 'All songs'}: {format_song_count(count)}." if count else "No songs match."
        )
