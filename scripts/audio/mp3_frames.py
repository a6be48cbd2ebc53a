"""Frame index of an MP3 file, for fast seeking.

A decoder that seeks decodes everything before the target. Every frame holds 1152 samples (576 at
low sample rates), so the frame of any sample can be computed. Decoding starts a few frames earlier,
because a frame may use data of previous ones (bit reservoir, ISO/IEC 11172-3, 2.4.3.4).
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from scripts.core.input_files import open_input

_BITRATES = {  # kbit/s by (MPEG-1, layer III)
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_SEARCH_BYTES = 1 << 16  # bytes searched for the first frame
_PREROLL_FRAMES = 10  # frames decoded before the target frame
_DECODER_DELAY = 529  # delay of every decoder, samples
_RESERVOIR_BYTES = 511  # bytes of previous frames that a frame may use


@dataclass(frozen=True)
class FrameHeader:
    """Decoded 4-byte header of a frame.

    Parameters
    ----------
    size : int
        Bytes of the whole frame, header included.
    rate : int
        Sample rate, Hz.
    bitrate : int
        kbit/s.
    samples : int
        Samples per channel in the frame.
    side_info_size : int
        Bytes of side information and checksum after the header.
    """

    size: int
    rate: int
    bitrate: int
    samples: int
    side_info_size: int


@lru_cache(maxsize=256)
def parse_header(data: bytes) -> FrameHeader | None:
    """Parse a 4-byte frame header; None unless it is a valid one of layer III."""
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
    return FrameHeader(size, rate, bitrate, samples, side + (0 if data[1] & 1 else 2))


@dataclass(frozen=True)
class SeekPoint:
    """Where to start decoding to reach a sample.

    Parameters
    ----------
    offset : int
        Byte offset in the file.
    skip : int
        Decoded samples to discard before the wanted one.
    """

    offset: int
    skip: int


class Mp3Frames:
    """Frame index of one MP3 file, built as far as it is needed.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When no frame is found at its start.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.length: int | None = None  # samples; None where only a full scan would tell
        self._delay = 0
        with open_input(path) as file:
            self._first_offset, self._first_header = _find_first(file)
            file.seek(self._first_offset)
            xing = _parse_xing(file.read(self._first_header.size), self._first_header)
            if xing is not None:  # the first frame is a Xing header without audio
                self._first_offset += self._first_header.size
                self._delay, self._is_cbr = xing.delay + _DECODER_DELAY, xing.is_cbr
                self.length = xing.length or None
            self._offsets = array("q", [self._first_offset])
            if xing is None:
                self._is_cbr = self._detect_cbr(file)

    @property
    def rate(self) -> int:
        """Sample rate, Hz."""
        return self._first_header.rate

    def _detect_cbr(self, file: BinaryIO) -> bool:
        """Check some frames across the file for one constant bitrate; sets the length if so."""
        head = self._first_header
        size = file.seek(0, 2) - self._first_offset
        frames = size * head.rate // (head.samples * 125 * head.bitrate)
        even = all(self._find_offset_by_bitrate(file, frames * n // 9) for n in range(1, 9))
        if even:
            self.length = frames * head.samples
        return even

    def find_seek_point(self, sample: int) -> SeekPoint | None:
        """Find where to start decoding to reach `sample`.

        Parameters
        ----------
        sample : int
            0 is the first audible one, after the encoder delay.

        Returns
        -------
        Place or None
            None when the file has no such frame.
        """
        wanted = sample + self._delay
        frame = wanted // self._first_header.samples
        begin = max(0, frame - _PREROLL_FRAMES)
        with open_input(self._path) as file:
            offset = self._find_offset(file, begin)
            if offset is None:
                return None
            silent = _count_undecodable(file, offset)
        return SeekPoint(offset, wanted - (begin + silent) * self._first_header.samples)

    def _find_offset(self, file: BinaryIO, frame: int) -> int | None:
        if self._is_cbr and frame >= len(self._offsets):
            return self._find_offset_by_bitrate(file, frame) or self._find_offset_by_scan(
                file, frame
            )
        return self._find_offset_by_scan(file, frame)

    def _find_offset_by_bitrate(self, file: BinaryIO, frame: int) -> int | None:
        """Compute the offset of a frame at constant bitrate and search around it.

        Frames differ by one byte of padding. In concatenated files the nearest frame is used.
        """
        file.seek(self._first_offset)
        header = parse_header(file.read(4))
        if header is None:
            return None
        guess = self._first_offset + frame * header.samples * 125 * header.bitrate // header.rate
        far = range(2, header.size + 1)
        for away in (0, 1, -1, *(n for m in far for n in (m, -m))):
            if guess + away >= self._first_offset and _is_frame(file, guess + away, header.bitrate):
                return guess + away
        return None

    def _find_offset_by_scan(self, file: BinaryIO, frame: int) -> int | None:
        """Scan from frame to frame, caching the offsets."""
        offsets = self._offsets
        offset = offsets[-1]
        while len(offsets) <= frame:
            file.seek(offset)
            header = parse_header(file.read(4))
            if header is None:
                return None
            offset += header.size
            offsets.append(offset)
        return offsets[frame]


def id3v2_size(file: BinaryIO) -> int:
    """Size in bytes of the ID3v2 tags at the start of `file`, which must be at position 0."""
    start = 0
    while (head := file.read(10))[:3] == b"ID3" and len(head) == 10:
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte & 0x7F
        start += 10 + size + (10 if head[5] & 0x10 else 0)
        file.seek(start)
    return start


def _find_first(file: BinaryIO) -> tuple[int, FrameHeader]:
    """Offset and header of the first frame after the tags."""
    start = id3v2_size(file)
    file.seek(start)
    data = file.read(_SEARCH_BYTES)
    at = data.find(b"\xff")
    while at >= 0:
        header = parse_header(data[at : at + 4])
        if header and parse_header(data[at + header.size : at + header.size + 4]):
            return start + at, header
        at = data.find(b"\xff", at + 1)
    raise ValueError("no MP3 frame found")


class _XingInfo(NamedTuple):
    """Contents of a Xing or Info frame: samples, encoder delay (samples), constant bitrate."""

    length: int
    delay: int
    is_cbr: bool


def _parse_xing(frame: bytes, header: FrameHeader) -> _XingInfo | None:
    """Parse the Xing or Info header in a frame; None when the frame holds audio."""
    tag = 4 + header.side_info_size
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
        return _XingInfo(count * header.samples, -_DECODER_DELAY, kind == b"Info")  # no delay given
    delay = frame[at + 21] << 4 | frame[at + 22] >> 4
    padding = (frame[at + 22] & 15) << 8 | frame[at + 23]
    return _XingInfo(max(0, count * header.samples - delay - padding), delay, kind == b"Info")


def _is_frame(file: BinaryIO, offset: int, bitrate: int) -> bool:
    """Whether a frame of this bitrate starts here, followed by another frame, a tag or the end."""
    file.seek(offset)
    header = parse_header(file.read(4))
    if header is None or header.bitrate != bitrate:
        return False
    file.seek(offset + header.size)
    after = file.read(4)
    return (
        len(after) < 4 or after[:3] in (b"ID3", b"TAG", b"APE") or parse_header(after) is not None
    )


def _count_undecodable(file: BinaryIO, offset: int) -> int:
    """Count the frames from `offset` that need data before it; decoders skip them."""
    saved = count = 0
    while count < _PREROLL_FRAMES:
        file.seek(offset)
        frame = file.read(4 + 2 + 2)
        header = parse_header(frame[:4])
        if header is None:
            break
        crc = 0 if frame[1] & 1 else 2
        if header.samples == 1152:
            back = (frame[4 + crc] << 8 | frame[5 + crc]) >> 7
        else:
            back = frame[4 + crc]
        if back <= saved:
            break
        saved = min(_RESERVOIR_BYTES, saved + header.size - 4 - header.side_info_size)
        offset += header.size
        count += 1
    return count
