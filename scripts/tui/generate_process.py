"""Child process that makes the orders, so that screen and sound never wait."""

from __future__ import annotations

import queue
from typing import Any

from scripts.core.child import ChildProcess
from scripts.core.log import is_debug

_NORMAL_EXIT_CODES = (0, 1, 2, 130)  # others mean a crash
_STOP_TIMEOUT = 8.0  # seconds the child has to shut down cleanly


class GenerateProcess:
    """Child process running ``generate --serve``, which makes all open orders.

    Orders added while it runs are made, too.

    Parameters
    ----------
    waits : bool
        Load everything, but wait for :meth:`begin` before looking for orders.

    Attributes
    ----------
    ended : bool
        Whether its output has ended.
    saw_orders : bool
        Whether any of its events was about an order.
    """

    def __init__(self, waits: bool = False) -> None:
        words = ["generate", "--serve", "--json", "--watch-input", *["--wait"] * waits]
        self._child = ChildProcess("scripts.cli", [*words, *["--debug"] * is_debug()])
        self.ended = self.saw_orders = False

    def begin(self) -> None:
        """Let a process that waits begin."""
        self._child.send({})

    def read_events(self) -> list[dict[str, Any]]:
        """Return the events received since the last call."""
        events = []
        while not self.ended:
            try:
                message = self._child.receive(0.001)
            except queue.Empty:
                break
            if message is None:
                self.ended = True
            else:
                events.append(message)
        self.saw_orders |= any("order" in message for message in events)
        return events

    def failure_message(self) -> str:
        """Return why it failed; "" while it runs or when it succeeded."""
        if not self.ended or not self._child.stop():
            return ""
        if self.crashed:
            return self._child.describe_exit()
        return self._error_lines()[-1].removeprefix("llm-music-gen: ")

    @property
    def crashed(self) -> bool:
        """Whether it died: an unexpected exit code, or a failure without an error message."""
        status = self._child.stop() if self.ended else 0
        return status not in _NORMAL_EXIT_CODES or (status != 0 and not self._error_lines())

    def _error_lines(self) -> list[str]:
        return [line for line in self._child.stderr_lines if line.startswith("llm-music-gen: ")]

    def release(self) -> None:
        """Let the process end by itself, without waiting for it."""
        self._child.close_input()

    def stop(self) -> None:
        """Stop the process and wait until it has exited."""
        self._child.stop(grace=_STOP_TIMEOUT)
        self.ended = True
