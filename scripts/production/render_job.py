"""Render jobs for other processes and computers, and the files that result from them."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.core.atomic_files import ensure_writable_folder
from scripts.core.errors import Cancelled, StorageError
from scripts.core.input_files import read_input_text
from scripts.library.song_files import SONG_SUFFIXES, SongFiles, recover
from scripts.lights.show_file import LIGHT_SUFFIX

TEXT_SUFFIXES = (".json", ".abc", LIGHT_SUFFIX)
_MAX_DETAILS_BYTES = 4_000_000


@dataclass(frozen=True)
class RenderJob:
    """Everything a process needs to render one song; plain data that can be pickled.

    Parameters
    ----------
    recipe : dict
        As :meth:`Recipe.to_json` returns it.
    out : str
        Folder for the song; empty if the files are sent back as bytes.
    bitrate : int
        Of the MP3, in kbit/s.
    extra_formats : tuple of str
        Formats to write in addition to MP3 and ABC.
    threads : int
        Threads that prepare the sounds before the first block.
    live : str
        File for the audio while it is rendered; empty for none.
    """

    recipe: dict[str, Any]
    out: str
    bitrate: int
    extra_formats: tuple[str, ...]
    threads: int = 1
    live: str = ""


def save_remote_files(files: dict[str, bytes], title: str, out: Path) -> str:
    """Save the files of a song that another computer rendered.

    Parameters
    ----------
    files : dict
        Contents by suffix, such as ``.mp3``; unknown suffixes are ignored.
    title : str
        The files are named after it.
    out : Path
        Folder for the song.

    Returns
    -------
    str
        Path of the MP3.

    Raises
    ------
    StorageError
        When the files are incomplete or cannot be written.
    """
    song = SongFiles(out, title)
    files = {suffix: data for suffix, data in files.items() if suffix in SONG_SUFFIXES}
    try:
        binary = [suffix for suffix in files if suffix not in (".mp3", *TEXT_SUFFIXES)]
        for suffix in (".mp3", *binary):
            song.part(suffix).write_bytes(files[suffix])
        texts: dict[str, str] = {s: files[s].decode("utf-8") for s in TEXT_SUFFIXES if s in files}
        return str(song.finish(texts, binary))
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise StorageError(
            f"cannot save the files from another computer in {out}: {error}"
        ) from error
    finally:
        song.tidy()


def find_finished_songs(out: Path, order_uid: str) -> dict[int, Path]:
    """Find the songs of an order in a folder by number, whatever the order store says."""
    return _songs_by_order(out, lambda: False).get(order_uid, {})


class OutputFolders:
    """Finished songs in output folders; each folder is recovered and scanned once.

    Parameters
    ----------
    cancelled : callable
        Checked during a scan, because a folder may contain very many songs.
    """

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled
        self._recovered: set[Path] = set()
        self._songs: dict[Path, dict[str, dict[int, Path]]] = {}

    def finished_songs(self, out: Path, order_uid: str, may_exist: bool) -> dict[int, Path]:
        """Find the finished songs of an order by number.

        Parameters
        ----------
        out : Path
        order_uid : str
        may_exist : bool
            Whether the order may have finished songs; if not, the folder is not scanned.

        Raises
        ------
        StorageError
            When the folder cannot be written.
        Cancelled
            When cancelled during a scan.
        """
        if out not in self._recovered:
            ensure_writable_folder(out)
            recover(out, time.time())
            self._recovered.add(out)
        if may_exist and out not in self._songs:
            self._songs[out] = _songs_by_order(out, self._cancelled)
        return self._songs[out].get(order_uid, {}) if may_exist else {}


def _songs_by_order(out: Path, cancelled: Callable[[], bool]) -> dict[str, dict[int, Path]]:
    """Songs of a folder by order and number."""
    found: dict[str, dict[int, Path]] = {}
    try:
        names = set(os.listdir(out))
    except OSError:
        return {}
    for name in sorted(n for n in names if n.endswith(".json")):
        mp3 = f"{name.removesuffix('.json')}.mp3"
        if mp3 not in names:
            continue
        if cancelled():
            raise Cancelled("stopped")
        with contextlib.suppress(  # not written by this program
            OSError,
            ValueError,
            AttributeError,
            KeyError,
            TypeError,
            OverflowError,
            RecursionError,
        ):
            text = read_input_text(out / name, _MAX_DETAILS_BYTES, errors="replace")
            recipe = json.loads(text)["recipe"]
            if recipe["order"]:
                found.setdefault(str(recipe["order"]), {})[int(recipe["number"])] = out / mp3
    return found
