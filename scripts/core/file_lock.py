"""File locks that the operating system releases when the process ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from types import TracebackType

_FAR = 1 << 30  # offset of the locked byte on Windows, far past the file's data
_LOCK_VIOLATION = 33  # ERROR_LOCK_VIOLATION of Windows: locked by another process


class Hold:
    """Lock that this process holds on a file; as a context manager it is released at the end.

    Parameters
    ----------
    path : Path
    number : int
        File descriptor; -1 when there is no lock.
    """

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self._number = number

    def release(self) -> None:
        """Release the lock and leave the file."""
        if self._number >= 0:
            os.close(self._number)
            self._number = -1

    def remove(self) -> None:
        """Release the lock and delete the file; a file that cannot be deleted does no harm."""
        if self._number < 0:
            return
        if sys.platform == "win32":  # Windows deletes no open file, whoever opened it
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
    """Lock a file without waiting, creating it if needed.

    On file systems without locking this always succeeds.

    Parameters
    ----------
    path : Path
    new : bool
        Require that the file does not exist yet.

    Returns
    -------
    Hold or None
        None while another process has locked the file.

    Raises
    ------
    OSError
        When the file cannot be opened; FileExistsError when it is `new` but exists.
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
    """Whether `path` still names the open file; its previous owner may have deleted it."""
    if sys.platform == "win32":  # Windows deletes no open file
        return True
    try:
        return os.path.samestat(os.fstat(number), path.stat())
    except OSError:
        return False


def _lock(number: int) -> bool:
    """Lock an open file; False when another process has locked it."""
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = ctypes.c_void_p(msvcrt.get_osfhandle(number))
        # Not msvcrt.locking: its errno can be the same for a lock and for missing lock support.
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
