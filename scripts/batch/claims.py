"""Claims: which program works on which batch of orders, by locked files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from scripts.core.file_lock import FileLock, try_lock


def claim_path(store: Path, batch: str) -> Path:
    """Return the lock file of a batch, beside the order store."""
    return store.with_name(f"batch-{batch}.lmg-lock")


def claim_batch(store: Path, batch: str) -> FileLock | None:
    """Claim a batch for this process; None while another program has it."""
    try:
        return try_lock(claim_path(store, batch))
    except OSError:  # where nothing can be locked, no other program can store orders either
        return FileLock(store, -1)


def is_unclaimed(store: Path, batch: str) -> bool:
    """Whether no program works on a batch now."""
    claim = claim_batch(store, batch)
    if claim is not None:
        claim.remove()
    return claim is not None


class Claims:
    """Batches claimed by this process.

    Parameters
    ----------
    store : Path
        File of the order store.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._locks: dict[str, FileLock] = {}
        self.elsewhere: set[str] = set()  # batches found claimed by another program

    def __contains__(self, batch: str) -> bool:
        return batch in self._locks

    def add(self, batch: str, lock: FileLock | None) -> None:
        """Keep a claim that was made before."""
        if lock is not None:
            self._locks[batch] = lock

    def claim(self, batch: str) -> bool:
        """Claim a batch; False while another program has it."""
        if batch in self._locks:
            return True
        self.add(batch, claim_batch(self._store, batch))
        if batch not in self._locks:
            self.elsewhere.add(batch)
        return batch in self._locks

    def release_except(self, batches: Iterable[str]) -> None:
        """Release all claims but these."""
        keep = set(batches)
        for batch in [b for b in self._locks if b not in keep]:
            self._locks.pop(batch).remove()
