"""Opens tags with mutagen, within limits: a tag can be huge, or unpack to gigabytes."""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from scripts.core.input_files import open_input

MAX_TAG_BYTES = 16 << 20  # read from one file
_MAX_FRAME_BYTES = 4 << 20  # of a compressed frame when it is unpacked


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
        found = unpacker.decompress(data, _MAX_FRAME_BYTES)
        if unpacker.unconsumed_tail:
            raise zlib.error("the frame is too large")
        return found


@contextmanager
def open_for_tags(path: Path) -> Iterator[Any]:
    """Open an audio file for mutagen's classes.

    Raises
    ------
    OSError
        When it is not a regular file or cannot be opened.
    """
    import mutagen.id3._frames

    frames: Any = mutagen.id3._frames
    frames.zlib = _BoundedZlib
    with open_input(path) as file:
        yield _BoundedReader(file, path.name)
