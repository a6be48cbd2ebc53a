"""Titles from word lists, for use without a model that can write text."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

from scripts.core.errors import UsageError
from scripts.request.spec import SongSpec

_DEFAULT_WORDS = {"adjective": ["Quiet", "Open", "Early"], "noun": ["Road", "Window", "Harbour"]}


def make_title(spec: SongSpec, word_file: Path) -> str:
    """Make a title of two to four words; the same seed and styles give the same title.

    Parameters
    ----------
    spec : SongSpec
    word_file : Path
        ``data/titles.toml``: lists of adjectives, nouns and places by style. A built-in list
        is used if the file does not exist.

    Raises
    ------
    UsageError
        If the file is not valid TOML or not UTF-8.
    """
    try:
        tables = tomllib.loads(word_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        tables = {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{word_file.name}: {error}; correct the file or delete it") from error
    rng = random.Random(f"title {spec.seed} {' '.join(spec.styles)}")
    own = [tables[s] for s in spec.styles if s in tables] or [tables.get("any", _DEFAULT_WORDS)]
    adjectives = [w for t in own for w in t.get("adjective", [])] or _DEFAULT_WORDS["adjective"]
    nouns = [w for t in own for w in t.get("noun", [])] or _DEFAULT_WORDS["noun"]
    places = [w for t in (*own, tables.get("any", {})) for w in t.get("place", [])]
    shape = rng.random()
    if shape < 0.55 or not places:
        return f"{rng.choice(adjectives)} {rng.choice(nouns)}"
    if shape < 0.8:
        return f"{rng.choice(nouns)} {rng.choice(places)}"
    return f"{rng.choice(adjectives)} {rng.choice(nouns)} {rng.choice(places)}"
