"""Chooses the number of decoding threads by measuring, while other programs come and go.

Threads that share the work on a token wait for each other in spinning loops, so that one that
another program holds up stops them all: with two busy programs beside it, a model on two threads
was measured at a tenth of its speed, on one thread at half.
"""

from __future__ import annotations

_WINDOW = 4  # decoding steps that are measured together
_SLOWER = 0.75  # share of the best speed below which other counts are tried
_REVIEW = 24  # windows after which another count is tried again


class ThreadTuner:
    """Suggests a number of threads from the time that decoding steps take.

    Parameters
    ----------
    threads : int
        Largest number.

    Attributes
    ----------
    threads : int
        Number to use for the next step.
    """

    def __init__(self, threads: int) -> None:
        self.threads = self._most = threads
        self._best_seconds = float("inf")  # of a window, with this number and undisturbed
        self._steps, self._seconds = 0, 0.0
        self._before: tuple[int, float] | None = None  # number that a trial is compared with
        self._windows = _REVIEW  # since the last trial; the first comes at once

    def add(self, seconds: float) -> None:
        """Add the time of a decoding step and perhaps change :attr:`threads`."""
        self._steps += 1
        self._seconds += seconds
        if self._steps < _WINDOW:
            return
        window, self._steps, self._seconds = self._seconds, 0, 0.0
        self._windows += 1
        if self._before is not None:
            count, previous = self._before
            self._before = None
            self._best_seconds = min(window, previous)
            if window > previous:
                self.threads = count
            else:  # go on in the same direction
                self._try(self.threads * self.threads // count, window)
        elif window > self._best_seconds / _SLOWER:
            self._try(self.threads // 2, window)
        elif self._windows >= _REVIEW:
            self._try(2 * self.threads if self.threads < self._most else self.threads // 2, window)
        else:
            self._best_seconds = min(self._best_seconds, window)

    def _try(self, count: int, window: float) -> None:
        """Measure the next window with another number, if there is one."""
        count, self._windows = max(1, min(self._most, count)), 0
        if count != self.threads:
            self._before, self.threads = (self.threads, window), count
