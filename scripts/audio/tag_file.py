"""Opens tags with mutagen, within limits: a tag can be huge, or unpack to gigabytes."""

from __future__ import annotations

import errno
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from scripts.core.input_files import open_input

MAX_TAG_BYTES = 16 << 20  # read from one file
_MAX_UNPACKED_BYTES = 4 << 20  # of all compressed frames of a file
_MAX_TEXT_BYTES = 64 << 10  # of a frame that is no picture; mutagen needs the square of its size


class _Budget(threading.local):
    """Bytes that compressed frames of the file being read may still unpack to."""

    left = _MAX_UNPACKED_BYTES


_budget = _Budget()


class _BoundedReader:
    """File for mutagen that raises OSError when it is asked for more than its limit."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self.name, self._left = file, name, MAX_TAG_BYTES

    def read(self, size: int = -1) -> bytes:
        if size > self._left:
            raise OSError(errno.EFBIG, f"its tags are larger than {MAX_TAG_BYTES >> 20} MB")
        data = self._file.read(self._left if size < 0 else size)
        self._left -= len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


class _BoundedZlib:
    """Stands in for the module that mutagen unpacks ID3 frames with."""

    error = zlib.error

    @staticmethod
    def decompress(data: bytes) -> bytes:
        unpacker = zlib.decompressobj()
        found = unpacker.decompress(data, max(1, _budget.left))
        _budget.left -= len(found)
        if not unpacker.eof:
            raise zlib.error("the frame is damaged or too large")
        return found


@cache
def _limit_mutagen() -> None:
    """Limit what mutagen unpacks and parses; it has no limits of its own."""
    import mutagen.id3._frames

    frames: Any = mutagen.id3._frames
    read_data = frames.Frame._readData
    large = (frames.APIC, frames.GEOB, frames.PRIV, frames.BinaryFrame)

    def read_limited(frame: Any, header: Any, data: bytes) -> None:
        if len(data) > _MAX_TEXT_BYTES and not isinstance(frame, large):
            raise frames.ID3JunkFrameError("the text is too long")
        read_data(frame, header, data)

    frames.zlib = _BoundedZlib
    frames.Frame._readData = read_limited


@contextmanager
def open_for_tags(path: Path) -> Iterator[Any]:
    """Open an audio file for mutagen's classes.

    Raises
    ------
    OSError
        When it is not a regular file or cannot be opened.
    """
    _limit_mutagen()
    _budget.left = _MAX_UNPACKED_BYTES
    with open_input(path) as file:
        yield _BoundedReader(file, path.name)
