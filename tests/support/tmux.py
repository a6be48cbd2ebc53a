"""Real terminal to run programs in, based on tmux."""

from __future__ import annotations

import itertools
import os
import subprocess

from tests.support.waiting import wait_until


class Terminal:
    """A tmux session with one window, in which `command` runs."""

    _session_numbers = itertools.count()  # unique names: an older server may be running

    def __init__(
        self, command: str, size: tuple[int, int] = (80, 24), env: dict[str, str] | None = None
    ) -> None:
        self.socket = f"lmg-{os.getpid()}-{next(self._session_numbers)}"
        self._env = env
        self._run_tmux(
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
        self._run_tmux("send-keys", "-t", "t", *keys)

    def resize(self, columns: int, lines: int) -> None:
        self._run_tmux("resize-window", "-t", "t", "-x", str(columns), "-y", str(lines))

    def screen(self, scrollback: int = 0, colors: bool = False) -> str:
        """Return the text on the screen and `scrollback` lines that were scrolled away.

        With `colors` its escape sequences are included.
        """
        options = ["-p", *["-e"] * colors, "-S", str(-scrollback)]
        return self._run_tmux("capture-pane", "-t", "t", *options)

    def wait(self, text: str, seconds: float = 60, scrollback: int = 0) -> str:
        """Wait until the screen shows `text`, and return the screen."""

        def find_text() -> str:
            screen = self.screen(scrollback)
            return screen if text in screen else ""

        return str(
            wait_until(
                find_text, seconds, lambda: f"{text!r} never appeared:\n{self.screen(scrollback)}"
            )
        )

    def place_order(self, styles: str, songs: int) -> None:
        """Order songs from the main menu, as a user does."""
        self.wait("1. Generate Music")
        self.type("1")
        self.wait("What kind of music")
        self.type(styles, "Enter")
        self.wait("How many songs")
        self.type(str(songs), "Enter")
        self.wait("Start = Enter")
        self.type("Enter")

    def try_jukebox_keys(self, title: str) -> None:
        """Try the keys of the jukebox, as a listener does; `title` is one of the songs."""
        for key, shown in (
            ("4", "[****-]"),
            ("s", "Shuffle on"),
            ("r", "Repeat one"),
            ("t", "Sleep 14:"),
            ("i", "About "),
            ("b", "Next 5 Songs:"),
            ("?", "30 seconds forward"),
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
        """End the session and the program in it."""
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, check=False)

    def _run_tmux(self, *arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self.socket, *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
            timeout=20,
            env=self._env,
        ).stdout
