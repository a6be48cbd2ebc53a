"""Services of the operating system: memory size and sleep prevention."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_FIELDS = ("total", "free", "pages", "pages_free", "virtual", "virtual_free", "extended")
_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001


class _MemoryStatus(ctypes.Structure):
    """``MEMORYSTATUSEX`` of the Windows API."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        *((name, ctypes.c_uint64) for name in _FIELDS),
    )


def estimate_model_memory(file_bytes: int) -> float:
    """Estimate the bytes of memory that a model needs: weights, context and compute buffers."""
    return 1.2 * file_bytes


def physical_memory() -> int:
    """Return the bytes of physical memory; 0 when unknown."""
    if sys.platform == "win32":
        status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
        succeeded = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.total) if succeeded else 0
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


@contextmanager
def keep_system_awake() -> Iterator[None]:
    """Keep Windows from sleeping while the block runs; the screen may turn off.

    Does nothing on other systems. Source: ``SetThreadExecutionState`` in the Windows API.
    """
    if sys.platform != "win32":
        yield
        return
    set_state = ctypes.windll.kernel32.SetThreadExecutionState
    set_state(_CONTINUOUS | _SYSTEM_REQUIRED)
    try:
        yield
    finally:
        set_state(_CONTINUOUS)
