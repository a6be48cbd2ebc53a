"""Themes: the characters that screens are drawn with, and whether colors are used."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Theme:
    """Characters of rules and bars.

    Parameters
    ----------
    rule, thin_rule : str
        One character of a heavy and of a light horizontal rule.
    full, empty : str
        One character of the done and of the open part of a progress bar.
    levels : str
        Characters from an empty cell to a full one, for vertical bars.
    color : bool
        Whether lines are colored.
    """

    rule: str
    thin_rule: str
    full: str
    empty: str
    levels: str
    color: bool = False


ASCII = Theme("=", "-", "#", "-", " .:#")  # for every console, even with raster fonts
# For Windows Terminal and consoles with a TrueType font.
UNICODE = Theme("═", "─", "█", "░", " ▁▂▃▄▅▆▇█")
THEMES = {
    "ascii": ASCII,
    "unicode": UNICODE,
    "ascii-colour": replace(ASCII, color=True),
    "unicode-colour": replace(UNICODE, color=True),
}
