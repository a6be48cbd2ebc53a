"""What was typed before, by kind of field, kept between runs."""

from __future__ import annotations

from pathlib import Path

import msgspec

from scripts.core.atomic_files import write_text
from scripts.core.errors import StorageError
from scripts.core.input_files import read_input
from scripts.core.json_fields import INVALID_DATA, format_json
from scripts.core.text import clean_line

_MAX_ENTRIES = 100  # of one kind
_MAX_LENGTH = 500  # characters of an entry
_MAX_BYTES = 1 << 20


class History:
    """Earlier entries of text fields.

    Parameters
    ----------
    path : Path
        A JSON file; a missing or damaged one is an empty history.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, list[str]] = {}
        self._places: dict[str, int] = {}  # how far back each kind is shown
        try:
            found = msgspec.json.decode(read_input(path, _MAX_BYTES), type=dict[str, list[str]])
        except (OSError, ValueError, *INVALID_DATA):
            return
        for kind, entries in found.items():
            cleaned = [clean_line(entry, _MAX_LENGTH) for entry in entries[-_MAX_ENTRIES:]]
            self._entries[kind] = [entry for entry in cleaned if entry]

    def add(self, kind: str, text: str) -> None:
        """Add an entry and store the history, where it can be written."""
        self._places.pop(kind, None)
        text = clean_line(text, _MAX_LENGTH)
        if not text:
            return
        entries = [entry for entry in self._entries.get(kind, ()) if entry != text]
        self._entries[kind] = [*entries, text][-_MAX_ENTRIES:]
        try:
            write_text(self._path, format_json(self._entries), private=True)
        except StorageError:
            pass

    def step(self, kind: str, back: bool, typed: str) -> str | None:
        """Return the entry before or after the one shown; None at the ends.

        Parameters
        ----------
        kind : str
        back : bool
            Towards older entries.
        typed : str
            What is in the field: an entry shown, or text that is being typed.
        """
        entries = self._entries.get(kind, [])
        place = self._places.get(kind, 0)
        if place and (place > len(entries) or entries[-place] != typed):
            place = 0  # it was edited
        place += 1 if back else -1
        if not 0 <= place <= len(entries):
            return None
        self._places[kind] = place
        return entries[-place] if place else ""
