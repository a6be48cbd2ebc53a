"""Starts everything once in a child process, so that a crash is caught and can be explained."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from scripts.core.cpu import ILLEGAL_INSTRUCTION, ILLEGAL_WORDS, NO_AVX
from scripts.core.errors import SetupError
from scripts.installer.diagnosis import NO_REDIST, is_missing_library, last_words
from scripts.installer.environment import ROOT
from scripts.installer.subprocesses import everything, run

PATIENCE = 300  # seconds; an antivirus may look at every library first
_REDIST = ("msvcp140.dll", "vcruntime140.dll", "vcruntime140_1.dll")


def redistributable_missing() -> bool:
    """True on a Windows without Microsoft's C++ libraries."""
    if sys.platform != "win32":
        return False
    import ctypes

    try:
        for name in _REDIST:
            ctypes.WinDLL(name)
    except OSError:
        return True
    return False


def explain_start(
    status: int, said: str, redist_missing: Callable[[], bool] = redistributable_missing
) -> str:
    """Why the probe did not end well, in words; empty when it did.

    Parameters
    ----------
    status : int
        Its exit status.
    said : str
        Everything it printed; the package being started stands on the last ``> `` line.
    redist_missing : callable
        Looks for Microsoft's C++ libraries.
    """
    if status == 0:
        return ""
    if status in ILLEGAL_INSTRUCTION or (status and any(w in said for w in ILLEGAL_WORDS)):
        return NO_AVX
    if is_missing_library(said) and redist_missing():
        return NO_REDIST
    started = [line[2:] for line in said.splitlines() if line.startswith("> ")]
    name = started[-1] if started else "Python"
    shown = hex(status) if status > 0xFFFF else str(status)
    words = last_words("\n".join(x for x in said.splitlines() if not x.startswith("> ")))
    return (
        f"{name} does not start ({words}, status {shown}); delete the folder .venv and run it again"
    )


def check_start(python: Path) -> None:
    """Import every package and have the starter model write a token.

    Raises
    ------
    SetupError
        When something does not start, in words.
    """
    command = [os.fspath(python), "-m", "scripts.cli.selftest"]
    try:
        done = run(command, timeout=PATIENCE, cwd=ROOT)
    except subprocess.TimeoutExpired:
        raise SetupError(
            f"the packages did not start within {PATIENCE // 60} minutes; an "
            "antivirus may be looking at each of them: run it again"
        ) from None
    trouble = explain_start(done.returncode, everything(done))
    if trouble:
        raise SetupError(trouble)
