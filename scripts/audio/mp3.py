"""MP3 encoding with ffmpeg, and ID3 tags."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import shutil
import subprocess
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from scripts.audio.wav import to_pcm16
from scripts.core.atomic_files import PART_SUFFIX, retry_while_open_elsewhere, storage_error
from scripts.core.audio_format import RATE, Stereo
from scripts.core.errors import EncoderError, StorageError

_log = logging.getLogger(__name__)
_QUEUE_BLOCKS = 6  # blocks that may wait for the encoder before rendering pauses
_STDERR_TIMEOUT = 2.0  # seconds to wait for the rest of stderr after ffmpeg has exited


@dataclass(frozen=True)
class Tags:
    """ID3v2.3 tags of a generated song."""

    title: str
    artist: str
    album: str
    genre: str
    bpm: int
    key: str
    year: int
    comment: str


def ffmpeg_path() -> str:
    """Find ffmpeg: the one bundled with imageio-ffmpeg, else the system's.

    Raises
    ------
    StorageError
        When there is none.
    """
    with contextlib.suppress(ImportError, RuntimeError):
        import imageio_ffmpeg

        if not os.environ.get("IMAGEIO_FFMPEG_EXE"):
            # imageio-ffmpeg's own search runs the file as a test and caches a failure.
            for bundled in sorted(Path(imageio_ffmpeg.__file__).parent.glob("binaries/ffmpeg-*")):
                return str(bundled)
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    found = shutil.which("ffmpeg")
    if found:
        return found
    raise StorageError(
        "ffmpeg not found, so MP3 files cannot be encoded; run 'python requisites.py' to "
        "install imageio-ffmpeg"
    )


def encode_mp3(wav: Path, mp3: Path, bitrate: int) -> None:
    """Encode a WAV file as MP3.

    Parameters
    ----------
    wav, mp3 : Path
        Source and target, both temporary names.
    bitrate : int
        kbit/s.

    Raises
    ------
    EncoderError
        When ffmpeg fails; its last line is quoted.
    StorageError
        When the disk is full or not writable.
    """
    ffmpeg = ffmpeg_path()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydub warns about ffprobe, which is not needed
            from pydub import AudioSegment
            from pydub.exceptions import CouldntEncodeError
        AudioSegment.converter = ffmpeg
        try:
            AudioSegment.from_file(str(wav), format="wav").export(
                str(mp3), format="mp3", bitrate=f"{bitrate}k"
            ).close()
        except CouldntEncodeError as error:
            raise _encoder_error(mp3, str(error)) from error
        if mp3.stat().st_size < 128:
            raise _encoder_error(mp3, "the MP3 file is empty")
    except OSError as error:
        raise storage_error(error, mp3) from error


def encode_stream(
    blocks: Iterable[Stereo], mp3: Path, bitrate: int, progress: Callable[[int], None]
) -> int:
    """Encode blocks of audio as MP3 while they are rendered.

    pydub would need the whole song in memory before it starts.

    Parameters
    ----------
    blocks : iterable of ndarray
        Shape (n, 2), -1 to 1, 44,100 Hz.
    mp3 : Path
        Target, a temporary name.
    bitrate : int
        kbit/s.
    progress : callable
        Called with the number of frames encoded so far.

    Returns
    -------
    int
        Number of frames.

    Raises
    ------
    EncoderError
        When ffmpeg fails; its last line is quoted.
    StorageError
        When the disk is full or not writable.
    """
    frames = 0
    try:
        process = subprocess.Popen(
            [
                ffmpeg_path(),
                "-v",
                "error",
                "-y",
                "-f",
                "s16le",
                "-ar",
                str(RATE),
                "-ac",
                "2",
                "-i",
                "-",
                "-b:a",
                f"{bitrate}k",
                "-f",
                "mp3",
                str(mp3),
            ],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        feeder = _Feeder(process)
        try:
            for block in blocks:
                if not feeder.put(to_pcm16(block)):
                    break  # ffmpeg has exited; its stderr is reported below
                frames += len(block)
                progress(frames)
            stderr = feeder.finish()
        except BaseException:
            process.kill()
            feeder.finish()
            raise
        if process.returncode:
            raise _encoder_error(mp3, stderr)
    except OSError as error:
        raise storage_error(error, mp3) from error
    return frames


class _Feeder:
    """Writes to a process's stdin from a thread, so that rendering and encoding overlap.

    It ends with the process and not with its stderr: programs that the system starts on its behalf
    (a crash reporter, Wine's desktop) can keep that pipe open forever.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._blocks: queue.Queue[bytes | None] = queue.Queue(maxsize=_QUEUE_BLOCKS)
        self._closed = threading.Event()
        self._stderr_lines: deque[bytes] = deque(maxlen=40)  # last lines of stderr
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()
        self._stderr_thread = threading.Thread(target=self._read_stderr, daemon=True)
        self._stderr_thread.start()

    def _feed(self) -> None:
        assert self._process.stdin
        while (data := self._blocks.get()) is not None:
            if self._closed.is_set():
                continue
            try:
                self._process.stdin.write(data)
            except OSError:
                self._closed.set()
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _read_stderr(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._stderr_lines.append(line)

    def put(self, data: bytes) -> bool:
        """Queue a block; False when the process no longer accepts input."""
        self._blocks.put(data)
        return not self._closed.is_set()

    def finish(self) -> str:
        """Close the input, wait for the process to exit and return the end of its stderr."""
        self._blocks.put(None)
        self._thread.join()
        self._process.wait()
        self._stderr_thread.join(_STDERR_TIMEOUT)
        return b"".join(self._stderr_lines).decode("utf-8", "replace")


def write_tags(mp3: Path, tags: Tags) -> None:
    """Write ID3v2.3 tags to the start of `mp3`.

    Raises
    ------
    StorageError
        When the file cannot be written.
    """
    from mutagen import MutagenError
    from mutagen.id3 import COMM, ID3, TALB, TBPM, TCON, TDRC, TIT2, TKEY, TPE1

    id3 = ID3()
    text = 1  # UTF-16, the only Unicode encoding of ID3v2.3
    for frame, value in (
        (TIT2, tags.title),
        (TPE1, tags.artist),
        (TALB, tags.album),
        (TCON, tags.genre),
        (TBPM, str(tags.bpm)),
        (TKEY, tags.key),
        (TDRC, str(tags.year)),
    ):
        id3.add(frame(encoding=text, text=[value]))
    id3.add(COMM(encoding=text, lang="eng", desc="", text=[tags.comment]))
    id3.update_to_v23()

    def save() -> None:
        with mp3.open("rb+") as file:
            id3.save(file, v2_version=3)

    try:
        retry_while_open_elsewhere(save)
    except OSError as error:
        raise storage_error(error, mp3) from error
    except MutagenError as error:
        cause = error.args[0] if error.args and isinstance(error.args[0], OSError) else None
        raise storage_error(cause or OSError(str(error)), mp3) from error


def _encoder_error(mp3: Path, stderr: str) -> StorageError:
    """Turn ffmpeg's stderr into an error: a full disk, or one that concerns this song only."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    _log.error("encoder: %s", " | ".join(lines[-5:]))
    if "No space left" in stderr:
        return StorageError(f"{mp3.parent}: the disk is full; free some space and try again")
    return EncoderError(
        f"{mp3.name.removesuffix(PART_SUFFIX)}: ffmpeg could not encode the MP3 "
        f"({lines[-1][:120] if lines else 'no error output'})"
    )
