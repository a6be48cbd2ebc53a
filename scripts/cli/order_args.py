"""Builds orders from command line options."""

from __future__ import annotations

import argparse
import random
from dataclasses import replace

from scripts.batch.order import MAX_SEED, RECIPE_SUFFIX, Order, parse_formats, split_styles
from scripts.batch.order_file import read_order_file
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.core.settings import Settings
from scripts.request.request import SongRequest
from scripts.score.tuning import CONCERT_PITCH

# Options of an order and their defaults.
_SONG_OPTIONS = {
    "length": None,
    "key": None,
    "tempo": None,
    "meter": None,
    "tuning": CONCERT_PITCH,
    "binaural": 0.0,
    "loop": False,
    "seed": None,
    "model": "",
    "temperature": None,
    "form": None,
    "chords": None,
    "motif": None,
    "songs": 1,
    "out": None,
    "also": "",
}


def build_order(args: argparse.Namespace, settings: Settings, styles: str) -> Order:
    """Build one order from the options of a command."""
    temperature = settings.temperature if args.temperature is None else args.temperature
    seed = random.SystemRandom().randrange(1 << 31) if args.seed is None else args.seed
    request = SongRequest(
        styles=styles,
        length=args.length or ("" if args.command == "render" else settings.song_length),
        key=args.key,
        tempo=args.tempo,
        meter=args.meter,
        tuning=args.tuning,
        form=args.form,
        chords=args.chords,
        binaural=args.binaural,
        loop=args.loop,
        motif=args.motif,
    )
    return Order(
        request,
        args.songs,
        seed,
        args.model or settings.model,
        temperature,
        args.out or paths.OUTPUT,
        settings.bitrate,
        parse_formats(getattr(args, "also", "")),
        getattr(args, "file", None),
    )


def build_orders(args: argparse.Namespace, settings: Settings) -> list[Order]:
    """Build all orders of ``generate`` or ``render``.

    Raises
    ------
    UsageError
        When options contradict each other, or no style is given.
    """
    if args.command == "render":
        return [_render_order(args, settings)]
    styles = _styles(args)
    if args.job_file:
        if styles:
            raise UsageError("--job-file already contains styles; leave out STYLES and --styles")
        from scripts.batch.service import order_checker

        defaults = build_order(args, settings, "")
        return read_order_file(args.job_file, defaults, order_checker(settings))
    if not styles:
        raise UsageError(
            'no style given; try generate "Chill, Dubstep", or use --styles, --job-file or --resume'
        )
    parts = [part for text in styles for part in split_styles(text)]
    orders = [build_order(args, settings, part) for part in parts]
    # With equal seeds, two orders for the same style would make the same songs.
    return [
        replace(order, seed=(orders[0].seed + n * args.songs) % MAX_SEED)
        for n, order in enumerate(orders)
    ]


def check_resume_options(args: argparse.Namespace) -> None:
    """Reject options that have no effect on stored orders.

    Raises
    ------
    UsageError
        When such options are given.
    """
    ignored = _changed_options(args)
    ignored += ["--job-file"] * bool(args.job_file) + ["styles"] * bool(_styles(args))
    if ignored:
        raise UsageError(
            f"--resume continues stored orders as they were ordered; leave out {', '.join(ignored)}"
        )


def _render_order(args: argparse.Namespace, settings: Settings) -> Order:
    allowed = ("--out", "--also", "--songs")
    ignored = [option for option in _changed_options(args) if option not in allowed]
    if ignored and args.file.suffix.lower() == RECIPE_SUFFIX:
        raise UsageError(
            f"a recipe (.json) always renders the same song; leave out {', '.join(ignored)}"
        )
    return build_order(args, settings, args.styles)


def _changed_options(args: argparse.Namespace) -> list[str]:
    """Names of the order options that differ from their defaults."""
    return [
        f"--{name}" for name, default in _SONG_OPTIONS.items() if getattr(args, name) != default
    ]


def _styles(args: argparse.Namespace) -> list[str]:
    return [*([args.styles] if args.styles else []), *(args.more_styles or [])]
