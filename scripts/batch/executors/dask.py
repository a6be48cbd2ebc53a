"""Rendering on other computers, with a Dask cluster that the user has started."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from typing import Any

from scripts.batch.executors.base import ProgressEvent, SongId
from scripts.core.errors import SetupError, UsageError
from scripts.production.render_job import RenderJob

_STALL_DELAY = 10.0  # seconds without any worker before that is reported


class DaskExecutor:
    """Executor that renders on a Dask cluster.

    Parameters
    ----------
    address : str
        Such as ``tcp://10.0.0.5:8786``.

    Raises
    ------
    SetupError
        When Dask's distributed is not installed.
    UsageError
        When no scheduler with a worker answers there.
    """

    returns_bytes = True

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise SetupError(
                "--cluster needs Dask: in the program's environment, python -m pip "
                "install distributed (docs/cluster.md)"
            ) from error
        _silence_dask()
        try:
            self._client = Client(address, timeout=10, set_as_default=False)
            self._client.wait_for_workers(1, timeout=60)
        except (OSError, ValueError, TimeoutError) as error:
            raise UsageError(
                f"--cluster {address[:60]}: no scheduler with a worker answers "
                "there; start them with 'dask scheduler' and 'dask worker' (docs/cluster.md)"
            ) from error
        self._orders: dict[Future[Any], int] = {}  # order ID by future
        self._idle_since = 0.0  # when the last worker disconnected; 0 while there is one
        self._executor: Executor = self._client.get_executor(pure=False, retries=3)

    @property
    def workers(self) -> int:
        """Number of songs rendered at once: one per thread of each connected worker."""
        return max(1, sum(int(worker["nthreads"]) for worker in self._workers()))

    def _workers(self) -> list[dict[str, Any]]:
        """Connected workers; none while the scheduler does not respond."""
        with contextlib.suppress(OSError, TimeoutError):
            return [*self._client.scheduler_info(n_workers=-1).get("workers", {}).values()]
        return []

    def submit(self, job: RenderJob, song: SongId) -> Future[Any]:
        future = self._executor.submit(_render_to_bytes, job)
        self._orders[future] = song.order
        future.add_done_callback(lambda done: self._orders.pop(done, None))
        return future

    def events(self) -> Iterator[ProgressEvent]:
        return iter(())

    def cancel(self, order: int) -> None:
        for future, owner in list(self._orders.items()):
            if owner == order:
                future.cancel()

    def cancel_all(self) -> None:
        self._executor.shutdown(wait=False)

    def stall_reason(self) -> str:
        if self._orders and not self._workers():
            self._idle_since = self._idle_since or time.monotonic()
            if time.monotonic() - self._idle_since > _STALL_DELAY:
                return (
                    "the cluster has no worker left; songs wait until one joins "
                    "('dask worker', docs/cluster.md)"
                )
        else:
            self._idle_since = 0.0
        return ""

    def restart(self) -> None:
        pass

    def close(self) -> None:
        with contextlib.suppress(OSError, TimeoutError):  # the scheduler may be gone
            self._executor.shutdown(wait=False)
            self._client.close(timeout=5)


def _silence_dask() -> None:
    """Suppress Dask's log messages, which would disturb the progress bars."""
    for name in [*logging.root.manager.loggerDict]:
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _render_to_bytes(job: RenderJob) -> dict[str, bytes]:
    """Render on a worker; imported there, so the renderer is loaded only when needed."""
    from scripts.production.render_song import render_song_to_bytes

    return render_song_to_bytes(job)
