"""Services of the operating system: memory sizes and sleep prevention."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FIELDS = ("total", "free", "pages", "pages_free", "virtual", "virtual_free", "extended")
_QUERY_LIMITED_INFORMATION = 0x1000
_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001


class _MemoryStatus(ctypes.Structure):
    """``MEMORYSTATUSEX`` of the Windows API."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        *((name, ctypes.c_uint64) for name in _FIELDS),
    )


class _MemoryCounters(ctypes.Structure):
    """``PROCESS_MEMORY_COUNTERS`` of the Windows API."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("page_faults", ctypes.c_uint32),
        *((f"size_{n}", ctypes.c_size_t) for n in range(6)),
        ("committed", ctypes.c_size_t),
        ("peak_committed", ctypes.c_size_t),
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


def process_memory(pid: int) -> int:
    """Bytes of memory that a process uses; 0 when unknown.

    Source: ``/proc/PID/statm``, and ``GetProcessMemoryInfo`` of the Windows API.
    """
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)
        if not handle:
            return 0
        counters = _MemoryCounters(length=ctypes.sizeof(_MemoryCounters))
        kernel.K32GetProcessMemoryInfo(
            ctypes.c_void_p(handle), ctypes.byref(counters), counters.length
        )
        kernel.CloseHandle(ctypes.c_void_p(handle))
        return int(counters.committed)
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
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
