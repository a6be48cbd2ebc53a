"""Audio file streams with fast seeking, decoded on demand."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import miniaudio
import numpy as np

from scripts.audio.live_audio import LiveStream, is_live
from scripts.audio.mp3_frames import Mp3Frames
from scripts.audio.ogg_pages import check_ogg
from scripts.core.audio_format import RATE, Stereo
from scripts.core.input_files import open_input
from scripts.core.text import is_unicode

# Formats opened in the middle through a file of our own, since miniaudio leaves its file open when
# it cannot seek in it.
_SEEKABLE_FORMATS = {
    ".mp3": miniaudio.FileFormat.MP3,
    ".wav": miniaudio.FileFormat.WAV,
    ".flac": miniaudio.FileFormat.FLAC,
}
_MAX_DECODE_FRAMES = 16_384  # frames requested from the decoder at once


class AudioStream(Protocol):
    """Audio of a song, 44,100 Hz stereo.

    Attributes
    ----------
    path : Path
    position, length : int
        Frames.
    """

    path: Path
    position: int
    length: int

    @property
    def ready(self) -> int:
        """Frames that can be played now; all, unless the song is still being rendered."""

    @property
    def remaining(self) -> int:
        """Frames left to read."""

    def read(self, count: int) -> Stereo:
        """Read the next `count` frames, of shape (n, 2), float32; fewer at the end."""

    def close(self) -> None:
        """Close the file."""


def open_stream(path: Path, start: float = 0.0) -> AudioStream:
    """Open an audio file, or the audio of a song that is still being rendered.

    Parameters and errors are those of :class:`Stream`.
    """
    return (LiveStream if is_live(path) else Stream)(path, start)


class Stream:
    """Decoded stream of one audio file, 44,100 Hz stereo.

    Parameters
    ----------
    path : Path
        MP3, WAV, OGG or FLAC.
    start : float
        Start position, seconds.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When the file is empty or cannot be decoded.
    """

    def __init__(self, path: Path, start: float = 0.0) -> None:
        open_input(path).close()  # raises a precise OSError, which the decoder does not
        self.path = path
        self._source: _OffsetSource | None = None
        kind = path.suffix.lower()
        if kind == ".ogg":
            check_ogg(path)
        frames = _load_frames(path, path.stat().st_mtime_ns) if kind == ".mp3" else None
        try:
            self.length = _read_length(path, frames)
            if not self.length:
                raise ValueError(f"{path.name} contains no audio")
            self.position: int = min(max(0, round(start * RATE)), self.length)
            self._decoded = self._open(frames)
        except (miniaudio.MiniaudioError, StopIteration) as error:
            if self._source:
                self._source.close()
            raise ValueError(f"{path.name} cannot be decoded") from error

    def _open(self, frames: Mp3Frames | None) -> Generator[Any, int, None]:
        decoded: Generator[Any, int, None]
        if self.position and frames is not None:
            place = frames.find_seek_point(round(self.position * frames.rate / RATE))
            if place is not None:
                self._source = _OffsetSource(self.path, place.offset)
                decoded = _stream_source(self._source, miniaudio.FileFormat.MP3)
                left = round(place.skip * RATE / frames.rate)
                while left > 0:
                    left -= len(decoded.send(min(left, _MAX_DECODE_FRAMES))) // 2
                return decoded
        kind = _SEEKABLE_FORMATS.get(self.path.suffix.lower())
        if self.position and kind is not None:
            self._source = _OffsetSource(self.path, 0)
            return _stream_source(self._source, kind, self.position)
        with _unicode_path(self.path) as path:
            decoded = miniaudio.stream_file(
                path,
                miniaudio.SampleFormat.FLOAT32,
                2,
                RATE,
                4096,
                seek_frame=self.position,
            )
        return decoded

    @property
    def ready(self) -> int:
        """All frames."""
        return self.length

    @property
    def remaining(self) -> int:
        """Frames left to read."""
        return self.length - self.position

    def read(self, count: int) -> Stereo:
        """Read the next `count` frames.

        Returns
        -------
        ndarray
            Shape (n, 2), float32; n is below `count` at the end or where the file is damaged.
        """
        count = min(count, self.remaining)
        pieces = []
        have = 0
        while have < count:
            try:
                data = self._decoded.send(min(count - have, _MAX_DECODE_FRAMES))
            except (StopIteration, miniaudio.MiniaudioError):
                self.length = self.position + have
                break
            pieces.append(np.frombuffer(data, np.float32).reshape(-1, 2))
            have += len(pieces[-1])
        self.position += have
        return np.concatenate(pieces) if pieces else np.zeros((0, 2), np.float32)

    def close(self) -> None:
        """Close the decoder and the file."""
        self._decoded.close()
        if self._source:
            self._source.close()


def _stream_source(
    source: _OffsetSource, kind: miniaudio.FileFormat, frame: int = 0
) -> Generator[Any, int, None]:
    decoded: Generator[Any, int, None] = miniaudio.stream_any(
        source, kind, miniaudio.SampleFormat.FLOAT32, 2, RATE, 4096, seek_frame=frame
    )
    return decoded


class _OffsetSource(miniaudio.StreamableSource):  # type: ignore[misc]
    """File that starts at a byte offset, as a source for the decoder."""

    def __init__(self, path: Path, offset: int) -> None:
        self._file, self._offset = open_input(path), offset
        self._file.seek(offset)

    def read(self, num_bytes: int) -> bytes:
        return self._file.read(num_bytes)

    def seek(self, offset: int, origin: miniaudio.SeekOrigin) -> bool:
        begin = self._offset if origin == miniaudio.SeekOrigin.START else 0
        whence = {miniaudio.SeekOrigin.START: 0, miniaudio.SeekOrigin.CURRENT: 1}.get(origin, 2)
        self._file.seek(begin + offset, whence)
        return True

    def close(self) -> None:
        self._file.close()


@contextmanager
def _unicode_path(path: Path) -> Iterator[str]:
    """Yield a path that miniaudio can open: it encodes names as UTF-8, which not all names are."""
    if is_unicode(str(path)):
        yield str(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, f"song{path.suffix}")
        link.symlink_to(path.absolute())
        yield str(link)


@lru_cache(maxsize=4)
def _load_frames(path: Path, mtime_ns: int) -> Mp3Frames | None:
    try:
        return Mp3Frames(path)
    except ValueError:  # the decoder may still be able to play it
        return None


def _read_length(path: Path, frames: Mp3Frames | None) -> int:
    """Length of a file in frames at 44,100 Hz."""
    if frames is not None and frames.length is not None:
        return round(frames.length * RATE / frames.rate)
    with _unicode_path(path) as name:
        info = miniaudio.get_file_info(name)
    return int(info.num_frames * RATE // info.sample_rate)
