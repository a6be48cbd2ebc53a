"""Live progress of one order: what the order store does not know."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.batch.states import OrderState, StoredOrder
from scripts.core.stages import overall_fraction, stage_fractions
from scripts.tui.state import OrderView

_OVER = (OrderState.DONE, OrderState.CANCELLED)
_PAUSED = (OrderState.PAUSED, OrderState.STOPPED)
_MIN_DONE = 0.3  # fraction of the first song to be done before the time left is estimated


@dataclass
class LiveProgress:
    """Stages of an order's songs in progress, from the events of the child process.

    Parameters
    ----------
    done_before : int
        Songs of the order that were done when following it began.
    stages_by_song : dict
        Stages (fraction done, 0 to 1) of the songs in progress, by song number.
    current_song : int
        Number of the song in progress that is nearest to its end.
    sheet_text : str
        End of the lead sheet the model has written so far.
    notices : list of str
    started_at : float
        Monotonic time of the first progress event; 0 before.
    """

    done_before: int
    stages_by_song: dict[int, dict[str, float]] = field(default_factory=dict)
    current_song: int = 1
    sheet_text: str = ""
    notices: list[str] = field(default_factory=list)
    started_at: float = 0.0

    def apply_event(self, message: Mapping[str, Any]) -> None:
        """Apply an event about a song: ``progress``, ``song`` (finished) or ``failed``."""
        number = int(message["song"])
        if message.get("event") == "progress":
            self.started_at = self.started_at or time.monotonic()
            stages, stage = self.stages_by_song.setdefault(number, {}), str(message["stage"])
            if stage == "compose":  # also when it is composed again after a later stage
                stages.clear()
            stages.update(stage_fractions(stage, float(message["done"])))
            self.sheet_text = str(message.get("text") or self.sheet_text)
        else:
            self.stages_by_song.pop(number, None)

    def view(
        self,
        order: StoredOrder,
        titles: Sequence[str],
        failures: Sequence[tuple[int, str]],
        is_idle: bool,
    ) -> OrderView:
        """Build what the screens show of the order.

        Parameters
        ----------
        order : StoredOrder
        titles : sequence of str
            Titles of its finished songs.
        failures : sequence of (int, str)
            Numbers of its failed songs, and why each failed.
        is_idle : bool
            Whether it is open, but no process works on it.
        """
        # Composed songs that wait to be rendered do not count as in progress.
        in_progress = [n for n, stages in self.stages_by_song.items() if stages != {"compose": 1.0}]
        self.current_song = min(in_progress or self.stages_by_song, default=self.current_song)
        is_cancelled = order.state == OrderState.CANCELLED
        return OrderView(
            styles=order.order.request.label,
            songs=order.order.songs,
            endless=order.order.endless,
            id=order.id,
            current_song=self.current_song,
            stages=dict(self.stages_by_song.get(self.current_song, {})),
            sheet_text=self.sheet_text,
            finished_titles=tuple(titles),
            finished_count=order.done,
            failed=0 if is_cancelled else order.failed,  # its songs cannot be retried
            failures=_describe_failures(order, failures),
            notices=tuple(self.notices),
            seconds_left=self._seconds_left(order),
            songs_in_progress=len(in_progress),
            stopping=is_cancelled and bool(in_progress),
            done=order.state in _OVER and not in_progress,
            paused=is_idle or order.state in _PAUSED,
        )

    def _seconds_left(self, order: StoredOrder) -> float | None:
        if order.order.endless:
            return None
        in_progress = sum(overall_fraction(stages) for stages in self.stages_by_song.values())
        return estimate_seconds_left(
            time.monotonic() - self.started_at if self.started_at else 0.0,
            order.done - self.done_before + in_progress,
            order.order.songs - self.done_before - order.failed,
        )


def _describe_failures(order: StoredOrder, failures: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    lines = [f"song {number}: {reason}" for number, reason in failures]
    if order.state == OrderState.CANCELLED:
        lines.append("cancelled")
    elif order.reason and not any(order.reason in line for line in lines):
        lines.append(order.reason)
    return tuple(lines)


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
