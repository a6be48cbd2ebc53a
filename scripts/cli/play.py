"""``launcher.py play``: plays songs with a one-line display."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.cli.console import StatusLine, print_json, print_message, print_notice
from scripts.cli.library import open_library
from scripts.cli.playlists import playlist_songs
from scripts.core import paths
from scripts.core.errors import MusicGenError, StorageError
from scripts.core.formatting import time_bar
from scripts.core.input_files import is_special_file
from scripts.core.priority import raise_player_priority
from scripts.core.settings import Settings
from scripts.jukebox.lamp_thread import start_lamps
from scripts.jukebox.player import Player, PlayerStatus
from scripts.jukebox.queue import Queue
from scripts.library.playlists import PLAYLIST_SUFFIXES, read_m3u8
from scripts.library.songs import Song, read_song

_UPDATE_INTERVAL = 0.1  # seconds between updates


def play(args: argparse.Namespace, settings: Settings) -> int:
    """Play files, playlists, the results of a query, or the whole library."""
    raise_player_priority()
    songs = [song for file in args.files for song in _read(file)]
    if args.playlist or not args.files:
        with open_library() as library:
            songs += playlist_songs(args.playlist, library) if args.playlist else library.songs()
    if not songs:
        raise StorageError(
            f"no songs in {paths.OUTPUT}; make one with 'launcher.py generate \"Chill\"'"
            if not args.playlist and not args.files
            else "no songs to play; use 'library search' to find some"
        )
    return _play(songs, args, settings)


def _read(file: Path) -> list[Song]:
    """Return the songs of an audio file or a playlist.

    Raises
    ------
    StorageError
        When the file does not exist.
    """
    if file.suffix.lower() in PLAYLIST_SUFFIXES:
        found, problems = read_m3u8(file)
        for line in problems:
            print_notice(f"{file.name}, {line}")
        return [read_song(path) for path in found]
    if is_special_file(file):
        raise StorageError(f"{file}: not a regular file; name an audio file")
    if not file.is_file():
        raise StorageError(f"no such file: {file}; check the name")
    return [read_song(file)]


def _play(songs: Sequence[Song], args: argparse.Namespace, settings: Settings) -> int:
    """Play songs until Ctrl+C, or to the end with ``--once``."""
    queue = Queue(songs, repeat="off" if args.once else "all", shuffle=args.shuffle)
    player = Player(
        queue, args.output or settings.audio_output, settings.volume, settings.crossfade
    )
    addresses = " ".join(args.lights) if args.lights else settings.lamps
    try:
        lamps = start_lamps(addresses, settings.lights, settings.light_delay, player.heard)
    except MusicGenError:
        player.close()
        raise
    player.start()
    shown, notice, bar = -1, "", StatusLine()
    try:
        while True:
            ended, status = player.ended, player.status()
            if status.notice and status.notice != notice:
                notice = status.notice
                bar.clear()
                print_notice(notice)
            if status.song and status.number != shown:
                shown = status.number
                bar.clear()
                _announce(status.song, status, args.json)
            if ended:
                break
            if not args.json:
                bar.draw(time_bar(status.position, status.duration))
            time.sleep(_UPDATE_INTERVAL)
    finally:
        bar.finish()
        if lamps:
            lamps.close()
        player.close()
    if shown < 0:
        raise StorageError("none of the files could be played; see the lines above")
    return 0


def _announce(song: Song, status: PlayerStatus, as_json: bool) -> None:
    if as_json:
        print_json(
            event="playing",
            title=song.title,
            path=str(song.path),
            seconds=status.duration,
            output=status.output,
        )
    else:
        print_message(f"Playing song: {song.title}", name="")
