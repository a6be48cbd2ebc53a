"""Runs a command. Results go to standard output, everything else to standard error."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts import __version__
from scripts.cli.console import print_error, print_json, print_notice, set_quiet
from scripts.cli.parser import build_parser
from scripts.core import paths
from scripts.core.child import MODEL_WORKER, ChildProcess
from scripts.core.errors import Cancelled, MusicGenError, UsageError
from scripts.core.log import set_up_logging
from scripts.core.settings import Settings, load_settings

_COMMON_FLAGS = ("json", "quiet", "verbose", "debug")
_AUDIO = (".mp3", ".wav", ".ogg", ".flac", ".m3u8", ".m3u")
_NOTES = (".abc", ".mid", ".midi", ".kar", ".musicxml", ".xml", ".mxl", ".json")
_log = logging.getLogger(__name__)

Handler = Callable[[argparse.Namespace, Settings], int]


def main(words: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    words : sequence of str, optional
        The command line without the program's name; default: the process's own.

    Returns
    -------
    int
        Exit status: 0 done, 1 some song failed, 2 invalid usage or input, 130 interrupted.
    """
    words = list(sys.argv[1:] if words is None else words)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if sys.platform == "win32":  # Ctrl+Break ends it as Ctrl+C does
        signal.signal(signal.SIGBREAK, signal.default_int_handler)
    as_json, debug = "--json" in words, "--debug" in words
    set_up_logging(debug, verbose="-v" in words or "--verbose" in words)
    try:
        return _run(_parse(words))
    except MusicGenError as error:
        # What users typed is quoted in these messages.
        _log.debug("%s", error, exc_info=True)
        _log.info("ended with %s, status %d", type(error).__name__, error.exit_status)
        if debug:
            raise
        return _report(str(error), error.exit_status, as_json)
    except KeyboardInterrupt:
        return _report("interrupted", Cancelled.exit_status, as_json)
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:
        _log.exception("bug in the program")
        if debug:
            raise
        what = f"{type(error).__name__}: {str(error)[:200]}"
        return _report(
            f"bug in the program ({what}); run 'launcher.py doctor --report' and send its file",
            1,
            as_json,
        )


def _report(message: str, status: int, as_json: bool) -> int:
    if as_json:
        print_json(event="error", message=message, status=status)
    print_error(message)
    return status


def _parse(words: list[str]) -> argparse.Namespace:
    args = build_parser().parse_args(_mark_query(_expand_file(words)))
    for flag in _COMMON_FLAGS:
        if not hasattr(args, flag):
            setattr(args, flag, False)
    set_quiet(args.quiet)
    return args


def _run(args: argparse.Namespace) -> int:
    _log.info("llm-music-gen %s: %s", __version__, args.command or "menu")
    # A model's process loads its library while this one loads its own.
    args.model_worker = ChildProcess(MODEL_WORKER) if args.command == "generate" else None
    settings, notices = load_settings(paths.SETTINGS)
    args.notices = notices
    for notice in notices:
        print_notice(notice)
    module, _, function = args.handler.partition(":")
    handler: Handler = getattr(importlib.import_module(f"scripts.{module}"), function)
    return handler(args, settings)


def _expand_file(words: list[str]) -> list[str]:
    """Put the command in front of files that were dropped on the program."""
    if not words or words[0].startswith("-"):
        return words
    suffix = Path(words[0]).suffix.lower()
    if suffix not in (*_AUDIO, *_NOTES, ".csv"):
        return words
    if not Path(words[0]).is_file():
        raise UsageError(f"no such command or file: {words[0][:200]}; see 'launcher.py --help'")
    if suffix in _AUDIO:
        return ["play", *words]
    return ["generate", "--job-file", *words] if suffix == ".csv" else ["render", *words]


def _mark_query(words: list[str]) -> list[str]:
    """Let terms such as ``-style:sad`` of a library query be words, not options."""
    names = [w for w in words if not w.startswith("-")]
    depth = 3 if names[1:2] == ["playlist"] else 2
    terms = [w for w in words if re.match(r"-[^-]", w) and w not in ("-q", "-v", "-h")]
    if names[:1] != ["library"] or not terms or "--" in words or len(names) < depth:
        return words
    flags = [w for w in words if w.startswith("-") and w not in terms]
    path = names[:depth]
    rest = [w for w in words if w not in flags]
    for name in path:
        rest.remove(name)
    return [*path, *flags, "--", *rest]


if __name__ == "__main__":
    sys.exit(main())
