"""Settings of the C library's memory allocator."""

from __future__ import annotations

import ctypes
import sys

# Parameters of glibc's mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGEST_ARRAY = 32 << 20  # bytes; the highest threshold that glibc accepts
_LARGEST_HEAP = 256 << 20  # bytes


def reuse_freed_arrays() -> None:
    """Let freed arrays be used again instead of returning them to the system; glibc only.

    By default each larger array is mapped anew, and the system clears every page of it: a quarter
    of the time of a song's soundcheck.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library
        return
    mallopt(_ARENA_MAX, 1)  # all threads share what is freed
    mallopt(_MMAP_THRESHOLD, _LARGEST_ARRAY)
    mallopt(_TRIM_THRESHOLD, _LARGEST_HEAP)
