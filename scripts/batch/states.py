"""States of orders and songs, and an order as it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scripts.batch.order import Order


class OrderState(StrEnum):
    """State of an order."""

    OPEN = "open"
    PAUSED = "paused"
    STOPPED = "stopped"  # by failures
    CANCELLED = "cancelled"
    DONE = "done"


class SongState(StrEnum):
    """State of a song that has been started."""

    COMPOSED = "written"
    RETRY = "again"
    DONE = "done"
    FAILED = "failed"


UNFINISHED_STATES = (OrderState.OPEN, OrderState.PAUSED, OrderState.STOPPED)


@dataclass(frozen=True)
class StoredOrder:
    """An order in the store and its progress.

    Parameters
    ----------
    id : int
    uid : str
        Unique ID that is also stored in the ``.json`` of its songs.
    batch : str
        ID shared by orders that were submitted together.
    order : Order
    state : OrderState
    reason : str
        Why it was stopped.
    done, failed, composed : int
        Numbers of songs in these states; composed ones wait to be rendered.
    started : int
        Number of songs in any state.
    """

    id: int
    uid: str
    batch: str
    order: Order
    state: OrderState
    reason: str
    done: int
    failed: int
    composed: int
    started: int = 0

    @property
    def remaining(self) -> int:
        """Number of songs that are still to be made."""
        return self.order.songs - self.done - self.failed
