"""WAV to MP3 with pydub, and the tags of the file."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path

from scripts.errors import StorageError

# pydub holds a whole song in memory; longer ones stream through the same ffmpeg.
_PYDUB_BYTES = 220 << 20  # about 20 minutes


@dataclass(frozen=True)
class Tags:
    """The contract's ID3v2.3 tags."""

    title: str
    artist: str
    album: str
    genre: str
    bpm: int
    key: str
    year: int
    comment: str


def ffmpeg_path() -> str:
    """The ffmpeg that came with imageio-ffmpeg, else the system's."""
    try:
        import imageio_ffmpeg
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        found = shutil.which("ffmpeg")
        if found:
            return found
        raise StorageError("no ffmpeg was found, so no MP3 can be made; run "
                           "'python requisites.py' to install imageio-ffmpeg") from None


def encode_mp3(wav: Path, mp3: Path, bitrate: int) -> None:
    """Encode `wav` into `mp3` (both temporary names) at `bitrate` kbit/s.

    Raises
    ------
    StorageError
        When ffmpeg fails; its last line is quoted.
    """
    ffmpeg = ffmpeg_path()
    try:
        if wav.stat().st_size <= _PYDUB_BYTES:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pydub warns of a missing ffprobe it won't need
                from pydub import AudioSegment
                from pydub.exceptions import CouldntEncodeError
            AudioSegment.converter = ffmpeg
            try:
                AudioSegment.from_file(str(wav), format="wav").export(
                    str(mp3), format="mp3", bitrate=f"{bitrate}k").close()
            except CouldntEncodeError as error:
                raise StorageError(_complaint(mp3, str(error))) from error
        else:
            done = subprocess.run(
                [ffmpeg, "-v", "error", "-y", "-i", str(wav), "-b:a", f"{bitrate}k", "-f", "mp3",
                 str(mp3)], capture_output=True, stdin=subprocess.DEVNULL, check=False)
            if done.returncode:
                raise StorageError(_complaint(mp3, done.stderr.decode("utf-8", "replace")))
        if mp3.stat().st_size < 128:
            raise StorageError(_complaint(mp3, "nothing was written"))
    except OSError as error:
        mp3.unlink(missing_ok=True)
        from scripts.files import storage_error
        raise storage_error(error, mp3) from error
    except BaseException:
        mp3.unlink(missing_ok=True)
        raise


def write_tags(mp3: Path, tags: Tags) -> None:
    """Put ID3v2.3 tags at the head of `mp3`."""
    from mutagen.id3 import COMM, ID3, TALB, TBPM, TCON, TDRC, TIT2, TKEY, TPE1
    id3 = ID3()
    text = 1  # UTF-16, the Unicode of ID3v2.3
    for frame, value in ((TIT2, tags.title), (TPE1, tags.artist), (TALB, tags.album),
                         (TCON, tags.genre), (TBPM, str(tags.bpm)), (TKEY, tags.key),
                         (TDRC, str(tags.year))):
        id3.add(frame(encoding=text, text=[value]))
    id3.add(COMM(encoding=text, lang="eng", desc="", text=[tags.comment]))
    id3.update_to_v23()
    try:
        id3.save(mp3, v2_version=3)
    except OSError as error:
        from scripts.files import storage_error
        raise storage_error(error, mp3) from error


def _complaint(mp3: Path, words: str) -> str:
    lines = [line for line in words.splitlines() if line.strip()]
    if "No space left" in words:
        return f"{mp3.parent}: the disk is full; free some space and try again"
    return f"{mp3.name}: ffmpeg could not make the MP3 ({lines[-1][:120] if lines else 'no word'})"
