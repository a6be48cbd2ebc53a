"""Prints songs of the library as text or JSON, and joins the words of queries."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence

from scripts.audio.play_stats import MAX_RATING
from scripts.cli.console import print_json, print_line, print_notice
from scripts.core.formatting import format_clock, format_song_count
from scripts.library.index import LibraryIndex


def join_query(words: Sequence[str]) -> str:
    """Join command line words into one query; words that contain spaces are quoted."""
    return words[0] if len(words) == 1 else " ".join(map(_quote, words))


def _quote(word: str) -> str:
    if " " not in word or '"' in word:
        return word
    for operator in (":", "=", "<", ">"):
        field, found, value = word.partition(operator)
        if found and field.isalpha():
            return f'{field}{found}"{value}"'
    return f'"{word}"'


def print_songs(as_json: bool, rows: Sequence[sqlite3.Row], library: LibraryIndex) -> None:
    """Print one line per song, and a total unless `as_json`."""
    for row in rows:
        print_song(as_json, row, library)
    if not as_json:
        seconds, size = sum(r["seconds"] for r in rows), sum(r["bytes"] for r in rows)
        print_notice(
            f"{format_song_count(len(rows))}, {format_clock(seconds)}, {size / 1e6:,.1f} MB"
        )


def print_song(as_json: bool, row: sqlite3.Row, library: LibraryIndex) -> None:
    """Print one song of the library."""
    if as_json:
        styles = row["styles"].split(", ") if row["styles"] else None
        print_json(
            id=row["id"],
            path=str(library.folder / os.fsdecode(row["name"])),
            title=row["title"],
            seconds=row["seconds"],
            key=row["key"] or None,
            tempo=row["tempo"],
            meter=row["meter"] or None,
            styles=styles,
            asked=row["asked"],
            model=row["model"] or None,
            made=row["made"],
            rating=row["rating"],
            plays=row["plays"],
            thumb=row["thumb"],
            bytes=row["bytes"],
        )
    else:
        stars = "*" * row["rating"] + "-" * (MAX_RATING - row["rating"]) if row["rating"] else ""
        print_line(
            f"{row['id']}  {format_clock(row['seconds']):>7}  {stars:<5}  {row['title']}  "
            f"({row['asked']})"
        )
