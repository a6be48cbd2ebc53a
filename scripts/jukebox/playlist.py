"""The order of songs: a loop that new songs join."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.library.songs import Song


@dataclass
class Playlist:
    """Songs in playing order and the place in it.

    Parameters
    ----------
    songs : list of Song
    index : int
        The song playing; -1 before the first.
    loop : bool
        Whether the first follows the last.
    played : list of str
        Titles, latest last.
    """

    songs: list[Song] = field(default_factory=list)
    index: int = -1
    loop: bool = True
    shuffle: random.Random | None = None
    played: list[str] = field(default_factory=list)

    @property
    def current(self) -> Song | None:
        return self.songs[self.index] if 0 <= self.index < len(self.songs) else None

    def add(self, songs: Iterable[Song]) -> None:
        """Append songs that are not yet in the list; with shuffle at places still to come."""
        known = {s.path for s in self.songs}
        for song in songs:
            if song.path in known:
                continue
            known.add(song.path)
            if self.shuffle:
                self.songs.insert(self.shuffle.randint(self.index + 1, len(self.songs)), song)
            else:
                self.songs.append(song)

    def keep(self, paths: Sequence[Path]) -> None:
        """Drop songs whose files are gone; the place stays with the song playing."""
        there = set(paths)
        current = self.current
        before = sum(s.path in there for s in self.songs[:max(self.index, 0)])
        self.songs = [s for s in self.songs if s.path in there or s is current]
        if current is not None:
            self.index = self.songs.index(current)
        else:
            self.index = before - 1 if self.index >= 0 else -1

    def step(self, by: int = 1) -> Song | None:
        """Move to the next (1) or previous (-1) song; None at the end without loop."""
        if not self.songs:
            return None
        if self.current and by > 0:
            self.played.append(self.current.title)
            del self.played[:-50]
        place = self.index + by
        if not 0 <= place < len(self.songs):
            if not self.loop:
                self.index = len(self.songs) if place > 0 else 0
                return None if place > 0 else self.songs[0]
            place %= len(self.songs)
        self.index = place
        return self.songs[place]

    def upcoming(self, count: int = 5) -> list[str]:
        """Titles of the next songs, the loop included."""
        if not self.songs:
            return []
        found = []
        for n in range(1, count + 1):
            place = self.index + n
            if place >= len(self.songs):
                if not self.loop:
                    break
                place %= len(self.songs)
            found.append(self.songs[place].title)
        return found
