"""Runs commands for the installer and reports their progress."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any


def print_status(message: str) -> None:
    """Print a line to standard error."""
    print(message, file=sys.stderr, flush=True)


def _pipe_options() -> dict[str, Any]:
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
        command, capture_output=True, timeout=timeout, check=False, cwd=cwd, **_pipe_options()
    )


def run_with_progress(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run pip and capture its output; on a console, show its progress on one line."""
    lines: list[str] = []
    interactive = sys.stderr.isatty()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **_pipe_options()
    ) as process:
        assert process.stdout
        for line in process.stdout:
            lines.append(line)
            words = line.split()
            if interactive and words[:1] == ["Collecting"]:
                _print_progress(f"     downloading {words[1]}")
            elif interactive and words[:3] == ["Installing", "collected", "packages:"]:
                _print_progress("     unpacking the packages; an antivirus can make this slow")
    if interactive:
        _print_progress("")
    return subprocess.CompletedProcess(command, process.returncode, "".join(lines), "")


def _print_progress(text: str) -> None:
    print(f"\r{text[:78]:<78}\r", end="", file=sys.stderr, flush=True)


def run_in_foreground(command: list[str], cwd: Path | None = None) -> int:
    """Run a command that owns the console, including Ctrl+C; return its exit status."""
    with subprocess.Popen(command, cwd=cwd) as process:
        # Ctrl+C reaches the command itself, which may take a moment to clean up.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return process.wait()
        finally:
            signal.signal(signal.SIGINT, before)


def combined_output(done: subprocess.CompletedProcess[str]) -> str:
    """Return standard output and standard error of a command as one text."""
    return f"{done.stdout}\n{done.stderr}"


def run_with_heartbeat(command: list[str], log: Path, extra_env: dict[str, str]) -> str:
    """Run a long command and report every minute that it is still running.

    Parameters
    ----------
    command : list of str
    log : Path
        File for its output.
    extra_env : dict
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
            env={**os.environ, **extra_env},
        )
        minutes = 0
        try:
            while True:
                try:
                    process.wait(60)
                    break
                except subprocess.TimeoutExpired:
                    minutes += 1
                    print_status(f"     still building, {minutes} min")
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode == 0:
        return ""
    return log.read_text(encoding="utf-8", errors="replace") or f"status {process.returncode}"
