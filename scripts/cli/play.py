"""``launcher.py play``: the jukebox on one line of a console."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from scripts.cli.console import print_json
from scripts.core.errors import StorageError
from scripts.core.formatting import time_bar
from scripts.core.settings import Settings
from scripts.jukebox.player import Player
from scripts.jukebox.queue import Queue
from scripts.library.songs import Song


def play_on_console(
    songs: Sequence[Song], shuffle: bool, once: bool, output: str, settings: Settings, as_json: bool
) -> int:
    """Play songs until Ctrl+C (or the end, with `once`)."""
    queue = Queue(songs, repeat="off" if once else "all", shuffle=shuffle)
    player = Player(queue, output, settings.volume, settings.crossfade)
    player.start()
    shown = -1
    told = ""
    try:
        while True:
            ended, now = player.ended, player.playing()
            if now.notice and now.notice != told:
                told = now.notice
                print(f"llm-music-gen: {now.notice}", file=sys.stderr)
            if now.song and now.number != shown:
                shown = now.number
                if as_json:
                    print_json(
                        event="playing",
                        title=now.song.title,
                        path=str(now.song.path),
                        seconds=now.duration,
                        output=now.output,
                    )
                else:
                    print(f"\nPlaying song: {now.song.title}", file=sys.stderr)
            if ended:
                break
            if sys.stderr.isatty() and not as_json:
                print(
                    "\r" + time_bar(now.position, now.duration), end="", file=sys.stderr, flush=True
                )
            time.sleep(0.1)
    finally:
        player.close()
    if told.startswith("Skipped") and shown < 0:
        raise StorageError("none of the files could be played; see the lines above")
    return 0
