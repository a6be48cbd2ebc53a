"""Entry points: make the songs of new orders, or resume stored ones."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

from scripts.batch.claims import claim_batch, is_unclaimed
from scripts.batch.composing import ComposingService
from scripts.batch.endless import EndlessOrders
from scripts.batch.executors.base import RenderExecutor
from scripts.batch.executors.dask import DaskExecutor
from scripts.batch.executors.process import ProcessExecutor
from scripts.batch.executors.thread import ThreadExecutor
from scripts.batch.observer import BatchObserver
from scripts.batch.order import Order
from scripts.batch.scheduler import BatchScheduler
from scripts.batch.speed import SpeedMeter
from scripts.batch.states import OrderState, StoredOrder
from scripts.batch.store import OrderStore
from scripts.core import paths
from scripts.core.atomic_files import ensure_writable_folder
from scripts.core.errors import UsageError
from scripts.core.settings import Settings
from scripts.core.system import keep_system_awake
from scripts.library.index import LibraryIndex


@dataclass(frozen=True)
class BatchOptions:
    """Options for processing a batch.

    Parameters
    ----------
    workers : int
        Number of songs to render at once.
    cluster : str
        Address of a Dask scheduler; empty to render on this computer.
    composing : ComposingService, optional
        One that has a model loaded already; closed at the end.
    executor : RenderExecutor, optional
        One whose processes run already; closed at the end.
    live : Path, optional
        Folder for the audio of the first song of each order while it is rendered.
    """

    workers: int
    cluster: str = ""
    composing: ComposingService | None = None
    executor: RenderExecutor | None = None
    live: Path | None = None


def make_songs(
    orders: Sequence[Order],
    settings: Settings,
    observer: BatchObserver,
    cancelled: Callable[[], bool],
    options: BatchOptions,
) -> int:
    """Store orders and make their songs; a failed song does not stop the others.

    Parameters
    ----------
    orders : sequence of Order
    settings : Settings
    observer : BatchObserver
    cancelled : callable
        Whether the user has stopped the work.
    options : BatchOptions

    Returns
    -------
    int
        Number of failed songs.

    Raises
    ------
    MusicGenError
        When an order cannot be fulfilled; then none is stored.
    """
    return _run(orders, False, settings, observer, cancelled, options)


def resume_orders(
    settings: Settings,
    observer: BatchObserver,
    cancelled: Callable[[], bool],
    options: BatchOptions,
    reopen: bool = True,
) -> int:
    """Make the songs of all open orders, including those added meanwhile.

    Parameters
    ----------
    settings, observer, cancelled, options
        As for :func:`make_songs`.
    reopen : bool
        Reopen the orders that were paused or stopped by failures first.

    Returns
    -------
    int
        Number of failed songs.

    Raises
    ------
    UsageError
        When `reopen` finds nothing to resume.
    """
    return _run(None, reopen, settings, observer, cancelled, options)


def _run(
    orders: Sequence[Order] | None,
    reopen: bool,
    settings: Settings,
    observer: BatchObserver,
    cancelled: Callable[[], bool],
    options: BatchOptions,
) -> int:
    stop = threading.Event()
    with (
        closing(OrderStore(paths.ORDERS)) as store,
        options.composing or ComposingService(settings) as composing,
        keep_system_awake(),
    ):
        composing.cancelled = lambda: cancelled() or stop.is_set()
        if orders is None:
            store.raise_if_newer()
        if store.notice:
            observer.notice(store.notice)
        checked = [_check_order(order, composing, observer) for order in orders or ()]
        for out in {order.out for order in checked}:
            ensure_writable_folder(out)
        with (
            ExitStack() as stack,
            closing(_create_executor(options, checked, cancelled)) as executor,
        ):
            batch, lock, submitted = "", None, list[StoredOrder]()
            if checked:
                batch = uuid.uuid4().hex
                lock = claim_batch(store.path, batch)  # before another program sees the orders
                submitted = store.add_batch(checked, batch)
            elif reopen:
                submitted = _reopen(store)
                is_endless = any(order.order.endless for order in submitted)
                observer.set_total(0 if is_endless else sum(o.remaining for o in submitted))
            endless = stack.enter_context(
                closing(EndlessOrders(_open_library, orders is None and not reopen))
            )
            return BatchScheduler(
                store,
                composing,
                executor,
                observer if options.cluster else SpeedMeter(observer, paths.SPEED),
                cancelled,
                stop,
                endless,
                batch,
                lock,
                [order.id for order in submitted],
                options.live,
            ).run()


def _open_library() -> LibraryIndex:
    return LibraryIndex(paths.LIBRARY, paths.OUTPUT)


def order_checker(settings: Settings) -> Callable[[Order], object]:
    """Return a function that raises a MusicGenError for an order that cannot be fulfilled."""
    return ComposingService(settings).check_order


def _check_order(order: Order, composing: ComposingService, observer: BatchObserver) -> Order:
    """Check an order and return it with absolute paths, as it is stored."""
    order = replace(
        composing.with_recipe_request(order),
        out=order.out.absolute(),
        file=order.file.absolute() if order.file else None,
        model=_absolute_model(order.model),
    )
    for warning in composing.check_order(order):
        observer.notice(warning)
    return order


def _absolute_model(model: str) -> str:
    """Return the absolute path of a model file; a name is returned unchanged."""
    return str(Path(model).absolute()) if model and Path(model).is_file() else model


def _reopen(store: OrderStore) -> list[StoredOrder]:
    """Reopen the unfinished orders that no other program has claimed.

    Raises
    ------
    UsageError
        When there is nothing to resume.
    """
    unclaimed: dict[str, bool] = {}
    reopened = []
    for order in store.orders():
        if order.batch not in unclaimed:
            unclaimed[order.batch] = is_unclaimed(store.path, order.batch)
        if unclaimed[order.batch]:
            store.set_state(order.id, OrderState.OPEN)
            reopened.append(order)
    if not reopened and not store.orders((OrderState.OPEN,)):  # the scheduler reports them
        raise UsageError(
            "another program works on all unfinished orders; 'jobs list' shows them"
            if unclaimed
            else "there is no unfinished order to resume; 'jobs list' shows all orders"
        )
    return reopened


def _create_executor(
    options: BatchOptions, orders: Sequence[Order], cancelled: Callable[[], bool]
) -> RenderExecutor:
    if options.executor:
        return options.executor
    if options.cluster:
        return DaskExecutor(options.cluster)
    is_single = sum(order.songs for order in orders) == 1
    if options.workers == 1 or is_single:
        return ThreadExecutor(cancelled)
    return ProcessExecutor(options.workers)
