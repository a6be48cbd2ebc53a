"""``launcher.py library playlist``: lists, saves, exports and imports playlists."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from scripts.cli.console import print_json, print_line, print_notice, print_result
from scripts.cli.library import open_library
from scripts.cli.song_rows import join_query, print_song
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.core.formatting import format_clock, format_song_count
from scripts.core.settings import Settings
from scripts.library.index import LibraryIndex
from scripts.library.playlists import (
    PLAYLIST_SUFFIXES,
    Playlist,
    check_name,
    find_playlist,
    load_playlists,
    read_m3u8,
    resolve_songs,
    save_playlists,
    write_m3u8,
)
from scripts.library.songs import Song


def playlist_songs(text: str, library: LibraryIndex) -> list[Song]:
    """Return the songs of the playlist named `text`; without one, of that query."""
    return resolve_songs(text, load_playlists(paths.PLAYLISTS), library.find, library.songs)


def list_playlists(args: argparse.Namespace, settings: Settings) -> int:
    """List the playlists."""
    playlists = load_playlists(paths.PLAYLISTS)
    if not playlists:
        print_notice("no playlists; 'library playlist save NAME QUERY' saves one")
    with open_library() as library:
        for name, playlist in playlists.items():
            count = len(resolve_songs(name, playlists, library.find, library.songs))
            if args.json:
                print_json(name=name, query=playlist.query, songs=count)
            else:
                print_line(
                    f"{name}  ({playlist.query or 'a fixed list'}; {format_song_count(count)})"
                )
    return 0


def save(args: argparse.Namespace, settings: Settings) -> int:
    """Save a query as a smart playlist."""
    name, query = check_name(args.name), join_query(args.query).strip()
    if not query:
        raise UsageError("invalid query: expected words or fields such as style:chill")
    with open_library() as library:
        _replace(name, Playlist(query))
        count = len(library.find(query))
        print_result(
            args.json,
            f"{name}: {format_song_count(count)} now",
            name=name,
            query=query,
            songs=count,
        )
    return 0


def show(args: argparse.Namespace, settings: Settings) -> int:
    """List the songs of a playlist or a query."""
    with open_library() as library:
        rows = {row["name"]: row for row in library.find_rows("")}
        songs = playlist_songs(join_query(args.query), library)
        if not songs:
            print_notice("no songs found; 'library playlist list' lists the playlists")
        for song in songs:
            is_own = song.path.parent == library.folder
            row = rows.get(os.fsencode(song.path.name)) if is_own else None
            if row is not None:
                print_song(args.json, row, library)
            elif args.json:
                print_json(path=str(song.path), title=song.title, seconds=song.seconds)
            else:
                print_line(
                    f"{'':<10}  {format_clock(song.seconds):>7}         {song.title}  ({song.path})"
                )
    return 0


def delete(args: argparse.Namespace, settings: Settings) -> int:
    """Delete a playlist."""
    name = join_query(args.name)
    find_playlist(load_playlists(paths.PLAYLISTS), name)
    _replace(name, None)
    print_result(args.json, f"{name} is deleted; its songs stay", name=name)
    return 0


def export(args: argparse.Namespace, settings: Settings) -> int:
    """Write the songs of a playlist or a query as an M3U8 file."""
    file = args.file
    if file.suffix.lower() not in PLAYLIST_SUFFIXES:
        raise UsageError(f'invalid file "{file.name[:60]}": expected a name such as best.m3u8')
    with open_library() as library:
        songs = playlist_songs(join_query(args.query), library)
        skipped = write_m3u8(file, songs)
        for name in skipped:
            print_notice(f"{name}: left out; M3U8 playlists cannot contain this name")
        count = len(songs) - len(skipped)
        print_result(args.json, f"{file}: {format_song_count(count)}", path=str(file), songs=count)
    return 0


def import_file(args: argparse.Namespace, settings: Settings) -> int:
    """Import an M3U8 file as a playlist."""
    file: Path = args.file
    found, problems = read_m3u8(file)
    for line in problems:
        print_notice(f"{file.name}, {line}")
    name = check_name(join_query(args.name) if args.name else file.stem)
    if any(
        other.casefold() == name.casefold() and playlist.query
        for other, playlist in load_playlists(paths.PLAYLISTS).items()
    ):
        raise UsageError(
            f'"{name}" is a smart playlist; give the new one another name: '
            f"library playlist import {file.name} NAME"
        )
    output = paths.OUTPUT.resolve()
    files = (f.name if f.parent.resolve() == output else str(f.resolve()) for f in found)
    _replace(name, Playlist(files=tuple(files)))
    print_result(args.json, f"{name}: {format_song_count(len(found))}", name=name, songs=len(found))
    return 0


def _replace(name: str, playlist: Playlist | None) -> None:
    """Replace the playlist of this name, ignoring case; None deletes it."""
    others = {
        other: other_playlist
        for other, other_playlist in load_playlists(paths.PLAYLISTS).items()
        if other.casefold() != name.casefold()
    }
    save_playlists(paths.PLAYLISTS, {**others, name: playlist} if playlist else others)
