"""A real terminal to run programs in: tmux."""

from __future__ import annotations

import itertools
import os
import subprocess

from tests.support.waiting import until


class Terminal:
    """A tmux session with one window, in which `command` runs."""

    _numbers = itertools.count()  # a server that is still going would refuse its name to the next

    def __init__(
        self, command: str, size: tuple[int, int] = (80, 24), env: dict[str, str] | None = None
    ) -> None:
        self.socket = f"lmg-{os.getpid()}-{next(self._numbers)}"
        self._env = env
        self._call(
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-s",
            "t",
            "-x",
            str(size[0]),
            "-y",
            str(size[1]),
            command,
        )

    def type(self, *keys: str) -> None:
        self._call("send-keys", "-t", "t", *keys)

    def resize(self, columns: int, lines: int) -> None:
        self._call("resize-window", "-t", "t", "-x", str(columns), "-y", str(lines))

    def screen(self, above: int = 0) -> str:
        """What is shown, with so many lines that have scrolled away."""
        return self._call("capture-pane", "-t", "t", "-p", "-S", str(-above))

    def wait(self, text: str, seconds: float = 60, above: int = 0) -> str:
        """The screen, once it shows `text`."""

        def shown() -> str:
            screen = self.screen(above)
            return screen if text in screen else ""

        return str(until(shown, seconds, lambda: f"{text!r} never came:\n{self.screen(above)}"))

    def order(self, styles: str, songs: int) -> None:
        """From the main menu, ask for songs as a user does."""
        self.wait("1. Generate Music")
        self.type("1")
        self.wait("What kind of music")
        self.type(styles, "Enter")
        self.wait("How many songs")
        self.type(str(songs), "Enter")

    def listen(self, title: str) -> None:
        """In the jukebox, do what a listener does in an evening; `title` is one of the songs."""
        for key, shown in (
            ("4", "[****-]"),
            ("s", "Shuffle on"),
            ("r", "Repeat one"),
            ("t", "Sleep 14:"),
            ("i", "About "),
            ("b", "Next 5 Songs:"),
            ("?", "30 seconds on"),
            ("b", "Next 5 Songs:"),
            ("/", "Which song?"),
        ):
            self.type(key)
            self.wait(shown)
        self.type(title, "Enter")
        self.wait(f"Playing song: {title}")
        self.type("r")
        self.wait("Repeat off")
        self.type("r")
        self.wait("Repeat all")

    def close(self) -> None:
        """Close the window, whatever runs in it."""
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, check=False)

    def _call(self, *words: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self.socket, *words],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
            timeout=20,
            env=self._env,
        ).stdout
