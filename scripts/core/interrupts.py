"""Ctrl+C during work that cannot ask whether to stop, or must not be stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any


@contextmanager
def handle_interrupts_by(handler: Any) -> Iterator[None]:
    """Handle Ctrl+C by `handler` within the block, whatever handler is installed.

    Only the main thread receives signals; in others this does nothing.

    Parameters
    ----------
    handler : callable or signal.Handlers
        As for :func:`signal.signal`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def interrupt_at_once() -> AbstractContextManager[None]:
    """Context in which Ctrl+C raises KeyboardInterrupt."""
    return handle_interrupts_by(signal.default_int_handler)
