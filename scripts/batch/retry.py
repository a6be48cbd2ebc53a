"""Retry policy: when a song is tried again, and when an order is stopped."""

from __future__ import annotations

from collections.abc import Iterable

from scripts.batch.executors.base import SongId
from scripts.core.errors import CrashError, EncoderError, MusicGenError

MAX_ATTEMPTS = 3  # per song, when its model, encoder or renderer crashes
MAX_FAILURES_IN_A_ROW = 3  # per order, before it is stopped


class RetryPolicy:
    """Counts the attempts of songs and the consecutive failures of orders.

    Attributes
    ----------
    suspects : set of SongId
        Songs that were being rendered when a process crashed. They are rendered one at a time,
        to find the one that caused it.
    """

    def __init__(self) -> None:
        self._attempts: dict[SongId, int] = {}
        self._failures_in_a_row: dict[int, int] = {}
        self.suspects: set[SongId] = set()

    def may_retry(self, song: SongId, error: MusicGenError) -> bool:
        """Count an attempt that ended in `error`; whether to try the song again."""
        return isinstance(error, (CrashError, EncoderError)) and self.count_attempt(song)

    def count_attempt(self, song: SongId) -> bool:
        """Count a failed attempt; whether there are fewer than :data:`MAX_ATTEMPTS`."""
        self._attempts[song] = self._attempts.get(song, 0) + 1
        return self._attempts[song] < MAX_ATTEMPTS

    def is_only_suspect(self, songs: Iterable[SongId]) -> bool:
        """Whether `songs` is a single song, and it was a suspect already."""
        interrupted = list(songs)
        return len(interrupted) == 1 and interrupted[0] in self.suspects

    def record_success(self, song: SongId) -> None:
        """Reset the counts of a song and of its order."""
        self._reset_song(song)
        self._failures_in_a_row[song.order] = 0

    def record_failure(self, song: SongId) -> bool:
        """Count a failed song; whether to stop its order."""
        self._reset_song(song)
        count = self._failures_in_a_row.get(song.order, 0) + 1
        self._failures_in_a_row[song.order] = count
        return count >= MAX_FAILURES_IN_A_ROW

    def reset_order(self, order: int) -> None:
        """Reset the count of consecutive failures of an order."""
        self._failures_in_a_row[order] = 0

    def drop_order(self, order: int) -> None:
        """Remove the songs of an order from the suspects."""
        self.suspects = {song for song in self.suspects if song.order != order}

    def _reset_song(self, song: SongId) -> None:
        self._attempts.pop(song, None)
        self.suspects.discard(song)
