"""Keeps the library true in a thread of its own, so that nobody ever waits for the disk."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from scripts.library.index import Catalogue, usual_moods
from scripts.library.song_files import recover
from scripts.library.songs import Song

LOOK = 3.0  # seconds between looks at the folder
_WRITE = 30.0  # and between writings of ratings and plays into the files


class Librarian:
    """Reads the folder, lists the songs, writes ratings into files; all behind the screens.

    Parameters
    ----------
    path : Path
        Of the catalogue.
    folder : Path
    moods : callable
        Gives the styles that are moods, once they are needed.
    """

    def __init__(
        self, path: Path, folder: Path, moods: Callable[[], Iterable[str]] = usual_moods
    ) -> None:
        self._path, self._folder, self._moods = path, folder, moods
        self._wanted = threading.Event()
        self._ended = False
        self._lock = threading.Lock()
        self._songs: list[Song] | None = None
        self._playing: Path | None = None
        self._seen, self._stale = -1, False
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.reading = ""  # how far a long reading has come
        self.unwritten = ""  # why a rating could not be written into its song's file

    def start(self) -> None:
        """Begin; the songs of the last time come first, then what has changed since."""
        self._thread.start()

    def look(self) -> None:
        """Look at the folder now; before :meth:`start`, in the thread of the caller."""
        self._stale = True
        if self._thread.ident is None:
            catalogue = Catalogue(self._path, self._folder, self._moods)
            self._look(catalogue)
            catalogue.close()
        self._wanted.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the songs of the last time, or what the first look finds; whether they came."""
        return self._ready.wait(seconds)

    def take(self) -> list[Song] | None:
        """The songs, oldest first, when they have changed since the last time; else None."""
        with self._lock:
            songs, self._songs = self._songs, None
        return songs

    def plays(self, song: Path | None) -> None:
        """Leave the file of the song that plays alone."""
        self._playing = song

    def close(self) -> None:
        """Write what is left to be written, and end."""
        self._ended = True
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(10.0)

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # a fault here must not cost the music
            self.reading = f"The library is not read any more ({type(error).__name__}: {error})."
            self._ready.set()

    def _work(self) -> None:
        catalogue = Catalogue(self._path, self._folder, self._moods)
        try:
            if catalogue.totals()[0]:
                self._give(catalogue)
            recover(self._folder, time.time())
            written = time.monotonic()
            while not self._ended:
                self._wanted.clear()
                self._look(catalogue)
                if time.monotonic() - written > _WRITE:
                    written = time.monotonic()
                    catalogue.write_changes([self._playing] if self._playing else [])
                    self.unwritten = catalogue.unwritten
                self._wanted.wait(LOOK)
            catalogue.write_changes()
        finally:
            catalogue.close()

    def _look(self, catalogue: Catalogue) -> None:
        """Take in what has changed since the last look."""
        now = self._stamp()
        if now == self._seen and not self._stale:
            return
        self._seen, self._stale = now, False
        if catalogue.scan(heard=self._heard) or not self._ready.is_set():
            self._give(catalogue)
        self.reading = ""

    def _give(self, catalogue: Catalogue) -> None:
        songs = catalogue.songs()
        with self._lock:
            self._songs = songs
        self._ready.set()

    def _heard(self, done: int, of: int) -> None:
        self.reading = f"Reading the library: {done:,} of {of:,} songs." if done < of else ""

    def _stamp(self) -> int:
        with contextlib.suppress(OSError):
            return self._folder.stat().st_mtime_ns
        return 0
