"""Rendering in a thread of this process, which starts at once: for single songs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from scripts.batch.executors.base import ProgressEvent, SongId, preload
from scripts.production.render_job import RenderJob


class ThreadExecutor:
    """Executor with one rendering thread.

    Parameters
    ----------
    cancelled : callable
        Whether the user has stopped the work.
    """

    workers, returns_bytes = 1, False

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self._executor = ThreadPoolExecutor(1)
        self._events: SimpleQueue[ProgressEvent] = SimpleQueue()
        self._cancelled = cancelled
        self._stopped = threading.Event()
        self._cancelled_orders: set[int] = set()
        # Load the renderer while the model loads and composes.
        threading.Thread(target=preload, daemon=True).start()

    def submit(self, job: RenderJob, song: SongId) -> Future[Any]:
        def report(stage: str, done: float, text: str) -> None:
            self._events.put(ProgressEvent(song, stage, done, text))

        def cancelled() -> bool:
            return (
                self._stopped.is_set() or song.order in self._cancelled_orders or self._cancelled()
            )

        def work() -> str:
            from scripts.production.render_song import render_song

            return render_song(job, report, cancelled)

        return self._executor.submit(work)

    def events(self) -> Iterator[ProgressEvent]:
        while not self._events.empty():
            yield self._events.get()

    def cancel(self, order: int) -> None:
        self._cancelled_orders.add(order)

    def cancel_all(self) -> None:
        self._stopped.set()

    def stall_reason(self) -> str:
        return ""

    def restart(self) -> None:
        pass

    def close(self) -> None:
        self._executor.shutdown()
