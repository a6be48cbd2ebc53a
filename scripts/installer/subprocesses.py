"""Runs commands for the installer and reports their progress."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any


def say(words: str) -> None:
    """Print a line to standard error."""
    print(words, file=sys.stderr, flush=True)


def _pipes() -> dict[str, Any]:
    """Build options for subprocesses: no input, UTF-8 on every system."""
    return {
        "stdin": subprocess.DEVNULL,
        "encoding": "utf-8",
        "errors": "replace",
        "env": {**os.environ, "PYTHONUTF8": "1"},
    }


def run(
    command: list[str], timeout: float | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command and capture its output.

    Raises
    ------
    subprocess.TimeoutExpired
        When it runs longer than `timeout` seconds.
    """
    return subprocess.run(
        command, capture_output=True, timeout=timeout, check=False, cwd=cwd, **_pipes()
    )


def run_telling(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run pip and capture its output; on a console, show its progress on one line."""
    said: list[str] = []
    shown = sys.stderr.isatty()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **_pipes()
    ) as process:
        assert process.stdout
        for line in process.stdout:
            said.append(line)
            words = line.split()
            if shown and words[:1] == ["Collecting"]:
                _show(f"     downloading {words[1]}")
            elif shown and words[:3] == ["Installing", "collected", "packages:"]:
                _show("     unpacking the packages; an antivirus can make this slow")
    if shown:
        _show("")
    return subprocess.CompletedProcess(command, process.returncode, "".join(said), "")


def _show(words: str) -> None:
    print(f"\r{words[:78]:<78}\r", end="", file=sys.stderr, flush=True)


def hand_over(command: list[str], cwd: Path | None = None) -> int:
    """Run a command that owns the console, including Ctrl+C; return its exit status."""
    with subprocess.Popen(command, cwd=cwd) as process:
        # Ctrl+C reaches the command itself, which may take a moment to clean up.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return process.wait()
        finally:
            signal.signal(signal.SIGINT, before)


def everything(done: subprocess.CompletedProcess[str]) -> str:
    """Return standard output and standard error of a command as one text."""
    return f"{done.stdout}\n{done.stderr}"


def run_patiently(command: list[str], log: Path, extra: dict[str, str]) -> str:
    """Run a long command and report every minute that it is still running.

    Parameters
    ----------
    command : list of str
    log : Path
        File for its output.
    extra : dict
        Additional environment variables.

    Returns
    -------
    str
        Its output when it failed, else "".
    """
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **extra},
        )
        minutes = 0
        try:
            while True:
                try:
                    process.wait(60)
                    break
                except subprocess.TimeoutExpired:
                    minutes += 1
                    say(f"     still building, {minutes} min")
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode == 0:
        return ""
    return log.read_text(encoding="utf-8", errors="replace") or f"status {process.returncode}"
