"""Orders without end: a little ahead of the listener, until a time, within a bound on the disk."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

from scripts.audio.tags import read_tags
from scripts.batch.order import Order
from scripts.core.errors import MusicGenError
from scripts.library.bin import delete_binned, list_bin, move_to_bin, song_files
from scripts.library.index import LibraryIndex

SONGS_AHEAD = 3  # finished or in progress, that have not been played yet
_BIN_SHARE = 0.1  # of the bound on the disk, for what it has moved to the bin
_MIN_BINNED = 2  # songs that stay in the bin in any case
_log = logging.getLogger(__name__)


class EndlessOrders:
    """Decides how far orders without end are made, and which of their songs are kept.

    Parameters
    ----------
    open_library : callable
        Opens the library, which knows what was played and rated; called when it is needed.
    waits_for_listener : bool
        Whether at most :data:`SONGS_AHEAD` songs are made ahead of the playing, as in the menu.
    """

    def __init__(self, open_library: Callable[[], LibraryIndex], waits_for_listener: bool) -> None:
        self._open_library, self._waits_for_listener = open_library, waits_for_listener
        self._songs: dict[int, list[Path]] = defaultdict(list)  # by order, the oldest first

    @cached_property
    def _library(self) -> LibraryIndex:
        return self._open_library()

    def close(self) -> None:
        """Close the library."""
        if "_library" in self.__dict__:
            self._library.close()

    def add_songs(self, order_id: int, songs: Iterable[Path]) -> None:
        """Add finished songs of an order, the oldest first."""
        known = set(self._songs[order_id])
        self._songs[order_id] += [song for song in songs if song not in known]

    def may_compose(self, order_id: int, order: Order, in_progress: int) -> bool:
        """Whether the next song of an order may be composed.

        Parameters
        ----------
        order_id : int
        order : Order
        in_progress : int
            Number of its songs that are being made.
        """
        if not order.endless:
            return True
        if self.is_over(order):
            return False
        if not self._waits_for_listener or order.out != self._library.folder:
            return True
        unplayed = [
            song
            for song in self._songs[order_id]
            if song.exists() and not self._library.get_stats(song).plays
        ]
        return len(unplayed) + in_progress < SONGS_AHEAD

    def count_songs(self, order_id: int) -> int:
        """Number of finished songs of an order."""
        return len(self._songs[order_id])

    def is_over(self, order: Order) -> bool:
        """Whether the time of an order without end has come."""
        return order.endless and bool(order.until) and time.time() >= order.until

    def keep_within_bound(self, order_id: int, order: Order) -> list[str]:
        """Move the oldest songs without a rating to the bin until the others fit the bound.

        Those in the bin take at most a tenth of the bound, but there are at least two of them:
        older ones are deleted. What the user moved to the bin stays there.

        Returns
        -------
        list of str
            Titles of the songs that were moved.
        """
        if not order.endless or not order.keep_bytes:
            return []
        try:
            return self._free_space(order_id, order)
        except OSError as error:  # the folder cannot be read; the finished song is not to blame
            _log.warning("%s: no space is freed: %s", order.out, error)
            return []

    def _free_space(self, order_id: int, order: Order) -> list[str]:
        songs = [song for song in self._songs[order_id] if song.exists()]
        total, moved = sum(map(_song_bytes, songs)), []
        for song in songs[:-1]:  # never the newest
            if total <= order.keep_bytes:
                break
            if self._is_liked(song):
                continue
            size = _song_bytes(song)
            try:
                move_to_bin(song, frees_space=True)
                if song.parent == self._library.folder:
                    self._library.remove_song(song)
            except MusicGenError as error:  # it is being played, on Windows
                _log.info("%s stays: %s", song.name, error)
                continue
            total -= size
            moved.append(song.stem)
        self._songs[order_id] = [song for song in songs if song.exists()]
        self._trim_bin(order)
        return moved

    def _is_liked(self, song: Path) -> bool:
        """Whether a song has a rating or a thumb up, in its tags or in the library."""
        known = [read_tags(song).stats]
        if song.parent == self._library.folder:  # it knows songs by their names alone
            known.append(self._library.get_stats(song))
        return any(stats.rating or stats.thumb > 0 for stats in known)

    def _trim_bin(self, order: Order) -> None:
        """Delete the oldest songs that were moved to the bin to free space."""
        used = 0
        entries = [entry for entry in list_bin(order.out) if entry.frees_space]
        for count, entry in enumerate(entries, 1):  # the latest first
            used += entry.size
            if count > _MIN_BINNED and used > _BIN_SHARE * order.keep_bytes:
                try:
                    delete_binned(entry)
                except MusicGenError as error:
                    _log.info("%s stays in the bin: %s", entry.name, error)


def _song_bytes(song: Path) -> int:
    """Bytes of a song with the files beside it."""
    total = 0
    for file in song_files(song):
        try:
            total += file.stat().st_size
        except OSError:
            continue
    return total
