"""``launcher.py bench``."""

from __future__ import annotations

import argparse

from scripts.core.settings import Settings


def bench(args: argparse.Namespace, settings: Settings) -> int:
    """Measure speeds and print them as ratios."""
    from scripts.benchmarks.run import run_bench

    return run_bench(args.model, settings, args.json, args.long)
