"""Starting, interrupting and watching the program's processes, on Linux and Windows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import ROOT

_GROUP: dict[str, Any] = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if os.name == "nt"
    else {"start_new_session": True}
)


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a command of the program as the leader of a process group, as a terminal does."""
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.cli", *arguments],
        cwd=ROOT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "LLM_MUSIC_GEN_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **_GROUP,
    )


def interrupt(process: subprocess.Popen[str]) -> None:
    """Send Ctrl+C as a terminal does: to the whole process group, including ffmpeg."""
    if sys.platform == "win32":
        try:
            process.send_signal(signal.CTRL_BREAK_EVENT)
        except (OSError, SystemError):
            process.kill()
            pytest.skip("there is no console to send Ctrl+C from")
    else:
        os.killpg(process.pid, signal.SIGINT)


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the child processes of a process, recursively."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    except OSError:  # not supported by Wine
        process.kill()
        pytest.skip("child processes cannot be listed on this system")


def command_line(process: psutil.Process) -> str:
    """Return the command line of a process; "" when it has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def read_until(process: subprocess.Popen[str], text: str) -> None:
    """Read a program's output until a line contains `text`; fail if none does."""
    assert process.stdout
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"never printed {text}: {process.stderr.read()}")  # type: ignore


def is_running(pid: int) -> bool:
    """Whether a process exists and has not ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
