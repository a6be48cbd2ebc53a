"""The lyrics of ``training/lyrics/texts`` and ``training/lyrics/foreign``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from scripts.lyrics.genre import GENRES
from scripts.lyrics.lyrics import Lyrics
from scripts.lyrics.read import read_lyrics

FOLDER = Path(__file__).parent / "texts"
FOREIGN = Path(__file__).parent / "foreign"  # by another writer, about other subjects
_HELD_OUT = 3  # every third subject
_HEAD = re.compile(r"^==\s*(\d+)\s*\|\s*(\w\w)\s*\|.*\n", re.MULTILINE)


@dataclass(frozen=True)
class LabeledLyrics:
    """Lyrics with their genre, subject and language."""

    genre: str
    subject: int
    language: str
    lyrics: Lyrics

    @property
    def held_out(self) -> bool:
        """Whether their subject is one that is only measured with."""
        return self.subject % _HELD_OUT == 0


def load_texts(folder: Path = FOLDER) -> list[LabeledLyrics]:
    """Read all lyrics of a folder: a file for each genre."""
    found = []
    for genre in GENRES:
        text = (folder / f"{genre.replace(' ', '-')}.txt").read_text(encoding="utf-8")
        _, *rows = _HEAD.split(text)
        for subject, language, body in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
            found.append(LabeledLyrics(genre, int(subject), language, read_lyrics(body)))
    return found
