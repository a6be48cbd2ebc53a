"""Where the frames of an MP3 file lie, so that a player can begin anywhere at once.

A decoder that is asked for a place in the middle decodes everything before it. A frame holds
1152 samples (576 at low rates), so the frame for a moment is known by counting; then it remains to
begin a little earlier, since frames lean on those before them (ISO/IEC 11172-3, 2.4.3.4).
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

_BITRATES = {  # kbit/s by (MPEG-1, layer III)
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_SEARCHED = 1 << 16  # bytes in which the first frame must be
_LEAD = 10  # frames that are decoded before the one that is wanted
_DECODER = 529  # samples that every decoder is late
_RESERVOIR = 511  # bytes of earlier frames that a frame may use


@dataclass(frozen=True)
class Header:
    """The four bytes at the beginning of a frame.

    Parameters
    ----------
    size : int
        Bytes of the whole frame.
    rate : int
        Samples a second.
    bitrate : int
        kbit/s.
    samples : int
        In the frame, of each channel.
    side : int
        Bytes of side information and checksum behind the header.
    """

    size: int
    rate: int
    bitrate: int
    samples: int
    side: int


@lru_cache(maxsize=256)
def read_header(data: bytes) -> Header | None:
    """The header in four bytes; None when they are none of layer III."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE6 != 0xE2:
        return None
    version, bits, which = data[1] >> 3 & 3, data[2] >> 4, data[2] >> 2 & 3
    if version == 1 or bits in (0, 15) or which == 3:
        return None
    first, mono = version == 3, data[3] >> 6 == 3
    rate, samples = _RATES[version][which], 1152 if first else 576
    bitrate = _BITRATES[first][bits]
    size = samples * 125 * bitrate // rate + (data[2] >> 1 & 1)
    side = (17 if mono else 32) if first else (9 if mono else 17)
    return Header(size, rate, bitrate, samples, side + (0 if data[1] & 1 else 2))


@dataclass(frozen=True)
class Place:
    """Where to begin reading.

    Parameters
    ----------
    offset : int
        Byte of the file.
    skip : int
        Samples that the decoder will give before the one that was wanted.
    """

    offset: int
    skip: int


class Mp3Frames:
    """The frames of one file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        When it cannot be read.
    ValueError
        When no frame is found at its beginning.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.length: int | None = None  # samples, where that can be told without going through
        self._delay = 0
        with path.open("rb") as file:
            self._first, self._head = _find_first(file)
            file.seek(self._first)
            told = _told(file.read(self._head.size), self._head)
            if told is not None:  # the first frame only tells about the others
                self._first += self._head.size
                self._delay, self._even = told.delay + _DECODER, told.even
                self.length = told.length or None
            self._offsets = array("q", [self._first])
            if told is None:
                self._even = self._is_even(file)

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._head.rate

    def _is_even(self, file: BinaryIO) -> bool:
        """All frames seem to be of one bitrate, to judge by some all over the file."""
        head = self._head
        size = file.seek(0, 2) - self._first
        frames = size * head.rate // (head.samples * 125 * head.bitrate)
        even = all(self._by_counting(file, frames * n // 9) for n in range(1, 9))
        if even:
            self.length = frames * head.samples
        return even

    def place(self, sample: int) -> Place | None:
        """Where to begin so that `sample` (0 is the first that is heard) is reached soon.

        None when the file has no such frame.
        """
        wanted = sample + self._delay
        frame = wanted // self._head.samples
        begin = max(0, frame - _LEAD)
        with self._path.open("rb") as file:
            offset = self._offset(file, begin)
            if offset is None:
                return None
            silent = _undecodable(file, offset)
        return Place(offset, wanted - (begin + silent) * self._head.samples)

    def _offset(self, file: BinaryIO, frame: int) -> int | None:
        if self._even and frame >= len(self._offsets):
            return self._by_counting(file, frame) or self._by_reading(file, frame)
        return self._by_reading(file, frame)

    def _by_counting(self, file: BinaryIO, frame: int) -> int | None:
        """All frames are of one bitrate; they differ by one byte of padding.

        In files that were put together from others the nearest frame is taken.
        """
        file.seek(self._first)
        header = read_header(file.read(4))
        if header is None:
            return None
        guess = self._first + frame * header.samples * 125 * header.bitrate // header.rate
        far = range(2, header.size + 1)
        for away in (0, 1, -1, *(n for m in far for n in (m, -m))):
            if guess + away >= self._first and _is_frame(file, guess + away, header.bitrate):
                return guess + away
        return None

    def _by_reading(self, file: BinaryIO, frame: int) -> int | None:
        """Go from frame to frame; what was gone through is remembered."""
        offsets = self._offsets
        offset = offsets[-1]
        while len(offsets) <= frame:
            file.seek(offset)
            header = read_header(file.read(4))
            if header is None:
                return None
            offset += header.size
            offsets.append(offset)
        return offsets[frame]


def behind_tags(file: BinaryIO) -> int:
    """Bytes of the ID3v2 tags at the head of a file, read from its beginning."""
    start = 0
    while (head := file.read(10))[:3] == b"ID3" and len(head) == 10:
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte & 0x7F
        start += 10 + size + (10 if head[5] & 0x10 else 0)
        file.seek(start)
    return start


def _find_first(file: BinaryIO) -> tuple[int, Header]:
    """Offset and header of the first frame, behind the tags."""
    start = behind_tags(file)
    file.seek(start)
    data = file.read(_SEARCHED)
    at = data.find(b"\xff")
    while at >= 0:
        header = read_header(data[at : at + 4])
        if header and read_header(data[at + header.size : at + header.size + 4]):
            return start + at, header
        at = data.find(b"\xff", at + 1)
    raise ValueError("no MP3 frame was found")


class _Told(NamedTuple):
    """What a Xing or Info frame says: samples, of silence in front, and whether CBR."""

    length: int
    delay: int
    even: bool


def _told(frame: bytes, header: Header) -> _Told | None:
    """What the first frame tells about the others; None when it is music itself."""
    tag = 4 + header.side
    kind = frame[tag : tag + 4]
    if kind not in (b"Xing", b"Info") or len(frame) < tag + 8:
        return None
    flags = struct.unpack(">I", frame[tag + 4 : tag + 8])[0]
    count = int.from_bytes(frame[tag + 8 : tag + 12], "big") if flags & 1 else 0
    at = (
        tag
        + 8
        + 4 * (flags & 1)
        + 4 * (flags >> 1 & 1)
        + 100 * (flags >> 2 & 1)
        + 4 * (flags >> 3 & 1)
    )
    if not frame[at : at + 4].strip(b"\0") or at + 24 > len(frame):
        return _Told(count * header.samples, -_DECODER, kind == b"Info")  # nothing is trimmed then
    delay = frame[at + 21] << 4 | frame[at + 22] >> 4
    padding = (frame[at + 22] & 15) << 8 | frame[at + 23]
    return _Told(max(0, count * header.samples - delay - padding), delay, kind == b"Info")


def _is_frame(file: BinaryIO, offset: int, bitrate: int) -> bool:
    """A frame of a bitrate begins here, and another one where it ends (or the file ends)."""
    file.seek(offset)
    header = read_header(file.read(4))
    if header is None or header.bitrate != bitrate:
        return False
    file.seek(offset + header.size)
    after = file.read(4)
    return len(after) < 4 or after[:3] in (b"ID3", b"TAG", b"APE") or read_header(after) is not None


def _undecodable(file: BinaryIO, offset: int) -> int:
    """Frames at `offset` that need bytes of frames before it; decoders leave them out."""
    saved = count = 0
    while count < _LEAD:
        file.seek(offset)
        frame = file.read(4 + 2 + 2)
        header = read_header(frame[:4])
        if header is None:
            break
        crc = 0 if frame[1] & 1 else 2
        if header.samples == 1152:
            back = (frame[4 + crc] << 8 | frame[5 + crc]) >> 7
        else:
            back = frame[4 + crc]
        if back <= saved:
            break
        saved = min(_RESERVOIR, saved + header.size - 4 - header.side)
        offset += header.size
        count += 1
    return count
