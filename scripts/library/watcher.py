"""Background thread that syncs the library index with the disk."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from scripts.library.index import Catalogue, usual_moods
from scripts.library.song_files import recover
from scripts.library.songs import Song

LOOK = 3.0  # seconds between scans of the folder
_WRITE = 30.0  # seconds between writes of ratings and plays to the files


class Librarian:
    """Scans the song folder and writes ratings to the files in a background thread.

    Parameters
    ----------
    path : Path
        SQLite file of the index.
    folder : Path
        The song folder.
    moods : callable
        Returns the names of styles that are moods; called when first needed.
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
        self.reading = ""  # progress of a long scan, or why scanning stopped
        self.unwritten = ""  # why tags could not be written to a song file the last time

    def start(self) -> None:
        """Start the thread, which publishes the indexed songs first and then scans for changes."""
        self._thread.start()

    def look(self) -> None:
        """Scan the folder now; before :meth:`start`, in the calling thread."""
        self._stale = True
        if self._thread.ident is None:
            catalogue = Catalogue(self._path, self._folder, self._moods)
            self._look(catalogue)
            catalogue.close()
        self._wanted.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the first list of songs; False when `seconds` ran out."""
        return self._ready.wait(seconds)

    def take(self) -> list[Song] | None:
        """All songs, oldest first, if they have changed since the last call; else None."""
        with self._lock:
            songs, self._songs = self._songs, None
        return songs

    def plays(self, song: Path | None) -> None:
        """Set the song that is playing, whose file is not written to meanwhile."""
        self._playing = song

    def close(self) -> None:
        """Write pending changes and end the thread."""
        self._ended = True
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(10.0)

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # an error here must not stop the music
            self.reading = f"Scanning the library has stopped ({type(error).__name__}: {error})."
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
        """Scan the folder if it has changed since the last scan."""
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
