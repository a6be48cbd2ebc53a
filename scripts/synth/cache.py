"""Keeps what was used last, while it fits."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Things by key; when they are too large together, the longest unused go.

    Parameters
    ----------
    limit : int
        Bytes; one thing is always kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._held = limit, 0
        self._kept: OrderedDict[object, tuple[T, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: object) -> T | None:
        """What is kept under `key`, which now counts as used."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def put(self, key: object, thing: T, size: int) -> None:
        """Keep a thing of `size` bytes instead of what was there."""
        _, old = self._kept.pop(key, (None, 0))
        self._kept[key] = thing, size
        self._held += size - old
        while self._held > self._limit and len(self._kept) > 1:
            _, (_, gone) = self._kept.popitem(last=False)
            self._held -= gone
