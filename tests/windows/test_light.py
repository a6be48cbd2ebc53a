"""The light of a song fills a Windows console in 24-bit color."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.support.waiting import wait_until
from tests.windows.conftest import order_in_menu
from tests.windows.lab import Console, make_home, windows_path

FEELING = "er ist gestern ausgezogen und das Bett bleibt leer, 20 Sekunden"


def test_a_feeling_becomes_a_song_with_its_light(
    installed: Path, console: Callable[..., Console]
) -> None:
    home = make_home("light")
    (home / "data").mkdir()
    (home / "data" / "persistent.json").write_text('{"output": "null"}')
    window = console(LLM_MUSIC_GEN_HOME=windows_path(home))
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
    wait_until(lambda: "48;2;" in window.screen(colors=True), 20, window.screen)
    window.wait(details["narration"].split()[0])
    window.type("b")
    window.wait("Next 5 Songs")
    window.type("x")
    assert window.status() == 0
