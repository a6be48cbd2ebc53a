"""Options shared by several commands, and the types of their values."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn

from scripts.core.errors import UsageError
from scripts.request.pace import parse_tempo
from scripts.request.request import ENDLESS


class Parser(argparse.ArgumentParser):
    """Argument parser that raises :class:`UsageError` instead of exiting."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        super().__init__(*args, **options)

    def parse_known_args(self, *args: Any, **options: Any) -> Any:
        """Parse the command line; unknown words are errors of the command they follow."""
        parsed, unknown = super().parse_known_args(*args, **options)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        """Raise a UsageError that refers to the help of the command."""
        raise UsageError(f"{message}; see '{self.prog} --help'")


# Flags of every command: their names, the long one last, and their help.
_COMMON_FLAGS = (
    (("--json",), "print one JSON object per line"),
    (("-q", "--quiet"), "print results and errors only"),
    (("-v", "--verbose"), "print the log as it is written"),
    (("--debug",), "show tracebacks and log more"),
)
COMMON_OPTIONS = tuple(name for names, _ in _COMMON_FLAGS for name in names)


def common_options() -> Parser:
    """Build the options of every command."""
    # SUPPRESS: a subparser's default would overwrite an option given before the command.
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("output")
    for names, summary in _COMMON_FLAGS:
        group.add_argument(*names, action="store_true", help=summary)
    return common


def set_missing_flags(args: argparse.Namespace) -> None:
    """Set the common flags that were not given to False."""
    for names, _ in _COMMON_FLAGS:
        flag = names[-1].removeprefix("--")
        setattr(args, flag, getattr(args, flag, False))


def request_options() -> Parser:
    """Build the options that describe a song."""
    parser = Parser(add_help=False)
    group = parser.add_argument_group("the song")
    group.add_argument(
        "--length",
        metavar="L",
        help="minutes (3), minutes:seconds (3:30), hours (1h30), seconds (90s) or a range (4-6); "
        "default: the setting song_length",
    )
    group.add_argument("--key", help='such as "F minor" or minor; default: chosen by the style')
    group.add_argument(
        "--tempo",
        type=_tempo,
        metavar="T",
        help="quarter notes per minute, 20 to 300, or a word such as slow",
    )
    group.add_argument("--meter", help="time signature such as 4/4 or 7/8")
    group.add_argument(
        "--instruments",
        metavar="NAMES",
        help='what should play, the lead first, such as "piano, strings" or "only piano"',
    )
    group.add_argument(
        "--without", metavar="NAMES", help='what must not play, such as "drums, guitar"'
    )
    group.add_argument(
        "--energy", choices=("low", "high"), help="soft and sparse, or loud and full"
    )
    group.add_argument(
        "--tuning",
        type=_number,
        default=440.0,
        metavar="HZ",
        help="frequency of A4 (400 to 480, default 440), or one of 174 285 396 417 528 639 741 "
        "852 963, which then sounds in the chords",
    )
    group.add_argument(
        "--binaural",
        type=_number,
        default=0.0,
        metavar="HZ",
        help="add two low tones this far apart, one for each ear",
    )
    group.add_argument("--loop", action="store_true", help="make a seamless loop")
    group.add_argument("--form", help='sections such as "intro verse chorus outro"')
    group.add_argument("--chords", help='one chord per bar, such as "Fm Db Ab Eb"')
    group.add_argument("--motif", help='notes that the melody starts with, such as "C4 E4 G4"')
    group.add_argument(
        "--seed", type=_whole_number, help="the same seed makes the same song; default: random"
    )
    group.add_argument(
        "--songs",
        type=_songs,
        metavar="N",
        help="number of songs, or endless; default: as said, or 1",
    )
    group.add_argument("--until", metavar="HH:MM", help="when an endless order ends, such as 23:30")
    group.add_argument(
        "--keep",
        metavar="SIZE",
        help="disk space for an endless order (5GB); then the oldest unrated songs go to the bin",
    )
    group.add_argument(
        "--model", default="", help="a name in models/ or a file; default: the setting model"
    )
    group.add_argument(
        "--temperature",
        type=_number,
        help="0 (plain) to 2 (wild); default: the setting temperature",
    )
    group.add_argument("--out", type=Path, metavar="DIR", help="folder for the files (output/)")
    return parser


def rendering_options() -> Parser:
    """Build the options for rendering."""
    parser = Parser(add_help=False)
    group = parser.add_argument_group("files")
    group.add_argument(
        "--also",
        default="",
        metavar="KINDS",
        help="also write these, comma-separated: wav, mid, abc, musicxml, stems",
    )
    group.add_argument(
        "--jobs", type=_whole_number, metavar="N", help="songs to render at once (one per core)"
    )
    group.add_argument("--watch-input", action="store_true", help=argparse.SUPPRESS)
    return parser


def order_id(text: str) -> int:
    """Parse an order ID, for argparse."""
    number = _whole_number(text)
    if not 0 <= number < 1 << 62:
        raise argparse.ArgumentTypeError(f"invalid order \"{text[:20]}\": see 'jobs list'")
    return number


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        message = f'invalid value "{text[:20]}": expected a whole number'
        raise argparse.ArgumentTypeError(message) from error


def _songs(text: str) -> int | str:
    """A number of songs, or the word for songs without end."""
    return ENDLESS if text.strip().lower() == ENDLESS else _whole_number(text)


def _tempo(text: str) -> float | str:
    """A number of beats per minute, or a word for it."""
    try:
        tempo, pace = parse_tempo(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return tempo if tempo is not None else pace or text


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        message = f'invalid value "{text[:20]}": expected a number'
        raise argparse.ArgumentTypeError(message) from error
