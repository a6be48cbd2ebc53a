"""Locks that end with the process that holds them, however it ends and whatever the clock says."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from types import TracebackType

_FAR = 1 << 30  # the byte that is locked on Windows: far behind what is read and written
_LOCK_VIOLATION = 33  # Windows' word for a byte that another holds


class Hold:
    """A file that this process holds; a context manager.

    Parameters
    ----------
    path : Path
    number : int
        Its open file descriptor; -1 where nothing is held.
    """

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self._number = number

    def release(self) -> None:
        """Let go; the file stays."""
        if self._number >= 0:
            os.close(self._number)
            self._number = -1

    def remove(self) -> None:
        """Let go and delete the file, which does no harm where it stays."""
        if self._number < 0:
            return
        if sys.platform == "win32":  # no open file is deleted there, a scanner's neither
            self.release()
        for wait in (0.0, 0.1, 0.2):
            time.sleep(wait)
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
                break
        self.release()

    def __enter__(self) -> Hold:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def hold(path: Path, new: bool = False) -> Hold | None:
    """Hold a file, which is made when it is not there; None while another process holds it.

    Where the file system knows no locks, nobody is ever found to hold anything.

    Parameters
    ----------
    new : bool
        The file must not be there yet.

    Raises
    ------
    OSError
        When it cannot be opened; FileExistsError when it is not `new`.
    """
    number = os.open(path, os.O_RDWR | os.O_CREAT | (os.O_EXCL if new else 0), 0o666)
    try:
        if _lock(number) and _is(number, path):
            return Hold(path, number)
    except BaseException:
        os.close(number)
        raise
    os.close(number)
    return None


def _is(number: int, path: Path) -> bool:
    """Whether an open file still has its name; whoever held it before may have deleted it."""
    if sys.platform == "win32":  # no open file is deleted there
        return True
    try:
        return os.path.samestat(os.fstat(number), path.stat())
    except OSError:
        return False


def _lock(number: int) -> bool:
    """Lock an open file; False when another has."""
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = ctypes.c_void_p(msvcrt.get_osfhandle(number))
        # Not msvcrt.locking: its errno does not always tell a lock from a file system without any.
        return (
            bool(kernel.LockFile(handle, _FAR, 0, 1, 0))
            or ctypes.get_last_error() != _LOCK_VIOLATION
        )
    import fcntl

    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
