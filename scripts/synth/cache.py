"""Least-recently-used cache with a limit in bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Least-recently-used cache with a limit on the total size of its values.

    Parameters
    ----------
    limit : int
        Bytes; the newest value is kept even if it alone exceeds the limit.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._held = limit, 0
        self._kept: OrderedDict[object, tuple[T, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: object) -> T | None:
        """Return the value of `key` and mark it as used; None if it is not cached."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def put(self, key: object, thing: T, size: int) -> None:
        """Store a value of `size` bytes under `key`; evict the least recently used if necessary."""
        _, old = self._kept.pop(key, (None, 0))
        self._kept[key] = thing, size
        self._held += size - old
        while self._held > self._limit and len(self._kept) > 1:
            _, (_, gone) = self._kept.popitem(last=False)
            self._held -= gone
