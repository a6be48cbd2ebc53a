"""Audio of a song that is still being rendered: one process writes it, another plays it.

A file of 16-bit samples behind a header with the length of the song. What is played is exactly what
the MP3 is encoded from.
"""

from __future__ import annotations

import struct
import time
from enum import IntEnum
from pathlib import Path

import numpy as np

from scripts.audio.wav import to_pcm16
from scripts.core.audio_format import RATE, Stereo

LIVE_SUFFIX = ".live"
MAX_LIVE_FRAMES = 20 * 60 * RATE  # 212 MB; longer songs are finished before so much is played
_MAGIC = b"LMGL"
_HEADER = struct.Struct("<4sIQ")  # magic, state, frames of the whole song
_FRAME_BYTES = 4
_SILENT_AFTER = 5.0  # seconds without new audio after which the writer counts as dead


class LiveState(IntEnum):
    """What the writer does."""

    WRITING = 0
    COMPLETE = 1
    FAILED = 2


class LiveWriter:
    """Writes the file.

    Parameters
    ----------
    path : Path
    frames : int
        Length of the song.

    Raises
    ------
    OSError
        When the file cannot be written.
    """

    def __init__(self, path: Path, frames: int) -> None:
        self._frames, self._written = frames, 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=0)
        self._file.write(_HEADER.pack(_MAGIC, LiveState.WRITING, frames))

    def write(self, block: Stereo) -> None:
        """Append a block; what is beyond :data:`MAX_LIVE_FRAMES` is left out.

        Parameters
        ----------
        block : (n, 2) float32 array
            -1 to 1.
        """
        room = MAX_LIVE_FRAMES - self._written
        if room > 0:
            self._file.write(to_pcm16(block[:room]))
            self._written += min(room, len(block))

    def close(self, state: LiveState) -> None:
        """Close the file and tell readers how it ended."""
        self._file.seek(0)
        self._file.write(_HEADER.pack(_MAGIC, state, self._frames))
        self._file.close()


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
        When it is no such file.
    """

    def __init__(self, path: Path, start: float = 0.0) -> None:
        self.path = path
        self._file = path.open("rb")
        self._last_growth = time.monotonic()
        try:
            self._state, self.length = self._read_header()
        except ValueError:
            self._file.close()
            raise
        self.position = min(max(0, round(start * RATE)), self.ready)

    @property
    def ready(self) -> int:
        """Frames that have been rendered."""
        return min(self.length, (self.path.stat().st_size - _HEADER.size) // _FRAME_BYTES)

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
            self._state, _ = self._read_header()
        is_dead = time.monotonic() - self._last_growth > _SILENT_AFTER
        return is_dead or (self._state != LiveState.WRITING and self.position >= self.ready)

    def _read_header(self) -> tuple[LiveState, int]:
        self._file.seek(0)
        try:
            magic, state, frames = _HEADER.unpack(self._file.read(_HEADER.size))
            if magic == _MAGIC:
                return LiveState(state), frames
        except struct.error:
            pass
        raise ValueError(f"{self.path.name} holds no audio that is being rendered")
