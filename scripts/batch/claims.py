"""Claims on batches by lock files, so that no two programs work on the same batch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from scripts.core.file_lock import FileLock, try_lock


def claim_path(store_path: Path, batch: str) -> Path:
    """Return the lock file of a batch, beside the order store."""
    return store_path.with_name(f"batch-{batch}.lmg-lock")


def claim_batch(store_path: Path, batch: str) -> FileLock | None:
    """Claim a batch for this process; None while another program has claimed it."""
    try:
        return try_lock(claim_path(store_path, batch))
    except OSError:  # no file can be created here, so no other program can store orders
        return FileLock(store_path, -1)


def is_unclaimed(store_path: Path, batch: str) -> bool:
    """Whether no program has claimed a batch."""
    claim = claim_batch(store_path, batch)
    if claim is not None:
        claim.remove()
    return claim is not None


class Claims:
    """Batches claimed by this process.

    Parameters
    ----------
    store_path : Path
        File of the order store.
    """

    def __init__(self, store_path: Path) -> None:
        self._store_path = store_path
        self._locks: dict[str, FileLock] = {}
        self.claimed_elsewhere: set[str] = set()  # batches that another program had claimed

    def __contains__(self, batch: str) -> bool:
        return batch in self._locks

    def add(self, batch: str, lock: FileLock | None) -> None:
        """Add a lock that was acquired earlier; None is ignored."""
        if lock is not None:
            self._locks[batch] = lock

    def claim(self, batch: str) -> bool:
        """Claim a batch; False while another program has claimed it."""
        if batch in self._locks:
            return True
        self.add(batch, claim_batch(self._store_path, batch))
        if batch not in self._locks:
            self.claimed_elsewhere.add(batch)
        return batch in self._locks

    def release_except(self, batches: Iterable[str]) -> None:
        """Release the claims on all other batches."""
        keep = set(batches)
        for batch in [b for b in self._locks if b not in keep]:
            self._locks.pop(batch).remove()
