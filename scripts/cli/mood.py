"""``launcher.py mood``: a song, light and a narration for a feeling."""

from __future__ import annotations

import argparse

import msgspec

from scripts.batch.planned_order import PlannedOrder
from scripts.batch.service import BatchOptions, make_songs
from scripts.batch.states import StoredOrder
from scripts.cli.console import print_json, print_line
from scripts.cli.order_args import open_interpreter, plan_mood
from scripts.cli.plan import print_plans
from scripts.cli.progress import ProgressPrinter
from scripts.cli.signals import watch_for_cancel
from scripts.core.errors import Cancelled, StorageError
from scripts.core.settings import Settings
from scripts.library.songs import Song
from scripts.lights.show_file import load_show
from scripts.production.mood_reply import MoodReply, build_reply, lighting_of_show
from scripts.request.interpret.mood_head import MoodReading


class _SongCatcher(ProgressPrinter):
    """Prints progress, and remembers the finished song instead of printing it."""

    song: Song | None = None

    def finished(self, order: StoredOrder, number: int, song: Song) -> None:
        self.song = song
        self.close()


def mood(args: argparse.Namespace, settings: Settings) -> int:
    """Make a song for a feeling and print the answer."""
    with open_interpreter(args, settings) as interpreter:
        plan, reading = plan_mood(args, settings, interpreter)
    if not args.json:
        print_plans([plan], args)
    cancelled = watch_for_cancel()
    printer = _SongCatcher(False, 1)
    try:
        failures = make_songs([plan.order], settings, printer, cancelled, BatchOptions(1))
    except Cancelled as error:
        raise Cancelled("interrupted; 'generate --resume' makes the song after all") from error
    finally:
        printer.close()
    if failures or printer.song is None:
        return 1
    reply = _answer(plan, reading, printer.song)
    if args.json:
        print_json(**msgspec.to_builtins(reply))
    else:
        _print_reply(reply)
    return 0


def _answer(plan: PlannedOrder, reading: MoodReading, song: Song) -> MoodReply:
    feeling, show = plan.order.request.feeling, load_show(song.path)
    if feeling is None or show is None:
        raise StorageError(f"{song.path}: its light show cannot be read; make the song again")
    return build_reply(feeling, reading.ranked, song.path, song.details, lighting_of_show(show))


def _print_reply(reply: MoodReply) -> None:
    print_line(reply.narration)
    others = ", ".join(f"{r.mood_id} {r.probability:.0%}" for r in reply.runners_up)
    hints = reply.diagnostics
    print_line(
        f"{reply.track.mood_id} {reply.probability:.0%} ({others}); "
        f"valence {hints.valence_hint:.2f}, arousal {hints.arousal_hint:.2f}"
    )
    print_line(reply.track.preview_uri)
