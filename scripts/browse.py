"""The command ``library``: what was made, found, rated, listed, removed and brought back."""

from __future__ import annotations

import argparse
import contextlib
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts import paths
from scripts.audio.heard import BEST, THUMBS
from scripts.errors import StorageError, UsageError
from scripts.library.bin import binned, empty, remove, restore
from scripts.library.catalogue import Catalogue, id_of
from scripts.library.listener import take_in_ratings
from scripts.library.playlists import (
    Playlist,
    good_name,
    load_playlists,
    named,
    read_m3u8,
    save_playlists,
    songs_for,
    write_m3u8,
)
from scripts.library.songs import Song, read_song
from scripts.progress import clock, emit, songs_words, tell
from scripts.settings import Settings
from scripts.styles.style import load_styles


def open_library() -> Catalogue:
    """The library of the output folder, as it is now."""
    moods = [s.name for s in load_styles(paths.DATA / "styles").values() if s.kind == "mood"]
    catalogue = Catalogue(paths.LIBRARY, paths.OUTPUT, moods)
    catalogue.scan()
    take_in_ratings(paths.LIBRARY.with_name("listener.db"), catalogue)
    if catalogue.notice:
        tell(catalogue.notice)
    return catalogue


def playlist_songs(text: str, catalogue: Catalogue) -> list[Song]:
    """The songs of a playlist's name, or of a query."""
    return songs_for(text, load_playlists(paths.PLAYLISTS), catalogue.find, catalogue.songs)


def play(args: argparse.Namespace, settings: Settings) -> int:
    """Play files, playlists, what a query finds, or the whole library."""
    songs: list[Song] = []
    for file in args.files:
        if file.suffix.lower() in (".m3u8", ".m3u"):
            found, told = read_m3u8(file)
            songs += map(read_song, found)
            for line in told:
                tell(f"{file.name}, {line}")
        elif file.is_file():
            songs.append(read_song(file))
        else:
            raise StorageError(f"{file}: there is no such file; check the name")
    if args.playlist or not args.files:
        library = open_library()
        songs += playlist_songs(args.playlist, library) if args.playlist else library.songs()
        library.close()
    if not songs:
        raise StorageError(f"{paths.OUTPUT}: there is no song yet; make one with 'launcher.py "
                           "generate \"Chill\"'" if not args.playlist and not args.files else
                           "there is no such song to play; 'library search' helps to find some")
    from scripts.jukebox.console import play_on_console
    return play_on_console(songs, args.shuffle, args.once, args.output or settings.output,
                           settings, args.json)


def library(args: argparse.Namespace) -> int:
    """Look at the library, or change it."""
    library = open_library()
    try:
        _ACTIONS[args.action](args, library)
        library.write_changes()
        if library.notice:
            tell(library.notice)
    finally:
        library.close()
    return 0


def _words(args: argparse.Namespace, least: int, usage: str) -> list[str]:
    words: list[str] = args.words
    if len(words) < least:
        raise UsageError(f"library {usage}")
    return words


def _list(args: argparse.Namespace, library: Catalogue) -> None:
    _show(args.json, library.find_rows(" ".join(args.words)), library)


def _search(args: argparse.Namespace, library: Catalogue) -> None:
    words = _words(args, 1, 'search needs words, such as style:chill "rating>=4" "tempo<100"')
    _show(args.json, library.find_rows(_joined(words)), library)


def _joined(words: Sequence[str]) -> str:
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


def _show(as_json: bool, rows: Sequence[sqlite3.Row], library: Catalogue) -> None:
    for row in rows:
        _show_one(as_json, row, library)
    if not as_json:
        seconds, size = sum(r["seconds"] for r in rows), sum(r["bytes"] for r in rows)
        tell(f"{songs_words(len(rows))}, {clock(seconds)}, {size / 1e6:,.1f} MB")


def _show_one(as_json: bool, row: sqlite3.Row, library: Catalogue) -> None:
    if as_json:
        styles = row["styles"].split(", ") if row["styles"] else None
        emit(id=row["id"], path=str(library.folder / os.fsdecode(row["name"])),
             title=row["title"], seconds=row["seconds"], key=row["key"] or None,
             tempo=row["tempo"], meter=row["meter"] or None, styles=styles, asked=row["asked"],
             model=row["model"] or None, made=row["made"], rating=row["rating"],
             plays=row["plays"], thumb=row["thumb"], bytes=row["bytes"])
    else:
        stars = "*" * row["rating"] + "-" * (BEST - row["rating"]) if row["rating"] else ""
        print(f"{row['id']}  {clock(row['seconds']):>7}  {stars:<5}  {row['title']}  "
              f"({row['asked']})")


def _rate(args: argparse.Namespace, library: Catalogue) -> None:
    words = _words(args, 2, "rate needs an ID (or title) and 0 to 5")
    song = library.song(words[0])
    if words[1] not in tuple("012345"):
        raise UsageError(f'"{words[1][:20]}" is no rating; 0 (none) to 5 are')
    library.rate(song.path, int(words[1]))
    tell(f"{song.title}: {words[1]} of 5")


def _thumb(args: argparse.Namespace, library: Catalogue) -> None:
    words = _words(args, 2, "thumb needs an ID (or title) and up, down or none")
    song = library.song(words[0])
    if words[1] not in THUMBS:
        raise UsageError(f'"{words[1][:20]}" is no thumb; up, down and none are')
    library.thumb(song.path, THUMBS[words[1]])
    tell(f"{song.title}: thumb {words[1]}")


def _rescan(args: argparse.Namespace, library: Catalogue) -> None:
    def heard(done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"\rReading {done:,} of {of:,}", end="", file=sys.stderr, flush=True)
    library.scan(again=True, heard=heard)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    count, seconds, size = library.totals()
    tell(f"{songs_words(count)}, {clock(seconds)}, {size / 1e6:,.1f} MB")


def _remove(args: argparse.Namespace, library: Catalogue) -> None:
    for word in _words(args, 1, "remove needs the ID or title of a song"):
        song = library.song(word)
        library.write_changes()
        remove(song.path)
        library.forget(song.path)
        tell(f"{song.title} is in the bin; 'library undo' brings it back")


def _undo(args: argparse.Namespace, library: Catalogue) -> None:
    if args.words and not args.words[0].isdigit():
        raise UsageError("library undo takes a number that 'library bin' shows, or nothing")
    path = restore(paths.OUTPUT, int(args.words[0]) if args.words else None)
    library.take_in(path)
    tell(f"{path.name} is back")


def _bin(args: argparse.Namespace, library: Catalogue) -> None:
    if args.words and args.words[0] == "empty":
        tell(f"{songs_words(empty(paths.OUTPUT))} deleted for good")
        return
    found = binned(paths.OUTPUT)
    for song in found:
        if args.json:
            emit(number=song.number, name=song.name, bytes=song.size)
        else:
            print(f"{song.number:>6}  {song.name}")
    if not args.json:
        tell(f"{songs_words(len(found))}, {sum(s.size for s in found) / 1e6:,.1f} MB; "
             "'library undo NUMBER' brings one back, 'library bin empty' deletes them for good")


def _usage(args: argparse.Namespace, library: Catalogue) -> None:
    """What takes how much of the disk."""
    sizes: dict[str, list[int]] = {}
    for path in paths.OUTPUT.rglob("*") if paths.OUTPUT.is_dir() else ():
        with contextlib.suppress(OSError):  # songs get their names meanwhile
            if not path.is_file():
                continue
            size = path.stat().st_size
            kind = "bin" if path.parent.parent.name == ".bin" else path.suffix.lower() or "other"
            row = sizes.setdefault(kind, [0, 0])
            row[0] += 1
            row[1] += size
    for kind, (files, size) in sorted(sizes.items(), key=lambda x: -x[1][1]):
        if args.json:
            emit(kind=kind, files=files, bytes=size)
        else:
            print(f"{kind:<10} {files:>7,} files {size / 1e6:>12,.1f} MB")


def _duplicates(args: argparse.Namespace, library: Catalogue) -> None:
    from scripts.library.duplicates import duplicates
    for kind, group in duplicates(library.songs()):
        if args.json:
            emit(kind=kind, songs=[{"id": id_of(s.path.name), "path": str(s.path)}
                                   for s in group])
        else:
            print(f"{kind}: " + ", ".join(f"{s.title} ({id_of(s.path.name)})" for s in group))


def _playlist(args: argparse.Namespace, library: Catalogue) -> None:
    words = args.words or ["list"]
    action, rest = words[0], words[1:]
    kept = load_playlists(paths.PLAYLISTS)
    if action == "list":
        for name, playlist in kept.items():
            count = len(playlist_songs(name, library))
            if args.json:
                emit(name=name, query=playlist.query, songs=count)
            else:
                print(f"{name}  ({playlist.query or 'a fixed list'}; {songs_words(count)})")
    elif action == "save" and len(rest) >= 2:
        name = good_name(rest[0])
        save_playlists(paths.PLAYLISTS, {**kept, name: Playlist(_joined(rest[1:]))})
        tell(f"{name}: {songs_words(len(library.find(_joined(rest[1:]))))} now")
    elif action == "show" and rest:
        rows = {row["name"]: row for row in library.find_rows("")}
        for song in playlist_songs(rest[0], library):
            row = rows.get(os.fsencode(song.path.name)) if song.path.parent == library.folder \
                else None
            if row is not None:
                _show_one(args.json, row, library)
            elif args.json:
                emit(path=str(song.path), title=song.title, seconds=song.seconds)
            else:
                print(f"{'':<10}  {clock(song.seconds):>7}         {song.title}  ({song.path})")
    elif action == "delete" and rest:
        named(kept, rest[0])
        save_playlists(paths.PLAYLISTS, {n: p for n, p in kept.items()
                                         if n.casefold() != rest[0].casefold()})
    elif action == "export" and len(rest) >= 2:
        songs = playlist_songs(rest[0], library)
        for name in write_m3u8(Path(rest[1]), songs):
            tell(f"{name}: a playlist cannot hold this name; left out")
        tell(f"{rest[1]}: {songs_words(len(songs))}")
    elif action == "import" and rest:
        files, told = read_m3u8(Path(rest[0]))
        for line in told:
            tell(f"{Path(rest[0]).name}, {line}")
        name = good_name(rest[1] if len(rest) > 1 else Path(rest[0]).stem)
        inside = tuple(f.name if f.parent.resolve() == paths.OUTPUT.resolve()
                       else str(f.resolve()) for f in files)
        save_playlists(paths.PLAYLISTS, {**kept, name: Playlist(files=inside)})
        tell(f"{name}: {songs_words(len(files))}")
    else:
        raise UsageError("library playlist: list | save NAME QUERY | show NAME | delete NAME | "
                         "export NAME|QUERY FILE.m3u8 | import FILE.m3u8 [NAME]")


_ACTIONS: dict[str, Callable[[argparse.Namespace, Catalogue], None]] = {
    "list": _list, "search": _search, "rate": _rate, "thumb": _thumb, "rescan": _rescan,
    "remove": _remove, "undo": _undo, "bin": _bin, "usage": _usage, "duplicates": _duplicates,
    "playlist": _playlist}
