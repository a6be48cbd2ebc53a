"""What goes out to the process that plays a song, and what comes back."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.errors import StorageError
from scripts.library.song_files import SUFFIXES, SongFiles


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
        texts: dict[str, str] = {e: made[e].decode("utf-8")
                                 for e in (".json", ".abc") if e in made}
        return str(files.finish(texts, kept))
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise StorageError(f"{out}: what another computer sent could not be kept ({error})"
                           ) from error
    finally:
        files.tidy()


def made_already(out: Path, order: str) -> dict[int, Path]:
    """Songs of an order that have their final names, by number, whatever the list of jobs says."""
    found = {}
    try:
        details = sorted(p for p in out.iterdir() if p.suffix == ".json")
    except OSError:
        return {}
    for path in details:
        with contextlib.suppress(OSError, ValueError, AttributeError, KeyError, TypeError,
                                 RecursionError):  # a file of somebody else
            text = path.read_text(encoding="utf-8", errors="replace")
            if order in text and path.with_suffix(".mp3").is_file():
                recipe = json.loads(text)["recipe"]
                if recipe["order"] == order:
                    found[int(recipe["number"])] = path.with_suffix(".mp3")
    return found
