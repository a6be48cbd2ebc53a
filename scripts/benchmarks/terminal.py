"""The menu in a pseudo-terminal, for benchmarks. Not available on Windows."""

from __future__ import annotations

import os
import select
import struct
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from scripts.core import paths

_KEY_PRESSES = 20  # key presses to measure


class MenuProcess:
    """The program, running in a pseudo-terminal of 80 by 24 characters.

    Parameters
    ----------
    home : Path
        ``LLM_MUSIC_GEN_HOME`` of the program.
    """

    def __init__(self, home: Path) -> None:
        # Imported by name because type checkers for Windows do not know these modules.
        pty: Any = import_module("pty")
        fcntl: Any = import_module("fcntl")
        termios: Any = import_module("termios")
        self._terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {**os.environ, "TERM": "xterm", "LLM_MUSIC_GEN_HOME": str(home)}
        self._process = subprocess.Popen(
            [sys.executable, str(paths.ROOT / "launcher.py")],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=environment,
            start_new_session=True,
        )
        os.close(inner)

    def press(self, key: str) -> None:
        """Type a key."""
        os.write(self._terminal, key.encode())

    def wait_for(self, text: str, timeout: float = 20.0) -> float:
        """Read the output until `text` appears.

        Returns
        -------
        float
            Time of :func:`time.monotonic` at which it appeared.

        Raises
        ------
        TimeoutError
            When it does not appear within `timeout`.
        """
        output, deadline = "", time.monotonic() + timeout
        while time.monotonic() < deadline:
            if select.select([self._terminal], [], [], 0.01)[0]:
                output += os.read(self._terminal, 65_536).decode("utf-8", "replace")
                if text in output:
                    return time.monotonic()
        raise TimeoutError(f"{text!r} was not drawn: {output[-300:]!r}")

    def measure_key_latency(self) -> float:
        """Measure the seconds from a key to its screen update, the longest of 20."""
        latencies = []
        for n in range(_KEY_PRESSES):
            time.sleep(0.13)
            started = time.monotonic()
            self.press("?" if n % 2 == 0 else "b")
            latencies.append(self.wait_for("Keys" if n % 2 == 0 else "Next") - started)
        return max(latencies)

    def measure_cpu_share(self, seconds: float) -> float:
        """Measure the fraction of a core that the program uses for `seconds`; discards output."""
        before, started = self._cpu_seconds(), time.monotonic()
        while time.monotonic() - started < seconds:
            if select.select([self._terminal], [], [], 0.5)[0]:
                os.read(self._terminal, 65_536)
        return (self._cpu_seconds() - before) / (time.monotonic() - started)

    def _cpu_seconds(self) -> float:
        """Processor time in seconds so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        system: Any = os
        return float(int(fields[11]) + int(fields[12])) / float(system.sysconf("SC_CLK_TCK"))

    def close(self) -> None:
        """Kill the program."""
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)
