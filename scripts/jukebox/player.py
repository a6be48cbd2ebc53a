"""The player: keeps the playlist sounding in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from scripts.audio.outputs import Output, duration_of, open_output
from scripts.jukebox.playlist import Playlist
from scripts.library.songs import Song

TICK = 0.1  # seconds between looks at the device


@dataclass(frozen=True)
class Playing:
    """What the screen shows; `number` counts the songs begun."""

    song: Song | None
    position: float
    duration: float
    paused: bool
    played: tuple[str, ...]
    upcoming: tuple[str, ...]
    output: str
    notice: str
    number: int = 0


class Player:
    """Plays a playlist until told to stop.

    Parameters
    ----------
    playlist : Playlist
    output : str
        A choice of :func:`scripts.audio.outputs.open_output`.
    volume : float
        0 to 1.
    """

    def __init__(self, playlist: Playlist, output: str, volume: float,
                 opener: Callable[[str], tuple[Output, str]] = open_output) -> None:
        self.playlist = playlist
        self._output, self._notice = opener(output)
        self._volume = volume
        self._lock = threading.RLock()
        self._end = threading.Event()
        self._duration, self._paused, self._active = 0.0, False, False
        self._number = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # -- orders; each returns at once ------------------------------------------------------

    def start(self) -> None:
        """Begin with the next song if nothing plays."""
        with self._lock:
            if not self._active:
                self._advance(1)

    def next(self) -> None:
        """Go on to the next song."""
        with self._lock:
            self._advance(1)

    def previous(self) -> None:
        """Go back to the song before."""
        with self._lock:
            self._advance(-1)

    def toggle_pause(self) -> None:
        """Pause, or go on."""
        with self._lock:
            if self._active:
                self._paused = not self._paused
                self._output.pause(self._paused)

    def set_volume(self, volume: float) -> None:
        """0 to 1."""
        with self._lock:
            self._volume = volume
            self._output.set_volume(volume)

    def refresh(self, songs: list[Song]) -> None:
        """Follow what is on the disk: new songs join, vanished ones leave."""
        with self._lock:
            self.playlist.keep([s.path for s in songs])
            self.playlist.add(songs)

    def close(self) -> None:
        """Stop and end the thread."""
        self._end.set()
        self._thread.join(2.0)
        with self._lock:
            self._output.stop()

    def playing(self) -> Playing:
        """A picture of this moment."""
        with self._lock:
            song = self.playlist.current if self._active else None
            position = self._output.position() if song else 0.0
            return Playing(song, min(position, self._duration), self._duration, self._paused,
                           tuple(self.playlist.played), tuple(self.playlist.upcoming()),
                           self._output.name, self._notice, self._number)

    @property
    def ended(self) -> bool:
        """True when a list that does not loop is through."""
        with self._lock:
            return not self._active

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._end.wait(TICK):
            with self._lock:
                if self._active and not self._paused and self._output.finished():
                    self._advance(1)

    def _advance(self, by: int) -> None:
        """Move to a song that can be played; bad ones are passed over with a line each."""
        self._output.stop()
        self._active = False
        for _ in range(len(self.playlist.songs)):
            song = self.playlist.step(by)
            if song is None:
                return
            try:
                self._output.play(song.path, 0.0, self._volume)
            except (OSError, ValueError):
                self._notice = f"Skipped {song.title}: the file cannot be played."
                continue
            self._duration = duration_of(song.path) or song.seconds
            self._active, self._paused = True, False
            self._number += 1
            return
