"""The first run of a new user: double-click, install, menu, two songs, jukebox, exit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import miniaudio
import numpy as np
from mutagen.id3 import ID3
from mutagen.mp3 import MP3

from scripts.llm.gguf_file import read_language_model
from tests.support.waiting import wait_until
from tests.windows.conftest import launcher_path
from tests.windows.lab import RATE, Console, SoundCard, list_windows_processes

SECONDS = 12.0  # of each song: the setting "0.2" minutes


def test_the_installer_tool_installs_and_shows_the_models(installed: Path) -> None:
    shown = (installed / "install.screen").read_text(encoding="utf-8")
    for text in (
        "Llm-Music-Gen: Launcher",
        "Llm-Music-Gen: Installer Tool",
        "4/4  Checking",
        "Ready after",
        "Llm-Music-Gen: Model Finder",
        "1. Ruby",
        "5. Gemma",
    ):
        assert text in shown
    stamp = json.loads((installed / ".venv" / "llm-music-gen.json").read_text(encoding="utf-8"))
    assert stamp["llama"]
    assert (installed / ".venv" / "Scripts" / "python.exe").exists()
    assert read_language_model(installed / "models" / "starter.gguf").context


def test_two_songs_are_generated_and_played_from_the_launcher(
    installed: Path, console: Callable[..., Console], card: SoundCard
) -> None:
    output = installed / "output"
    for old in output.glob("*.*"):
        if old.name != ".gitkeep":
            old.unlink()
    for name in ("persistent.json", "jukebox.json", "library.db", "jobs.db"):  # of an earlier run
        (installed / "data" / name).unlink(missing_ok=True)
    window = console(**card.variables)
    window.run("cmd", "/c", launcher_path(installed))
    window.choose("1")

    window.wait("Selection; Menu Option = 1-3, Refresh = R, Exit Program = X:", 120)
    assert "Llm-Music-Gen: Main Menu" in window.screen()
    window.type("3")
    window.wait("5. Song Length: 3")
    window.type("5")
    window.wait("User Input:")
    window.type("0.2", "Enter")
    window.wait("5. Song Length: 0:12")
    settings = json.loads((installed / "data" / "persistent.json").read_text(encoding="utf-8"))
    assert settings["song_length"] == "0.2"
    window.type("b")

    card.record()
    window.place_order("Chill, Dubstep", 2)
    window.wait('Producing "Chill, Dubstep" themed song number')
    window.wait("2 of 2 songs are done", 240)

    songs = sorted(output.glob("*.mp3"), key=lambda p: p.stat().st_mtime)
    assert len(songs) == 2
    assert {p.suffix for p in output.iterdir()} - {""} == {".mp3", ".json", ".abc"}
    for song in songs:
        tags = ID3(song)
        assert tags.version == (2, 3, 0)
        assert str(tags["TALB"]) == "Chill, Dubstep"
        assert str(tags["TIT2"]) == song.stem
        assert 20 <= int(str(tags["TBPM"])) <= 300
        assert str(tags["TPE1"])
        assert str(tags["TKEY"])
        assert str(tags["TCON"])
        assert abs(MP3(song).info.length - SECONDS) < 0.2

    window.type("b")
    window.wait("Songs Made: 2")
    window.type("2")
    window.wait("Next 5 Songs:")
    wait_until(
        lambda: all(_is_recorded(card, song) for song in songs),
        150,
        lambda: f"not both songs were played; the screen:\n{window.screen()}",
        poll=1.0,
    )

    window.try_jukebox_keys(songs[0].stem)
    window.type("x")
    assert window.status() == 0
    session = json.loads((installed / "data" / "jukebox.json").read_text(encoding="utf-8"))
    assert session["song"].endswith(songs[0].name)
    assert session["shuffle"]
    wait_until(
        lambda: not list_windows_processes(), 20, lambda: "\n".join(list_windows_processes())
    )
    assert not list(output.glob("*.lmg-*"))


def _is_recorded(card: SoundCard, song: Path) -> bool:
    """Whether the loudness of `song` over time is found in the recording."""
    decoded = miniaudio.decode_file(str(song), nchannels=2, sample_rate=RATE)
    expected = _envelope(np.frombuffer(decoded.samples, np.int16).reshape(-1, 2) / 32768.0)
    expected = (expected - expected.mean()) / (expected.std() * len(expected))
    sound = card.recording()
    # The song may have started anywhere within a block of 20 ms.
    return any(
        _best_correlation(_envelope(sound[RATE // 200 * n :]), expected) > 0.95 for n in range(4)
    )


def _best_correlation(recorded: np.ndarray, expected: np.ndarray) -> float:
    """The best correlation of `expected` with any part of `recorded`."""
    if len(recorded) <= len(expected):
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(recorded, len(expected))
    spread = windows.std(axis=1)
    found = (windows @ expected)[spread > 1e-4] / spread[spread > 1e-4]
    return float(found.max()) if len(found) else 0.0


def _envelope(sound: np.ndarray) -> np.ndarray:
    """RMS of every 20 ms."""
    step = RATE // 50
    whole = sound[: len(sound) // step * step].mean(axis=1).reshape(-1, step)
    return np.asarray(np.sqrt((whole**2).mean(axis=1)))
