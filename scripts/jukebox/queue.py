"""Play queue: a loop of songs, shuffled or in library order, that new songs join."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

from scripts.library.songs import Song

RepeatMode = Literal["all", "one", "off"]
REPEAT_MODES: tuple[RepeatMode, ...] = get_args(RepeatMode)
_MAX_PLAYED = 50  # titles in the history


class Queue:
    """Songs in playing order, and the position in it.

    Parameters
    ----------
    songs : iterable of Song
        In library order.
    repeat : str
        One of :data:`REPEAT_MODES`: start over after the last song, repeat the current one,
        or stop.
    shuffle : bool
        Play every song once in random order, then reshuffle.
    seed : int, optional
        Makes the shuffle reproducible.
    """

    def __init__(
        self,
        songs: Iterable[Song] = (),
        repeat: RepeatMode = "all",
        shuffle: bool = False,
        seed: int | None = None,
    ) -> None:
        self._rng = random.Random(seed)
        self._library = list(songs)  # without dropped songs
        self._dropped: set[Path] = set()
        self.play_order = list(self._library)
        self.index = -1  # in the order; -1 before the first song
        self.repeat: RepeatMode = repeat
        self.shuffle = shuffle
        self.played: list[str] = []  # titles, latest last
        self._put_next: set[Path] = set()  # songs that were put after the current one
        self._later_rounds: list[Song] = []  # next rounds, as far as they have been drawn
        if shuffle:
            self._rng.shuffle(self.play_order)

    @property
    def current(self) -> Song | None:
        return self.play_order[self.index] if 0 <= self.index < len(self.play_order) else None

    def next(self, song_ended: bool = False) -> Song | None:
        """Move to the next song; None at the end without repeat.

        Parameters
        ----------
        song_ended : bool
            The current song has played to its end, so ``repeat = "one"`` applies.
        """
        if song_ended and self.current and self.repeat == "one":
            return self.current
        if self.index + 1 >= len(self.play_order):
            if self.repeat == "off" or not self.play_order:
                self.index = len(self.play_order)
                return None
            whole = len(self._library)
            self._extend_later_rounds(whole)
            self.play_order, self._later_rounds = (
                self._later_rounds[:whole],
                self._later_rounds[whole:],
            )
            self.index = -1
        self.index += 1
        if self.current:
            self._put_next.discard(self.current.path)
        return self.current

    def mark_played(self, song: Song) -> None:
        """Add a song to the history, whether it was played to its end or not."""
        self.played.append(song.title)
        del self.played[:-_MAX_PLAYED]

    def rewind(self) -> None:
        """Move before the first song."""
        self.index = -1

    def previous(self) -> Song | None:
        """Move to the previous song; from the first to the last, unless repeat is off."""
        if not self.play_order:
            return None
        at = self.index - 1
        self.index = at if at >= 0 else 0 if self.repeat == "off" else len(self.play_order) - 1
        return self.current

    def upcoming(self, count: int = 5) -> list[Song]:
        """The next `count` songs, continuing into the next round."""
        found = self.play_order[self.index + 1 : self.index + 1 + count]
        if self.repeat == "off" or not self.play_order:
            return found
        if self._library:
            self._extend_later_rounds(count - len(found))
        return (found + self._later_rounds)[:count]

    def peek_next(self) -> Song | None:
        """The song that follows when the current one ends; None at the end without repeat."""
        if self.current and self.repeat == "one":
            return self.current
        return next(iter(self.upcoming(1)), None)

    def jump_to(self, song: Song) -> None:
        """Make `song` the current one; with shuffle, every other song is still played once."""
        if song.path in self._dropped:
            self._dropped.discard(song.path)
            self._library.append(song)
        place = self._index_of(song.path)
        if place >= 0 and not self.shuffle:
            self.index = place
            return
        if place >= 0:
            del self.play_order[place]
            self.index -= place <= self.index
        self.index += 1
        self.play_order.insert(self.index, song)

    def add(self, songs: Iterable[Song]) -> None:
        """Add new songs to the rest of this round; known and dropped ones are ignored."""
        known = {s.path for s in self._library} | self._dropped
        self.index = min(self.index, len(self.play_order) - 1)  # after the end: they come next
        for song in songs:
            if song.path in known:
                continue
            known.add(song.path)
            self._library.append(song)
            self._later_rounds = []
            if self.shuffle:
                self.play_order.insert(
                    self._rng.randint(self.index + 1, len(self.play_order)), song
                )
            else:
                self.play_order.append(song)

    def put_next(self, song: Song) -> None:
        """Play `song` after the current one, and after those that were put there before."""
        place = self._index_of(song.path)
        if place == self.index >= 0:
            return
        if place >= 0:
            del self.play_order[place]
            self.index -= place < self.index
        else:
            self._library.append(song)
        at = self.index + 1
        while at < len(self.play_order) and self.play_order[at].path in self._put_next:
            at += 1
        self.play_order.insert(at, song)
        self._put_next.add(song.path)
        self._later_rounds = []

    def replace(self, path: Path, song: Song) -> None:
        """Let `song` take the place of the one at `path`, as when it has got its final name.

        Without such a place nothing changes.
        """
        place = self._index_of(path)
        if place < 0:
            return
        known = {s.path for s in self._library}
        if song.path in known:  # it has joined the queue already
            other = self._index_of(song.path)
            del self.play_order[other]
            self.index -= other < self.index
            place -= other < place
        else:
            self._library.append(song)
        self.play_order[place] = song
        self._later_rounds = []

    def remove_missing(self, paths: Iterable[Path]) -> None:
        """Remove songs whose files are not in `paths`.

        The current one stays until it is over, and those that were put next until they are played.
        """
        existing = set(paths) | self._put_next
        if all(s.path in existing for s in self._library):
            return
        self._filter([s for s in self._library if s.path in existing], stays=self.current)

    def drop(self, song: Song) -> None:
        """Drop a song from the queue for good; its file stays."""
        self._dropped.add(song.path)
        self._filter([s for s in self._library if s.path != song.path], stays=None)

    def put_back(self, song: Song) -> None:
        """Allow a song that was dropped to join the queue again with the next refresh."""
        self._dropped.discard(song.path)

    def set_shuffle(self, shuffle: bool) -> None:
        """Shuffle all other songs after the current one, or continue in library order from it."""
        self.shuffle, self._later_rounds = shuffle, []
        current = self.current
        if shuffle:
            rest = [s for s in self._library if current is None or s.path != current.path]
            self._rng.shuffle(rest)
            self.play_order = [*([current] if current else []), *rest]
            self.index = 0 if current else -1
        else:
            self.play_order = list(self._library)
            if current and current not in self.play_order:  # one without its final name
                self.play_order.insert(0, current)
            self.index = self._index_of(current.path) if current else -1

    def restore(self, play_order: Sequence[Path], current: Path | None) -> None:
        """Restore a saved order and position; songs added since come last."""
        by_path = {s.path: s for s in self._library}
        known = [by_path[p] for p in dict.fromkeys(play_order) if p in by_path]
        rest = [s for s in self._library if s.path not in set(play_order)]
        self.play_order = [*known, *rest]
        self.index = self._index_of(current)

    def _extend_later_rounds(self, count: int) -> None:
        """Draw further rounds until `count` songs are known."""
        while len(self._later_rounds) < count:
            coming = list(self._library)
            if self.shuffle:
                self._rng.shuffle(coming)
                last = (self._later_rounds or self.play_order)[-1:]
                if len(coming) > 1 and coming[:1] == last:
                    coming.append(coming.pop(0))  # never the same song twice in a row
            self._later_rounds += coming

    def _index_of(self, path: Path | None) -> int:
        """Index of a song in the order; -1 when missing."""
        return next((i for i, s in enumerate(self.play_order) if s.path == path), -1)

    def _filter(self, library: list[Song], stays: Song | None) -> None:
        """Keep only the songs of `library`, and the song `stays` until it is over."""
        current = self.current
        kept_paths = {s.path for s in library} | ({stays.path} if stays else set())
        before = sum(s.path in kept_paths for s in self.play_order[: max(self.index, 0)])
        self._library, self._later_rounds = library, []
        self.play_order = [s for s in self.play_order if s.path in kept_paths]
        if current is not None and current.path in kept_paths:
            self.index = self._index_of(current.path)
        elif self.index >= 0:
            self.index = before - 1  # so that the song after it is next
