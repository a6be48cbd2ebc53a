"""Least-recently-used cache with a limit in bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class LruCache(Generic[T]):
    """Least-recently-used cache with a limit on the total size of its values.

    Parameters
    ----------
    max_bytes : int
        Bytes; the newest value is kept even if it alone exceeds the limit.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self._total_bytes = max_bytes, 0
        self._entries: OrderedDict[object, tuple[T, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: object) -> T | None:
        """Return the value of `key` and mark it as used; None if it is not cached."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def put(self, key: object, value: T, size: int) -> None:
        """Store a value of `size` bytes under `key`; evict the least recently used if necessary."""
        _, old = self._entries.pop(key, (None, 0))
        self._entries[key] = value, size
        self._total_bytes += size - old
        while self._total_bytes > self._max_bytes and len(self._entries) > 1:
            _, (_, evicted_size) = self._entries.popitem(last=False)
            self._total_bytes -= evicted_size
