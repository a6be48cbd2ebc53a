"""The terminal: what the program needs of one, and curses as one."""

from __future__ import annotations

import os
from typing import Any, Protocol

from scripts.tui import keys


class Screen(Protocol):
    """What the program needs of a terminal."""

    def size(self) -> tuple[int, int]:
        """Columns and lines."""

    def show(self, lines: list[str]) -> None:
        """Put lines on the screen."""

    def key(self, wait: float) -> str:
        """The name of the next key, empty when none came within `wait` seconds."""


class CursesScreen:
    """A curses window; only the thread that made it may use it."""

    def __init__(self, window: Any) -> None:
        import curses
        self._curses, self._window = curses, window
        self._seen = (0, 0)
        window.keypad(True)
        try:
            curses.curs_set(0)
        except curses.error:
            pass

    def size(self) -> tuple[int, int]:
        lines, columns = self._window.getmaxyx()
        return columns, lines

    def show(self, lines: list[str]) -> None:
        self._window.erase()
        columns = self.size()[0]
        for row, line in enumerate(lines):
            try:
                # The bottom right cell cannot be written, so the last line is one shorter.
                last = row == len(lines) - 1
                self._window.addstr(row, 0, line[:columns - 1] if last else line)
            except self._curses.error:
                pass
        self._window.refresh()

    def key(self, wait: float) -> str:
        self._window.timeout(int(wait * 1000))
        try:
            pressed = self._window.get_wch()
        except self._curses.error:
            return keys.RESIZE if self._window_changed() else ""
        except KeyboardInterrupt:
            return "ctrl-c"
        name = keys.name_of(pressed)
        if name == keys.RESIZE:
            self._resize()
        return name

    def _window_changed(self) -> bool:
        """Follow a window of Windows that was made smaller: it scrolls then, and tells nobody."""
        if os.name != "nt":
            return False
        try:
            columns, lines = os.get_terminal_size(1)
        except (OSError, ValueError):
            return False
        if (columns, lines) in (self.size(), self._seen):
            return False
        self._seen = (columns, lines)  # tried once: a console may refuse
        self._resize()
        return True

    def _resize(self) -> None:
        try:
            self._curses.update_lines_cols()
            if os.name == "nt":
                self._curses.resize_term(0, 0)
        except (AttributeError, self._curses.error):
            pass
