"""Waiting for something to come true."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(
    what: Callable[[], Any],
    seconds: float = 60.0,
    why: Callable[[], str] = lambda: "it did not happen in time",
    poll: float = 0.05,
) -> Any:
    """Wait until `what` returns something true, and return that; `why` tells of a failure."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, why()
        time.sleep(poll)
    return found
