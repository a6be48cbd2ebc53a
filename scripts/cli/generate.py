"""``launcher.py generate`` and ``launcher.py render``."""

from __future__ import annotations

import argparse
import threading

from scripts.batch.executors.base import MAX_WORKERS, default_workers
from scripts.cli.order_args import check_resume_options, plan_orders
from scripts.cli.plan import print_plans
from scripts.cli.progress import ProgressPrinter
from scripts.cli.signals import watch_for_cancel
from scripts.core import paths
from scripts.core.errors import Cancelled, UsageError
from scripts.core.settings import Settings

_POLL_INTERVAL = 0.2  # seconds between checks while waiting for an order


def generate(args: argparse.Namespace, settings: Settings) -> int:
    """Make songs; status 1 when one failed."""
    if args.jobs is not None and not 1 <= args.jobs <= MAX_WORKERS:
        raise UsageError(f"invalid --jobs {args.jobs}: expected 1 to {MAX_WORKERS}")
    serve, resume = getattr(args, "serve", False), getattr(args, "resume", False)
    if resume:
        check_resume_options(args)
    plans = None if serve or resume else plan_orders(args, settings)
    if plans is not None and args.command == "generate":
        print_plans(plans, args, to_stdout=args.dry_run)
        if args.dry_run:
            return 0
    orders = None if plans is None else [item.order for item in plans]
    from scripts.batch.composing import ComposingService
    from scripts.batch.executors.process import ProcessExecutor
    from scripts.batch.service import BatchOptions, make_songs, resume_orders

    if args.watch_input:
        # On Windows, SciPy's Fortran runtime blocks forever if it is loaded while a thread reads
        # standard input, so load it first.
        import scripts.production.produce  # noqa: F401
    workers = default_workers() if args.jobs is None else args.jobs
    waits, begun = getattr(args, "wait", False), threading.Event()
    cancelled = watch_for_cancel(args.watch_input, begun if waits else None)
    composing, executor = ComposingService(settings, cancelled, args.model_worker), None
    if waits:
        executor = ProcessExecutor(workers)
        composing.prepare(settings.model)
        while not begun.wait(_POLL_INTERVAL):
            if cancelled():
                executor.close()
                composing.close()
                return 0
    is_endless = any(order.endless for order in orders or ())
    total = 0 if orders is None or is_endless else sum(order.songs for order in orders)
    printer = ProgressPrinter(args.json, total)
    options = BatchOptions(
        workers,
        getattr(args, "cluster", "") or "",
        composing,
        executor,
        paths.LIVE if serve else None,
    )
    try:
        if orders is None:
            failures = resume_orders(settings, printer, cancelled, options, reopen=not serve)
        else:
            failures = make_songs(orders, settings, printer, cancelled, options)
    except Cancelled as error:
        what = "the song" if printer.songs == 1 else "the remaining songs"
        raise Cancelled(f"interrupted; 'generate --resume' continues with {what}") from error
    finally:
        printer.close()
    return 1 if failures and not serve else 0  # the menu receives failures as events
