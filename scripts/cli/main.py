"""The commands. Results go to standard output, everything else to standard error."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from scripts.cli.console import print_notice
from scripts.core import paths
from scripts.core.child import WORKER, Child
from scripts.core.errors import Cancelled, MusicGenError, UsageError
from scripts.core.settings import Settings, load_settings

LIBRARY = (
    "list",
    "search",
    "rate",
    "thumb",
    "rescan",
    "remove",
    "undo",
    "bin",
    "usage",
    "duplicates",
    "playlist",
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see '{self.prog} --help'")


def _order_number(text: str) -> int:
    """The number of an order; argparse tells of a ValueError."""
    number = int(text)
    if not 0 <= number < 1 << 62:
        raise ValueError
    return number


def build_parser() -> argparse.ArgumentParser:
    """The command line of the contract."""
    parser = _Parser(
        prog="launcher.py",
        description="Composes songs on this computer and plays "
        "them. Without a command: the menu. 'test' sets up and runs the tests.",
    )
    common = _Parser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show tracebacks")  # see main
    common.add_argument("--json", action="store_true", help="one JSON object a line")
    commands = parser.add_subparsers(dest="command", parser_class=_Parser)
    song = _Parser(add_help=False)
    song.add_argument("--length", metavar="L", help="3 (minutes), 4-6, or 1:30 (hours:minutes)")
    song.add_argument("--key", help='such as "F minor"')
    song.add_argument("--tempo", type=float, help="quarter notes a minute, 20 to 300")
    song.add_argument("--meter", help="such as 4/4 or 7/8")
    song.add_argument(
        "--tuning",
        type=float,
        default=440.0,
        metavar="HZ",
        help="of A4 (432, 440 ...), or 174 285 396 417 528 639 741 852 963, a "
        "frequency that then sounds in the chords",
    )
    song.add_argument(
        "--binaural",
        type=float,
        default=0.0,
        metavar="HZ",
        help="two low tones, one for each ear, so far apart",
    )
    song.add_argument("--loop", action="store_true", help="the end joins the beginning")
    song.add_argument("--seed", type=int, help="the same seed makes the same song")
    song.add_argument("--model", default="", help="a name in models/ or a file")
    song.add_argument("--temperature", type=float, help="0 (plain) to 2 (wild)")
    song.add_argument("--form", help='such as "intro verse chorus outro"')
    song.add_argument("--chords", help='one a bar, such as "Fm Db Ab Eb"')
    song.add_argument("--motif", help='notes that the tune begins with: "C4 E4 G4"')
    song.add_argument("--songs", type=int, default=1, metavar="N")
    song.add_argument("--out", type=Path, help="folder for the files")
    styled = _Parser(add_help=False)
    styled.add_argument("styles", help='such as "Chill, Dubstep"')
    ordered = _Parser(add_help=False)
    ordered.add_argument("styles", nargs="?", help='such as "Chill, Dubstep"')
    ordered.add_argument(
        "--styles",
        dest="more_styles",
        action="append",
        metavar="S",
        help="so many songs of these, too; can be given again and again",
    )
    ordered.add_argument(
        "--job-file", type=Path, metavar="FILE", help="orders from a CSV or JSON file"
    )
    ordered.add_argument(
        "--resume", action="store_true", help="go on with all orders that are not finished"
    )
    ordered.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="play the songs to files on a Dask cluster: tcp://HOST:8786",
    )
    made = _Parser(add_help=False)
    made.add_argument(
        "--also", default="", metavar="KINDS", help="keep these too: wav, mid, abc, musicxml, stems"
    )
    made.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="songs that are made at once; usually one for each core",
    )
    ordered.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)  # for the menu
    made.add_argument("--watch-input", action="store_true", help=argparse.SUPPRESS)
    commands.add_parser("generate", parents=[ordered, song, made, common], help="make songs")
    commands.add_parser(
        "compose", parents=[styled, song, common], help="write only the lead sheet (ABC)"
    )
    given = commands.add_parser(
        "render", parents=[song, made, common], help="a song from notes somebody else wrote"
    )
    given.add_argument(
        "file", type=Path, help="ABC, MIDI or MusicXML; or the .json of a song, which is made again"
    )
    given.add_argument(
        "--style",
        dest="styles",
        default="pop",
        metavar="S",
        help='what is arranged around the notes; "plain" adds nothing',
    )
    jobs = commands.add_parser(
        "jobs",
        parents=[common],
        help="the orders of songs: list, pause, "
        "continue, cancel, put first or last, retry what failed",
    )
    jobs.add_argument(
        "action", choices=("list", "pause", "continue", "cancel", "first", "last", "retry")
    )
    jobs.add_argument("id", nargs="?", type=_order_number, metavar="ORDER")
    play = commands.add_parser("play", parents=[common], help="play songs in a loop")
    play.add_argument("files", nargs="*", type=Path)
    play.add_argument(
        "--playlist", metavar="NAME", help="a playlist, or a query such as 'style:chill rating>=4'"
    )
    play.add_argument("--shuffle", action="store_true")
    play.add_argument("--once", action="store_true", help="stop after the last song")
    play.add_argument("--output", choices=("auto", "miniaudio", "simpleaudio", "null"))
    library = commands.add_parser(
        "library", parents=[common], help="the songs: list, search, rate, remove, playlists ..."
    )
    library.add_argument("action", choices=LIBRARY)
    library.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="search: such as style:chill 'rating>=4' (docs/library.md)",
    )
    models = commands.add_parser("models", parents=[common], help="list, check, find or add models")
    models.add_argument("action", choices=("list", "check", "find", "add"))
    models.add_argument(
        "name",
        nargs="?",
        metavar="FILE|NAME",
        help="check: a file; add: a name that 'find' lists, or OWNER/REPOSITORY/FILE.gguf",
    )
    commands.add_parser("styles", parents=[common], help="list the styles")
    commands.add_parser("doctor", parents=[common], help="look for what could go wrong")
    bench = commands.add_parser("bench", parents=[common], help="measure speeds as ratios")
    bench.add_argument("--model", default="")
    bench.add_argument(
        "--long",
        action="store_true",
        help="pieces of up to eight hours, 20,000 songs and a batch too",
    )
    commands.add_parser("menu", parents=[common], help="the menu (as without a command)")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    words = list(sys.argv[1:] if words is None else words)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if sys.platform == "win32":  # Ctrl+Break ends it as Ctrl+C does
        signal.signal(signal.SIGBREAK, signal.default_int_handler)
    debug = "--debug" in words
    words = _with_dashes([w for w in words if w != "--debug"])
    try:
        args = build_parser().parse_args(words)
        settings, notes = load_settings(paths.SETTINGS)
        for note in notes:
            print_notice(note)
        return _run(args, settings, notes)
    except MusicGenError as error:
        if debug:
            raise
        print_notice(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        print_notice("cancelled")
        return Cancelled.exit_status
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:
        if debug:
            raise
        print_notice(
            f"a fault in the program ({type(error).__name__}: {str(error)[:200]}); run again "
            "with --debug and report it"
        )
        return 1


def _with_dashes(words: list[str]) -> list[str]:
    """Have ``-word`` of a search be no option."""
    if words[:1] != ["library"]:
        return words
    options = [w for w in words[1:] if w in ("--json", "-h", "--help")]
    return ["library", *options, "--", *(w for w in words[1:] if w not in (*options, "--"))]


def _run(args: argparse.Namespace, settings: Settings, notes: list[str]) -> int:
    command = args.command or "menu"
    if command in ("generate", "render", "compose", "jobs"):
        # The model's process loads its library while this one loads its own.
        worker = Child(WORKER) if command == "generate" else None
        from scripts.cli import generate

        if command in ("generate", "render"):
            return generate.generate(args, settings, worker)
        return (generate.compose if command == "compose" else generate.jobs)(args, settings)
    if command == "menu":
        from scripts.tui.run import run_menu

        return run_menu(settings, notes)
    if command == "play":
        from scripts.cli.library import play

        return play(args, settings)
    if command == "bench":
        from scripts.benchmarks.run import run_bench

        return run_bench(args.model, settings, args.json, args.long)
    if command == "models" and args.action in ("find", "add"):
        return _fetch_models(args)
    if command == "library":
        from scripts.cli.library import library

        return library(args)
    from scripts.cli import reports

    looks = {"models": reports.models, "styles": reports.styles, "doctor": reports.doctor}
    return looks[command](args, settings)


def _fetch_models(args: argparse.Namespace) -> int:
    from scripts.cli.models import add_model, find_models

    if args.action == "find":
        return find_models(args.json)
    if not args.name:
        raise UsageError("models add needs a name; 'models find' lists some")
    return add_model(args.name, args.json)


if __name__ == "__main__":
    sys.exit(main())
