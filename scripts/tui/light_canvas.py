"""The light of the music over a whole console, with words on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scripts.lights.show import Light
from scripts.styles.moods import Rgb
from scripts.tui.color_depth import ColorDepth, background, foreground
from scripts.tui.layout import Size, clip, display_width

_EDGE = 0.45  # by which the light is weaker at the top and bottom of the console
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_BRIGHT = 110  # luminance from which words are black
_SHADES = " .:-=+*#%@"
_ERASE_LINE = "\x1b[K"  # fills the rest of the line with the background


@dataclass(frozen=True)
class LightRow:
    """A line of the console: its color, its brightness (0 to 1), and words on it."""

    rgb: Rgb
    level: float
    text: str = ""


def paint(light: Light, size: Size, texts: Mapping[int, str]) -> list[LightRow]:
    """Paint a console.

    Parameters
    ----------
    light : Light
    size : (int, int)
        Columns and lines.
    texts : mapping of int to str
        Words by line.
    """
    columns, lines = size
    rows = []
    for y in range(lines):
        edge = abs(2 * (y + 0.5) / lines - 1)
        dimmed = Light(light.color, light.level * (1 - _EDGE * edge * edge))
        text = clip(texts.get(y, ""), columns - 1)
        rows.append(LightRow(dimmed.rgb, dimmed.level, text))
    return rows


def encode(rows: list[LightRow], depth: ColorDepth) -> str:
    """Convert to escape sequences that draw all rows from the top left corner."""
    parts = []
    for y, row in enumerate(rows, 1):
        ink = _BLACK if _luminance(row.rgb) > _BRIGHT else _WHITE
        color = background(row.rgb, depth) + (foreground(ink, depth) if row.text else "")
        parts.append(f"\x1b[{y};1H{color}{row.text}{_ERASE_LINE}")
    return "".join(parts) + "\x1b[0m"


def shade(rows: list[LightRow], columns: int) -> list[str]:
    """Convert to lines of characters, for consoles without colors."""
    lines = []
    for row in rows:
        char = _SHADES[min(len(_SHADES) - 1, int(row.level * len(_SHADES)))]
        stripped = row.text.strip()
        if not stripped:
            lines.append(char * columns)
            continue
        left = max(0, len(row.text) - len(row.text.lstrip()) - 1)
        words = f"{char * left} {stripped} "
        lines.append(words + char * max(0, columns - display_width(words)))
    return lines


def _luminance(rgb: Rgb) -> float:
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
