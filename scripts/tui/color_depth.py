"""How many colors a console shows, and colors as its escape sequences."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache

from scripts.styles.moods import Rgb

_STEPS = (0, 95, 135, 175, 215, 255)  # of each color in the cube of 256-color consoles
_DARK = 60  # below which a color of a 16-color console is black
_BRIGHT = 170  # from which it is one of the bright ones
_ENABLE_VT = 0x0004  # of the Windows API: ENABLE_VIRTUAL_TERMINAL_PROCESSING
_STDOUT_HANDLE = -11


class ColorDepth(IntEnum):
    """Colors of a console."""

    NONE = 0
    BASIC = 16
    INDEXED = 256
    TRUE = 1 << 24


def find_color_depth(environ: Mapping[str, str], colors: int, has_vt: bool) -> ColorDepth:
    """Find out how many colors a console shows.

    Parameters
    ----------
    environ : mapping
        The environment.
    colors : int
        As the terminal database has it.
    has_vt : bool
        Whether it is a Windows console that follows escape sequences: those show 24 bits.
    """
    if environ.get("NO_COLOR"):  # https://no-color.org
        return ColorDepth.NONE
    if sys.platform == "win32":
        return ColorDepth.TRUE if has_vt else ColorDepth.NONE
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return ColorDepth.TRUE
    if colors >= ColorDepth.INDEXED:
        return ColorDepth.INDEXED
    return ColorDepth.BASIC if colors >= 8 else ColorDepth.NONE


def enable_escape_sequences() -> bool:
    """Let the Windows console follow escape sequences; whether it does."""
    if sys.platform != "win32":
        return False
    import ctypes

    kernel = ctypes.windll.kernel32
    handle, mode = kernel.GetStdHandle(_STDOUT_HANDLE), ctypes.c_uint32()
    if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
        return False
    return bool(kernel.SetConsoleMode(handle, mode.value | _ENABLE_VT))


def background(rgb: Rgb, depth: ColorDepth) -> str:
    """Escape sequence that sets the background."""
    return _sequence(rgb, depth, 40)


def foreground(rgb: Rgb, depth: ColorDepth) -> str:
    """Escape sequence that sets the color of text."""
    return _sequence(rgb, depth, 30)


@lru_cache(maxsize=4096)
def _sequence(rgb: Rgb, depth: ColorDepth, base: int) -> str:
    if depth == ColorDepth.TRUE:
        return f"\x1b[{base + 8};2;{rgb[0]};{rgb[1]};{rgb[2]}m"
    if depth == ColorDepth.INDEXED:
        return f"\x1b[{base + 8};5;{_index(rgb)}m"
    brightest = max(rgb)
    if brightest < _DARK:
        return f"\x1b[{base}m"
    bits = sum(1 << i for i, value in enumerate(rgb) if value > brightest / 2)
    return f"\x1b[{base + bits + (60 if brightest >= _BRIGHT else 0)}m"


def _index(rgb: Rgb) -> int:
    """Nearest color of the 6 x 6 x 6 cube or the grays of a 256-color console."""
    places = [min(range(6), key=lambda i: abs(_STEPS[i] - value)) for value in rgb]
    cube = tuple(_STEPS[i] for i in places)
    gray = min(23, max(0, round((sum(rgb) / 3 - 8) / 10)))
    shade = 8 + 10 * gray
    if _distance(rgb, (shade, shade, shade)) < _distance(rgb, (cube[0], cube[1], cube[2])):
        return 232 + gray
    return 16 + 36 * places[0] + 6 * places[1] + places[2]


def _distance(first: Rgb, second: Rgb) -> int:
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))
