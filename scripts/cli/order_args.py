"""Builds orders from command line options."""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from scripts.batch.interpreter import Interpreter
from scripts.batch.order import (
    MAX_SEED,
    RECIPE_SUFFIX,
    Order,
    parse_formats,
    parse_size,
    parse_until,
    split_styles,
)
from scripts.batch.order_file import read_order_file
from scripts.batch.planned_order import PlannedOrder
from scripts.batch.suggester import find_suggester, open_choices
from scripts.cli.console import print_message, print_notice
from scripts.core import paths
from scripts.core.errors import ModelError, UsageError
from scripts.core.settings import Settings
from scripts.request.interpret.mood_head import MoodReading
from scripts.request.parse import read_length
from scripts.request.request import ENDLESS, SongRequest
from scripts.score.tuning import CONCERT_PITCH
from scripts.styles.moods import load_moods
from scripts.styles.style import Style, load_styles

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
    "energy": None,
    "instruments": None,
    "without": None,
    "songs": None,
    "until": None,
    "keep": None,
    "out": None,
    "also": "",
}


def plan_order(
    args: argparse.Namespace, settings: Settings, text: str, interpreter: Interpreter
) -> PlannedOrder:
    """Understand a text and build the order; options take precedence over the text.

    Raises
    ------
    UsageError
        When the text or an option is invalid.
    """
    understood = interpreter.interpret(text, _request(args, "", ""))
    songs = understood.songs or "1" if args.songs is None else args.songs
    order = _order(args, settings, understood.request, songs)
    if order.endless and understood.until and not args.until:
        order = replace(order, until=parse_until(understood.until, datetime.now()))
    elif understood.until and not order.endless:
        note = f'"until {understood.until}" is left out: --songs sets how many songs are made'
        understood = replace(understood, notes=(*understood.notes, note))
    return PlannedOrder(order, understood)


def plan_mood(
    args: argparse.Namespace, settings: Settings, interpreter: Interpreter
) -> tuple[PlannedOrder, MoodReading]:
    """Understand a text as a feeling and build the order of one song.

    Raises
    ------
    UsageError
        When the text or an option is invalid.
    SetupError
        When moods cannot be understood.
    """
    if args.songs is not None and str(args.songs) != "1":
        raise UsageError("mood makes one song; leave out --songs")
    suggester = find_suggester(settings, args.model, interpreter.styles, paths.MODELS, paths.DATA)

    def choose(text: str, reading: MoodReading) -> str:
        assert suggester
        print_message(f"Asking {suggester.info.name} which mood it is...")
        try:
            return suggester.choose_mood(text, reading, load_moods(paths.DATA / "moods.toml"))
        except ModelError as error:
            print_notice(f"{error}; the likeliest mood is taken")
            return reading.mood

    request = _request(args, "", "")
    understood, reading = interpreter.interpret_mood(
        args.styles, request, choose if suggester else None
    )
    if understood.songs not in ("", "1"):
        print_message("mood makes one song; generate makes more")
    return PlannedOrder(_order(args, settings, understood.request, 1), understood), reading


def plan_orders(args: argparse.Namespace, settings: Settings) -> list[PlannedOrder]:
    """Build all orders of ``generate``, ``plan``, ``compose`` or ``render``.

    Raises
    ------
    UsageError
        When options contradict each other, or no style is given.
    """
    if args.command == "render":
        return [PlannedOrder(_render_order(args, settings))]
    texts = _texts(args)
    if getattr(args, "job_file", None):
        if texts:
            raise UsageError("--job-file already contains styles; leave out TEXT and --styles")
        return _orders_from_file(args, settings)
    if not texts:
        raise UsageError(
            f'no style given; try {args.command} "Chill, Dubstep"; '
            f"'{args.command} --help' shows all options"
        )
    with open_interpreter(args, settings) as interpreter:
        plans = [
            plan_order(args, settings, part, interpreter)
            for text in texts
            for part in split_styles(text)
        ]
    if interpreter.problem:
        print_notice(interpreter.problem)
    plans = _with_suggestions(plans, args, settings, interpreter.styles)
    # With equal seeds, two orders for the same style would make the same songs.
    seed, seeded = plans[0].order.seed, []
    for plan in plans:
        seeded.append(replace(plan, order=replace(plan.order, seed=seed % MAX_SEED)))
        seed += plan.order.songs
    return seeded


def _with_suggestions(
    plans: list[PlannedOrder],
    args: argparse.Namespace,
    settings: Settings,
    styles: Mapping[str, Style],
) -> list[PlannedOrder]:
    """Let the user's chat model suggest what is open; without one, or if it fails, as it was."""
    suggester = find_suggester(settings, args.model, styles, paths.MODELS, paths.DATA)
    found = []
    for plan in plans:
        if suggester and plan.understood and open_choices(plan.understood, styles):
            print_message(f"Asking {suggester.info.name} what is still open...")
            try:
                understood = suggester.suggest(plan.understood)
                order = replace(plan.order, request=understood.request)
                plan = replace(plan, order=order, understood=understood)
            except ModelError as error:
                print_notice(f"{error}; nothing is suggested")
                suggester = None
        found.append(plan)
    return found


def _orders_from_file(args: argparse.Namespace, settings: Settings) -> list[PlannedOrder]:
    from scripts.batch.service import order_checker

    defaults = _order(args, settings, _request(args, "", ""), _songs_of_rows(args))
    with open_interpreter(args, settings) as interpreter:
        plans = read_order_file(args.job_file, defaults, interpreter, order_checker(settings))
    if interpreter.problem:
        print_notice(interpreter.problem)
    return _with_suggestions(plans, args, settings, interpreter.styles)


def _songs_of_rows(args: argparse.Namespace) -> int | str:
    """Number of songs of the rows that give none."""
    return 1 if args.songs is None else args.songs


def open_interpreter(args: argparse.Namespace, settings: Settings) -> Interpreter:
    """Open what understands texts; with a seed, the same text gives the same song at any time."""
    styles = load_styles(paths.DATA / "styles")
    tints = settings.tint and args.seed is None
    return Interpreter(styles, settings.reader, settings.song_length, tints)


def _request(args: argparse.Namespace, styles: str, length: str) -> SongRequest:
    """Build a request from the options; an option without a value leaves the choice open."""
    is_number = isinstance(args.tempo, float)
    return SongRequest(
        styles=styles,
        length=read_length(args.length) if args.length else length,
        key=args.key,
        tempo=args.tempo if is_number else None,
        pace=None if is_number else args.tempo,
        meter=args.meter,
        tuning=args.tuning,
        form=args.form,
        chords=args.chords,
        binaural=args.binaural,
        loop=args.loop,
        motif=args.motif,
        energy=args.energy,
        instruments=args.instruments,
        without=args.without,
    )


def _order(
    args: argparse.Namespace, settings: Settings, request: SongRequest, songs: int | str
) -> Order:
    temperature = settings.temperature if args.temperature is None else args.temperature
    seed = random.SystemRandom().randrange(1 << 31) if args.seed is None else args.seed
    return Order(
        request,
        1 if songs == ENDLESS else int(songs),
        seed,
        args.model or settings.model,
        temperature,
        args.out or paths.OUTPUT,
        settings.bitrate,
        parse_formats(getattr(args, "also", "")),
        getattr(args, "file", None),
        songs == ENDLESS,
        parse_until(args.until, datetime.now()) if args.until else 0.0,
        parse_size(args.keep) if args.keep else 0,
    )


def check_resume_options(args: argparse.Namespace) -> None:
    """Reject options that have no effect on stored orders.

    Raises
    ------
    UsageError
        When such options are given.
    """
    ignored = _changed_options(args)
    ignored += ["--job-file"] * bool(args.job_file) + ["TEXT"] * bool(_texts(args))
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
    if args.songs == ENDLESS:
        raise UsageError("render makes a number of songs; give one with --songs")
    request = _request(args, args.styles, "")
    return _order(args, settings, request, 1 if args.songs is None else args.songs)


def _changed_options(args: argparse.Namespace) -> list[str]:
    """Names of the order options that differ from their defaults."""
    return [
        f"--{name}" for name, default in _SONG_OPTIONS.items() if getattr(args, name) != default
    ]


def _texts(args: argparse.Namespace) -> list[str]:
    return [*([args.styles] if args.styles else []), *(getattr(args, "more_styles", None) or [])]
