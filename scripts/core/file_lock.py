"""File locks that the operating system releases when the process ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from types import TracebackType

_LOCK_OFFSET = 1 << 30  # offset of the locked byte on Windows, far past the file's data
_LOCK_VIOLATION = 33  # ERROR_LOCK_VIOLATION of Windows: locked by another process


class FileLock:
    """Lock that this process holds on a file; as a context manager it is released at the end.

    Parameters
    ----------
    path : Path
    descriptor : int
        File descriptor; -1 when there is no lock.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock and leave the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Release the lock and delete the file; a file that cannot be deleted does no harm."""
        if self._descriptor < 0:
            return
        if sys.platform == "win32":  # Windows deletes no open file, whoever opened it
            self.release()
        for wait in (0.0, 0.1, 0.2):
            time.sleep(wait)
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
                break
        self.release()

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def try_lock(path: Path, new: bool = False) -> FileLock | None:
    """Lock a file without waiting, creating it if needed.

    On file systems without locking this always succeeds.

    Parameters
    ----------
    path : Path
    new : bool
        Require that the file does not exist yet.

    Returns
    -------
    FileLock or None
        None while another process has locked the file.

    Raises
    ------
    OSError
        When the file cannot be opened; FileExistsError when it is `new` but exists.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | (os.O_EXCL if new else 0), 0o666)
    try:
        if _lock(descriptor) and _is_same_file(descriptor, path):
            return FileLock(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _is_same_file(descriptor: int, path: Path) -> bool:
    """Whether `path` still names the open file; its previous owner may have deleted it."""
    if sys.platform == "win32":  # Windows deletes no open file
        return True
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _lock(descriptor: int) -> bool:
    """Lock an open file; False when another process has locked it."""
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = ctypes.c_void_p(msvcrt.get_osfhandle(descriptor))
        # Not msvcrt.locking: its errno can be the same for a lock and for missing lock support.
        return (
            bool(kernel.LockFile(handle, _LOCK_OFFSET, 0, 1, 0))
            or ctypes.get_last_error() != _LOCK_VIOLATION
        )
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
