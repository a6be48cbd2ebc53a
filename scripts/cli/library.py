"""The command ``library``: what was made, found, rated, listed, removed and brought back."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable

from scripts.audio.play_stats import THUMBS
from scripts.cli.console import print_json, print_line, print_notice, print_result
from scripts.cli.playlists import playlist, playlist_songs
from scripts.cli.song_rows import join_query, print_songs
from scripts.core import paths
from scripts.core.errors import StorageError, UsageError
from scripts.core.formatting import count_songs, format_clock
from scripts.core.settings import Settings
from scripts.library.bin import binned, empty, remove, restore
from scripts.library.index import Catalogue, id_of
from scripts.library.listener import take_in_ratings
from scripts.library.playlists import M3U8, read_m3u8
from scripts.library.songs import Song, read_song


def open_library() -> Catalogue:
    """The library of the output folder, as it is now."""
    catalogue = Catalogue(paths.LIBRARY, paths.OUTPUT)
    catalogue.scan()
    take_in_ratings(paths.LIBRARY.with_name("listener.db"), catalogue)
    if catalogue.notice:
        print_notice(catalogue.notice)
    return catalogue


def play(args: argparse.Namespace, settings: Settings) -> int:
    """Play files, playlists, what a query finds, or the whole library."""
    songs: list[Song] = []
    for file in args.files:
        if file.suffix.lower() in M3U8:
            found, problems = read_m3u8(file)
            songs += map(read_song, found)
            for line in problems:
                print_notice(f"{file.name}, {line}")
        elif file.is_file():
            songs.append(read_song(file))
        else:
            raise StorageError(f"{file}: there is no such file; check the name")
    if args.playlist or not args.files:
        library = open_library()
        songs += playlist_songs(args.playlist, library) if args.playlist else library.songs()
        library.close()
    if not songs:
        raise StorageError(
            f"{paths.OUTPUT}: there is no song yet; make one with 'launcher.py generate \"Chill\"'"
            if not args.playlist and not args.files
            else "there is no such song to play; 'library search' helps to find some"
        )
    from scripts.cli.play import play_on_console

    return play_on_console(
        songs, args.shuffle, args.once, args.output or settings.output, settings, args.json
    )


def library(args: argparse.Namespace) -> int:
    """Look at the library, or change it."""
    library = open_library()
    try:
        _ACTIONS[args.action](args, library)
        library.write_changes()
        for trouble in filter(None, (library.notice, library.unwritten)):
            print_notice(
                trouble
                + (
                    "; what you think of the song is in the library alone until then"
                    if trouble == library.unwritten
                    else ""
                )
            )
    finally:
        library.close()
    return 0


def _words(args: argparse.Namespace, least: int, usage: str) -> list[str]:
    words: list[str] = args.words
    if len(words) < least:
        raise UsageError(f"library {usage}")
    return words


def _list(args: argparse.Namespace, library: Catalogue) -> None:
    print_songs(args.json, library.find_rows(" ".join(args.words)), library)


def _search(args: argparse.Namespace, library: Catalogue) -> None:
    words = _words(args, 1, 'search needs words, such as style:chill "rating>=4" "tempo<100"')
    print_songs(args.json, library.find_rows(join_query(words)), library)


def _rate(args: argparse.Namespace, library: Catalogue) -> None:
    words = _words(args, 2, "rate needs an ID (or title) and 0 to 5")
    song = library.song(words[0])
    if words[1] not in tuple("012345"):
        raise UsageError(f'"{words[1][:20]}" is no rating; 0 (none) to 5 are')
    library.rate(song.path, int(words[1]))
    print_result(
        args.json,
        f"{song.title}: {words[1]} of 5",
        path=str(song.path),
        title=song.title,
        rating=int(words[1]),
    )


def _thumb(args: argparse.Namespace, library: Catalogue) -> None:
    words = _words(args, 2, "thumb needs an ID (or title) and up, down or none")
    song = library.song(words[0])
    if words[1] not in THUMBS:
        raise UsageError(f'"{words[1][:20]}" is no thumb; up, down and none are')
    library.thumb(song.path, THUMBS[words[1]])
    print_result(
        args.json,
        f"{song.title}: thumb {words[1]}",
        path=str(song.path),
        title=song.title,
        thumb=THUMBS[words[1]],
    )


def _rescan(args: argparse.Namespace, library: Catalogue) -> None:
    def heard(done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"\rReading {done:,} of {of:,}", end="", file=sys.stderr, flush=True)

    library.scan(again=True, heard=heard)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    count, seconds, size = library.totals()
    if count and not paths.OUTPUT.is_dir():
        raise StorageError(
            f"{paths.OUTPUT}: the folder is not there; is its drive plugged in? "
            f"{count_songs(count)} were in it"
        )
    print_result(
        args.json,
        f"{count_songs(count)}, {format_clock(seconds)}, {size / 1e6:,.1f} MB",
        songs=count,
        seconds=seconds,
        bytes=size,
    )


def _remove(args: argparse.Namespace, library: Catalogue) -> None:
    for word in _words(args, 1, "remove needs the ID or title of a song"):
        song = library.song(word)
        library.write_changes()
        gone = remove(song.path)
        library.forget(song.path)
        print_result(
            args.json,
            f"{song.title} is in the bin; 'library undo' brings it back",
            number=gone.number,
            path=str(song.path),
            title=song.title,
        )


def _undo(args: argparse.Namespace, library: Catalogue) -> None:
    word = args.words[0] if args.words else ""
    if word and not (word.isascii() and word.isdigit() and len(word) < 10):
        raise UsageError("library undo takes a number that 'library bin' shows, or nothing")
    path = restore(paths.OUTPUT, int(word) if word else None)
    library.take_in(path)
    print_result(args.json, f"{path.name} is back", path=str(path))


def _bin(args: argparse.Namespace, library: Catalogue) -> None:
    if args.words and args.words[0] == "empty":
        count = empty(paths.OUTPUT)
        print_result(args.json, f"{count_songs(count)} deleted for good", deleted=count)
        return
    found = binned(paths.OUTPUT)
    for song in found:
        if args.json:
            print_json(number=song.number, name=song.name, bytes=song.size)
        else:
            print_line(f"{song.number:>6}  {song.name}")
    if not args.json:
        print_notice(
            f"{count_songs(len(found))}, {sum(s.size for s in found) / 1e6:,.1f} MB; "
            "'library undo NUMBER' brings one back, 'library bin empty' deletes them for good"
        )


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
            print_json(kind=kind, files=files, bytes=size)
        else:
            print_line(f"{kind:<10} {files:>7,} files {size / 1e6:>12,.1f} MB")


def _duplicates(args: argparse.Namespace, library: Catalogue) -> None:
    from scripts.library.duplicates import duplicates

    for kind, group in duplicates(library.songs()):
        if args.json:
            print_json(
                kind=kind, songs=[{"id": id_of(s.path.name), "path": str(s.path)} for s in group]
            )
        else:
            print_line(f"{kind}: " + ", ".join(f"{s.title} ({id_of(s.path.name)})" for s in group))


_ACTIONS: dict[str, Callable[[argparse.Namespace, Catalogue], None]] = {
    "list": _list,
    "search": _search,
    "rate": _rate,
    "thumb": _thumb,
    "rescan": _rescan,
    "remove": _remove,
    "undo": _undo,
    "bin": _bin,
    "usage": _usage,
    "duplicates": _duplicates,
    "playlist": playlist,
}
