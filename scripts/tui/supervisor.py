"""Orders being made by a child process, so that the screen and the sound never wait."""

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

_STATUSES = (0, 1, 2, 130)  # that the program ends with
_GRACE = 8.0  # seconds in which the child puts things in order


class Runner:
    """``generate --serve``: works through all open orders, also those that come in meanwhile."""

    def __init__(self) -> None:
        self._child = Child("scripts.cli.main", ["generate", "--serve", "--json", "--watch-input"])
        self.ended = self.spoke = False

    def messages(self) -> list[dict[str, Any]]:
        """What it has said since the last time."""
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
        """Why it ended, when it did not end well."""
        if not self.ended or not self._child.stop():
            return ""
        said = self._last_words()
        return (
            self._child.exit_words() if self.crashed else said[-1].removeprefix("llm-music-gen: ")
        )

    @property
    def crashed(self) -> bool:
        """Whether it was killed: it ended as it never does, or said nothing of why."""
        status = self._child.stop() if self.ended else 0
        return status not in _STATUSES or (status != 0 and not self._last_words())

    def _last_words(self) -> list[str]:
        return [line for line in self._child.complaints if line.startswith("llm-music-gen: ")]

    def end(self) -> None:
        """Stop it, and wait until it has."""
        self._child.stop(grace=_GRACE)
        self.ended = True


@dataclass
class Watch:
    """What is known of an order while it is made.

    Parameters
    ----------
    state : JobState
        What the screens show.
    finished : callable
        Called with the path of each song that is done.
    songs : dict
        Stages (share done, 0 to 1) of the songs that are being made, by number.
    """

    state: JobState
    finished: Callable[[Path], None]
    songs: dict[int, dict[str, float]] = field(default_factory=dict)
    begun: float = 0.0

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take in what the program says of a song."""
        event, number = message.get("event"), int(message["song"])
        if event == "progress":
            self.begun = self.begun or time.monotonic()
            stages, stage = self.songs.setdefault(number, {}), str(message["stage"])
            if stage == "compose" and stages:  # written or made once more
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
            if failure not in self.state.failures:  # the list of orders may have told already
                self.state.failed += 1
                self.state.failures.append(failure)
        self._show()

    def follow(self, job: StoredOrder) -> None:
        """Take in what is kept of the order."""
        state = self.state
        state.done = (
            job.state in (OrderState.DONE, OrderState.CANCELLED, OrderState.STOPPED)
            and not state.going
        )
        state.paused = job.state == OrderState.PAUSED
        state.stopping = job.state == OrderState.CANCELLED and state.going > 0
        if job.state == OrderState.CANCELLED:
            state.failed = 0  # nothing can be made again
            if "cancelled" not in state.failures:
                state.failures.append("cancelled")
        told = any(job.reason in failure for failure in state.failures)
        if job.state == OrderState.STOPPED and job.reason and not told:
            state.failures.append(job.reason)

    def drop(self) -> None:
        """Nobody is at its songs any more."""
        self.songs.clear()
        self._show()

    def _show(self) -> None:
        """What the screen shows: the song that is nearest to its end."""
        state = self.state
        # What is written waits for its turn to be played.
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


_TELLING = 0.3  # of a first song must be done before its length can be guessed


def seconds_left(spent: float, done: float, songs: int) -> float | None:
    """How long the rest of an order will take, from what it took so far.

    Parameters
    ----------
    spent : float
        Seconds since it began.
    done : float
        Songs made in them, with the shares of those that are under way.
    songs : int
        That there will be.
    """
    if done < _TELLING or done >= songs:
        return None
    return spent / done * (songs - done)
