"""``launcher.py help``."""

from __future__ import annotations

import argparse

from scripts.cli.parser import build_parser
from scripts.core.settings import Settings


def show_help(args: argparse.Namespace, settings: Settings) -> int:
    """Print the help of a command, or of the program."""
    build_parser().parse_args([*args.topic, "--help"])
    return 0  # pragma: no cover - argparse has exited
