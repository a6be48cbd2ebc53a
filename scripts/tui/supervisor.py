"""Child process that makes the orders, so that screen and sound never wait, and its progress."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.batch.store import OrderState, StoredOrder
from scripts.core.child import ChildProcess
from scripts.core.stages import overall_fraction, stage_fractions
from scripts.tui.state import OrderView

_NORMAL_EXIT_CODES = (0, 1, 2, 130)  # exit codes other than those of a crash
_STOP_TIMEOUT = 8.0  # seconds the child has to shut down cleanly


class GenerateProcess:
    """Child process running ``generate --serve``, which makes all open orders.

    Orders added while it runs are made, too.

    Attributes
    ----------
    ended : bool
        Whether its output has ended.
    saw_orders : bool
        Whether any of its events was about an order.
    """

    def __init__(self) -> None:
        self._child = ChildProcess(
            "scripts.cli.main", ["generate", "--serve", "--json", "--watch-input"]
        )
        self.ended = self.saw_orders = False

    def read_events(self) -> list[dict[str, Any]]:
        """Return the events received since the last call."""
        events = []
        while not self.ended:
            try:
                message = self._child.receive(0.001)
            except queue.Empty:
                break
            if message is None:
                self.ended = True
            else:
                events.append(message)
        self.saw_orders |= any("order" in message for message in events)
        return events

    def failure_message(self) -> str:
        """Return why it failed; "" while it runs or when it succeeded."""
        if not self.ended or not self._child.stop():
            return ""
        errors = self._error_lines()
        return (
            self._child.describe_exit()
            if self.crashed
            else errors[-1].removeprefix("llm-music-gen: ")
        )

    @property
    def crashed(self) -> bool:
        """Whether it died: an unexpected exit code, or a failure without an error message."""
        status = self._child.stop() if self.ended else 0
        return status not in _NORMAL_EXIT_CODES or (status != 0 and not self._error_lines())

    def _error_lines(self) -> list[str]:
        return [line for line in self._child.stderr_lines if line.startswith("llm-music-gen: ")]

    def stop(self) -> None:
        """Stop the process and wait until it has exited."""
        self._child.stop(grace=_STOP_TIMEOUT)
        self.ended = True


@dataclass
class OrderProgress:
    """Progress of one order, from the child's events and the order store.

    Parameters
    ----------
    state : OrderState
        Updated by every method, for the screens.
    on_song_finished : callable
        Called with the path of each finished song.
    stages_by_song : dict
        Stages (fraction done, 0 to 1) of the songs in progress, by song number.
    started_at : float
        Monotonic time of the first progress event; 0 before.
    """

    state: OrderView
    on_song_finished: Callable[[Path], None]
    stages_by_song: dict[int, dict[str, float]] = field(default_factory=dict)
    started_at: float = 0.0

    def apply_event(self, message: Mapping[str, Any]) -> None:
        """Apply an event about a song: ``progress``, ``song`` (finished) or ``failed``."""
        event, number = message.get("event"), int(message["song"])
        if event == "progress":
            self.started_at = self.started_at or time.monotonic()
            stages, stage = self.stages_by_song.setdefault(number, {}), str(message["stage"])
            if stage == "compose" and stages:  # composed again: drop its later stages
                stages.clear()
            stages.update(stage_fractions(stage, float(message["done"])))
            self.state.sheet_text = str(message.get("text") or self.state.sheet_text)
        elif event == "song":
            self.stages_by_song.pop(number, None)
            self.state.finished_titles.append(str(message["title"]))
            self.on_song_finished(Path(str(message["path"])))
        elif event == "failed":
            self.stages_by_song.pop(number, None)
            failure = f"song {number}: {message['reason']}"
            if failure not in self.state.failures:  # may be known from the order store
                self.state.failed += 1
                self.state.failures.append(failure)
        self._update_state()

    def apply_stored_order(self, order: StoredOrder) -> None:
        """Apply the state of the stored order, and why it was stopped or cancelled."""
        state = self.state
        state.done = (
            order.state in (OrderState.DONE, OrderState.CANCELLED, OrderState.STOPPED)
            and not state.songs_in_progress
        )
        state.paused = order.state == OrderState.PAUSED
        state.stopping = order.state == OrderState.CANCELLED and state.songs_in_progress > 0
        if order.state == OrderState.CANCELLED:
            state.failed = 0  # its songs cannot be retried
            if "cancelled" not in state.failures:
                state.failures.append("cancelled")
        already_listed = any(order.reason in failure for failure in state.failures)
        if order.state == OrderState.STOPPED and order.reason and not already_listed:
            state.failures.append(order.reason)

    def clear_songs_in_progress(self) -> None:
        """Forget the songs in progress, once the child has ended."""
        self.stages_by_song.clear()
        self._update_state()

    def _update_state(self) -> None:
        """Update counts, time left and the stages of the song nearest to its end."""
        state = self.state
        # Composed songs that wait to be rendered do not count as in progress.
        in_progress = [n for n, stages in self.stages_by_song.items() if stages != {"compose": 1.0}]
        state.songs_in_progress = len(in_progress)
        state.current_song = min(in_progress or self.stages_by_song, default=state.current_song)
        state.stages = dict(self.stages_by_song.get(state.current_song, {}))
        partly = sum(overall_fraction(stages) for stages in self.stages_by_song.values())
        state.seconds_left = estimate_seconds_left(
            time.monotonic() - self.started_at if self.started_at else 0.0,
            len(state.finished_titles) + partly,
            state.songs - state.finished_before - state.failed,
        )


_MIN_DONE = 0.3  # fraction of the first song to be done before the time left is estimated


def estimate_seconds_left(elapsed: float, done: float, total: int) -> float | None:
    """Estimate how long the rest of an order takes from its progress so far.

    Parameters
    ----------
    elapsed : float
        Seconds since the first progress.
    done : float
        Songs made in that time, with the fractions of those in progress.
    total : int
        Songs to be made in all.

    Returns
    -------
    float or None
        Seconds; None when it is too early to tell, or everything is done.
    """
    if done < _MIN_DONE or done >= total:
        return None
    return elapsed / done * (total - done)
