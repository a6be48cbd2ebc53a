"""Audio of a song that is still being rendered: one process writes it, another plays it.

A file of 16-bit samples behind a header with the length of the song. What is played is exactly what
the MP3 is encoded from.
"""

from __future__ import annotations

import contextlib
import logging
import os
import struct
import time
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

import numpy as np

from scripts.audio.wav import to_pcm16
from scripts.core.audio_format import RATE, Stereo

LIVE_SUFFIX = ".live"
MAX_LIVE_FRAMES = 20 * 60 * RATE  # 212 MB; longer songs are finished before so much is played
_MAGIC = b"LMGL"
_HEADER = struct.Struct("<4sIQ")  # magic, state, frames of the whole song
_FRAME_BYTES = 4
_SILENT_AFTER = 60.0  # seconds without new audio after which the writer counts as dead
_log = logging.getLogger(__name__)


def is_live(path: Path) -> bool:
    """Whether a song is played from this file while it is rendered, before it has its own."""
    return path.suffix == LIVE_SUFFIX


class LiveState(IntEnum):
    """What the writer does."""

    WRITING = 0
    COMPLETE = 1
    FAILED = 2


class LiveWriter:
    """Writes the file, as long as it can: the song itself is more important.

    Parameters
    ----------
    path : Path
    frames : int
        Length of the song.
    """

    def __init__(self, path: Path, frames: int) -> None:
        self._frames, self._written = frames, 0
        self._state = LiveState.WRITING
        self._file: BinaryIO | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Rendering that begins again overwrites the same samples, which may be playing.
            self._file = path.open("r+b" if path.exists() else "wb")
            self._write_header()
        except OSError as error:
            self._give_up(error)

    def write(self, block: Stereo) -> bool:
        """Append a block; what is beyond :data:`MAX_LIVE_FRAMES` is left out.

        Parameters
        ----------
        block : (n, 2) float32 array
            -1 to 1.

        Returns
        -------
        bool
            Whether the song can be played from the file.
        """
        room = MAX_LIVE_FRAMES - self._written
        if self._file and room > 0:
            try:
                self._file.write(to_pcm16(block[:room]))
                self._file.flush()
                self._written += min(room, len(block))
            except OSError as error:
                self._give_up(error)
        return self._file is not None

    def complete(self) -> None:
        """Tell readers that the song is whole."""
        self._state = LiveState.COMPLETE

    def close(self) -> None:
        """Close the file; a song that is not complete has failed."""
        if self._file is None:
            return
        if self._state == LiveState.WRITING:
            self._state = LiveState.FAILED
        try:
            self._file.seek(0)
            self._write_header()
            self._file.close()
        except OSError as error:
            self._give_up(error)
        self._file = None

    def _write_header(self) -> None:
        assert self._file
        self._file.write(_HEADER.pack(_MAGIC, self._state, self._frames))
        self._file.flush()

    def _give_up(self, error: OSError) -> None:
        _log.warning("live audio: %s", error.strerror)
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


def has_failed(path: Path) -> bool:
    """Whether the rendering of a song ended early, so that no more audio will come."""
    try:
        with path.open("rb") as file:
            return _read_header(file, path.name)[0] == LiveState.FAILED
    except (OSError, ValueError):
        return True


class LiveStream:
    """Plays the file; the interface of :class:`scripts.audio.streams.Stream`.

    Where the writer is behind, silence is read and the position stays.

    Parameters
    ----------
    path : Path
    start : float
        Start position, seconds; at most what has been rendered.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is not a live audio file.
    """

    def __init__(self, path: Path, start: float = 0.0) -> None:
        self.path = path
        self._file = path.open("rb")
        self._last_growth = time.monotonic()
        try:
            self._state, self.length = _read_header(self._file, path.name)
        except ValueError:
            self._file.close()
            raise
        self.position = min(max(0, round(start * RATE)), self.ready)

    @property
    def ready(self) -> int:
        """Frames that have been rendered."""
        size = os.fstat(self._file.fileno()).st_size
        return min(self.length, max(0, size - _HEADER.size) // _FRAME_BYTES)

    @property
    def remaining(self) -> int:
        """Frames left to read."""
        return self.length - self.position

    def read(self, count: int) -> Stereo:
        """Read the next `count` frames.

        Returns
        -------
        ndarray
            Shape (n, 2), float32; n is below `count` at the end of the song, or where its
            rendering ended early.
        """
        count = min(count, self.remaining)
        self._file.seek(_HEADER.size + self.position * _FRAME_BYTES)
        data = self._file.read(count * _FRAME_BYTES)
        found = np.frombuffer(data[: len(data) // _FRAME_BYTES * _FRAME_BYTES], "<i2")
        sound = found.reshape(-1, 2).astype(np.float32) / np.float32(32767)
        self.position += len(sound)
        if len(sound):
            self._last_growth = time.monotonic()
        if len(sound) == count:
            return sound
        if self._has_ended():
            self.length = self.position
            return sound
        return np.concatenate((sound, np.zeros((count - len(sound), 2), np.float32)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _has_ended(self) -> bool:
        """Whether no more audio will come."""
        if self._state == LiveState.WRITING:
            self._state, _ = _read_header(self._file, self.path.name)
        is_dead = time.monotonic() - self._last_growth > _SILENT_AFTER
        return is_dead or (self._state != LiveState.WRITING and self.position >= self.ready)


def _read_header(file: BinaryIO, name: str) -> tuple[LiveState, int]:
    """State, and frames of the whole song."""
    file.seek(0)
    try:
        magic, state, frames = _HEADER.unpack(file.read(_HEADER.size))
        if magic == _MAGIC:
            return LiveState(state), frames
    except struct.error:
        pass
    raise ValueError(f"{name} is not a live audio file")
