"""Makes songs: takes orders in and works through them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from scripts.batch.composing import Studio
from scripts.batch.executors import Cluster, InProcess, Pool, Processes
from scripts.batch.order import Order
from scripts.batch.scheduler import Line, Listener
from scripts.batch.store import OPEN, Job, Jobs, nobody_is_at, take_hold
from scripts.core import paths
from scripts.core.atomic_files import check_folder
from scripts.core.child import Child
from scripts.core.errors import UsageError
from scripts.core.settings import Settings
from scripts.core.system import keep_system_awake


def make_songs(
    orders: Sequence[Order],
    settings: Settings,
    listener: Listener,
    cancelled: Callable[[], bool],
    jobs: int,
    worker: Child | None = None,
    cluster: str = "",
) -> int:
    """Take orders in and make their songs; a failed one does not stop the others.

    Parameters
    ----------
    jobs : int
        Songs that are played to files at once.
    worker : Child, optional
        A model's process that has been started already.
    cluster : str
        Address of a Dask scheduler; empty for this computer alone.

    Returns
    -------
    int
        How many songs failed.
    """
    return _work(settings, listener, cancelled, jobs, worker, cluster, orders)


def go_on(
    settings: Settings,
    listener: Listener,
    cancelled: Callable[[], bool],
    jobs: int,
    worker: Child | None = None,
    cluster: str = "",
    reopen: bool = True,
) -> int:
    """Go on with all orders that are not over, also those that come in meanwhile.

    Parameters
    ----------
    reopen : bool
        Go on with those, too, that were paused or stopped by failures.

    Returns
    -------
    int
        How many songs failed.
    """
    return _work(settings, listener, cancelled, jobs, worker, cluster, None, reopen)


def _work(
    settings: Settings,
    listener: Listener,
    cancelled: Callable[[], bool],
    jobs: int,
    worker: Child | None,
    cluster: str,
    orders: Sequence[Order] | None,
    reopen: bool = False,
) -> int:
    stop = threading.Event()
    kept = Jobs(paths.JOBS)
    try:
        if kept.notice:
            listener.noted(kept.notice)
        with (
            Studio(settings, lambda: cancelled() or stop.is_set(), worker) as studio,
            keep_system_awake(),
        ):
            good = [_checked(order, studio, listener) for order in orders or ()]
            for out in {order.out for order in good}:
                check_folder(out)
            one = sum(order.songs for order in good) == 1
            with closing(_pool(cluster, 1 if one else jobs, cancelled)) as pool:
                batch, lock = "", None
                ours: list[Job] = []
                if good:
                    batch = uuid.uuid4().hex
                    lock = take_hold(kept.path, batch)  # before another program sees the orders
                    ours = kept.add_all(good, batch)
                elif reopen:
                    ours = _reopen(kept)
                    listener.expect(sum(job.left for job in ours))
                return Line(
                    kept,
                    studio,
                    pool,
                    listener,
                    cancelled,
                    stop,
                    batch,
                    lock,
                    [job.id for job in ours],
                ).run()
    finally:
        kept.close()


def checker(settings: Settings) -> Callable[[Order], object]:
    """What raises a MusicGenError for an order that cannot be met."""
    return Studio(settings).check


def _checked(order: Order, studio: Studio, listener: Listener) -> Order:
    """An order that can be met, as it is kept: its files found from any folder."""
    order = replace(
        studio.as_made(order),
        out=order.out.absolute(),
        file=order.file.absolute() if order.file else None,
        model=_whole_path(order.model),
    )
    for note in studio.check(order):
        listener.noted(note)
    return order


def _whole_path(model: str) -> str:
    """A model's file as it can be found from any folder; a name stays one."""
    return str(Path(model).absolute()) if model and Path(model).is_file() else model


def _reopen(jobs: Jobs) -> list[Job]:
    """Whoever goes on has mended what stopped the orders; what another program is at is its own."""
    free: dict[str, bool] = {}
    found = []
    for job in jobs.jobs():
        if job.batch not in free:
            free[job.batch] = nobody_is_at(jobs.path, job.batch)
        if free[job.batch]:
            jobs.set_state(job.id, OPEN)
            found.append(job)
    if not found and not jobs.jobs((OPEN,)):  # the line tells of open ones
        raise UsageError(
            "another program is at the orders that are left; 'jobs list' shows them"
            if free
            else "there is no unfinished order to go on with; 'jobs list' shows them all"
        )
    return found


def _pool(cluster: str, jobs: int, cancelled: Callable[[], bool]) -> Pool:
    if cluster:
        return Cluster(cluster)
    return InProcess(cancelled) if jobs == 1 else Processes(jobs)
