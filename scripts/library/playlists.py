"""Playlists: M3U8 export and import, and saved playlists by name."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from scripts.core.atomic_files import write_text
from scripts.core.errors import StorageError, UsageError
from scripts.core.input_files import is_regular_file, read_input, read_input_text
from scripts.core.json_fields import INVALID_DATA, convert_field, format_json
from scripts.core.text import strip_control_chars
from scripts.library.songs import AUDIO_SUFFIXES, MAX_TEXT_LENGTH, Song, read_song

PLAYLIST_SUFFIXES = (".m3u8", ".m3u")
MAX_LINES = 100_000
MAX_BYTES = 20 << 20
_MAX_SAVED_BYTES = 512 << 20  # of the file of all saved playlists
MAX_NAME_LENGTH = 60
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters or more, to exclude Windows drives


@dataclass(frozen=True)
class Playlist:
    """A saved playlist: a query or a fixed list.

    Parameters
    ----------
    query : str
        In the syntax of :mod:`scripts.library.query`; empty for a fixed list.
    files : tuple of str
        Paths or file names of a fixed list.
    """

    query: str = ""
    files: tuple[str, ...] = ()


def write_m3u8(path: Path, songs: Iterable[Song]) -> list[str]:
    """Write an M3U8 playlist.

    Paths below the playlist's folder are written relative to it. Titles are stripped of control
    characters, and a path never starts with ``#``.

    Returns
    -------
    list of str
        Names of songs left out because an M3U8 file cannot hold their path.

    Raises
    ------
    StorageError
        When the file cannot be written.
    """
    lines, left = ["#EXTM3U"], []
    home = path.absolute().parent
    for song in songs:
        file = song.path.absolute()
        name = str(file.relative_to(home)) if file.is_relative_to(home) else str(file)
        if not name.isprintable() or name != name.strip():
            left.append(strip_control_chars(song.path.name, MAX_TEXT_LENGTH))
            continue
        if name.startswith("#") or _URL.match(name):
            name = f".{os.sep}{name}"
        lines += [
            f"#EXTINF:{round(song.seconds) or -1},"
            + strip_control_chars(song.title, MAX_TEXT_LENGTH),
            name,
        ]
    write_text(path, "\n".join(lines) + "\n")
    return left


def read_m3u8(path: Path) -> tuple[list[Path], list[str]]:
    """Read an M3U8 playlist.

    Only local audio files are accepted: no network addresses (Windows would send the user's name
    and a proof of the password there) and no other file types.

    Returns
    -------
    tuple of list of Path and list of str
        The files that exist, and a message for each rejected line.

    Raises
    ------
    StorageError
        When the playlist cannot be read.
    UsageError
        When it is larger than 20 MB.
    """
    try:
        data = read_input(path, MAX_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise UsageError(
                f"{path.name}: playlist too large; the limit is {MAX_BYTES >> 20} MB"
            ) from error
        raise StorageError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    found, problems = [], []
    for number, line in enumerate(text.splitlines()[:MAX_LINES], 1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        problem = _find_problem(name)
        file = path.parent / name if not problem else path
        if not problem and not is_regular_file(file):  # perhaps a Windows path
            file = path.parent / name.replace("\\", "/")
        if not problem and not is_regular_file(file):
            problem = "no such file"
        if problem:
            problems.append(f"line {number}: {strip_control_chars(name, 80)}: {problem}")
        else:
            found.append(file)
    return found, problems


def _find_problem(name: str) -> str:
    if name.startswith(("\\\\", "//")) or PureWindowsPath(name).drive.startswith("\\\\"):
        return "network paths are not supported"
    if _URL.match(name):
        return "an address (URL) is not supported"
    if not name.isprintable():
        return "control characters in the file name"
    if Path(name).suffix.lower() not in AUDIO_SUFFIXES:
        return f"only {', '.join(AUDIO_SUFFIXES)} can be played"
    return ""


def load_playlists(path: Path) -> dict[str, Playlist]:
    """Load the saved playlists by name, without invalid entries.

    Raises
    ------
    StorageError
        When the file cannot be read or is not JSON, so that it is never overwritten then.
    """
    try:
        data: Any = json.loads(read_input_text(path, _MAX_SAVED_BYTES))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise StorageError(
            f"{path}: the playlists cannot be read ({_reason(error)}); repair or delete the file"
        ) from error
    found = {}
    for name, row in data.items() if isinstance(data, dict) else ():
        if not isinstance(row, dict):
            continue
        with contextlib.suppress(*INVALID_DATA):
            found[str(name)] = Playlist(
                convert_field(row.get("query", ""), str),
                convert_field(row.get("files", []), tuple[str, ...]),
            )
    return found


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)


def save_playlists(path: Path, playlists: dict[str, Playlist]) -> None:
    """Save all playlists in one atomic write."""
    data = {
        name: {"query": p.query} if p.query else {"files": list(p.files)}
        for name, p in playlists.items()
    }
    write_text(path, format_json(data), private=True)


def find_playlist(playlists: dict[str, Playlist], name: str) -> Playlist:
    """Find a playlist by name, ignoring case.

    Raises
    ------
    UsageError
        When there is none of this name.
    """
    for saved_name, playlist in playlists.items():
        if saved_name.casefold() == name.casefold():
            return playlist
    raise UsageError(
        f'no playlist "{strip_control_chars(name, MAX_NAME_LENGTH)}"; '
        "run 'library playlist list' to list them"
    )


def check_name(name: str) -> str:
    """Validate a playlist name; return it without surrounding spaces.

    Raises
    ------
    UsageError
        When it is empty, too long or has control characters.
    """
    name = name.strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise UsageError(
            f"invalid playlist name: expected 1 to {MAX_NAME_LENGTH} characters, none of them a "
            "control character"
        )
    return name


def resolve_songs(
    text: str,
    playlists: dict[str, Playlist],
    find: Callable[[str], list[Song]],
    songs: Callable[[], Sequence[Song]],
) -> list[Song]:
    """Songs of the playlist named `text`, or else those that match it as a query.

    Parameters
    ----------
    text : str
        Playlist name or query.
    playlists : dict
        Saved playlists by name.
    find : callable
        Finds songs by a query.
    songs : callable
        Returns all songs; called for a fixed list only.
    """
    try:
        playlist = find_playlist(playlists, text)
    except UsageError:
        return find(text)
    return find(playlist.query) if playlist.query else songs_in_playlist(playlist, songs())


def songs_in_playlist(playlist: Playlist, songs: Sequence[Song]) -> list[Song]:
    """Existing songs of a fixed list in its order, including files outside the library."""
    by_path = {name: song for song in songs for name in (str(song.path), song.path.name)}
    return [
        by_path[f] if f in by_path else read_song(Path(f))
        for f in playlist.files
        if f in by_path or (Path(f).is_absolute() and is_regular_file(Path(f)))
    ]
