"""The light of a song fills a Windows console, in shades of characters.

Wine's console does not follow the escape sequences of colors, which Windows 10 and 11 do.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.support.waiting import wait_until
from tests.windows.conftest import order_in_menu
from tests.windows.lab import Console, make_home, windows_path

SHADES = ".:-=+*#%@"
FEELING = "er ist gestern ausgezogen und das Bett bleibt leer, 20 Sekunden"


def test_a_feeling_becomes_a_song_with_its_light(
    installed: Path, console: Callable[..., Console]
) -> None:
    home = make_home("light")
    (home / "data").mkdir()
    (home / "data" / "persistent.json").write_text('{"output": "null"}')
    window = console(LLM_MUSIC_GEN_HOME=windows_path(home), NO_COLOR="1")
    order_in_menu(window, installed, FEELING)
    window.type("Enter")
    window.wait("1 of 1 songs are done", 240)
    (song,) = (home / "output").glob("*.mp3")
    assert (home / "output" / f"{song.stem}.light.json").exists()
    details = json.loads(song.with_suffix(".json").read_text(encoding="utf-8"))
    window.type("b")
    window.wait("Songs Made: 1")
    window.type("2")
    window.wait("Playing song")
    window.type("c")
    window.wait("Back to Jukebox = B")
    wait_until(lambda: any(c * 30 in window.screen() for c in SHADES), 20, window.screen)
    window.wait(details["narration"].split()[0])
    window.type("b")
    window.wait("Next 5 Songs")
    window.type("x")
    assert window.status() == 0
