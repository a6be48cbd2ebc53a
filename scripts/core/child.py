"""A child process that speaks JSON lines, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from scripts.core.cpu import ILLEGAL_INSTRUCTION, NO_AVX
from scripts.core.paths import ROOT

WORKER = "scripts.llm.worker"  # the module of a model's process
_LAST_WORDS = 5.0  # seconds in which what a child that has ended said is read


class Child:
    """``python -m MODULE WORDS...`` with pipes.

    Parameters
    ----------
    module : str
        A module of this project.
    words : sequence of str
        Its arguments.

    Notes
    -----
    The child's input is a pipe that closes when this process ends in any way; a child reads it
    and stops, so killing the parent stops the children.
    """

    def __init__(self, module: str, words: Sequence[str] = ()) -> None:
        # Away from the console: Ctrl+C there reaches the parent, which decides; and closing the
        # window kills the parent alone, so the child still puts things in order.
        flags: dict[str, Any] = (
            {"creationflags": getattr(subprocess, "CREATE_NO_WINDOW", 0)}
            if os.name == "nt"
            else {"start_new_session": True}
        )
        environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            **flags,
        )
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.complaints: deque[str] = deque(maxlen=40)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._errors = threading.Thread(target=self._read_errors, daemon=True)
        for thread in (self._reader, self._errors):
            thread.start()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: dict[str, Any]) -> None:
        """Send one message; a child that is gone is noticed by :meth:`receive`."""
        try:
            assert self._process.stdin
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            pass

    def receive(self, timeout: float) -> dict[str, Any] | None:
        """The next message; None when the child has ended.

        Raises
        ------
        queue.Empty
            When nothing came within `timeout` seconds.
        """
        message = self._messages.get(timeout=timeout)
        if message is None:
            self._messages.put(None)
        return message

    def stop(self, grace: float = 2.0) -> int:
        """End the child, by force if it does not go; its exit status."""
        self.hang_up()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return int(self._process.returncode)

    def hang_up(self) -> None:
        """Close the child's input, at which it stops by itself."""
        try:
            if self._process.stdin:
                self._process.stdin.close()
        except OSError:
            pass

    def exit_words(self) -> str:
        """How the child ended, in words."""
        code = self._process.wait()
        self._errors.join(1.0)
        if code in ILLEGAL_INSTRUCTION:
            return NO_AVX
        if code < 0:
            return f"it was stopped by signal {-code}"
        return f"it ended with status {code}"

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict):
                self._messages.put(message)

    def _watch(self) -> None:
        """Tell of the child's end, though something that it started may keep its pipes open."""
        self._process.wait()
        self._reader.join(_LAST_WORDS)
        self._messages.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.complaints.append(line.rstrip())
