"""What the user does with the song that is playing: rating, thumbs, bin, details."""

from __future__ import annotations

from scripts.audio.live_audio import is_live
from scripts.core import paths
from scripts.core.errors import MusicGenError
from scripts.core.input_files import read_input_text
from scripts.core.text import strip_control_chars
from scripts.library.bin import move_to_bin, restore_song
from scripts.library.songs import MAX_TEXT_LENGTH, Song
from scripts.tui.controllers.playback import PlaybackController
from scripts.tui.state import Overlay, State

_MAX_SHEET_BYTES = 1 << 20


class SongActions:
    """Acts on the current song.

    Parameters
    ----------
    state : State
    playback : PlaybackController
    """

    def __init__(self, state: State, playback: PlaybackController) -> None:
        self._state, self._playback = state, playback
        self._library = playback.library
        self._undo: list[Song | int] = []  # removed from the queue; a number: moved to the bin

    def _finished_song(self) -> Song | None:
        """The current song, unless it is still being rendered and has no file of its own."""
        song = self._playback.current_song()
        if song and is_live(song.path):
            self._state.message = f"{song.title} is still being rendered; try again in a moment."
            return None
        return song

    def rate(self, rating: int) -> None:
        """Rate the current song: 0 (none) to 5."""
        song = self._finished_song()
        if song:
            self._library.rate(song.path, rating)
            self._state.message = (
                f"{song.title}: {rating} of 5." if rating else f"{song.title}: no rating."
            )

    def thumb_up(self) -> None:
        self._toggle_thumb(1)

    def thumb_down(self) -> None:
        self._toggle_thumb(-1)

    def _toggle_thumb(self, thumb: int) -> None:
        """Set the current song's thumb (1 or -1), or clear it if it is already set."""
        song = self._finished_song()
        if song:
            after = 0 if self._library.get_stats(song.path).thumb == thumb else thumb
            self._library.set_thumb(song.path, after)
            self._state.message = f"{song.title}: {('no thumb', 'thumb up', 'thumb down')[after]}."

    def remove_from_queue(self) -> None:
        """Remove the current song from the queue; the file stays."""
        song = self._finished_song()
        if song:
            self._playback.drop(song)
            self._undo.append(song)
            self._state.message = f"Removed {song.title} from the queue; Z puts it back."

    def undo(self) -> None:
        """Put back the song that was removed last, from the queue or from the library."""
        removed = self._undo.pop() if self._undo else None
        if isinstance(removed, Song):
            self._playback.put_back(removed)
            self._state.message = f"{removed.title} is in the queue again."
        else:
            self.restore_from_bin(removed)

    def move_song_to_bin(self) -> None:
        """Move the current song to the bin."""
        song = self._finished_song()
        if not song:
            return
        if song.path.parent != self._library.folder:
            self._state.message = "Only library songs can be binned; D removes it from the queue."
            return
        try:
            self._library.write_changes()
            number = move_to_bin(song.path).number
        except MusicGenError as error:
            self._state.message = str(error)
            return
        self._playback.drop(song)
        self._undo.append(number)
        self._library.remove_song(song.path)
        self._state.message = f"Moved {song.title} to the bin; Z restores it."

    def restore_from_bin(self, number: int | None = None) -> None:
        """Restore a song from the bin, by default the one that was moved there last."""
        try:
            path = restore_song(paths.OUTPUT, number)
        except MusicGenError as error:
            self._state.message = str(error)
            return
        self._library.index_song(path)
        self._state.message = f"Restored {path.stem}."

    def open_song_details(self) -> None:
        """Show the details of the current song."""
        song = self._playback.current_song()
        if song:
            self._state.overlay = Overlay(f"About {song.title}", song_detail_lines(song))

    def similar_song_request(self) -> tuple[str, dict[str, str]] | None:
        """Return styles and wishes for songs like the current one; None if they are unknown."""
        song = self._finished_song()
        if not song:
            return None
        if not isinstance(song.details.get("asked"), str):
            self._state.message = "This song has no record of its styles and settings."
            return None
        details = song.details
        wishes = {
            name: str(details[name])
            for name in ("key", "meter")
            if isinstance(details.get(name), str)
        }
        recipe = details.get("recipe")
        requested = recipe.get("wishes") if isinstance(recipe, dict) else None
        if isinstance(requested, dict):
            for name in ("instruments", "without", "energy"):
                if isinstance(requested.get(name), str):
                    wishes[name] = requested[name]
        if isinstance(details.get("tempo"), (int, float)):
            wishes["tempo"] = f"{details['tempo']:g}"
        return str(details["asked"]), wishes


def song_detail_lines(song: Song) -> list[str]:
    """Lines of a song's details: summary and lead sheet."""
    summary = song.details.get("summary")
    file_name = "being rendered" if is_live(song.path) else song.path.name
    lines = (
        [f"    {strip_control_chars(line, MAX_TEXT_LENGTH)}" for line in summary.splitlines()]
        if isinstance(summary, str)
        else [f"    Title: {song.title}", f"    File: {file_name}"]
    )
    try:
        sheet = read_input_text(song.path.with_suffix(".abc"), _MAX_SHEET_BYTES, errors="replace")
    except OSError:
        return lines
    return [
        *lines,
        "",
        *(
            f"    {strip_control_chars(row, MAX_TEXT_LENGTH)}"
            for row in sheet[:20_000].splitlines()
        ),
    ]
