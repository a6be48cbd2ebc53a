"""Console output of commands: results to standard output, notices to standard error."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from typing import Any

from scripts.core.text import strip_control_chars

_is_quiet = False
_has_log = False


class _PipeWriter(io.RawIOBase):
    """Raw stream that drops what is written after its reader has gone, as ``| head -1`` does.

    Attributes
    ----------
    error : str
        Why something could not be written although a reader is there, such as a full disk.
    """

    error = ""

    def __init__(self, raw: io.FileIO) -> None:
        self._raw = raw
        self._has_reader = True

    def write(self, data: Any) -> int:
        if self._has_reader:
            try:
                return self._raw.write(data)
            except BrokenPipeError:
                self._has_reader = False
            except OSError as error:
                self._has_reader = False
                if error.errno != errno.EINVAL:  # what Windows reports for a closed pipe
                    self.error = str(error.strerror)
        return len(data)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._raw.isatty()

    def fileno(self) -> int:
        return self._raw.fileno()


_writers: dict[str, _PipeWriter] = {}


def ignore_closed_pipes() -> None:
    """Let a command finish its work when nobody reads its standard output or error any more."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the shell
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
            continue
        buffer = getattr(stream, "buffer", None)
        raw = getattr(buffer, "raw", buffer)  # with PYTHONUNBUFFERED there is no buffer
        if isinstance(raw, io.FileIO):
            writer: Any = _PipeWriter(raw)
            _writers[name] = writer
            text = io.TextIOWrapper(
                writer if raw is buffer else io.BufferedWriter(writer),
                stream.encoding,
                stream.errors,
                line_buffering=stream.line_buffering,
                write_through=stream.write_through,
            )
            setattr(sys, name, text)


def output_error() -> str:
    """Why standard output could not be written; empty when all went well."""
    sys.stdout.flush()
    return _writers["stdout"].error if "stdout" in _writers else ""


def set_verbosity(quiet: bool, verbose: bool) -> None:
    """Choose what is printed beside results and errors.

    Parameters
    ----------
    quiet : bool
        Print no notices and draw no progress bars.
    verbose : bool
        The log goes to standard error, so draw no progress bars.
    """
    global _is_quiet, _has_log
    _is_quiet, _has_log = quiet, verbose


def print_json(**message: object) -> None:
    """Print a result as one line of JSON to standard output."""
    print(json.dumps(message, ensure_ascii=True), flush=True)


def print_line(line: str) -> None:
    """Print a result as a line of text to standard output."""
    print(strip_control_chars(line))


def print_notice(line: str) -> None:
    """Print a notice to standard error, unless ``--quiet``."""
    if not _is_quiet:
        print_error(line)


def print_message(line: str, name: str = "Llm-Music-Gen: ") -> None:
    """Print progress to standard error, after the program's name; not if ``--quiet``."""
    if not _is_quiet:
        print(f"{name}{strip_control_chars(line)}", file=sys.stderr, flush=True)


def print_error(line: str) -> None:
    """Print an error to standard error, even if ``--quiet``."""
    print(f"llm-music-gen: {strip_control_chars(line)}", file=sys.stderr, flush=True)


def print_result(as_json: bool, line: str, **fields: object) -> None:
    """Report what a command did: `line` as a notice, or with `as_json` the `fields`."""
    if as_json:
        print_json(**fields)
    else:
        print_notice(line)


class StatusLine:
    """A line of standard error that is redrawn in place, such as a progress bar.

    Nothing is drawn if standard error is not a terminal, the terminal is dumb, or with ``--quiet``
    or ``--verbose``.
    """

    def __init__(self) -> None:
        is_dumb = os.environ.get("TERM") == "dumb"
        self._is_visible = sys.stderr.isatty() and not (is_dumb or _is_quiet or _has_log)
        self._width = 0

    def draw(self, text: str) -> None:
        """Replace the line."""
        if self._is_visible:
            print(f"\r{text:<{self._width}}", end="", file=sys.stderr, flush=True)
            self._width = len(text)

    def clear(self) -> None:
        """Erase the line, so that other text can be printed in its place."""
        if self._width:
            print(f"\r{'':<{self._width}}\r", end="", file=sys.stderr, flush=True)
            self._width = 0

    def finish(self) -> None:
        """Keep the line on screen and start a new one."""
        if self._width:
            print(file=sys.stderr, flush=True)
            self._width = 0
