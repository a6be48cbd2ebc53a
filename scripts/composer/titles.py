"""Titles by rule, for when no model that can write words is there."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

from scripts.core.errors import UsageError
from scripts.request.spec import Brief

_PLAIN = {"adjective": ["Quiet", "Open", "Early"], "noun": ["Road", "Window", "Harbour"]}


def make_title(brief: Brief, words: Path) -> str:
    """A title of two to four words from ``data/titles.toml``, decided by the seed."""
    try:
        tables = tomllib.loads(words.read_text(encoding="utf-8"))
    except FileNotFoundError:
        tables = {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{words.name}: {error}; mend the file or delete it") from error
    rng = random.Random(f"title {brief.seed} {' '.join(brief.styles)}")
    own = [tables[s] for s in brief.styles if s in tables] or [tables.get("any", _PLAIN)]
    adjectives = [w for t in own for w in t.get("adjective", [])] or _PLAIN["adjective"]
    nouns = [w for t in own for w in t.get("noun", [])] or _PLAIN["noun"]
    places = [w for t in (*own, tables.get("any", {})) for w in t.get("place", [])]
    shape = rng.random()
    if shape < 0.55 or not places:
        return f"{rng.choice(adjectives)} {rng.choice(nouns)}"
    if shape < 0.8:
        return f"{rng.choice(nouns)} {rng.choice(places)}"
    return f"{rng.choice(adjectives)} {rng.choice(nouns)} {rng.choice(places)}"
