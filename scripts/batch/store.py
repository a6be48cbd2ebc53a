"""Persistent orders and the states of their songs, in SQLite: ``data/jobs.db``."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
import uuid
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from scripts.batch.database import OrderDatabase
from scripts.batch.order import Order, order_from_json
from scripts.batch.similarity import BATCH_ORDER_IDS, find_similar, save_fingerprint
from scripts.batch.states import UNFINISHED_STATES, OrderState, SongState, StoredOrder
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.score.fingerprint import Fingerprint

_MAX_FINISHED = 100  # finished orders that stay in the list
_log = logging.getLogger(__name__)


class OrderStore(OrderDatabase):
    """Store of orders and songs; see :class:`OrderDatabase` for its file."""

    # -- orders ----------------------------------------------------------------------------

    def add(self, order: Order, batch: str = "") -> StoredOrder:
        """Add an order after the others."""
        return self.add_batch([order], batch or uuid.uuid4().hex)[0]

    def add_batch(self, orders: Sequence[Order], batch: str) -> list[StoredOrder]:
        """Add orders as one batch, all or none; songs of a batch must not be similar."""
        with self._transaction() as connection:
            rank = connection.execute("SELECT coalesce(max(rank), 0) FROM orders").fetchone()[0]
            connection.executemany(
                "INSERT INTO orders (uid, rank, state, made, batch, words) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (
                        uuid.uuid4().hex,
                        rank + n,
                        OrderState.OPEN,
                        time.time(),
                        batch,
                        json.dumps(order.to_json()),
                    )
                    for n, order in enumerate(orders, 1)
                ),
            )
            _drop_oldest_finished(connection)
        found = self._select("WHERE batch = ? ORDER BY rank DESC LIMIT ?", (batch, len(orders)))
        return found[::-1]

    def get(self, order_id: int) -> StoredOrder:
        """Return one order.

        Raises
        ------
        UsageError
            When there is no such order.
        """
        found = self._select("WHERE id = ?", (order_id,))
        if not found:
            raise UsageError(f"no such order: {order_id}; 'jobs list' shows all orders")
        return found[0]

    def get_many(self, order_ids: Iterable[int]) -> list[StoredOrder]:
        """Return the orders with these IDs that exist."""
        ids = tuple(order_ids)
        return self._select(f"WHERE id IN ({', '.join('?' * len(ids))})", ids)

    def orders(self, states: Sequence[OrderState] = UNFINISHED_STATES) -> list[StoredOrder]:
        """Return the orders in these states, in the order they are processed."""
        placeholders = ", ".join("?" * len(states))
        return self._select(f"WHERE state IN ({placeholders}) ORDER BY rank", tuple(states))

    def set_state(self, order_id: int, state: OrderState, reason: str = "") -> None:
        """Change the state of an order; has no effect on done and cancelled orders."""
        self._execute(
            "UPDATE orders SET state = ?, reason = ? WHERE id = ? AND state NOT IN (?, ?)",
            (state, reason, order_id, OrderState.DONE, OrderState.CANCELLED),
        )

    def reopen(self, order_id: int) -> None:
        """Continue an order that was paused, stopped or cancelled; none that is done."""
        self._execute(
            "UPDATE orders SET state = ?, reason = '' WHERE id = ? AND state != ?",
            (OrderState.OPEN, order_id, OrderState.DONE),
        )

    def move_to_front(self, order_id: int) -> None:
        """Move an order before all others."""
        self._execute(
            "UPDATE orders SET rank = (SELECT min(rank) - 1 FROM orders) WHERE id = ?",
            (order_id,),
        )

    def move_to_back(self, order_id: int) -> None:
        """Move an order after all others."""
        self._execute(
            "UPDATE orders SET rank = (SELECT max(rank) + 1 FROM orders) WHERE id = ?",
            (order_id,),
        )

    def retry_failed(self, order_id: int) -> int:
        """Reopen the failed songs of an order and return how many there were.

        Composed songs are rendered again; the others are composed again with other seeds,
        because the same seed would fail the same way.

        Raises
        ------
        UsageError
            When the order was cancelled.
        """
        if self.get(order_id).state == OrderState.CANCELLED:
            raise UsageError(f"order {order_id} is cancelled and cannot be changed")
        with self._transaction() as connection:
            count = connection.execute(
                "UPDATE songs SET state = ? WHERE job = ? AND state = ? AND recipe IS NOT NULL",
                (SongState.COMPOSED, order_id, SongState.FAILED),
            ).rowcount
            count += connection.execute(
                "UPDATE songs SET state = ?, tries = tries + 1 WHERE job = ? AND state = ?",
                (SongState.RETRY, order_id, SongState.FAILED),
            ).rowcount
            if count:
                connection.execute(
                    "UPDATE orders SET state = ?, reason = '' WHERE id = ?",
                    (OrderState.OPEN, order_id),
                )
        return count

    def close_if_done(self, order_id: int) -> None:
        """Mark an order as done when no song remains to be made."""
        if self.get(order_id).remaining > 0:
            return
        self._execute(
            "UPDATE orders SET state = ? WHERE id = ? AND state IN (?, ?, ?)",
            (OrderState.DONE, order_id, *UNFINISHED_STATES),
        )
        # Failed songs can be retried and must not resemble the others.
        self._execute(
            f"DELETE FROM turns WHERE job IN ({BATCH_ORDER_IDS}) AND NOT EXISTS (SELECT 1 FROM "
            f"orders WHERE id IN ({BATCH_ORDER_IDS}) AND (state NOT IN (?, ?) OR EXISTS (SELECT 1 "
            "FROM songs WHERE job = orders.id AND songs.state = ?)))",
            (order_id, order_id, OrderState.DONE, OrderState.CANCELLED, SongState.FAILED),
        )

    def states(self) -> dict[int, OrderState]:
        """Return the state of each order by its ID."""
        rows = self._query("SELECT id, state FROM orders")
        return {
            row["id"]: OrderState(row["state"])
            for row in rows
            if row["state"] in frozenset(OrderState)
        }

    def change_token(self) -> tuple[int, int]:
        """Return a token that changes whenever any process modifies the store."""
        return (
            int(self._query("PRAGMA data_version")[0][0]),
            self._connection.total_changes,
        )

    # -- songs -----------------------------------------------------------------------------

    def next_song(self, order_id: int, songs: int) -> tuple[int, int] | None:
        """Return the number (from 1) of the next song to compose and its number of retries."""
        retry = self._query(
            "SELECT number, tries FROM songs WHERE job = ? AND state = ? ORDER BY number LIMIT 1",
            (order_id, SongState.RETRY),
        )
        if retry:
            return int(retry[0]["number"]), int(retry[0]["tries"])
        started = {
            row[0] for row in self._query("SELECT number FROM songs WHERE job = ?", (order_id,))
        }
        if len(started) >= songs:
            return None
        return next(((n, 0) for n in range(1, songs + 1) if n not in started), None)

    def composed_songs(self, order_id: int) -> list[tuple[int, dict[str, Any]]]:
        """Return the numbers and recipes of the songs that wait to be rendered."""
        rows = self._query(
            "SELECT number, recipe FROM songs WHERE job = ? AND state = ? ORDER BY number",
            (order_id, SongState.COMPOSED),
        )
        return [(row["number"], json.loads(row["recipe"])) for row in rows]

    def save_composed(
        self,
        order_id: int,
        number: int,
        title: str,
        recipe: dict[str, Any],
        fingerprint: Fingerprint | None,
    ) -> None:
        """Store a composed song, so that it is not composed again after a crash."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO songs (job, number, state, title, recipe, chords, turns) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job, number) DO UPDATE SET "
                "state = excluded.state, title = excluded.title, recipe = excluded.recipe, "
                "chords = excluded.chords, turns = excluded.turns",
                (
                    order_id,
                    number,
                    SongState.COMPOSED,
                    title,
                    json.dumps(recipe),
                    fingerprint.chords if fingerprint else 0,
                    len(fingerprint.ngrams) if fingerprint else 0,
                ),
            )
            if fingerprint:
                save_fingerprint(connection, order_id, number, fingerprint)

    def save_done(self, order_id: int, number: int, title: str) -> None:
        """Mark a song as done: its files have their final names."""
        self._execute(
            "INSERT INTO songs (job, number, state, title) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (job, number) DO UPDATE SET state = excluded.state, recipe = NULL, "
            "reason = '', title = excluded.title",
            (order_id, number, SongState.DONE, title),
        )

    def save_failed(self, order_id: int, number: int, reason: str) -> None:
        """Mark a song as failed."""
        self._execute(
            "INSERT INTO songs (job, number, state, reason) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (job, number) DO UPDATE SET state = excluded.state, "
            "reason = excluded.reason",
            (order_id, number, SongState.FAILED, reason[:500]),
        )

    def failures(self, order_id: int) -> list[tuple[int, str]]:
        """Return the numbers of the failed songs and the reasons."""
        rows = self._query(
            "SELECT number, reason FROM songs WHERE job = ? AND state = ? ORDER BY number",
            (order_id, SongState.FAILED),
        )
        return [(row["number"], row["reason"]) for row in rows]

    def latest_titles(self, order_id: int, count: int) -> list[str]:
        """Return the titles of the finished songs with the highest numbers, in their order."""
        rows = self._query(
            "SELECT title FROM songs WHERE job = ? AND state = ? ORDER BY number DESC LIMIT ?",
            (order_id, SongState.DONE, count),
        )
        return [row["title"] for row in rows][::-1]

    def has_title(self, order_id: int, title: str) -> bool:
        """Whether a song of the order's batch has this title."""
        found = self._query(
            f"SELECT 1 FROM songs WHERE job IN ({BATCH_ORDER_IDS}) AND "
            "title = ? COLLATE NOCASE AND state <> ? LIMIT 1",
            (order_id, title, SongState.FAILED),
        )
        return bool(found)

    def find_similar(
        self, order_id: int, fingerprint: Fingerprint, compare_chords: bool = True
    ) -> int | None:
        """Find a similar song: see :func:`scripts.batch.similarity.find_similar`."""
        with self._translated_errors():
            return find_similar(self._connection, order_id, fingerprint, compare_chords)

    # -- SQL -------------------------------------------------------------------------------

    def _select(self, where: str, values: tuple[object, ...]) -> list[StoredOrder]:
        counts = "".join(
            ", (SELECT count(*) FROM songs WHERE job = orders.id AND songs.state = "
            f"'{state}') AS count_{state}"
            for state in (SongState.DONE, SongState.FAILED, SongState.COMPOSED)
        )
        counts += ", (SELECT count(*) FROM songs WHERE job = orders.id) AS started"
        found = []
        for row in self._query(f"SELECT *{counts} FROM orders {where}", values):
            try:
                state = OrderState(row["state"])
                order = _parse_order(row["words"], paths.OUTPUT)
            except (ValueError, UsageError) as error:
                _log.warning("order %s cannot be read: %s", row["id"], error)
                continue
            found.append(
                StoredOrder(
                    row["id"],
                    row["uid"],
                    row["batch"],
                    order,
                    state,
                    row["reason"],
                    row[f"count_{SongState.DONE}"],
                    row[f"count_{SongState.FAILED}"],
                    row[f"count_{SongState.COMPOSED}"],
                    row["started"],
                )
            )
        return found


@lru_cache(maxsize=2000)
def _parse_order(text: str, default_folder: Path) -> Order:
    """Parse an order; `default_folder` is only part of the cache key."""
    return order_from_json(json.loads(text))


def _drop_oldest_finished(connection: sqlite3.Connection) -> None:
    """Delete the oldest finished orders, whole batches only."""
    finished = (OrderState.DONE, OrderState.CANCELLED)
    old = [
        row[0]
        for row in connection.execute(
            "SELECT id FROM orders WHERE batch IN (SELECT batch FROM orders GROUP BY batch "
            "HAVING sum(state NOT IN (?, ?)) = 0 AND max(id) <= (SELECT id FROM orders "
            "WHERE state IN (?, ?) ORDER BY id DESC LIMIT 1 OFFSET ?))",
            (*finished, *finished, _MAX_FINISHED),
        )
    ]
    for table, column in (("turns", "job"), ("songs", "job"), ("orders", "id")):
        connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", ((n,) for n in old))
