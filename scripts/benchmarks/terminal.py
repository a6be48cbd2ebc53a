"""The real menu in a terminal of its own, for the benchmark. Not on Windows."""

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

_KEYS = 20


class Menu:
    """The program in a terminal of its own."""

    def __init__(self, home: Path) -> None:
        # Windows has none of these modules; its types must not be looked for.
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
        os.write(self._terminal, key.encode())

    def wait(self, text: str, seconds: float = 20.0) -> float:
        """Read what is drawn until `text` is; when that was."""
        seen, deadline = "", time.monotonic() + seconds
        while time.monotonic() < deadline:
            if select.select([self._terminal], [], [], 0.01)[0]:
                seen += os.read(self._terminal, 65_536).decode("utf-8", "replace")
                if text in seen:
                    return time.monotonic()
        raise TimeoutError(f"{text!r} was not drawn: {seen[-300:]!r}")

    def delay(self) -> float:
        """Most seconds from a key to what it draws, of some."""
        found = []
        for n in range(_KEYS):
            time.sleep(0.13)
            begun = time.monotonic()
            self.press("?" if n % 2 == 0 else "b")
            found.append(self.wait("Keys" if n % 2 == 0 else "Next") - begun)
        return max(found)

    def share(self, seconds: float) -> float:
        """Share of a core that the program uses; what it draws is read meanwhile."""
        before, begun = self._used(), time.monotonic()
        while time.monotonic() - begun < seconds:
            if select.select([self._terminal], [], [], 0.5)[0]:
                os.read(self._terminal, 65_536)
        return (self._used() - before) / (time.monotonic() - begun)

    def _used(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        system: Any = os
        return float(int(fields[11]) + int(fields[12])) / float(system.sysconf("SC_CLK_TCK"))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)
