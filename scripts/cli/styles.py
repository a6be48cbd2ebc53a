"""``launcher.py styles``: lists the styles."""

from __future__ import annotations

import argparse

from scripts.cli.console import print_json, print_line
from scripts.core import paths
from scripts.core.settings import Settings
from scripts.styles.style import load_styles


def list_styles(args: argparse.Namespace, settings: Settings) -> int:
    """List the styles, their tempo ranges and the words that select them."""
    for style in load_styles(paths.DATA / "styles").values():
        if args.json:
            print_json(
                name=style.name,
                kind=style.kind,
                genre=style.genre,
                tempo=list(style.tempo),
                words=list(style.words),
                instruments={role: track.instrument for role, track in style.tracks.items()},
            )
        else:
            tempo = f"{style.tempo[0]:g}-{style.tempo[1]:g}"
            words = ", ".join(word for word in style.words if word.isascii())
            print_line(f"{style.name:<14} {style.kind:<6} {tempo:>8} bpm  {words}")
    return 0
