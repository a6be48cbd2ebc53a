"""Search for similar songs of a batch by their fingerprints."""

from __future__ import annotations

import sqlite3

from scripts.score.fingerprint import SIMILARITY_THRESHOLD, Fingerprint

BATCH_ORDER_IDS = "SELECT id FROM orders WHERE batch = (SELECT batch FROM orders WHERE id = ?)"
_MAX_SHARED = 0.1  # fraction of melodic n-grams shared, when the chords are the same


def save_fingerprint(
    connection: sqlite3.Connection, order: int, number: int, fingerprint: Fingerprint
) -> None:
    """Store the melodic fingerprint of a song."""
    connection.executemany(
        "INSERT OR IGNORE INTO turns VALUES (?, ?, ?)",
        ((order, turn, number) for turn in fingerprint.ngrams),
    )


def find_similar(
    connection: sqlite3.Connection,
    order: int,
    fingerprint: Fingerprint,
    compare_chords: bool = True,
) -> int | None:
    """Find the number of a similar song of the order's batch; None when there is none.

    Parameters
    ----------
    connection : sqlite3.Connection
    order : int
    fingerprint : Fingerprint
    compare_chords : bool
        Whether the same chord progression with another melody counts as similar.
    """
    if compare_chords:
        same = connection.execute(
            f"SELECT number FROM songs WHERE job IN ({BATCH_ORDER_IDS}) AND chords = ? "
            "AND turns > 0 LIMIT 1",
            (order, fingerprint.chords),
        ).fetchone()
        if same:
            return int(same["number"])
    if not fingerprint.ngrams:
        return None
    placeholders = ", ".join("?" * len(fingerprint.ngrams))
    nearest = connection.execute(
        f"SELECT t.number, s.chords, count(*) * 1.0 / min(s.turns, ?) AS share FROM turns t "
        f"JOIN songs s ON s.job = t.job AND s.number = t.number WHERE t.job IN "
        f"({BATCH_ORDER_IDS}) AND "
        f"t.turn IN ({placeholders}) GROUP BY t.job, t.number ORDER BY share DESC LIMIT 5",
        (len(fingerprint.ngrams), order, *fingerprint.ngrams),
    )
    for row in nearest:
        limit = _MAX_SHARED if row["chords"] == fingerprint.chords else SIMILARITY_THRESHOLD
        if row["share"] >= limit:
            return int(row["number"])
    return None
