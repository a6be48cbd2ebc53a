"""Sentences in French and German: typed into the menu, and given to the launcher."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.windows.conftest import order_in_menu, run_launcher
from tests.windows.lab import Console, make_home, windows_path

FRENCH = "une valse triste en ré mineur, lente, sans batterie, 12 secondes"
GERMAN = "fröhliches Stück für Streichquartett in B-Dur, 12 Sekunden"


def details(folder: Path) -> dict[str, object]:
    """The only song's ``.json``."""
    (song,) = (folder / "output").glob("*.mp3")
    text = song.with_suffix(".json").read_text(encoding="utf-8")
    found: dict[str, object] = json.loads(text)
    return found


def test_a_french_sentence_is_typed_into_the_menu(
    installed: Path, console: Callable[..., Console]
) -> None:
    home = make_home("french")
    (home / "data").mkdir()
    (home / "data" / "persistent.json").write_text('{"output": "null"}')
    window = console(LLM_MUSIC_GEN_HOME=windows_path(home))
    order_in_menu(window, installed, FRENCH)
    shown = " ".join(window.screen().split())
    assert "waltz + sad, D minor, 3/4, about" in shown
    assert "without drums; 1 song of 0:12" in shown
    window.type("Enter")
    window.wait("1 of 1 songs are done", 240)
    song = details(home)
    assert (song["key"], song["meter"], song["length"]) == ("D minor", "3/4", 12.0)
    assert "drums" not in song["instruments"]  # type: ignore[operator]
    window.type("x")
    assert window.status() == 0


def test_a_german_sentence_is_given_to_the_launcher(installed: Path) -> None:
    home = make_home("german")
    done = run_launcher(installed, "generate", GERMAN, LLM_MUSIC_GEN_HOME=windows_path(home))
    assert done.returncode == 0, done.stdout
    assert "Bb major" in done.stdout
    assert "string quartet" in done.stdout
    song = details(home)
    assert (song["key"], song["length"]) == ("Bb major", 12.0)
    assert {*song["instruments"].values()} <= {"violin", "fast strings", "cello"}  # type: ignore[attr-defined]


def test_the_reader_understands_a_feeling_on_windows(installed: Path) -> None:
    home = make_home("feeling")
    text = "er ist gestern ausgezogen und das Bett bleibt leer"
    done = run_launcher(installed, "plan", text, "--json", LLM_MUSIC_GEN_HOME=windows_path(home))
    line = next(line for line in done.stdout.splitlines() if line.startswith("{"))
    assert json.loads(line)["mood"] in ("tristesse", "nostalgie")
