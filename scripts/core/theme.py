"""The characters that screens are drawn with, and whether they have colours."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Theme:
    """One character each: the thick and the thin rule, a bar's done and open cells.

    Parameters
    ----------
    cells : str
        From an empty cell to a full one, for what grows upwards.
    colour : bool
    """

    rule: str
    thin: str
    full: str
    empty: str
    cells: str
    colour: bool = False


ASCII = Theme("=", "-", "#", "-", " .:#")  # shows on every console, also with raster fonts
# For Windows Terminal and consoles with a TrueType font.
UNICODE = Theme("═", "─", "█", "░", " ▁▂▃▄▅▆▇█")
THEMES = {
    "ascii": ASCII,
    "unicode": UNICODE,
    "ascii-colour": replace(ASCII, colour=True),
    "unicode-colour": replace(UNICODE, colour=True),
}
