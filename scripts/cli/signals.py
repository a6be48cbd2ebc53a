"""Graceful cancellation: by Ctrl+C, a termination signal, or the end of standard input."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable


def watch_for_cancel(
    watch_input: bool = False, begun: threading.Event | None = None
) -> Callable[[], bool]:
    """Install signal handlers and return a function that returns whether to stop.

    A second Ctrl+C raises KeyboardInterrupt.

    Parameters
    ----------
    watch_input : bool
        Also stop when standard input ends, as it does when the parent process exits.
    begun : Event, optional
        Set at the first line of standard input.
    """
    stopped = threading.Event()

    def stop(*_: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and threading.current_thread() is threading.main_thread():
            signal.signal(number, stop)
    if watch_input:

        def watch() -> None:
            if begun is not None and sys.stdin.readline():
                begun.set()
            sys.stdin.read()
            stopped.set()

        threading.Thread(target=watch, daemon=True).start()
    return stopped.is_set
