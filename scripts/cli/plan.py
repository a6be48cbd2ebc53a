"""``launcher.py plan``: how a request is understood; makes nothing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from scripts.batch.executors.base import default_workers
from scripts.batch.order import Order
from scripts.batch.planned_order import PlannedOrder
from scripts.batch.speed import load_speed
from scripts.cli.console import print_json, print_line, print_message
from scripts.cli.order_args import plan_orders
from scripts.core import paths
from scripts.core.settings import Settings
from scripts.request.build import build_spec
from scripts.request.interpret.plan import describe_plan, plan_to_json
from scripts.request.request import ENDLESS
from scripts.request.spec import SongSpec
from scripts.styles.style import load_styles


def plan(args: argparse.Namespace, settings: Settings) -> int:
    """Print how each text is understood."""
    print_plans(plan_orders(args, settings), args, to_stdout=True)
    return 0


def print_plans(
    plans: Sequence[PlannedOrder], args: argparse.Namespace, to_stdout: bool = False
) -> None:
    """Print how the texts of orders are understood.

    Parameters
    ----------
    plans : sequence of PlannedOrder
    args : Namespace
    to_stdout : bool
        Whether a plan is the result of the command, and not a notice before its work.
    """
    styles = load_styles(paths.DATA / "styles")
    workers = default_workers() if args.jobs is None else args.jobs
    for item in plans:
        if item.understood is None:
            continue
        spec = build_spec(item.order.request, styles, item.order.seed)
        seconds = estimate_seconds(item.order, spec, workers)
        songs = ENDLESS if item.order.endless else item.order.songs
        if args.json:
            print_json(event="plan", **plan_to_json(item.understood, spec, songs, seconds))
            continue
        show = print_line if to_stdout else print_message
        show(describe_plan(item.understood, spec, songs, seconds))
        for note in (*item.understood.notes, *spec.warnings):
            print_message(note)


def estimate_seconds(order: Order, spec: SongSpec, workers: int) -> float:
    """Estimate the seconds to make an order, from the speed measured on this computer.

    For an order without end: its first song.
    """
    songs = 1 if order.endless else order.songs
    return load_speed(paths.SPEED).estimate(order.model, songs, spec.length, workers)
