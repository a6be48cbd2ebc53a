"""What commands print: results to standard output, notices to standard error."""

from __future__ import annotations

import json
import sys

from scripts.core.text import strip_control_chars


def print_json(**message: object) -> None:
    """Print one JSON object as a line of standard output, for programs."""
    print(json.dumps(message, ensure_ascii=True), flush=True)


def print_line(line: str) -> None:
    """Print a line of a result, for people."""
    print(strip_control_chars(line))


def print_notice(line: str) -> None:
    """Print a line beside the results, to standard error."""
    print(f"llm-music-gen: {strip_control_chars(line)}", file=sys.stderr)


def print_result(as_json: bool, line: str, **facts: object) -> None:
    """Report what a command did: a notice for people, or the facts for programs."""
    if as_json:
        print_json(**facts)
    else:
        print_notice(line)
