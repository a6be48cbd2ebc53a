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

from scripts.core.cpu import ILLEGAL_INSTRUCTION_STATUSES, NO_AVX_MESSAGE
from scripts.core.paths import ROOT
from scripts.core.priority import WAIT_POLICY

MODEL_WORKER = "scripts.llm.worker"  # module that runs a model
_DRAIN_TIMEOUT = 5.0  # seconds to read the remaining output of a child that has exited


class ChildProcess:
    """Process that runs ``python -m MODULE ARGUMENTS...`` with pipes.

    Parameters
    ----------
    module : str
        A module of this project.
    arguments : sequence of str
        Its command line arguments.

    Attributes
    ----------
    stderr_lines : deque of str
        Last 40 lines of its standard error.

    Notes
    -----
    The child's standard input is a pipe that closes however this process ends. The child exits at
    its end of file, so killing the parent stops the children.
    """

    def __init__(self, module: str, arguments: Sequence[str] = ()) -> None:
        # Detach from the console: Ctrl+C reaches only the parent, which decides; and closing the
        # window kills only the parent, so that the child can still clean up.
        flags: dict[str, Any] = (
            {"creationflags": getattr(subprocess, "CREATE_NO_WINDOW", 0)}
            if os.name == "nt"
            else {"start_new_session": True}
        )
        environment = {
            **WAIT_POLICY,
            **os.environ,
            "PYTHONUTF8": "1",
            "PYTHONUNBUFFERED": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
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
        self.stderr_lines: deque[str] = deque(maxlen=40)
        self._stdout_reader = threading.Thread(target=self._read_stdout, daemon=True)
        self._stderr_reader = threading.Thread(target=self._read_stderr, daemon=True)
        for thread in (self._stdout_reader, self._stderr_reader):
            thread.start()
        threading.Thread(target=self._wait_for_exit, daemon=True).start()

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
        self.close_input()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return int(self._process.returncode)

    def kill(self) -> None:
        """End the child at once."""
        self._process.kill()

    def close_input(self) -> None:
        """Close the child's standard input, which makes it exit."""
        try:
            if self._process.stdin:
                self._process.stdin.close()
        except OSError:
            pass

    def describe_exit(self) -> str:
        """Describe how the child ended, for an error message; waits for its end."""
        code = self._process.wait()
        self._stderr_reader.join(1.0)
        if code in ILLEGAL_INSTRUCTION_STATUSES:
            return NO_AVX_MESSAGE
        if code < 0:
            return f"it was killed by signal {-code}"
        return f"it exited with status {code}"

    def _read_stdout(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict):
                self._messages.put(message)

    def _wait_for_exit(self) -> None:
        """Report the child's exit even if a process that it started keeps its pipes open."""
        self._process.wait()
        self._stdout_reader.join(_DRAIN_TIMEOUT)
        self._messages.put(None)

    def _read_stderr(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.stderr_lines.append(line.rstrip())
