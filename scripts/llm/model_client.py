"""Base of the clients for models that run in a child process."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scripts.core import errors
from scripts.core.child import ChildProcess
from scripts.core.errors import Cancelled, CrashError, ModelError
from scripts.llm.reply import ProgressCallback, TextCallback

_log = logging.getLogger(__name__)


class ModelClient:
    """A child process with a model; a context manager.

    Any error or cancellation while waiting for the model ends the process.

    Parameters
    ----------
    path : Path
        The GGUF file.
    child : ChildProcess
    timeout : float
        Seconds without a message after which the process is considered hung.
    cancelled : callable
        Called about ten times a second while waiting; True cancels the work.
    """

    def __init__(
        self, path: Path, child: ChildProcess, timeout: float, cancelled: Callable[[], bool]
    ) -> None:
        self.path, self.timeout, self.cancelled = path, timeout, cancelled
        self._child = child

    @property
    def pid(self) -> int:
        return self._child.pid

    def close(self) -> None:
        """End the process."""
        self._child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _named(self, message: str) -> str:
        name = self.path.name
        if name in message:
            return message
        return (
            f"{name}: {message}" if "; " in message else f"{name}: {message}; choose another model"
        )

    def _wait_for_result(
        self,
        progress: ProgressCallback,
        timeout: float | None = None,
        on_text: TextCallback = lambda index, text: None,
    ) -> dict[str, Any]:
        """Wait for the child's result, passing on its progress and each finished text.

        Raises
        ------
        TimeoutError
            When `timeout` is given and the child is silent for so many seconds.
        """
        if timeout is None:
            try:
                return self._wait_for_result(progress, self.timeout, on_text)
            except TimeoutError as error:
                raise CrashError(
                    f"{self.path.name}: the model did not respond for {self.timeout:.0f} s; "
                    "try a smaller model"
                ) from error
        last_sign = time.monotonic()
        try:
            while True:
                if self.cancelled():
                    raise Cancelled("stopped")
                try:
                    message = self._child.receive(0.1)
                except queue.Empty:
                    if time.monotonic() - last_sign > timeout:
                        _log.error("%s: no answer for %.0f s", self.path.name, timeout)
                        raise TimeoutError from None
                    continue
                last_sign = time.monotonic()
                if message is None:
                    said = " | ".join([*self._child.stderr_lines][-3:])
                    _log.error("%s: its process ended: %s", self.path.name, said)
                    raise CrashError(
                        f"{self.path.name}: the model's process died "
                        f"({self._child.describe_exit()}); try again or choose another model"
                    )
                if message["event"] == "progress":
                    progress(float(message["done"]), str(message["text"]))
                elif message["event"] == "text":
                    on_text(int(message["index"]), str(message["text"]))
                elif message["event"] == "error":
                    kind = getattr(errors, str(message["kind"]), ModelError)
                    raise kind(self._named(str(message["message"])))
                else:
                    return message
        except BaseException:
            self._child.stop(grace=0.2)
            raise
