"""What the operating system tells and offers: its memory, and staying awake."""

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


def memory_for_model(file_bytes: int) -> float:
    """Bytes of memory that a model needs: its file, the context and compute buffers."""
    return 1.2 * file_bytes


def physical_memory() -> int:
    """Bytes of memory of this computer; 0 when unknown."""
    if sys.platform == "win32":
        status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
        good = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.total) if good else 0
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


@contextmanager
def keep_system_awake() -> Iterator[None]:
    """Keep Windows from sleeping inside the block; the screen may turn off.

    Does nothing elsewhere. Source: ``SetThreadExecutionState`` in the Windows API.
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
