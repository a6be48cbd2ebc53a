"""Opens the menu on the terminal that the program runs in."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from scripts.core.errors import UsageError
from scripts.core.settings import Settings
from scripts.tui.app import App
from scripts.tui.terminal import CursesScreen


def run_menu(settings: Settings, notes: Sequence[str] = ()) -> int:
    """Open the menu on this terminal; `notes` is what the user should know first."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise UsageError(
            "the menu needs a console; use a command such as "
            "'launcher.py generate \"Chill\" --songs 3'"
        )
    try:
        import curses
    except ImportError as error:
        raise UsageError("curses is missing; run 'python requisites.py'") from error
    os.environ.setdefault("ESCDELAY", "25")
    for name in ("LINES", "COLUMNS"):  # exported by some shells; curses would never see a resize
        os.environ.pop(name, None)
    status: int = curses.wrapper(
        lambda window: App(CursesScreen(window), settings, notes=notes).run()
    )
    return status
