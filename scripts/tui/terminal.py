"""Terminal interface of the menu, and its implementation with curses."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Protocol

from scripts.tui import keys
from scripts.tui.color_depth import ColorDepth, enable_escape_sequences, find_color_depth
from scripts.tui.light_canvas import LightRow, encode, shade
from scripts.tui.line_styles import BAR, FOOTER, MESSAGE, PLAIN, RULE, SONG, TITLE, line_styles


class Screen(Protocol):
    """Terminal, as far as the menu needs it."""

    def size(self) -> tuple[int, int]:
        """Return columns and lines."""

    def show(self, lines: list[str], colored: bool) -> None:
        """Replace the contents of the screen by `lines`, from the top."""

    def show_light(self, rows: list[LightRow]) -> None:
        """Replace the contents of the screen by light, a row a line."""

    def read_key(self, timeout: float) -> str:
        """Return the name of the next key; "" when none came within `timeout` seconds."""


class CursesScreen:
    """Screen on a curses window; only the thread that created it may use it."""

    def __init__(self, window: Any) -> None:
        import curses

        self._curses, self._window = curses, window
        self._tried_size = (0, 0)
        self._shown: list[tuple[str, int]] = []
        self._is_light = False  # whether the screen shows what curses does not know of
        window.keypad(True)
        with contextlib.suppress(curses.error):
            curses.curs_set(0)
        self._attributes = _attributes(curses)
        self._depth: ColorDepth | None = None
        with contextlib.suppress(curses.error, AttributeError):
            curses.mousemask(curses.ALL_MOUSE_EVENTS)
            curses.mouseinterval(0)  # report a press at once, do not wait for a click

    def size(self) -> tuple[int, int]:
        lines, columns = self._window.getmaxyx()
        return columns, lines

    def show_light(self, rows: list[LightRow]) -> None:
        if self._depth is None:
            colors = self._curses.COLORS if self._curses.has_colors() else 0
            self._depth = find_color_depth(os.environ, colors, enable_escape_sequences())
        if self._depth == ColorDepth.NONE:
            self.show(shade(rows, self.size()[0]), False)
            return
        # Curses knows only colors that it has set itself; 24 bits are written past it.
        data = encode(rows, self._depth).encode("utf-8", "replace")
        with contextlib.suppress(OSError):
            os.write(sys.stdout.fileno(), data)
        self._shown, self._is_light = [], True

    def show(self, lines: list[str], colored: bool) -> None:
        if self._is_light:
            self._is_light = False
            self._window.clear()
        styled = list(
            zip(lines, line_styles(lines) if colored else [PLAIN] * len(lines), strict=True)
        )
        redraw_all = len(styled) != len(self._shown)
        if redraw_all:
            self._window.erase()
        columns = self.size()[0]
        for row, (line, style) in enumerate(styled):
            if not redraw_all and self._shown[row] == (line, style):
                continue
            with contextlib.suppress(self._curses.error):
                self._window.move(row, 0)
                self._window.clrtoeol()
                # The bottom right cell cannot be written, so the last line is one shorter.
                last = row == len(lines) - 1
                text = self._encodable(line[: columns - 1] if last else line)
                self._window.addstr(row, 0, text, self._attributes[style])
        self._shown = styled
        self._window.refresh()

    def _encodable(self, text: str) -> str:
        """Replace what the terminal's encoding lacks, as in the C locale."""
        if text.isascii():
            return text
        encoding = getattr(self._window, "encoding", "utf-8")
        return text.encode(encoding, "replace").decode(encoding)

    def read_key(self, timeout: float) -> str:
        self._window.timeout(int(timeout * 1000))
        try:
            pressed = self._window.get_wch()
        except self._curses.error:
            return keys.RESIZE if self._detect_resize() else ""
        except KeyboardInterrupt:
            return "ctrl-c"
        if pressed == getattr(self._curses, "KEY_MOUSE", None):
            return self._read_mouse()
        name = keys.key_name(pressed)
        if name == keys.RESIZE:
            self._resize()
        return name

    def _read_mouse(self) -> str:
        """Read a click or a wheel step as a key name."""
        try:
            _, x, y, _, buttons = self._curses.getmouse()
        except self._curses.error:
            return ""
        if buttons & self._curses.BUTTON4_PRESSED:
            return keys.WHEEL_UP
        if buttons & getattr(self._curses, "BUTTON5_PRESSED", 0x200000):
            return keys.WHEEL_DOWN
        if buttons & (self._curses.BUTTON1_PRESSED | self._curses.BUTTON1_CLICKED):
            return f"{keys.CLICK} {x} {y}"
        return ""

    def _detect_resize(self) -> bool:
        """Detect that a Windows console was shrunk: it scrolls then and sends no resize key."""
        if os.name != "nt":
            return False
        try:
            columns, lines = os.get_terminal_size(1)
        except (OSError, ValueError):
            return False
        if (columns, lines) in (self.size(), self._tried_size):
            return False
        self._tried_size = (columns, lines)  # try each size only once: a console may refuse it
        self._resize()
        return True

    def _resize(self) -> None:
        self._shown = []
        try:
            self._curses.update_lines_cols()
            if os.name == "nt":
                self._curses.resize_term(0, 0)
        except (AttributeError, self._curses.error):
            pass


def _attributes(curses: Any) -> dict[int, int]:
    """Curses attributes of each line style: colors, or bold where there are none."""
    attributes = dict.fromkeys(range(7), 0) | {TITLE: curses.A_BOLD, SONG: curses.A_BOLD}
    colors = {
        RULE: curses.COLOR_BLUE,
        TITLE: curses.COLOR_CYAN,
        MESSAGE: curses.COLOR_GREEN,
        SONG: curses.COLOR_YELLOW,
        BAR: curses.COLOR_MAGENTA,
        FOOTER: curses.COLOR_CYAN,
    }
    try:
        curses.start_color()
        if not curses.has_colors():
            return attributes
        background = -1
        try:
            curses.use_default_colors()  # otherwise curses sets white on black
        except curses.error:
            background = curses.COLOR_BLACK
        if os.environ.get("NO_COLOR"):  # https://no-color.org
            return attributes
        for style, color in colors.items():
            curses.init_pair(style, color, background)
            attributes[style] |= curses.color_pair(style)
    except curses.error:
        pass
    return attributes
