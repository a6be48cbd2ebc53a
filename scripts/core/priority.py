"""Priorities of the processes: rendering below the model, the model below what plays and shows."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType

_MODEL_NICENESS, _RENDERER_NICENESS = 1, 7
_BELOW_NORMAL, _ABOVE_NORMAL = 0x4000, 0x8000  # priority classes of the Windows API

# Threads that decode a token wait for each other hundreds of times. They should spin only briefly
# before they sleep: when another program uses a core, the one that is waited for needs the other.
# GNU's and LLVM's OpenMP read these variables when they are loaded (docs/bench.md).
WAIT_POLICY: Mapping[str, str] = MappingProxyType(
    {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "1us"}
)


def lower_model_priority() -> None:
    """Let this process, which runs a model, give way to sound and screens."""
    if sys.platform != "win32":  # on Windows the next class below would starve beside any program
        os.nice(_MODEL_NICENESS)


def lower_renderer_priority() -> None:
    """Let this process, which renders songs, give way to models and other programs."""
    if sys.platform == "win32":
        _set_class(_BELOW_NORMAL)
    else:
        os.nice(_RENDERER_NICENESS)


def raise_player_priority() -> None:
    """Let this process, which plays, come before others; only on Windows, where anybody may."""
    if sys.platform == "win32":
        _set_class(_ABOVE_NORMAL)


def _set_class(priority: int) -> None:
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(ctypes.c_void_p(kernel.GetCurrentProcess()), priority)
