"""Who plays the songs: this process, several processes, or other computers."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, Protocol

from scripts.core.errors import SetupError, UsageError
from scripts.production.render_job import Ticket

_SLOTS = 65
_EMPTY = 10.0  # seconds without a worker after which that is told
MOST_JOBS = 60  # Windows waits for no more than 63 things at once
Tag = tuple[int, int]  # order and number of a song
Sign = tuple[Tag, str, float, str]  # of life: stage, share done, text


class Pool(Protocol):
    """An executor for tickets, and what it tells on the way."""

    executor: Executor

    @property
    def jobs(self) -> int:
        """Songs that are played at once."""

    @property
    def sends(self) -> bool:
        """Whether the files come back as bytes, not under their final names."""

    def submit(self, ticket: Ticket, tag: Tag) -> Future[Any]:
        """Have a song played."""

    def signs(self) -> Iterator[Sign]:
        """What has been reported since the last time."""

    def cancel(self, order: int) -> None:
        """Have the songs of an order that are being played stop soon."""

    def cancel_all(self) -> None:
        """Have all songs that are being played stop soon."""

    def lacks(self) -> str:
        """What songs wait for, where that can be told."""

    def mend(self) -> None:
        """Go on after a process has died."""

    def close(self) -> None:
        """Wait for what is being played, and let everything go."""


class InProcess:
    """One thread of this process: for one song nothing else has to be started."""

    jobs, sends = 1, False

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self.executor: Executor = ThreadPoolExecutor(1)
        self._signs: SimpleQueue[Sign] = SimpleQueue()
        self._cancelled = cancelled
        self._stopped = threading.Event()
        self._dropped: set[int] = set()  # orders
        # While the model loads and writes, what plays its notes is loaded too.
        threading.Thread(target=_load, daemon=True).start()

    def submit(self, ticket: Ticket, tag: Tag) -> Future[Any]:
        def work() -> str:
            from scripts.production.render_song import play_ticket

            return play_ticket(
                ticket,
                lambda stage, done, text: self._signs.put((tag, stage, done, text)),
                lambda: self._stopped.is_set() or tag[0] in self._dropped or self._cancelled(),
            )

        return self.executor.submit(work)

    def signs(self) -> Iterator[Sign]:
        while not self._signs.empty():
            yield self._signs.get()

    def cancel(self, order: int) -> None:
        self._dropped.add(order)

    def cancel_all(self) -> None:
        self._stopped.set()

    def lacks(self) -> str:
        return ""

    def mend(self) -> None:
        pass

    def close(self) -> None:
        self.executor.shutdown()


class Processes:
    """Several processes of this computer."""

    sends = False

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._signs = context.SimpleQueue()
        # Orders that were cancelled last, by the last digits of their numbers; at first whether
        # all are. Whole numbers are written at once: no lock that a killed process could keep.
        self._dropped = context.RawArray("q", _SLOTS)
        self.executor: Executor = ProcessPoolExecutor(
            self.jobs, context, _begin, (self._signs, self._dropped)
        )
        with _deaf_to_ctrl_c():
            for _ in range(self.jobs):  # they start now, while the model writes
                self.executor.submit(_load)

    def submit(self, ticket: Ticket, tag: Tag) -> Future[Any]:
        return self.executor.submit(_play, ticket, tag)

    def signs(self) -> Iterator[Sign]:
        while not self._signs.empty():
            yield self._signs.get()

    def cancel(self, order: int) -> None:
        self._dropped[1 + order % (_SLOTS - 1)] = order

    def cancel_all(self) -> None:
        self._dropped[0] = 1

    def lacks(self) -> str:
        return ""

    def mend(self) -> None:
        self.executor.shutdown(wait=True, cancel_futures=True)
        self._start()

    def close(self) -> None:
        self.executor.shutdown(wait=True, cancel_futures=True)


class Cluster:
    """Other computers, whose Dask scheduler and workers somebody has started.

    Parameters
    ----------
    address : str
        Such as ``tcp://10.0.0.5:8786``.

    Raises
    ------
    SetupError
        When Dask's distributed is not installed.
    UsageError
        When no scheduler answers there.
    """

    sends = True

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise SetupError(
                "--cluster needs Dask: in the program's environment, python -m pip "
                "install distributed (docs/cluster.md)"
            ) from error
        logging.disable(logging.CRITICAL)  # Dask's own words would tear the bars
        try:
            self._client = Client(address, timeout=10, set_as_default=False)
            self._client.wait_for_workers(1, timeout=60)
        except (OSError, ValueError, TimeoutError) as error:
            raise UsageError(
                f"--cluster {address[:60]}: no scheduler with a worker answers "
                "there; start them with 'dask scheduler' and 'dask worker' "
                "(docs/cluster.md)"
            ) from error
        self._futures: dict[Future[Any], int] = {}  # with the numbers of their orders
        self._empty = 0.0  # since when there has been no worker; 0 while there is one
        self.executor: Executor = self._client.get_executor(pure=False, retries=3)

    @property
    def jobs(self) -> int:
        """One song for each thread of each worker that is there now."""
        return max(1, sum(int(worker["nthreads"]) for worker in self._workers()))

    def _workers(self) -> list[dict[str, Any]]:
        """The workers of now; none while the scheduler does not answer."""
        with contextlib.suppress(OSError, TimeoutError):
            return [*self._client.scheduler_info(n_workers=-1).get("workers", {}).values()]
        return []

    def submit(self, ticket: Ticket, tag: Tag) -> Future[Any]:
        future = self.executor.submit(_play_away, ticket)
        self._futures[future] = tag[0]
        future.add_done_callback(lambda done: self._futures.pop(done, None))
        return future

    def signs(self) -> Iterator[Sign]:
        return iter(())

    def cancel(self, order: int) -> None:
        for future, owner in list(self._futures.items()):
            if owner == order:
                future.cancel()

    def cancel_all(self) -> None:
        self.executor.shutdown(wait=False)

    def lacks(self) -> str:
        if self._futures and not self._workers():
            self._empty = self._empty or time.monotonic()
            if time.monotonic() - self._empty > _EMPTY:
                return (
                    "the cluster has no worker any more; the songs wait for one "
                    "('dask worker', docs/cluster.md)"
                )
        else:
            self._empty = 0.0
        return ""

    def mend(self) -> None:
        pass

    def close(self) -> None:
        with contextlib.suppress(OSError, TimeoutError):  # it may be gone
            self.executor.shutdown(wait=False)
            self._client.close(timeout=5)


def usual_jobs() -> int:
    """Songs played at once: one for each core."""
    return min(MOST_JOBS, os.cpu_count() or 1)


# -- in the processes ----------------------------------------------------------------------

_here: dict[str, Any] = {}


def _begin(signs: Any, dropped: Any) -> None:
    """Prepare a process: it ends with its parent, and leaves Ctrl+C to it."""
    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    _here.update(signs=signs, dropped=dropped)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _load() -> None:
    """Import what renders and encodes, which takes a second."""
    import scripts.production.render_song  # noqa: F401


def _play(ticket: Ticket, tag: Tag) -> str:
    from scripts.production.render_song import play_ticket

    order, dropped = tag[0], _here["dropped"]
    slot = 1 + order % (len(dropped) - 1)
    return play_ticket(
        ticket,
        lambda *told: _here["signs"].put((tag, *told)),
        lambda: bool(dropped[0]) or dropped[slot] == order,
    )


def _play_away(ticket: Ticket) -> dict[str, bytes]:
    from scripts.production.render_song import play_away

    return play_away(ticket)


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that are started here do not die of Ctrl+C while they load; the parent decides."""
    if sys.platform == "win32":
        import ctypes

        switch = ctypes.windll.kernel32.SetConsoleCtrlHandler
        switch(None, True)
        try:
            yield
        finally:
            switch(None, False)
        return
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
