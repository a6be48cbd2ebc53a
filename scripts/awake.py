"""Keeps Windows from going to sleep in the middle of a night's songs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001


@contextmanager
def awake() -> Iterator[None]:
    """While this lasts the computer stays on; the screen may go dark.

    Source: SetThreadExecutionState in the Windows API. Elsewhere it does nothing.
    """
    if sys.platform != "win32":
        yield
        return
    import ctypes
    ask = ctypes.windll.kernel32.SetThreadExecutionState
    ask(_CONTINUOUS | _SYSTEM_REQUIRED)
    try:
        yield
    finally:
        ask(_CONTINUOUS)
