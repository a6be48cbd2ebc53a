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


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    """Start a command of the program as the head of a process group, as a terminal does."""
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.cli.main", *words],
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
    """Ctrl+C as a terminal sends it: to the whole group, ffmpeg too."""
    if sys.platform == "win32":
        try:
            process.send_signal(signal.CTRL_BREAK_EVENT)
        except (OSError, SystemError):
            process.kill()
            pytest.skip("there is no console here to press a key at")
    else:
        os.killpg(process.pid, signal.SIGINT)


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Its children and theirs."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    except OSError:  # Wine does not tell
        process.kill()
        pytest.skip("the processes cannot be listed here")


def words_of(process: psutil.Process) -> str:
    """Its command line; nothing when it has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def read_until(process: subprocess.Popen[str], sign: str) -> None:
    """Read what a program prints until a line has `sign`; it must come."""
    assert process.stdout
    for line in process.stdout:
        if sign in line:
            return
    raise AssertionError(f"never came to {sign}: {process.stderr.read()}")  # type: ignore


def lives(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
