"""Writes blocks of audio to a WAV file as they come."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from scripts.files import storage_error
from scripts.synth import RATE
from scripts.synth.render import Stereo


def pcm(block: Stereo) -> bytes:
    """16-bit little-endian samples of a block."""
    return bytes(np.rint(block * 32767.0).astype("<i2"))


def write_wav(path: Path, blocks: Iterable[Stereo], progress: Callable[[int], None]) -> int:
    """Write 16-bit stereo at 44,100 Hz; return the number of frames.

    `path` is a temporary name: whoever calls renames it. `progress` is given the frames so far.

    Raises
    ------
    StorageError
        When the disk is full or may not be written.
    """
    frames = 0
    try:
        with path.open("wb") as raw, wave.open(raw, "wb") as out:
            out.setnchannels(2)
            out.setsampwidth(2)
            out.setframerate(RATE)
            for block in blocks:
                out.writeframesraw(pcm(block))
                frames += len(block)
                progress(frames)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise storage_error(error, path) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return frames
