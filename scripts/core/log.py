"""The log: ``data/log/llm-music-gen.log``, shared by all processes of the program.

INFO records starts, decisions, retries and failures with order and song numbers. Requests, lyrics
and other text that users entered are logged at DEBUG only.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import Any

from scripts.core import paths
from scripts.core.atomic_files import make_private, open_private
from scripts.core.errors import NotationError, UsageError
from scripts.core.file_lock import try_lock
from scripts.core.text import strip_control_chars

LOG_FILE_NAME = "llm-music-gen.log"
MAX_BYTES = 1 << 20
MAX_FILES = 5
# Without a reader, a FIFO is an error rather than a wait.
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
_LOGGER_NAME = "scripts"
_FORMAT = "%(asctime)s %(levelname)-7s %(process)d %(name)s: %(message)s"


class _PlainFormatter(logging.Formatter):
    """Formatter that replaces control characters, so that a record cannot forge others."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return strip_control_chars(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"  {strip_control_chars(line)}" for line in lines)


class SharedRotatingHandler(logging.Handler):
    """Handler for a rotating file that several processes write to.

    The file is open only while a record is written, so that Windows can rename it. Records that
    cannot be written, as on a full disk, are dropped.

    Parameters
    ----------
    path : Path
    max_bytes : int
        Size at which the file is renamed to ``NAME.1``, the older ones to ``NAME.2`` and so on.
    max_files : int
        Number of files to keep, including the current one.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES) -> None:
        super().__init__()
        self.path, self.max_bytes, self.max_files = path, max_bytes, max_files

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        with contextlib.suppress(OSError, ValueError):
            line = self.format(record) + "\n"
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and self.path.stat().st_size + len(line) > self.max_bytes:
                with contextlib.suppress(OSError):  # Windows: a process has a file open
                    self._rotate()
            descriptor = open_private(self.path, _APPEND)
            with os.fdopen(descriptor, "a", -1, "utf-8", "replace", "\n") as file:
                file.write(line)

    def _rotate(self) -> None:
        """Rename the files, unless another process is rotating them."""
        lock = try_lock(self.path.with_name(self.path.name + ".lmg-lock"))
        if lock is None:
            return
        with lock:
            if self.path.stat().st_size < self.max_bytes // 2:
                return  # another process has rotated it meanwhile
            files = [self.path, *(Path(f"{self.path}.{n}") for n in range(1, self.max_files))]
            for older, newer in zip(files[:0:-1], files[-2::-1], strict=True):
                if newer.exists():
                    os.replace(newer, older)


def set_up_logging(debug: bool = False, verbose: bool = False) -> None:
    """Log to the log file, and with `verbose` also to standard error.

    Parameters
    ----------
    debug : bool
        Also log DEBUG records.
    verbose : bool
    """
    if (paths.LOG / LOG_FILE_NAME).exists():
        make_private(paths.LOG / LOG_FILE_NAME)
    logger = logging.getLogger(_LOGGER_NAME)
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
    logger.propagate = False
    for handler in [*logger.handlers]:
        logger.removeHandler(handler)
    handlers: list[logging.Handler] = [SharedRotatingHandler(paths.LOG / LOG_FILE_NAME)]
    if verbose:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(_PlainFormatter(_FORMAT))
        logger.addHandler(handler)


def loggable(reason: str | Exception) -> str:
    """Return an error as it may be logged at INFO: without messages that quote user input."""
    if isinstance(reason, (UsageError, NotationError)):
        return type(reason).__name__
    return str(reason)


def is_debug() -> bool:
    """Whether DEBUG records are logged in this process."""
    return logging.getLogger(_LOGGER_NAME).isEnabledFor(logging.DEBUG)
