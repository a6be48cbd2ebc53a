"""Opens somebody's file of notes, whichever of the three kinds it is."""

from __future__ import annotations

from pathlib import Path

from scripts.core.errors import NotationError, UsageError
from scripts.score.abc_piece import read_abc_piece
from scripts.score.midi_piece import read_midi_piece
from scripts.score.piece import LARGEST_FILE, Piece
from scripts.score.xml_piece import read_xml_piece, unpacked


def open_piece(path: Path) -> Piece:
    """Read an ABC, MIDI or MusicXML file (packed or not).

    Raises
    ------
    UsageError
        When the file cannot be read or is too large.
    NotationError
        When it is no music.
    """
    return read_piece(read_notes(path), path.name)


def read_notes(path: Path) -> bytes:
    """What is in a file of notes.

    Raises
    ------
    UsageError
        When it cannot be read or is too large.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise UsageError(
                f"{path.name} is {size / (1 << 20):.0f} MB; files of notes of up to "
                f"{LARGEST_FILE >> 20} MB are read"
            )
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error


def read_piece(data: bytes, name: str) -> Piece:
    """What a file of notes holds; its kind is told by what is in it.

    Raises
    ------
    NotationError
        When it is no music; the message has `name` and, for ABC and XML, the line.
    """
    try:
        if data.startswith((b"MThd", b"RIFF")):
            return read_midi_piece(data[20:] if data.startswith(b"RIFF") else data)
        if data.startswith(b"PK"):
            return read_xml_piece(unpacked(data))
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or data.startswith(
            (b"\xff\xfe", b"\xfe\xff")
        ):
            return read_xml_piece(data)
        if b"\0" in data:
            raise NotationError("it is neither ABC, MIDI nor MusicXML")
        return read_abc_piece(_decoded(data))
    except NotationError as error:
        raise NotationError(f"{name}: {error}") from error


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
