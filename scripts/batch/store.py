"""The orders and what has become of each song, in an SQLite file: ``data/jobs.db``."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from scripts.batch.order import Order, order_from_json
from scripts.core import paths
from scripts.core.errors import StorageError, UsageError
from scripts.core.file_lock import Hold, hold
from scripts.core.sqlite import PATIENCE, is_damage, open_database, set_aside
from scripts.score.fingerprint import ALIKE, Marks

OPEN, PAUSED, STOPPED, CANCELLED, DONE = "open", "paused", "stopped", "cancelled", "done"
UNFINISHED = (OPEN, PAUSED, STOPPED)
_KEPT = 100  # orders that are over, for the list
_MOST_SAME = 0.1  # of the melody's turns, where the chords are the same

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, rank REAL NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', made REAL NOT NULL,
    batch TEXT NOT NULL, words TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_batch ON orders (batch);
CREATE TABLE IF NOT EXISTS songs (
    job INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE, number INTEGER NOT NULL,
    state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, title TEXT NOT NULL DEFAULT '',
    recipe TEXT, reason TEXT NOT NULL DEFAULT '', chords INTEGER NOT NULL DEFAULT 0,
    turns INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (job, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS turns (
    job INTEGER NOT NULL, turn INTEGER NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (job, turn, number)) WITHOUT ROWID;
"""


def hold_file(jobs: Path, batch: str) -> Path:
    """The file that a program holds while it works at the orders of a batch."""
    return jobs.with_name(f"batch-{batch}.lmg-lock")


def take_hold(jobs: Path, batch: str) -> Hold | None:
    """Hold the orders of a batch; None while another program does."""
    try:
        return hold(hold_file(jobs, batch))
    except OSError:  # where no lock can be, there is no other program that could keep orders
        return Hold(jobs, -1)


def nobody_is_at(jobs: Path, batch: str) -> bool:
    """Whether no program works at the orders of a batch now."""
    held = take_hold(jobs, batch)
    if held is not None:
        held.remove()
    return held is not None


@lru_cache(maxsize=2000)
def _order(words: str, usual: Path) -> Order:
    """An order; `usual` is where its songs go when it names no folder."""
    return order_from_json(json.loads(words))


_BATCH = "SELECT id FROM orders WHERE batch = (SELECT batch FROM orders WHERE id = ?)"


@dataclass(frozen=True)
class Job:
    """An order that is kept, and how far it has come.

    Parameters
    ----------
    id : int
    uid : str
        In the ``.json`` of its songs.
    batch : str
        Orders that came in together.
    order : Order
    state : str
        ``open``, ``paused``, ``stopped`` (by failures), ``cancelled`` or ``done``.
    reason : str
        Why it was stopped.
    done, failed, written : int
        Songs; the written ones wait to be played.
    begun : int
        Songs that anything has become of.
    """

    id: int
    uid: str
    batch: str
    order: Order
    state: str
    reason: str
    done: int
    failed: int
    written: int
    begun: int = 0

    @property
    def left(self) -> int:
        """Songs that are still to be made."""
        return self.order.songs - self.done - self.failed


class Jobs:
    """Orders and their songs. Only the thread that made it may use it.

    Parameters
    ----------
    path : Path
    patience : float
        Seconds that another program may hold it.

    Raises
    ------
    StorageError
        By any method, when the file is locked for long, or the disk is full.
    """

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self.path = path
        self._database, self.notice, self.lasts = open_database(path, _TABLES, patience)

    def close(self) -> None:
        self._database.close()

    # -- orders ----------------------------------------------------------------------------

    def add(self, order: Order, batch: str = "") -> Job:
        """Keep an order, behind the others; orders of one `batch` have no songs that are alike."""
        return self.add_all([order], batch or uuid.uuid4().hex)[0]

    def add_all(self, orders: Sequence[Order], batch: str) -> list[Job]:
        """Keep the orders of a batch, all or none."""
        with self._group() as database:
            rank = database.execute("SELECT coalesce(max(rank), 0) FROM orders").fetchone()[0]
            database.executemany(
                "INSERT INTO orders (uid, rank, state, made, batch, words) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (
                        uuid.uuid4().hex,
                        rank + n,
                        OPEN,
                        time.time(),
                        batch,
                        json.dumps(order.to_json()),
                    )
                    for n, order in enumerate(orders, 1)
                ),
            )
            self._forget(database)
        found = self._jobs("WHERE batch = ? ORDER BY rank DESC LIMIT ?", (batch, len(orders)))
        return found[::-1]

    def job(self, number: int) -> Job:
        """One order.

        Raises
        ------
        UsageError
            When there is none of that number.
        """
        found = self._jobs("WHERE id = ?", (number,))
        if not found:
            raise UsageError(f"there is no order {number}; 'jobs list' shows them")
        return found[0]

    def jobs(self, states: Sequence[str] = UNFINISHED) -> list[Job]:
        """Orders of these states, the next one first."""
        marks = ", ".join("?" * len(states))
        return self._jobs(f"WHERE state IN ({marks}) ORDER BY rank", tuple(states))

    def set_state(self, number: int, state: str, reason: str = "") -> None:
        """Open, pause, stop or cancel an order; one that is over stays so."""
        self._do(
            "UPDATE orders SET state = ?, reason = ? WHERE id = ? AND state NOT IN (?, ?)",
            (state, reason, number, DONE, CANCELLED),
        )

    def put_first(self, number: int) -> None:
        """Have an order come before the others."""
        self._do(
            "UPDATE orders SET rank = (SELECT min(rank) - 1 FROM orders) WHERE id = ?", (number,)
        )

    def put_last(self, number: int) -> None:
        """Have an order come behind the others."""
        self._do(
            "UPDATE orders SET rank = (SELECT max(rank) + 1 FROM orders) WHERE id = ?", (number,)
        )

    def retry(self, number: int) -> int:
        """Have the failed songs of an order made again; how many they are.

        Raises
        ------
        UsageError
            When the order was cancelled.
        """
        if self.job(number).state == CANCELLED:
            raise UsageError(f"order {number} is cancelled; it cannot be changed any more")
        with self._group() as database:
            # What was written for a song is played again; the others are written anew, with
            # other seeds, for the same ones would fail again.
            count = database.execute(
                "UPDATE songs SET state = 'written' WHERE job = ? AND "
                "state = 'failed' AND recipe IS NOT NULL",
                (number,),
            ).rowcount
            count += database.execute(
                "UPDATE songs SET state = 'again', tries = tries + 1 WHERE job = ? AND "
                "state = 'failed'",
                (number,),
            ).rowcount
            if count:
                database.execute(
                    "UPDATE orders SET state = ?, reason = '' WHERE id = ?", (OPEN, number)
                )
        return count

    def close_done(self, number: int) -> None:
        """Mark an order whose songs are all over."""
        if self.job(number).left <= 0:
            self._do(
                "UPDATE orders SET state = ? WHERE id = ? AND state IN (?, ?, ?)",
                (DONE, number, *UNFINISHED),
            )
            # What failed can be asked for again, and must not be like the others.
            self._do(
                f"DELETE FROM turns WHERE job IN ({_BATCH}) AND NOT EXISTS (SELECT 1 FROM "
                f"orders WHERE id IN ({_BATCH}) AND (state NOT IN (?, ?) OR EXISTS (SELECT 1 "
                "FROM songs WHERE job = orders.id AND songs.state = 'failed')))",
                (number, number, DONE, CANCELLED),
            )

    # -- songs -----------------------------------------------------------------------------

    def next_number(self, job: int, songs: int) -> tuple[int, int] | None:
        """The first song that nothing has become of yet, from 1, and how often it was retried."""
        again = self._all(
            "SELECT number, tries FROM songs WHERE job = ? AND state = 'again' "
            "ORDER BY number LIMIT 1",
            (job,),
        )
        if again:
            return int(again[0]["number"]), int(again[0]["tries"])
        taken = {row[0] for row in self._all("SELECT number FROM songs WHERE job = ?", (job,))}
        if len(taken) >= songs:
            return None
        return next(((n, 0) for n in range(1, songs + 1) if n not in taken), None)

    def written(self, job: int) -> list[tuple[int, dict[str, Any]]]:
        """Numbers and recipes of the songs that wait to be played."""
        return [
            (row["number"], json.loads(row["recipe"]))
            for row in self._all(
                "SELECT number, recipe FROM songs WHERE job = ? AND state = 'written' "
                "ORDER BY number",
                (job,),
            )
        ]

    def keep_written(
        self, job: int, number: int, title: str, recipe: dict[str, Any], marks: Marks | None
    ) -> None:
        """A song has been written; it is never written again."""
        with self._group() as database:
            database.execute(
                "INSERT INTO songs (job, number, state, title, recipe, chords, turns) "
                "VALUES (?, ?, 'written', ?, ?, ?, ?) ON CONFLICT (job, number) DO UPDATE SET "
                "state = 'written', title = excluded.title, recipe = excluded.recipe, "
                "chords = excluded.chords, turns = excluded.turns",
                (
                    job,
                    number,
                    title,
                    json.dumps(recipe),
                    marks.chords if marks else 0,
                    len(marks.turns) if marks else 0,
                ),
            )
            if marks:
                database.executemany(
                    "INSERT OR IGNORE INTO turns VALUES (?, ?, ?)",
                    ((job, turn, number) for turn in marks.turns),
                )

    def keep_done(self, job: int, number: int, title: str) -> None:
        """A song has its final name."""
        self._do(
            "INSERT INTO songs (job, number, state, title) VALUES (?, ?, 'done', ?) "
            "ON CONFLICT (job, number) DO UPDATE SET state = 'done', recipe = NULL, "
            "reason = '', title = excluded.title",
            (job, number, title),
        )

    def keep_failed(self, job: int, number: int, reason: str) -> None:
        """A song could not be made."""
        self._do(
            "INSERT INTO songs (job, number, state, reason) VALUES (?, ?, 'failed', ?) "
            "ON CONFLICT (job, number) DO UPDATE SET state = 'failed', "
            "reason = excluded.reason",
            (job, number, reason[:500]),
        )

    def failures(self, job: int) -> list[tuple[int, str]]:
        """Numbers of the failed songs, and why."""
        return [
            (row["number"], row["reason"])
            for row in self._all(
                "SELECT number, reason FROM songs WHERE job = ? AND state = 'failed' "
                "ORDER BY number",
                (job,),
            )
        ]

    def has_title(self, job: int, title: str) -> bool:
        """Whether a song of the order's batch is called so."""
        return bool(
            self._all(
                f"SELECT 1 FROM songs WHERE job IN ({_BATCH}) AND "
                "title = ? COLLATE NOCASE AND state <> 'failed' LIMIT 1",
                (job, title),
            )
        )

    def alike(self, job: int, marks: Marks, chords_count: bool = True) -> int | None:
        """The number of a song of the order's batch that is like this one; None when none is.

        Parameters
        ----------
        chords_count : bool
            Whether the same progression under another melody is alike, too.
        """
        if chords_count:
            same = self._all(
                f"SELECT number FROM songs WHERE job IN ({_BATCH}) AND chords = ? "
                "AND turns > 0 LIMIT 1",
                (job, marks.chords),
            )
            if same:
                return int(same[0]["number"])
        if not marks.turns:
            return None
        places = ", ".join("?" * len(marks.turns))
        near = self._all(
            f"SELECT t.number, s.chords, count(*) * 1.0 / min(s.turns, ?) AS share FROM turns t "
            f"JOIN songs s ON s.job = t.job AND s.number = t.number WHERE t.job IN ({_BATCH}) AND "
            f"t.turn IN ({places}) GROUP BY t.job, t.number ORDER BY share DESC LIMIT 5",
            (len(marks.turns), job, *marks.turns),
        )
        for row in near:
            if row["share"] >= (_MOST_SAME if row["chords"] == marks.chords else ALIKE):
                return int(row["number"])
        return None

    # -- inside ----------------------------------------------------------------------------

    def _jobs(self, where: str, values: tuple[object, ...]) -> list[Job]:
        found = []
        counts = "".join(
            ", (SELECT count(*) FROM songs WHERE job = orders.id AND songs.state = "
            f"'{state}') AS {state}"
            for state in ("done", "failed", "written")
        )
        counts += ", (SELECT count(*) FROM songs WHERE job = orders.id) AS begun"
        for row in self._all(f"SELECT *{counts} FROM orders {where}", values):
            try:
                order = _order(row["words"], paths.OUTPUT)
            except (ValueError, UsageError):
                continue
            found.append(
                Job(
                    row["id"],
                    row["uid"],
                    row["batch"],
                    order,
                    row["state"],
                    row["reason"],
                    row["done"],
                    row["failed"],
                    row["written"],
                    row["begun"],
                )
            )
        return found

    def stamp(self) -> tuple[int, int]:
        """What is another one after any change of the list, here or by another program."""
        return (int(self._all("PRAGMA data_version")[0][0]), self._database.total_changes)

    def states(self) -> dict[int, str]:
        """The state of each order."""
        return {row["id"]: row["state"] for row in self._all("SELECT id, state FROM orders")}

    @staticmethod
    def _forget(database: sqlite3.Connection) -> None:
        """Drop the oldest of the orders that are over, their whole batch with them."""
        old = [
            row[0]
            for row in database.execute(
                "SELECT id FROM orders WHERE batch IN (SELECT batch FROM orders GROUP BY batch "
                "HAVING sum(state NOT IN (?, ?)) = 0 AND max(id) <= (SELECT id FROM orders "
                "WHERE state IN (?, ?) ORDER BY id DESC LIMIT 1 OFFSET ?))",
                (DONE, CANCELLED, DONE, CANCELLED, _KEPT),
            )
        ]
        for table, column in (("turns", "job"), ("songs", "job"), ("orders", "id")):
            database.executemany(f"DELETE FROM {table} WHERE {column} = ?", ((n,) for n in old))

    def _all(self, words: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        with self._told():
            return self._database.execute(words, values).fetchall()

    def _do(self, words: str, values: tuple[object, ...]) -> None:
        with self._told():
            self._database.execute(words, values)

    @contextlib.contextmanager
    def _group(self) -> Iterator[sqlite3.Connection]:
        """Statements that are kept together or not at all."""
        with self._told():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._words(error) from error

    def _words(self, error: sqlite3.Error) -> StorageError:
        if is_damage(error):
            self._database.close()
            aside = set_aside(self.path)
            return StorageError(
                f"{self.path}: the list of orders was damaged; it was set aside "
                f"as {aside}, and the songs that are done are safe; order the "
                "others again"
            )
        if "locked" in str(error):
            return StorageError(
                f"{self.path}: another program has held it for long; close that "
                "program, then 'generate --resume' goes on"
            )
        if "full" in str(error):
            return StorageError(
                f"{self.path.parent}: the disk is full; free some space, then "
                "'generate --resume' goes on"
            )
        return StorageError(f"{self.path}: {error}; 'generate --resume' goes on once it is mended")
