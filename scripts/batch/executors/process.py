"""Rendering in several processes on this computer."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from scripts.batch.executors.base import ProgressEvent, SongId, preload
from scripts.core.interrupts import handle_interrupts_by
from scripts.core.log import is_debug, set_up_logging
from scripts.core.priority import lower_renderer_priority
from scripts.production.render_job import RenderJob

_SLOTS = 64  # orders whose cancellation is remembered, by ID modulo this


class ProcessExecutor:
    """Executor with a pool of rendering processes.

    Parameters
    ----------
    workers : int
    """

    returns_bytes = False

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._events = context.SimpleQueue()
        # Element 0: whether all are cancelled; then the last cancelled order ID of each slot.
        # Aligned integers are written atomically, so no lock is needed, which a killed process
        # could keep.
        self._cancelled = context.RawArray("q", 1 + _SLOTS)
        self._executor = ProcessPoolExecutor(
            self.workers, context, _initialize, (self._events, self._cancelled, is_debug())
        )
        with _ignored_ctrl_c():
            for _ in range(self.workers):  # start the processes now, while the model composes
                self._executor.submit(preload)

    def submit(self, job: RenderJob, song: SongId) -> Future[Any]:
        return self._executor.submit(_render, job, song)

    def events(self) -> Iterator[ProgressEvent]:
        while not self._events.empty():
            yield self._events.get()

    def cancel(self, order: int) -> None:
        self._cancelled[1 + order % _SLOTS] = order

    def cancel_all(self) -> None:
        self._cancelled[0] = 1

    def stall_reason(self) -> str:
        return ""

    def restart(self) -> None:
        self.close()
        self._start()

    def close(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)


# -- inside a rendering process ------------------------------------------------------------

_shared: dict[str, Any] = {}


def _initialize(events: Any, cancelled: Any, debug: bool) -> None:
    """Set up a process: it exits with its parent and ignores Ctrl+C, which the parent handles."""
    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    set_up_logging(debug)
    lower_renderer_priority()
    _shared.update(events=events, cancelled=cancelled)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _render(job: RenderJob, song: SongId) -> str:
    from scripts.production.render_song import render_song

    events, cancelled = _shared["events"], _shared["cancelled"]
    slot = 1 + song.order % _SLOTS
    return render_song(
        job,
        lambda stage, done, text: events.put(ProgressEvent(song, stage, done, text)),
        lambda: bool(cancelled[0]) or cancelled[slot] == song.order,
    )


@contextmanager
def _ignored_ctrl_c() -> Iterator[None]:
    """Start processes with Ctrl+C ignored, so that it cannot kill them before their setup."""
    if sys.platform == "win32":
        import ctypes

        set_handler = ctypes.windll.kernel32.SetConsoleCtrlHandler
        set_handler(None, True)
        try:
            yield
        finally:
            set_handler(None, False)
        return
    with handle_interrupts_by(signal.SIG_IGN):
        yield
