"""What commands print: results to standard output, notices to standard error."""

from __future__ import annotations

import json
import os
import sys

from scripts.core.text import strip_control_chars

_is_quiet = False


def set_quiet(quiet: bool) -> None:
    """Print no notices and progress bars from now on; results and errors stay."""
    global _is_quiet
    _is_quiet = quiet


def print_json(**message: object) -> None:
    """Print one JSON object as a line of standard output, for programs."""
    print(json.dumps(message, ensure_ascii=True), flush=True)


def print_line(line: str) -> None:
    """Print a line of a result, for people."""
    print(strip_control_chars(line))


def print_notice(line: str) -> None:
    """Print a line beside the results, to standard error."""
    if not _is_quiet:
        print_error(line)


def print_message(line: str) -> None:
    """Print what the program is doing, to standard error, under its own name."""
    if not _is_quiet:
        print(f"Llm-Music-Gen: {strip_control_chars(line)}", file=sys.stderr, flush=True)


def print_error(line: str) -> None:
    """Print a line that even ``--quiet`` shows, to standard error."""
    print(f"llm-music-gen: {strip_control_chars(line)}", file=sys.stderr, flush=True)


def print_result(as_json: bool, line: str, **facts: object) -> None:
    """Report what a command did: a notice for people, or the facts for programs."""
    if as_json:
        print_json(**facts)
    else:
        print_notice(line)


class StatusLine:
    """A line of standard error that is overwritten, such as a progress bar.

    Nothing is drawn where standard error is no terminal, is a dumb one, or with ``--quiet``.
    """

    def __init__(self) -> None:
        self._is_visible = (
            sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not _is_quiet
        )
        self._width = 0

    def draw(self, text: str) -> None:
        """Replace the line."""
        if self._is_visible:
            print(f"\r{text:<{self._width}}", end="", file=sys.stderr, flush=True)
            self._width = len(text)

    def clear(self) -> None:
        """Remove the line, so that another one can be printed in its place."""
        if self._width:
            print(f"\r{'':<{self._width}}\r", end="", file=sys.stderr, flush=True)
            self._width = 0

    def finish(self) -> None:
        """Leave the line as it is and begin a new one."""
        if self._width:
            print(file=sys.stderr, flush=True)
            self._width = 0
