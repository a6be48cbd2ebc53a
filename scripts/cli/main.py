"""Entry point: parses the command line and runs a command, or the menu without one."""

from __future__ import annotations

import argparse
import gc
import importlib
import itertools
import logging
import re
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts import __version__
from scripts.cli.console import (
    ignore_closed_pipes,
    output_error,
    print_error,
    print_json,
    print_notice,
    set_verbosity,
)
from scripts.cli.options import COMMON_OPTIONS, set_missing_flags
from scripts.cli.parser import build_parser
from scripts.core import paths
from scripts.core.child import MODEL_WORKER, ChildProcess
from scripts.core.errors import Cancelled, MusicGenError, UsageError
from scripts.core.log import set_up_logging
from scripts.core.settings import Settings, load_settings

_AUDIO_SUFFIXES = (".mp3", ".wav", ".ogg", ".flac", ".m3u8", ".m3u")
_NOTATION_SUFFIXES = (".abc", ".mid", ".midi", ".kar", ".musicxml", ".xml", ".mxl", ".json")
_log = logging.getLogger(__name__)

Handler = Callable[[argparse.Namespace, Settings], int]


def run_program() -> int:
    """Run the command of this process's command line; return the exit status."""
    ignore_closed_pipes()
    status = main()
    gc.freeze()  # no last collections on exit, which would take a tenth of a second
    if error := output_error():
        print_error(f"cannot write the output: {error}")
        return status or 1
    return status


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        The command line without the program's name; default: the process's own.

    Returns
    -------
    int
        Exit status: 0 success, 1 failure, 2 invalid arguments or settings, 130 interrupted.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if sys.platform == "win32":  # handle Ctrl+Break like Ctrl+C
        signal.signal(signal.SIGBREAK, signal.default_int_handler)
    as_json, debug = "--json" in argv, "--debug" in argv
    set_up_logging(debug, verbose="-v" in argv or "--verbose" in argv)
    try:
        return _run(_parse(argv))
    except MusicGenError as error:
        # The messages quote user input, which is logged at DEBUG only.
        _log.debug("%s", error, exc_info=True)
        _log.info("ended with %s, status %d", type(error).__name__, error.exit_status)
        if debug:
            traceback.print_exc()
        return _report_error(str(error), error.exit_status, as_json)
    except KeyboardInterrupt:
        return _report_error("interrupted", Cancelled.exit_status, as_json)
    except Exception as error:
        _log.exception("bug in the program")
        if debug:
            traceback.print_exc()
        what = f"{type(error).__name__}: {str(error)[:200]}"
        return _report_error(
            f"bug in the program ({what}); run 'launcher.py doctor --report' and report it",
            1,
            as_json,
        )


def _report_error(message: str, status: int, as_json: bool) -> int:
    if as_json:
        print_json(event="error", message=message, status=status)
    print_error(message)
    return status


def _parse(argv: list[str]) -> argparse.Namespace:
    args = build_parser().parse_args(_escape_query_terms(_insert_command(argv)))
    set_missing_flags(args)
    set_verbosity(args.quiet, args.verbose)
    return args


def _run(args: argparse.Namespace) -> int:
    _log.info("llm-music-gen %s: %s", __version__, args.command or "menu")
    # The model process loads its libraries while this process loads its own.
    args.model_worker = ChildProcess(MODEL_WORKER) if args.command == "generate" else None
    settings, notices = load_settings(paths.SETTINGS)
    args.notices = notices
    for notice in notices:
        print_notice(notice)
    module, _, function = args.handler.partition(":")
    handler: Handler = getattr(importlib.import_module(f"scripts.{module}"), function)
    return handler(args, settings)


def _insert_command(argv: list[str]) -> list[str]:
    """Insert the command when the first argument is a file, as when dropped on the program."""
    options = list(itertools.takewhile(lambda word: word in COMMON_OPTIONS, argv))
    words = argv[len(options) :]
    if not words or words[0].startswith("-"):
        return argv
    suffix = Path(words[0]).suffix.lower()
    is_supported = suffix in (*_AUDIO_SUFFIXES, *_NOTATION_SUFFIXES, ".csv")
    if not suffix or not (is_supported or Path(words[0]).is_file()):
        return argv
    if not is_supported:
        raise UsageError(
            f"unsupported file type: {words[0][:200]}; expected audio, ABC, MIDI, MusicXML, a "
            "recipe (.json) or a job file (.csv)"
        )
    if not Path(words[0]).is_file():
        raise UsageError(f"no such command or file: {words[0][:200]}; see 'launcher.py --help'")
    if suffix in _AUDIO_SUFFIXES:
        return [*options, "play", *words]
    if suffix == ".csv":
        return [*options, "generate", "--job-file", *words]
    return [*options, "render", *words]


def _escape_query_terms(argv: list[str]) -> list[str]:
    """Move library query terms such as ``-style:sad`` after ``--``; they are not options."""
    names = [w for w in argv if not w.startswith("-")]
    depth = 3 if names[1:2] == ["playlist"] else 2
    terms = [w for w in argv if re.match(r"-[^-]", w) and w not in (*COMMON_OPTIONS, "-h")]
    if names[:1] != ["library"] or not terms or "--" in argv or len(names) < depth:
        return argv
    flags = [w for w in argv if w.startswith("-") and w not in terms]
    path = names[:depth]
    rest = [w for w in argv if w not in flags]
    for name in path:
        rest.remove(name)
    return [*path, *flags, "--", *rest]
