"""``launcher.py play``: the jukebox on one line of a console."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from scripts import paths
from scripts.errors import StorageError
from scripts.jukebox.player import Player
from scripts.jukebox.playlist import Playlist
from scripts.library.songs import list_songs, read_song
from scripts.settings import Settings

_BAR = 30


def play_on_console(files: Sequence[Path], shuffle: bool, once: bool, output: str,
                    settings: Settings, as_json: bool) -> int:
    """Play files, or the whole output folder, until Ctrl+C (or the end, with `once`)."""
    missing = [f for f in files if not f.is_file()]
    if missing:
        raise StorageError(f"{missing[0]}: there is no such file; check the name")
    songs = [read_song(f) for f in files] if files else list_songs(paths.OUTPUT)
    if not songs:
        raise StorageError(f"{paths.OUTPUT}: there is no song yet; make one with "
                           "'launcher.py generate \"Chill\"'")
    order = list(songs)
    rng = random.Random() if shuffle else None
    if rng:
        rng.shuffle(order)
    player = Player(Playlist(order, loop=not once, shuffle=rng), output, settings.volume)
    player.start()
    shown = ""
    told = ""
    try:
        while not player.ended:
            now = player.playing()
            if now.notice and now.notice != told:
                told = now.notice
                print(f"llm-music-gen: {now.notice}", file=sys.stderr)
            if now.song and now.song.title != shown:
                shown = now.song.title
                if as_json:
                    print(json.dumps({"event": "playing", "title": shown,
                                      "path": str(now.song.path), "seconds": now.duration,
                                      "output": now.output}), flush=True)
                else:
                    print(f"\nPlaying song: {shown}", file=sys.stderr)
            if sys.stderr.isatty() and not as_json:
                print("\r" + progress(now.position, now.duration), end="", file=sys.stderr,
                      flush=True)
            time.sleep(0.1)
    finally:
        player.close()
    if told.startswith("Skipped") and not shown:
        raise StorageError("none of the files could be played; see the lines above")
    return 0


def progress(position: float, duration: float, width: int = _BAR) -> str:
    """``[#####-----] MM:SS/MM:SS``."""
    share = min(1.0, position / duration) if duration else 0.0
    filled = int(share * width)
    return f"[{'#' * filled}{'-' * (width - filled)}] {_clock(position)}/{_clock(duration)}"


def _clock(seconds: float) -> str:
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 60:02}:{whole % 60:02}"
