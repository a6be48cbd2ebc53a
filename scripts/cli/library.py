"""``launcher.py library``: lists, searches, rates, removes and restores songs."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.audio.play_stats import THUMBS
from scripts.cli.console import StatusLine, print_json, print_line, print_notice, print_result
from scripts.cli.song_rows import join_query, print_songs
from scripts.core import paths
from scripts.core.errors import StorageError, UsageError
from scripts.core.formatting import format_clock, format_song_count
from scripts.core.settings import Settings
from scripts.library import bin as recycle_bin
from scripts.library.index import LibraryIndex
from scripts.library.rows import song_id

_RATINGS = ("0", "1", "2", "3", "4", "5")


@contextmanager
def open_library() -> Iterator[LibraryIndex]:
    """Open the library and scan the output folder; at exit, write ratings into the files."""
    library = LibraryIndex(paths.LIBRARY, paths.OUTPUT)
    try:
        library.scan()
        if library.notice:
            print_notice(library.notice)
            library.notice = ""
        yield library
        library.write_changes()
        if library.notice:
            print_notice(library.notice)
        if library.write_error:
            print_notice(f"{library.write_error}; until then the rating is in the library only")
    finally:
        library.close()


def search(args: argparse.Namespace, settings: Settings) -> int:
    """List all songs, or those that match a query."""
    with open_library() as library:
        query = join_query(args.query) if args.query else ""
        print_songs(args.json, library.find_rows(query), library)
    return 0


def rate(args: argparse.Namespace, settings: Settings) -> int:
    """Rate a song."""
    if args.rating not in _RATINGS:
        raise UsageError(f'invalid rating "{args.rating[:20]}": expected 0 (none) to 5')
    with open_library() as library:
        song = library.find_song(args.song)
        library.rate(song.path, int(args.rating))
        print_result(
            args.json,
            f"{song.title}: {args.rating} of 5",
            path=str(song.path),
            title=song.title,
            rating=int(args.rating),
        )
    return 0


def thumb(args: argparse.Namespace, settings: Settings) -> int:
    """Give a song a thumb up or down, or remove the thumb."""
    if args.thumb not in THUMBS:
        raise UsageError(f'invalid thumb "{args.thumb[:20]}": expected up, down or none')
    with open_library() as library:
        song = library.find_song(args.song)
        library.set_thumb(song.path, THUMBS[args.thumb])
        print_result(
            args.json,
            f"{song.title}: thumb {args.thumb}",
            path=str(song.path),
            title=song.title,
            thumb=THUMBS[args.thumb],
        )
    return 0


def rescan(args: argparse.Namespace, settings: Settings) -> int:
    """Index all songs again."""
    bar = StatusLine()
    with open_library() as library:
        library.scan(force=True, progress=lambda done, of: bar.draw(f"Reading {done:,} of {of:,}"))
        bar.clear()
        count, seconds, size = library.totals()
        if count and not paths.OUTPUT.is_dir():
            raise StorageError(
                f"no such folder: {paths.OUTPUT}; {format_song_count(count)} were in it: "
                "is its drive connected?"
            )
        print_result(
            args.json,
            f"{format_song_count(count)}, {format_clock(seconds)}, {size / 1e6:,.1f} MB",
            songs=count,
            seconds=seconds,
            bytes=size,
        )
    return 0


def remove(args: argparse.Namespace, settings: Settings) -> int:
    """Move songs to the bin."""
    with open_library() as library:
        for name in args.songs:
            song = library.find_song(name)
            library.write_changes()
            removed = recycle_bin.move_to_bin(song.path)
            library.remove_song(song.path)
            print_result(
                args.json,
                f"{song.title} is in the bin; 'library undo' restores it",
                number=removed.number,
                path=str(song.path),
                title=song.title,
            )
    return 0


def undo(args: argparse.Namespace, settings: Settings) -> int:
    """Restore a song from the bin: by its number, or the one removed last."""
    number = args.number
    if number and not (number.isascii() and number.isdigit() and len(number) < 10):
        raise UsageError(f"invalid number \"{number[:20]}\": expected one that 'library bin' shows")
    with open_library() as library:
        path = recycle_bin.restore_song(paths.OUTPUT, int(number) if number else None)
        library.index_song(path)
        print_result(args.json, f"{path.name} was restored", path=str(path))
    return 0


def show_bin(args: argparse.Namespace, settings: Settings) -> int:
    """List the songs in the bin, or delete them permanently."""
    if args.empty:
        count = recycle_bin.empty_bin(paths.OUTPUT)
        print_result(args.json, f"{format_song_count(count)} deleted permanently", deleted=count)
        return 0
    songs = recycle_bin.list_bin(paths.OUTPUT)
    for song in songs:
        if args.json:
            print_json(number=song.number, name=song.name, bytes=song.size)
        else:
            print_line(f"{song.number:>6}  {song.name}")
    if not args.json:
        print_notice(
            f"{format_song_count(len(songs))}, {sum(s.size for s in songs) / 1e6:,.1f} MB; "
            "'library undo NUMBER' restores one, 'library bin empty' deletes them permanently"
        )
    return 0


def usage(args: argparse.Namespace, settings: Settings) -> int:
    """Show the disk space used by each kind of file in the output folder."""
    sizes: dict[str, list[int]] = {}
    for path in paths.OUTPUT.rglob("*") if paths.OUTPUT.is_dir() else ():
        with contextlib.suppress(OSError):  # deleted or renamed meanwhile
            if not path.is_file():
                continue
            size = path.stat().st_size
            is_binned = path.parent.parent.name == recycle_bin.BIN_FOLDER
            kind = "bin" if is_binned else path.suffix.lower() or "other"
            row = sizes.setdefault(kind, [0, 0])
            row[0] += 1
            row[1] += size
    for kind, (files, size) in sorted(sizes.items(), key=lambda x: -x[1][1]):
        if args.json:
            print_json(kind=kind, files=files, bytes=size)
        else:
            print_line(f"{kind:<10} {files:>7,} files {size / 1e6:>12,.1f} MB")
    return 0


def show_duplicates(args: argparse.Namespace, settings: Settings) -> int:
    """List groups of identical and similar songs."""
    from scripts.library.duplicates import find_duplicates

    with open_library() as library:
        for kind, group in find_duplicates(library.songs()):
            if args.json:
                songs = [{"id": song_id(s.path.name), "path": str(s.path)} for s in group]
                print_json(kind=kind, songs=songs)
            else:
                names = ", ".join(f"{s.title} ({song_id(s.path.name)})" for s in group)
                print_line(f"{kind}: {names}")
    return 0
