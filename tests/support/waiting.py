"""Waiting for a condition."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def wait_until(
    condition: Callable[[], Any],
    seconds: float = 60.0,
    failure_message: Callable[[], str] = lambda: "it did not happen in time",
    poll: float = 0.05,
) -> Any:
    """Wait for a true value of `condition` and return it, or fail with `failure_message`."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, failure_message()
        time.sleep(poll)
    return result
