"""The command ``library playlist``: kept by name, shown, written out, taken in."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.cli.console import print_json, print_line, print_notice, print_result
from scripts.cli.song_rows import join_query, print_song
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.core.formatting import count_songs, format_clock
from scripts.library.index import Catalogue
from scripts.library.playlists import (
    M3U8,
    Playlist,
    good_name,
    load_playlists,
    named,
    read_m3u8,
    save_playlists,
    songs_for,
    write_m3u8,
)
from scripts.library.songs import Song


def playlist_songs(text: str, library: Catalogue) -> list[Song]:
    """The songs of a playlist's name, or of a query."""
    return songs_for(text, load_playlists(paths.PLAYLISTS), library.find, library.songs)


def playlist(args: argparse.Namespace, library: Catalogue) -> None:
    """Do what the words after ``playlist`` say."""
    words: list[str] = args.words or ["list"]
    action, least = _ACTIONS.get(words[0], (None, 0))
    if action is None or len(words) <= least:
        raise UsageError(
            "library playlist: list | save NAME QUERY | print_line NAME|QUERY | delete NAME"
            " | export NAME|QUERY FILE.m3u8 | import FILE.m3u8 [NAME]"
        )
    action(args, library, words[1:])


def _list(args: argparse.Namespace, library: Catalogue, words: Sequence[str]) -> None:
    for name, kept in load_playlists(paths.PLAYLISTS).items():
        count = len(playlist_songs(name, library))
        if args.json:
            print_json(name=name, query=kept.query, songs=count)
        else:
            print_line(f"{name}  ({kept.query or 'a fixed list'}; {count_songs(count)})")


def _save(args: argparse.Namespace, library: Catalogue, words: Sequence[str]) -> None:
    name, query = good_name(words[0]), join_query(words[1:])
    _keep(name, Playlist(query))
    count = len(library.find(query))
    print_result(
        args.json, f"{name}: {count_songs(count)} now", name=name, query=query, songs=count
    )


def _keep(name: str, new: Playlist | None) -> None:
    """Keep a playlist instead of the one that is called so in whatever case; None deletes it."""
    kept = {
        n: p for n, p in load_playlists(paths.PLAYLISTS).items() if n.casefold() != name.casefold()
    }
    save_playlists(paths.PLAYLISTS, {**kept, name: new} if new else kept)


def _show(args: argparse.Namespace, library: Catalogue, words: Sequence[str]) -> None:
    rows = {row["name"]: row for row in library.find_rows("")}
    for song in playlist_songs(join_query(words), library):
        row = rows.get(os.fsencode(song.path.name)) if song.path.parent == library.folder else None
        if row is not None:
            print_song(args.json, row, library)
        elif args.json:
            print_json(path=str(song.path), title=song.title, seconds=song.seconds)
        else:
            print_line(
                f"{'':<10}  {format_clock(song.seconds):>7}         {song.title}  ({song.path})"
            )


def _delete(args: argparse.Namespace, library: Catalogue, words: Sequence[str]) -> None:
    name = join_query(words)
    named(load_playlists(paths.PLAYLISTS), name)
    _keep(name, None)
    print_result(args.json, f"{name} is deleted; its songs stay", name=name)


def _export(args: argparse.Namespace, library: Catalogue, words: Sequence[str]) -> None:
    file = Path(words[-1])
    if file.suffix.lower() not in M3U8:
        raise UsageError(
            f'"{file.name[:60]}" is no playlist\'s file; the last word is one, such as best.m3u8'
        )
    songs = playlist_songs(join_query(words[:-1]), library)
    left = write_m3u8(file, songs)
    for name in left:
        print_notice(f"{name}: a playlist cannot hold this name; left out")
    count = len(songs) - len(left)
    print_result(args.json, f"{file}: {count_songs(count)}", path=str(file), songs=count)


def _import(args: argparse.Namespace, library: Catalogue, words: Sequence[str]) -> None:
    file = Path(words[0])
    found, problems = read_m3u8(file)
    for line in problems:
        print_notice(f"{file.name}, {line}")
    name = good_name(join_query(words[1:]) if len(words) > 1 else file.stem)
    if any(
        n.casefold() == name.casefold() and p.query
        for n, p in load_playlists(paths.PLAYLISTS).items()
    ):
        raise UsageError(
            f'"{name}" is a smart playlist; give the new one another name: library '
            f"playlist import {file.name} NAME"
        )
    inside = tuple(
        f.name if f.parent.resolve() == paths.OUTPUT.resolve() else str(f.resolve()) for f in found
    )
    _keep(name, Playlist(files=inside))
    print_result(args.json, f"{name}: {count_songs(len(found))}", name=name, songs=len(found))


_Action = Callable[[argparse.Namespace, Catalogue, Sequence[str]], None]
_ACTIONS: dict[str, tuple[_Action, int]] = {  # with the number of words that each needs
    "list": (_list, 0),
    "save": (_save, 2),
    "print_line": (_show, 1),
    "delete": (_delete, 1),
    "export": (_export, 2),
    "import": (_import, 1),
}
