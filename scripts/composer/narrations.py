"""Narrations from phrase data: a sentence about the light of a mood, in the user's language."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from scripts.core import paths
from scripts.core.atomic_files import write_text
from scripts.core.errors import StorageError, UsageError
from scripts.core.input_files import read_input_text
from scripts.core.text import clean_line
from scripts.core.toml import read_tables
from scripts.request.feeling import Feeling

FALLBACK_LANGUAGE = "en"
MAX_NARRATION_LENGTH = 160  # characters
_MAX_BYTES = 4096  # of the file with the last one


def choose_narration(feeling: Feeling, seed: int, folder: Path, before: str = "") -> str:
    """Choose a narration.

    Songs with consecutive seeds go through all narrations of their mood before one comes again.

    Parameters
    ----------
    feeling : Feeling
    seed : int
    folder : Path
        ``data/narrations``, with a file a language; English stands in for others.
    before : str
        The last narration, which is not chosen again.

    Returns
    -------
    str
        Empty if there is none for the mood.
    """
    found = _load(folder, feeling.language).get(feeling.mood, ())
    if not found:
        return ""
    order = list(found)
    random.Random(f"narration {seed // len(order)} {feeling.mood}").shuffle(order)
    chosen = order[seed % len(order)]
    if chosen == before and len(order) > 1:
        chosen = order[(seed + 1) % len(order)]
    return chosen


def read_last_narration() -> str:
    """The narration of the song that was composed last; empty if it is not known."""
    try:
        return clean_line(read_input_text(paths.LAST_NARRATION, _MAX_BYTES), MAX_NARRATION_LENGTH)
    except (OSError, UnicodeError):
        return ""


def save_last_narration(text: str) -> None:
    """Remember the narration of a song, so that the next one has another."""
    with contextlib.suppress(StorageError):  # then one may come twice
        write_text(paths.LAST_NARRATION, f"{text}\n")


@lru_cache(maxsize=8)
def _load(folder: Path, language: str) -> Mapping[str, tuple[str, ...]]:
    name = f"{language}.toml"
    if not language.isalpha() or not (folder / name).is_file():
        name = f"{FALLBACK_LANGUAGE}.toml"
    path = folder / name
    tables, _ = read_tables(path)
    try:
        return {
            mood: tuple(clean_line(str(text), MAX_NARRATION_LENGTH) for text in texts)
            for mood, texts in tables.items()
        }
    except TypeError as error:
        raise UsageError(f"{path.name}: {error}; each mood needs a list of sentences") from error
