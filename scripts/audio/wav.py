"""WAV files written block by block."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from scripts.core.atomic_files import storage_error
from scripts.core.audio_format import RATE, Stereo


def to_pcm16(block: Stereo) -> bytes:
    """Convert a block of shape (n, 2), -1 to 1, to interleaved 16-bit little-endian samples."""
    return bytes(np.rint(block * 32767.0).astype("<i2"))


class WavWriter:
    """Context manager that writes a 16-bit stereo WAV file at 44,100 Hz block by block.

    Parameters
    ----------
    path : Path
        A temporary name, which the caller renames. On an exception the file is deleted.

    Raises
    ------
    StorageError
        When the disk is full or not writable.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._raw = path.open("wb")
        except OSError as error:
            raise storage_error(error, path) from error
        self._out = wave.open(self._raw, "wb")  # noqa: SIM115
        self._out.setnchannels(2)
        self._out.setsampwidth(2)
        self._out.setframerate(RATE)

    def write(self, block: Stereo) -> None:
        try:
            self._out.writeframesraw(to_pcm16(block))
        except OSError as error:
            raise storage_error(error, self._path) from error

    def __enter__(self) -> WavWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self._out.close()  # writes the length into the header
        except OSError as error:
            if kind is None:
                raise storage_error(error, self._path) from error
        finally:
            self._raw.close()
            if kind is not None:
                self._path.unlink(missing_ok=True)


def write_wav(path: Path, blocks: Iterable[Stereo], progress: Callable[[int], None]) -> int:
    """Write blocks of audio as a WAV file.

    Parameters
    ----------
    path : Path
        A temporary name, which the caller renames.
    blocks : iterable of ndarray
        Shape (n, 2), -1 to 1, 44,100 Hz.
    progress : callable
        Called with the number of frames written so far.

    Returns
    -------
    int
        Number of frames.

    Raises
    ------
    StorageError
        When the disk is full or not writable.
    """
    frames = 0
    with WavWriter(path) as out:
        for block in blocks:
            out.write(block)
            frames += len(block)
            progress(frames)
    return frames
