"""The characters that screens are drawn with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """One character each: the thick and the thin rule, a bar's done and open cells."""

    rule: str
    thin: str
    full: str
    empty: str


ASCII = Theme("=", "-", "#", "-")  # shows on every console, also with raster fonts
UNICODE = Theme("═", "─", "█", "░")  # for Windows Terminal and consoles with a TrueType font
THEMES = {"ascii": ASCII, "unicode": UNICODE}
