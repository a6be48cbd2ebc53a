"""The order of songs: a loop that new songs join, shuffled or not."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from scripts.library.songs import Song

REPEATS = ("all", "one", "off")
_REMEMBERED = 50  # titles


class Queue:
    """Songs in playing order and the place in it.

    Parameters
    ----------
    songs : iterable of Song
        In the order of the library.
    repeat : str
        One of :data:`REPEATS`: after the last song the first, the same song again, or nothing.
    shuffle : bool
        Every song once in a random order, then every song once in another.
    seed : int, optional
        For the same order again.
    """

    def __init__(
        self,
        songs: Iterable[Song] = (),
        repeat: str = "all",
        shuffle: bool = False,
        seed: int | None = None,
    ) -> None:
        self._rng = random.Random(seed)
        self._library = list(songs)  # without what was dropped
        self._dropped: set[Path] = set()
        self.order = list(self._library)
        self.index = -1  # in the order; -1 before the first song
        self.repeat, self.shuffle = repeat, shuffle
        self.played: list[str] = []  # titles, latest last
        self._later: list[Song] = []  # of the next rounds, as far as somebody has looked
        if shuffle:
            self._rng.shuffle(self.order)

    @property
    def current(self) -> Song | None:
        return self.order[self.index] if 0 <= self.index < len(self.order) else None

    def next(self, by_itself: bool = False) -> Song | None:
        """Go on to the next song; None at the end without repeat.

        A song that is over `by_itself` comes again where one song is repeated.
        """
        if by_itself and self.current and self.repeat == "one":
            return self.current
        if self.index + 1 >= len(self.order):
            if self.repeat == "off" or not self.order:
                self.index = len(self.order)
                return None
            whole = len(self._library)
            self._look(whole)
            self.order, self._later = self._later[:whole], self._later[whole:]
            self.index = -1
        self.index += 1
        return self.current

    def heard(self, song: Song) -> None:
        """Remember a song that somebody has heard, to its end or not."""
        self.played.append(song.title)
        del self.played[:-_REMEMBERED]

    def again(self) -> None:
        """Begin at the beginning."""
        self.index = -1

    def previous(self) -> Song | None:
        """Go back to the song before; the first one follows the last."""
        if not self.order:
            return None
        at = self.index - 1
        self.index = at if at >= 0 else 0 if self.repeat == "off" else len(self.order) - 1
        return self.current

    def ahead(self, count: int = 5) -> list[Song]:
        """The next songs, the loop included."""
        found = self.order[self.index + 1 : self.index + 1 + count]
        if self.repeat == "off" or not self.order:
            return found
        if self._library:
            self._look(count - len(found))
        return (found + self._later)[:count]

    def following(self) -> Song | None:
        """The song that will come when the current one is over."""
        if self.current and self.repeat == "one":
            return self.current
        return next(iter(self.ahead(1)), None)

    def jump(self, song: Song) -> None:
        """Make `song` the current one; with shuffle the others still come once."""
        if song.path in self._dropped:
            self._dropped.discard(song.path)
            self._library.append(song)
        place = self._place_of(song.path)
        if place >= 0 and not self.shuffle:
            self.index = place
            return
        if place >= 0:
            del self.order[place]
            self.index -= place <= self.index
        self.index += 1
        self.order.insert(self.index, song)

    def add(self, songs: Iterable[Song]) -> None:
        """Have songs that are not known yet come this round still."""
        known = {s.path for s in self._library} | self._dropped
        self.index = min(self.index, len(self.order) - 1)  # they come behind the end
        for song in songs:
            if song.path in known:
                continue
            known.add(song.path)
            self._library.append(song)
            self._later = []
            if self.shuffle:
                self.order.insert(self._rng.randint(self.index + 1, len(self.order)), song)
            else:
                self.order.append(song)

    def keep(self, paths: Iterable[Path]) -> None:
        """Leave out songs whose files are gone; the place stays with the song playing."""
        there = set(paths)
        if all(s.path in there for s in self._library):
            return
        self._filter([s for s in self._library if s.path in there], stays=self.current)

    def drop(self, song: Song) -> None:
        """Take a song out of the queue; its file stays, and does not come in again."""
        self._dropped.add(song.path)
        self._filter([s for s in self._library if s.path != song.path], stays=None)

    def set_shuffle(self, shuffle: bool) -> None:
        """Shuffle what is still to come, or go on in the library's order from here."""
        self.shuffle, self._later = shuffle, []
        current = self.current
        if shuffle:
            rest = [s for s in self._library if current is None or s.path != current.path]
            self._rng.shuffle(rest)
            self.order = [*([current] if current else []), *rest]
            self.index = 0 if current else -1
        else:
            self.order = list(self._library)
            self.index = self._place_of(current.path) if current else -1

    def restore(self, order: Sequence[Path], current: Path | None) -> None:
        """Take up an order of before; songs that are new since come behind it."""
        by_path = {s.path: s for s in self._library}
        known = [by_path[p] for p in dict.fromkeys(order) if p in by_path]
        rest = [s for s in self._library if s.path not in set(order)]
        self.order = [*known, *rest]
        self.index = self._place_of(current)

    def _look(self, count: int) -> None:
        """Make up the next rounds for `count` songs."""
        while len(self._later) < count:
            coming = list(self._library)
            if self.shuffle:
                self._rng.shuffle(coming)
                last = (self._later or self.order)[-1:]
                if len(coming) > 1 and coming[:1] == last:
                    coming.append(coming.pop(0))  # no song twice in a row
            self._later += coming

    def _place_of(self, path: Path | None) -> int:
        """Where a song stands in the order; -1 when it does not."""
        return next((i for i, s in enumerate(self.order) if s.path == path), -1)

    def _filter(self, library: list[Song], stays: Song | None) -> None:
        """Have no other songs than `library`, and the one that `stays` until it is over."""
        current = self.current
        kept = {s.path for s in library} | ({stays.path} if stays else set())
        before = sum(s.path in kept for s in self.order[: max(self.index, 0)])
        self._library, self._later = library, []
        self.order = [s for s in self.order if s.path in kept]
        if current is not None and current.path in kept:
            self.index = self._place_of(current.path)
        elif self.index >= 0:
            self.index = before - 1  # the one behind it is the next
