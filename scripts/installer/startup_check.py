"""Imports all packages once in a child process, so that crashes can be reported."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from scripts.core.cpu import ILLEGAL_INSTRUCTION_STATUSES, ILLEGAL_INSTRUCTION_TEXTS, NO_AVX_MESSAGE
from scripts.core.errors import SetupError
from scripts.installer.diagnosis import NO_REDIST, is_missing_library, last_error_line
from scripts.installer.environment import REPAIR_HINT, ROOT
from scripts.installer.subprocesses import combined_output, run

STARTUP_TIMEOUT = 300  # seconds; an antivirus may scan every library first
_REDIST_DLLS = ("msvcp140.dll", "vcruntime140.dll", "vcruntime140_1.dll")


def is_redistributable_missing() -> bool:
    """Whether this is a Windows without the Microsoft Visual C++ Redistributable."""
    if sys.platform != "win32":
        return False
    import ctypes

    try:
        for name in _REDIST_DLLS:
            ctypes.WinDLL(name)
    except OSError:
        return True
    return False


def explain_startup_failure(
    status: int, output: str, redist_missing: Callable[[], bool] = is_redistributable_missing
) -> str:
    """Explain to the user why :mod:`scripts.cli.selftest` failed; "" when it did not.

    Parameters
    ----------
    status : int
        Its exit status.
    output : str
        All its output; the last line with ``> `` names the package being imported.
    redist_missing : callable
        Checks whether the Visual C++ Redistributable is missing.
    """
    if status == 0:
        return ""
    if status in ILLEGAL_INSTRUCTION_STATUSES or (
        status and any(w in output for w in ILLEGAL_INSTRUCTION_TEXTS)
    ):
        return NO_AVX_MESSAGE
    if is_missing_library(output) and redist_missing():
        return NO_REDIST
    started = [line[2:] for line in output.splitlines() if line.startswith("> ")]
    name = started[-1] if started else "Python"
    shown = hex(status) if status > 0xFFFF else str(status)
    error = last_error_line("\n".join(x for x in output.splitlines() if not x.startswith("> ")))
    return f"{name} does not start ({error}, status {shown}); {REPAIR_HINT}"


def check_startup(python: Path) -> None:
    """Import all packages and generate one token with the starter model.

    Parameters
    ----------
    python : Path
        Interpreter to use.

    Raises
    ------
    SetupError
        When something does not start within :data:`STARTUP_TIMEOUT` seconds.
    """
    command = [os.fspath(python), "-m", "scripts.cli.selftest"]
    try:
        done = run(command, timeout=STARTUP_TIMEOUT, cwd=ROOT)
    except subprocess.TimeoutExpired:
        raise SetupError(
            f"the packages did not start within {STARTUP_TIMEOUT // 60} minutes; an "
            "antivirus may be scanning them: try again"
        ) from None
    trouble = explain_startup_failure(done.returncode, combined_output(done))
    if trouble:
        raise SetupError(trouble)
