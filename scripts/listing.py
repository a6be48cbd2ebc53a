"""How the command ``library`` takes words and shows songs: lines for people, JSON for programs."""

from __future__ import annotations

import argparse
import os
import sqlite3
from collections.abc import Sequence

from scripts.audio.heard import BEST
from scripts.library.catalogue import Catalogue
from scripts.progress import clock, emit, show, songs_words, tell


def told(args: argparse.Namespace, line: str, **facts: object) -> None:
    """What was done: a line for people, or the facts for programs."""
    if args.json:
        emit(**facts)
    else:
        tell(line)


def joined(words: Sequence[str]) -> str:
    """Words as the shell has parted them, as one query."""
    return words[0] if len(words) == 1 else " ".join(_quoted(w) for w in words)


def _quoted(word: str) -> str:
    """A word that the shell had in quotes keeps its spaces."""
    if " " not in word or '"' in word:
        return word
    for sign in (":", "=", "<", ">"):
        field, found, value = word.partition(sign)
        if found and field.isalpha():
            return f'{field}{found}"{value}"'
    return f'"{word}"'


def show_songs(as_json: bool, rows: Sequence[sqlite3.Row], library: Catalogue) -> None:
    for row in rows:
        show_song(as_json, row, library)
    if not as_json:
        seconds, size = sum(r["seconds"] for r in rows), sum(r["bytes"] for r in rows)
        tell(f"{songs_words(len(rows))}, {clock(seconds)}, {size / 1e6:,.1f} MB")


def show_song(as_json: bool, row: sqlite3.Row, library: Catalogue) -> None:
    if as_json:
        styles = row["styles"].split(", ") if row["styles"] else None
        emit(id=row["id"], path=str(library.folder / os.fsdecode(row["name"])),
             title=row["title"], seconds=row["seconds"], key=row["key"] or None,
             tempo=row["tempo"], meter=row["meter"] or None, styles=styles, asked=row["asked"],
             model=row["model"] or None, made=row["made"], rating=row["rating"],
             plays=row["plays"], thumb=row["thumb"], bytes=row["bytes"])
    else:
        stars = "*" * row["rating"] + "-" * (BEST - row["rating"]) if row["rating"] else ""
        show(f"{row['id']}  {clock(row['seconds']):>7}  {stars:<5}  {row['title']}  "
             f"({row['asked']})")
