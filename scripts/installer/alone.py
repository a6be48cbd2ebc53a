"""Keeps two windows from installing at once."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from scripts.installer.running import say


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold the lock file; waits while another window holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+b") as file:
        told = False
        while not _take(file):
            if not told:
                say("Another window is installing; waiting for it...")
                told = True
            time.sleep(1)
        yield


def _take(file: IO[bytes]) -> bool:
    """Lock the file's first byte until it is closed; False when somebody else has."""
    try:
        if sys.platform == "win32":
            import msvcrt
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Where files cannot be locked, as on some network shares, nobody is waited for.
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True
