"""``launcher.py compose``: only the lead sheet, as ABC."""

from __future__ import annotations

import argparse

from scripts.batch.composing import ComposingService
from scripts.cli.console import print_json, print_message
from scripts.cli.order_args import plan_orders
from scripts.cli.signals import watch_for_cancel
from scripts.core.atomic_files import write_text
from scripts.core.errors import UsageError
from scripts.core.filenames import sanitize_filename
from scripts.core.settings import Settings
from scripts.score.abc_writer import write_abc


def compose(args: argparse.Namespace, settings: Settings) -> int:
    """Compose lead sheets and write them to standard output or a folder."""
    plans = plan_orders(args, settings)
    if any(plan.order.endless for plan in plans):
        raise UsageError("compose writes a number of sheets; give one with --songs")
    with ComposingService(settings, watch_for_cancel()) as composing:
        for plan in plans:
            notes = plan.understood.notes if plan.understood else ()
            for warning in (*notes, *composing.check_order(plan.order)):
                _notice(args, warning, event="note", text=warning)
        songs = [(plan.order, n) for plan in plans for n in range(1, plan.order.songs + 1)]
        for number, (order, song) in enumerate(songs, 1):
            spec = composing.build_spec(order, song)
            composition = composing.compose_sheet(
                order, spec, order.temperature, lambda *event: None
            )
            sheet = composition.sheet
            text = write_abc(sheet, number)
            if args.out:
                path = args.out / f"{sanitize_filename(sheet.title)} {spec.seed}.abc"
                write_text(path, text)
                _notice(args, str(path), event="file", path=str(path))
            elif args.json:
                print_json(
                    event="sheet",
                    abc=text,
                    title=sheet.title,
                    key=str(spec.key),
                    tempo=spec.tempo,
                    seed=spec.seed,
                    model=composition.model,
                )
            else:
                print(text, end="" if number == len(songs) else "\n")
    return 0


def _notice(args: argparse.Namespace, line: str, **message: object) -> None:
    if args.json:
        print_json(**message)
    else:
        print_message(line)
