"""Takes in ``data/listener.db``, where ratings and plays were kept before the library had them."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from scripts.library.index import Catalogue


def take_in_ratings(old: Path, catalogue: Catalogue) -> None:
    """Give the songs of the library what the old file knows of them, once."""
    if not old.is_file() or not catalogue.folder.is_dir():
        return  # nothing, or songs that are not there now
    with contextlib.suppress(sqlite3.Error, OSError):
        database = sqlite3.connect(old)
        try:
            rows = database.execute("SELECT song, rating, plays, last FROM heard").fetchall()
        finally:
            database.close()
        catalogue.take_in_heard(
            (str(song), int(rating), int(plays), float(last)) for song, rating, plays, last in rows
        )
        os.replace(old, old.with_name(f"{old.name}.taken-in"))
