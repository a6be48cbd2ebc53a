"""Child process that makes the orders, so that screen and sound never wait, and its progress."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.batch.store import OrderState, StoredOrder
from scripts.core.child import Child
from scripts.core.stages import overall_fraction, stage_fractions
from scripts.tui.state import JobState

_STATUSES = (0, 1, 2, 130)  # exit codes other than those of a crash
_GRACE = 8.0  # seconds the child has to shut down cleanly


class Runner:
    """Child process running ``generate --serve``, which makes all open orders.

    Orders added while it runs are made, too.

    Attributes
    ----------
    ended : bool
        Whether its output has ended.
    spoke : bool
        Whether any of its events was about an order.
    """

    def __init__(self) -> None:
        self._child = Child("scripts.cli.main", ["generate", "--serve", "--json", "--watch-input"])
        self.ended = self.spoke = False

    def messages(self) -> list[dict[str, Any]]:
        """Return the events received since the last call."""
        found = []
        while not self.ended:
            try:
                message = self._child.receive(0.001)
            except queue.Empty:
                break
            if message is None:
                self.ended = True
            else:
                found.append(message)
        self.spoke |= any("order" in message for message in found)
        return found

    def complaint(self) -> str:
        """Return why it failed; "" while it runs or when it succeeded."""
        if not self.ended or not self._child.stop():
            return ""
        said = self._last_words()
        return (
            self._child.exit_words() if self.crashed else said[-1].removeprefix("llm-music-gen: ")
        )

    @property
    def crashed(self) -> bool:
        """Whether it died: an unexpected exit code, or a failure without an error message."""
        status = self._child.stop() if self.ended else 0
        return status not in _STATUSES or (status != 0 and not self._last_words())

    def _last_words(self) -> list[str]:
        return [line for line in self._child.complaints if line.startswith("llm-music-gen: ")]

    def end(self) -> None:
        """Stop the process and wait until it has exited."""
        self._child.stop(grace=_GRACE)
        self.ended = True


@dataclass
class Watch:
    """Progress of one order, from the child's events and the order store.

    Parameters
    ----------
    state : JobState
        Updated by every method, for the screens.
    finished : callable
        Called with the path of each finished song.
    songs : dict
        Stages (fraction done, 0 to 1) of the songs in progress, by song number.
    begun : float
        Monotonic time of the first progress event; 0 before.
    """

    state: JobState
    finished: Callable[[Path], None]
    songs: dict[int, dict[str, float]] = field(default_factory=dict)
    begun: float = 0.0

    def hear(self, message: Mapping[str, Any]) -> None:
        """Apply an event about a song: ``progress``, ``song`` (finished) or ``failed``."""
        event, number = message.get("event"), int(message["song"])
        if event == "progress":
            self.begun = self.begun or time.monotonic()
            stages, stage = self.songs.setdefault(number, {}), str(message["stage"])
            if stage == "compose" and stages:  # composed again: drop its later stages
                stages.clear()
            stages.update(stage_fractions(stage, float(message["done"])))
            self.state.text = str(message.get("text") or self.state.text)
        elif event == "song":
            self.songs.pop(number, None)
            self.state.made.append(str(message["title"]))
            self.finished(Path(str(message["path"])))
        elif event == "failed":
            self.songs.pop(number, None)
            failure = f"song {number}: {message['reason']}"
            if failure not in self.state.failures:  # may be known from the order store
                self.state.failed += 1
                self.state.failures.append(failure)
        self._show()

    def follow(self, job: StoredOrder) -> None:
        """Apply the state of the stored order, and why it was stopped or cancelled."""
        state = self.state
        state.done = (
            job.state in (OrderState.DONE, OrderState.CANCELLED, OrderState.STOPPED)
            and not state.going
        )
        state.paused = job.state == OrderState.PAUSED
        state.stopping = job.state == OrderState.CANCELLED and state.going > 0
        if job.state == OrderState.CANCELLED:
            state.failed = 0  # its songs cannot be retried
            if "cancelled" not in state.failures:
                state.failures.append("cancelled")
        told = any(job.reason in failure for failure in state.failures)
        if job.state == OrderState.STOPPED and job.reason and not told:
            state.failures.append(job.reason)

    def drop(self) -> None:
        """Forget the songs in progress, once the child has ended."""
        self.songs.clear()
        self._show()

    def _show(self) -> None:
        """Update counts, time left and the stages of the song nearest to its end."""
        state = self.state
        # Composed songs that wait to be rendered do not count as in progress.
        going = [n for n, stages in self.songs.items() if stages != {"compose": 1.0}]
        state.going = len(going)
        state.number = min(going or self.songs, default=state.number)
        state.stages = dict(self.songs.get(state.number, {}))
        partly = sum(overall_fraction(stages) for stages in self.songs.values())
        state.left = seconds_left(
            time.monotonic() - self.begun if self.begun else 0.0,
            len(state.made) + partly,
            state.songs - state.before - state.failed,
        )


_TELLING = 0.3  # fraction of the first song to be done before the time left is estimated


def seconds_left(spent: float, done: float, songs: int) -> float | None:
    """Estimate how long the rest of an order takes from its progress so far.

    Parameters
    ----------
    spent : float
        Seconds since the first progress.
    done : float
        Songs made in that time, with the fractions of those in progress.
    songs : int
        Songs to be made in all.

    Returns
    -------
    float or None
        Seconds; None when it is too early to tell, or everything is done.
    """
    if done < _TELLING or done >= songs:
        return None
    return spent / done * (songs - done)
