"""When a song is tried again, and when an order is given up."""

from __future__ import annotations

from collections.abc import Iterable

from scripts.batch.executors.base import SongId
from scripts.core.errors import CrashError, EncoderError, MusicGenError

MAX_ATTEMPTS = 3  # per song, when its model, encoder or renderer crashed
MAX_FAILURES_IN_A_ROW = 3  # per order, before it is stopped


class RetryPolicy:
    """Counts attempts and failures.

    Attributes
    ----------
    suspects : set of SongId
        Songs that were being rendered when a process died. They are rendered one at a time, so
        that the one that kills its process is found.
    """

    def __init__(self) -> None:
        self._attempts: dict[SongId, int] = {}
        self._failures_in_a_row: dict[int, int] = {}
        self.suspects: set[SongId] = set()

    def may_retry(self, song: SongId, error: MusicGenError) -> bool:
        """Count a failed attempt; whether the song deserves another one."""
        return isinstance(error, (CrashError, EncoderError)) and self.count_attempt(song)

    def count_attempt(self, song: SongId) -> bool:
        """Count a failed attempt; whether fewer than :data:`MAX_ATTEMPTS` were made."""
        self._attempts[song] = self._attempts.get(song, 0) + 1
        return self._attempts[song] < MAX_ATTEMPTS

    def is_only_suspect(self, songs: Iterable[SongId]) -> bool:
        """Whether a process died of these songs and there is only one, suspected before."""
        lost = list(songs)
        return len(lost) == 1 and lost[0] in self.suspects

    def record_success(self, song: SongId) -> None:
        """Forget what was held against a song and its order."""
        self._close(song)
        self._failures_in_a_row[song.order] = 0

    def record_failure(self, song: SongId) -> bool:
        """Count a failed song; whether its order should be stopped."""
        self._close(song)
        count = self._failures_in_a_row.get(song.order, 0) + 1
        self._failures_in_a_row[song.order] = count
        return count >= MAX_FAILURES_IN_A_ROW

    def reset_order(self, order: int) -> None:
        """Start counting the failures of an order anew."""
        self._failures_in_a_row[order] = 0

    def drop_order(self, order: int) -> None:
        """No longer suspect the songs of an order."""
        self.suspects = {song for song in self.suspects if song.order != order}

    def _close(self, song: SongId) -> None:
        self._attempts.pop(song, None)
        self.suspects.discard(song)
