"""Opens somebody's file of notes, whichever of the three kinds it is."""

from __future__ import annotations

from pathlib import Path

from scripts.errors import NotationError, UsageError
from scripts.score.abc_piece import read_abc_piece
from scripts.score.midi_piece import read_midi_piece
from scripts.score.piece import Piece
from scripts.score.xml_piece import read_xml_piece, unpacked

LARGEST = 8 << 20  # bytes; a symphony has less


def open_piece(path: Path) -> Piece:
    """Read an ABC, MIDI or MusicXML file (packed or not), told apart by what is in it.

    Raises
    ------
    UsageError
        When the file cannot be read or is too large.
    NotationError
        When it is no music; the message names the file and, for ABC and XML, the line.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise UsageError(f"{path.name} is {size / (1 << 20):.0f} MB; files of notes of up to "
                             f"{LARGEST >> 20} MB are read")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        if data.startswith((b"MThd", b"RIFF")):
            return read_midi_piece(data[20:] if data.startswith(b"RIFF") else data)
        if data.startswith(b"PK"):
            return read_xml_piece(unpacked(data))
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or data.startswith(
                (b"\xff\xfe", b"\xfe\xff")):
            return read_xml_piece(data)
        if b"\0" in data:
            raise NotationError("it is neither ABC, MIDI nor MusicXML")
        return read_abc_piece(_decoded(data))
    except NotationError as error:
        raise NotationError(f"{path.name}: {error}") from error


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
