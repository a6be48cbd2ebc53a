"""``launcher.py jobs``: lists and changes stored orders, also while they are processed."""

from __future__ import annotations

import argparse
from contextlib import closing

from scripts.batch.states import UNFINISHED_STATES, OrderState, StoredOrder
from scripts.batch.store import OrderStore
from scripts.cli.console import print_json, print_line, print_notice, print_result
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.core.formatting import format_song_count
from scripts.core.settings import Settings
from scripts.request.request import ENDLESS

_NEW_STATES = {
    "pause": OrderState.PAUSED,
    "cancel": OrderState.CANCELLED,
}


def list_orders(args: argparse.Namespace, settings: Settings) -> int:
    """List all orders, with their failed songs."""
    with closing(_open_store()) as store:
        for order in store.orders(tuple(OrderState)):
            _print_order(order, store, args.json)
    return 0


def change_order(args: argparse.Namespace, settings: Settings) -> int:
    """Pause, continue, cancel, move or retry an order."""
    with closing(_open_store()) as store:
        order = store.get(args.id)
        if args.action == "retry":
            count = store.retry_failed(order.id)
            if not count:
                raise UsageError(f"order {order.id} has no failed songs")
            print_result(
                args.json,
                f"{format_song_count(count)} of order {order.id} will be made again by "
                "'generate --resume'",
                order=order.id,
                again=count,
            )
            return 0
        may_change = order.state in UNFINISHED_STATES
        may_change |= args.action == "continue" and order.state == OrderState.CANCELLED
        if not may_change:
            raise UsageError(f"order {order.id} is {order.state} and cannot be changed")
        if args.action == "first":
            store.move_to_front(order.id)
        elif args.action == "last":
            store.move_to_back(order.id)
        elif args.action == "continue":
            store.reopen(order.id)
        else:
            store.set_state(order.id, _NEW_STATES[args.action])
        _print_order(store.get(order.id), store, args.json)
    return 0


def _open_store() -> OrderStore:
    store = OrderStore(paths.ORDERS)
    store.raise_if_newer()
    if store.notice:
        print_notice(store.notice)
    return store


def _progress(order: StoredOrder) -> str:
    if order.order.endless:
        return f"{order.done} songs, endless"
    return f"{order.done} of {order.order.songs} songs"


def _print_order(order: StoredOrder, store: OrderStore, as_json: bool) -> None:
    failures = store.failures(order.id)
    if as_json:
        print_json(
            order=order.id,
            state=order.state,
            styles=order.order.request.styles,
            text=order.order.request.label,
            songs=ENDLESS if order.order.endless else order.order.songs,
            done=order.done,
            failed=order.failed,
            written=order.composed,
            out=str(order.order.out),
            reason=order.reason,
            failures=[{"song": number, "reason": reason} for number, reason in failures],
        )
        return
    reason = f"  ({order.reason})" if order.reason else ""
    print_line(
        f"{order.id:>4}  {order.state:<9}  {_progress(order)}  "
        f'"{order.order.request.label}"{reason}'
    )
    for number, failure in failures:
        print_line(f"        song {number} failed: {failure}")
