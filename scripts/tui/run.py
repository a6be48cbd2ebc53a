"""Entry point of the menu on the current terminal."""

from __future__ import annotations

import argparse
import os
import sys

from scripts.core.errors import UsageError
from scripts.core.log import set_up_logging
from scripts.core.priority import raise_player_priority
from scripts.core.settings import Settings
from scripts.tui.app import App
from scripts.tui.terminal import CursesScreen

_FALLBACK_TERMS = ("xterm", "vt100", "ansi")  # where TERM is not in the terminal database


def menu(args: argparse.Namespace, settings: Settings) -> int:
    """Open the menu on this terminal.

    Raises
    ------
    UsageError
        When there is no terminal, or one that cannot place text.
    """
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise UsageError(
            "the menu needs a console; use a command such as "
            "'launcher.py generate \"Chill\" --songs 3'"
        )
    try:
        import curses
    except ImportError as error:
        raise UsageError("curses is missing; run 'python requisites.py'") from error
    set_up_logging(args.debug)  # --verbose would print the log over the screen
    raise_player_priority()
    _choose_term()
    os.environ.setdefault("ESCDELAY", "25")
    for name in ("LINES", "COLUMNS"):  # some shells export them; curses would miss every resize
        os.environ.pop(name, None)
    addresses = " ".join(getattr(args, "lights", None) or settings.lamps.split())
    status: int = curses.wrapper(
        lambda window: App(
            CursesScreen(window), settings, notices=args.notices, lamps=addresses
        ).run()
    )
    return status


def _choose_term() -> None:
    """Replace an unknown TERM by a common one.

    Raises
    ------
    UsageError
        When the terminal is a dumb one, or none is known.
    """
    if sys.platform == "win32":
        return
    import curses

    term = os.environ.get("TERM", "")
    if term != "dumb":
        for name in (term, *_FALLBACK_TERMS):
            try:
                curses.setupterm(name, sys.stdout.fileno())
            except curses.error:
                continue
            os.environ["TERM"] = name
            return
    raise UsageError(
        f'the menu cannot be drawn on the terminal "{term[:40]}"; set TERM (for example '
        "TERM=xterm), or use a command such as 'launcher.py generate \"Chill\"'"
    )
