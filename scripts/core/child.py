"""Child process that exchanges JSON lines over its pipes and ends with its parent."""

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

WORKER = "scripts.llm.worker"  # module that runs a model
_LAST_WORDS = 5.0  # seconds to read the remaining output of a child that has exited


class Child:
    """Process that runs ``python -m MODULE ARGUMENTS...`` with pipes.

    Parameters
    ----------
    module : str
        A module of this project.
    words : sequence of str
        Its command line arguments.

    Attributes
    ----------
    complaints : deque of str
        Last 40 lines of its standard error.

    Notes
    -----
    The child's standard input is a pipe that closes however this process ends. The child exits at
    its end of file, so killing the parent stops the children.
    """

    def __init__(self, module: str, words: Sequence[str] = ()) -> None:
        # Detach from the console: Ctrl+C reaches only the parent, which decides; and closing the
        # window kills only the parent, so that the child can still clean up.
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
        """Send one message. Errors are ignored: :meth:`receive` reports a child that has exited."""
        try:
            assert self._process.stdin
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            pass

    def receive(self, timeout: float) -> dict[str, Any] | None:
        """Return the next message, or None once the child has exited.

        Raises
        ------
        queue.Empty
            When no message arrives within `timeout` seconds.
        """
        message = self._messages.get(timeout=timeout)
        if message is None:
            self._messages.put(None)
        return message

    def stop(self, grace: float = 2.0) -> int:
        """Close its input, kill it after `grace` seconds, and return the exit status."""
        self.hang_up()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return int(self._process.returncode)

    def hang_up(self) -> None:
        """Close the child's standard input, which makes it exit."""
        try:
            if self._process.stdin:
                self._process.stdin.close()
        except OSError:
            pass

    def exit_words(self) -> str:
        """Describe how the child ended, for an error message; waits for its end."""
        code = self._process.wait()
        self._errors.join(1.0)
        if code in ILLEGAL_INSTRUCTION:
            return NO_AVX
        if code < 0:
            return f"it was killed by signal {-code}"
        return f"it exited with status {code}"

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
        """Report the child's exit even if a process that it started keeps its pipes open."""
        self._process.wait()
        self._reader.join(_LAST_WORDS)
        self._messages.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.complaints.append(line.rstrip())
