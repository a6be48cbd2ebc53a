"""Checks the header pages of Ogg files, because damaged ones crash the decoder."""

from __future__ import annotations

from pathlib import Path

from scripts.core.input_files import open_input

_POLYNOMIAL = 0x04C11DB7
_HEADER_PACKETS = 3  # Vorbis header packets (identification, comment, setup)
_MAX_HEADER_BYTES = 1 << 20  # bytes that the headers may take


def _table_entry(value: int) -> int:
    value <<= 24
    for _ in range(8):
        value = (value << 1 ^ _POLYNOMIAL if value & 1 << 31 else value << 1) & 0xFFFFFFFF
    return value


_TABLE = tuple(_table_entry(n) for n in range(256))


def page_checksum(page: bytes) -> int:
    """CRC-32 of an Ogg page whose checksum field is zero (RFC 3533)."""
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _TABLE[value >> 24 ^ byte]
    return value


def check_ogg(path: Path) -> None:
    """Validate the header pages of an Ogg Vorbis file.

    Raises
    ------
    ValueError
        When they are damaged, or the file is not Ogg Vorbis.
    OSError
        When the file cannot be read.
    """
    with open_input(path) as file:
        packets = bytes_read = 0
        while packets < _HEADER_PACKETS:
            head = file.read(27)
            segments = file.read(head[26]) if len(head) == 27 and head[:4] == b"OggS" else b""
            body = file.read(sum(segments))
            bytes_read += 27 + len(segments) + len(body)
            if not segments or len(body) < sum(segments) or bytes_read > _MAX_HEADER_BYTES:
                raise ValueError(f"{path.name}: not an Ogg file, or truncated")
            if page_checksum(head[:22] + bytes(4) + head[26:] + segments + body) != int.from_bytes(
                head[22:26], "little"
            ):
                raise ValueError(f"{path.name}: wrong Ogg checksum; the file is damaged")
            if not packets and not body.startswith(b"\x01vorbis"):
                raise ValueError(f"{path.name}: unsupported Ogg codec; expected Vorbis")
            packets += sum(size < 255 for size in segments)
