"""Opens an ABC, MIDI or MusicXML file; the format is detected from its content."""

from __future__ import annotations

import errno
import re
from pathlib import Path

from scripts.core.errors import NotationError, UsageError
from scripts.core.input_files import read_input
from scripts.score.abc_piece import read_abc_piece
from scripts.score.midi_piece import read_midi_piece
from scripts.score.mxl_archive import unpack_mxl
from scripts.score.piece import MAX_FILE_BYTES, Piece
from scripts.score.xml_piece import read_xml_piece


def open_piece(path: Path) -> Piece:
    """Read an ABC, MIDI or MusicXML file, compressed (``.mxl``) or not.

    Raises
    ------
    UsageError
        If the file cannot be read or is too large.
    NotationError
        If its content is not valid music.
    """
    return parse_piece(read_notation_file(path), path.name)


def read_notation_file(path: Path) -> bytes:
    """Read the bytes of a notation file.

    Raises
    ------
    UsageError
        If it cannot be read or is larger than :data:`MAX_FILE_BYTES`.
    """
    try:
        return read_input(path, MAX_FILE_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise UsageError(
                f"{path.name} is too large: the limit is {MAX_FILE_BYTES >> 20} MB; choose another"
            ) from error
        raise UsageError(f"cannot read {path}: {error.strerror}; check the path") from error


def parse_piece(data: bytes, name: str) -> Piece:
    """Parse the content of an ABC, MIDI or MusicXML file, detecting the format.

    Parameters
    ----------
    data : bytes
    name : str
        File name, for error messages.

    Raises
    ------
    NotationError
        If it is not valid music; the message has `name` and, for ABC and XML, the line.
    """
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            data = data.decode("utf-16", "replace").encode("utf-8", "replace")
            data = re.sub(rb"""(<\?xml[^>]*?)\sencoding=["'][^"']*["']""", rb"\1", data, count=1)
        if data.startswith((b"MThd", b"RIFF")):
            return read_midi_piece(data[20:] if data.startswith(b"RIFF") else data)
        if data.startswith(b"PK"):
            return read_xml_piece(unpack_mxl(data))
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            return read_xml_piece(data)
        if b"\0" in data:
            raise NotationError("not an ABC, MIDI or MusicXML file")
        return read_abc_piece(_decode_text(data))
    except NotationError as error:
        raise NotationError(f"{name}: {error}") from error


def _decode_text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
