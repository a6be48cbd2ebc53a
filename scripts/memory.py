"""How much memory this computer has."""

from __future__ import annotations

import ctypes
import os
import sys

_FIELDS = ("total", "free", "pages", "pages_free", "virtual", "virtual_free", "extended")


class _Status(ctypes.Structure):
    """Windows' MEMORYSTATUSEX."""

    _fields_ = (("length", ctypes.c_uint32), ("load", ctypes.c_uint32),
                *((name, ctypes.c_uint64) for name in _FIELDS))


def memory_for(file_bytes: int) -> float:
    """Bytes of memory that a model takes: its file, the context and what computes."""
    return 1.2 * file_bytes


def physical_memory() -> int:
    """Bytes of memory, 0 when nothing tells."""
    if sys.platform == "win32":
        status = _Status(length=ctypes.sizeof(_Status))
        good = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.total) if good else 0
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
