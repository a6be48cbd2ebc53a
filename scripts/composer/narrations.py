"""Narrations from phrase data: a sentence about the light of a mood, in the user's language."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from scripts.core.errors import UsageError
from scripts.core.text import clean_line
from scripts.core.toml import read_tables
from scripts.request.feeling import Feeling

FALLBACK_LANGUAGE = "en"
MAX_NARRATION_LENGTH = 160  # characters


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
    found = found or _load(folder, FALLBACK_LANGUAGE).get(feeling.mood, ())
    if not found:
        return ""
    order = list(found)
    random.Random(f"narration {seed // len(order)} {feeling.mood}").shuffle(order)
    chosen = order[seed % len(order)]
    if chosen == before and len(order) > 1:
        chosen = order[(seed + 1) % len(order)]
    return chosen


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
