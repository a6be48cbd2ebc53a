"""Fixtures of the Windows lab. Without a lab (``WINLAB``) these tests are not collected."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.windows.lab import (
    HOME,
    LAB,
    PYTHON,
    Console,
    SoundCard,
    copy_program,
    end_windows_processes,
    run_windows,
    windows_path,
)

collect_ignore_glob = [] if LAB.name and (LAB / "wrun").is_file() else ["test_*.py"]
KEEP = bool(os.environ.get("WINLAB_KEEP"))  # while developing these tests: install only once


@pytest.fixture
def console() -> Iterator[Callable[..., Console]]:
    """Function that opens console windows; they are closed at the end."""
    opened: list[Console] = []

    def make(**more: str) -> Console:
        opened.append(Console(**more))
        return opened[-1]

    yield make
    for window in opened:
        window.close()
    if opened:
        end_windows_processes()


@pytest.fixture(scope="session")
def program() -> Path:
    """A fresh copy of the program in a folder with spaces, as a user unpacks it."""
    return copy_program(HOME / "My Music Gen", keep=KEEP)


@pytest.fixture(scope="session")
def installed(program: Path) -> Path:
    """The program, installed by double-clicking it and choosing 2, then X; see test_first_run."""
    if KEEP and (program / ".venv" / "llm-music-gen.json").exists():
        return program
    window = Console()
    try:
        window.run("cmd", "/c", launcher_path(program))
        window.choose("2")
        window.wait("Fetch a Model = 1-5", 900)
        window.type("Enter")
        window.wait("Press any key")
        window.type("q")
        (program / "install.screen").write_text(window.full_screen(), encoding="utf-8")
        window.choose("x")
        assert window.status() == 0
    finally:
        window.close()
    return program


def launcher_path(program: Path) -> str:
    return windows_path(program / "Llm-Music-Gen.bat")


def order_in_menu(window: Console, program: Path, text: str) -> None:
    """Ask for a song in the menu, up to the line that says what was understood."""
    window.run("cmd", "/c", launcher_path(program))
    window.choose("1")
    window.wait("1. Generate Music", 120)
    window.type("1")
    window.wait("What kind of music")
    window.type(text, "Enter")
    window.wait("How many songs")
    window.type("1", "Enter")
    window.wait("Start = Enter")


def run_launcher(
    folder: Path, *arguments: str, path: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Start the launcher as Explorer does, with arguments; returns its output and status."""
    starter = HOME / "start.py"
    starter.write_text(
        "import json, os, subprocess, sys\n"
        "call = json.loads(sys.argv[1])\n"
        "path = call['path'] or os.environ['PATH']\n"
        "done = subprocess.run(call['arguments'], env={**os.environ, 'PATH': path},\n"
        "                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,\n"
        "                      stderr=subprocess.STDOUT)\n"
        "sys.stdout.buffer.write(done.stdout)\n"
        "print('ended with', done.returncode)\n",
        encoding="utf-8",
    )
    call = json.dumps({"arguments": [launcher_path(folder), *arguments], "path": path})
    done = run_windows(windows_path(PYTHON), windows_path(starter), call, **more)
    assert "ended with" in done.stdout, done.stdout
    done.returncode = int(done.stdout.rsplit("ended with ", 1)[1])
    return done


@pytest.fixture
def python(installed: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Windows Python code in the program's folder and environment."""

    def run(code: str, **more: str) -> subprocess.CompletedProcess[str]:
        script = installed / "try.py"
        script.write_text("import sys; sys.path.insert(0, '.')\n" + code, encoding="utf-8")
        return run_windows(".venv/Scripts/python.exe", "try.py", cwd=installed, **more)

    return run


@pytest.fixture
def card(tmp_path: Path) -> Iterator[SoundCard]:
    card = SoundCard(tmp_path / "pulse")
    yield card
    card.close()
