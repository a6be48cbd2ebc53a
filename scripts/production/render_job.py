"""What goes out to the process that plays a song, and what comes back."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.core.atomic_files import check_folder
from scripts.core.errors import Cancelled, StorageError
from scripts.library.song_files import SUFFIXES, SongFiles, recover


@dataclass(frozen=True)
class Ticket:
    """What a process needs to play one song; plain data, so that it can go anywhere.

    Parameters
    ----------
    recipe : dict
        As :meth:`Recipe.to_json` makes it.
    out : str
        Folder of the song; empty where the files are sent back.
    bitrate : int
    also : tuple of str
    threads : int
        For the sounds before the first block.
    """

    recipe: dict[str, Any]
    out: str
    bitrate: int
    also: tuple[str, ...]
    threads: int = 1


def take_in(made: dict[str, bytes], title: str, out: Path) -> str:
    """Give files from another computer their names here; the MP3's path."""
    files = SongFiles(out, title)
    made = {ending: data for ending, data in made.items() if ending in SUFFIXES}
    try:
        kept = [ending for ending in made if ending not in (".mp3", ".json", ".abc")]
        for ending in (".mp3", *kept):
            files.part(ending).write_bytes(made[ending])
        texts: dict[str, str] = {e: made[e].decode("utf-8") for e in (".json", ".abc") if e in made}
        return str(files.finish(texts, kept))
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise StorageError(
            f"{out}: what another computer sent could not be kept ({error})"
        ) from error
    finally:
        files.tidy()


def made_already(out: Path, order: str) -> dict[int, Path]:
    """Songs of an order that have their final names, by number, whatever the list of jobs says."""
    return _made_in(out, lambda: False).get(order, {})


class Folders:
    """Folders of songs as one look finds them: put in order, and what was made in them.

    Parameters
    ----------
    cancelled : callable
        Asked on the way, for there may be very many songs.
    """

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled
        self._tidy: set[Path] = set()
        self._made: dict[Path, dict[str, dict[int, Path]]] = {}

    def made(self, out: Path, order: str, begun: bool) -> dict[int, Path]:
        """Songs of an order that have their final names, by number.

        Parameters
        ----------
        begun : bool
            Whether there can be any: then all songs of the folder are looked at, once.

        Raises
        ------
        StorageError
            When the folder cannot be written.
        """
        if out not in self._tidy:
            check_folder(out)
            recover(out, time.time())
            self._tidy.add(out)
        if begun and out not in self._made:
            self._made[out] = _made_in(out, self._cancelled)
        return self._made[out].get(order, {}) if begun else {}


def _made_in(out: Path, cancelled: Callable[[], bool]) -> dict[str, dict[int, Path]]:
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
        with contextlib.suppress(
            OSError, ValueError, AttributeError, KeyError, TypeError, OverflowError, RecursionError
        ):  # a file of somebody else
            text = (out / name).read_text(encoding="utf-8", errors="replace")
            recipe = json.loads(text)["recipe"]
            if recipe["order"]:
                found.setdefault(str(recipe["order"]), {})[int(recipe["number"])] = out / mp3
    return found
