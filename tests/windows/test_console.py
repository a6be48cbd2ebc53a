"""A native Windows console window, not a terminal: key codes, resizing and closing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import wait_until
from tests.windows.lab import (
    HOME,
    LAB,
    PYTHON,
    environment,
    list_windows_processes,
    make_home,
    make_runner,
    run_windows,
    windows_path,
)

KEYS = {
    "Up": "up",
    "Down": "down",
    "Left": "left",
    "Right": "right",
    "Home": "home",
    "End": "end",
    "Page_Up": "page up",
    "Page_Down": "page down",
    "KP_Enter": "enter",
    "Return": "enter",
    "BackSpace": "backspace",
    "Escape": "escape",
    "KP_Add": "+",
    "a": "a",
}
PROBE = """
import curses, json, sys, time
sys.path.insert(0, ".")
from scripts.tui.terminal import CursesScreen

def main(window):
    screen = CursesScreen(window)
    with open("keys.log", "w", encoding="utf-8") as log:
        end, key = time.time() + 90, "start"
        while key != "x" and time.time() < end:
            if key:
                print(json.dumps([key, screen.size()]), file=log, flush=True)
                screen.show([f"{n}" * screen.size()[0] for n in range(screen.size()[1])], True)
            key = screen.read_key(0.1)

curses.wrapper(main)
"""
CLOSE = """
import ctypes
from ctypes import wintypes
user = ctypes.windll.user32

@ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)
def close(window, _):
    name = ctypes.create_unicode_buffer(100)
    user.GetClassNameW(window, name, 100)
    if name.value == "WineConsoleClass":
        user.PostMessageW(window, 0x10, 0, 0)  # WM_CLOSE: the X of the window
    return True

user.EnumWindows(close, 0)
"""


class Desktop:
    """X screen with a console window."""

    def __init__(self, folder: Path) -> None:
        self.display = f":{90 + os.getpid() % 100}"
        self._server = subprocess.Popen(
            ["Xvfb", self.display, "-screen", "0", "1280x800x24"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: Path(f"/tmp/.X11-unix/X{self.display[1:]}").exists(), 20)
        # The runner of the lab unsets DISPLAY, which a console window needs.
        self._run = make_runner(folder, f"export DISPLAY={self.display}")
        self.window: subprocess.Popen[bytes] | None = None

    def open(self, program: Path, *arguments: str, **more: str) -> None:
        """Run Windows Python in a new console window."""
        # A Wine desktop that still runs was started without a screen.
        subprocess.run(
            ["bash", "-c", f". {LAB / 'env.sh'}; wineserver -k; wineserver -w"],
            timeout=60,
            check=False,
        )
        self.window = subprocess.Popen(
            [
                "bash",
                "-c",
                '"$0" "$@" </dev/null 2>&1 | cat >/dev/null',
                str(self._run),
                "wineconsole",
                ".venv/Scripts/python.exe",
                *arguments,
            ],
            cwd=program,
            env=environment(**more),
        )

    def xdotool(self, *arguments: str) -> str:
        """Run xdotool; the argument ``ID`` stands for the console window."""
        env = {**os.environ, "DISPLAY": self.display}
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", "python"],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        if not found:
            return ""
        return (
            subprocess.run(
                ["xdotool", *(found[0] if w == "ID" else w for w in arguments)],
                env=env,
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            or "done"
        )

    def key(self, name: str) -> None:
        self.xdotool("key", "--window", "ID", name)

    def type(self, text: str) -> None:
        self.xdotool("type", "--window", "ID", "--delay", "80", text)

    def close_window(self) -> None:
        """Click the X of the console window."""
        script = HOME / "close.py"
        script.write_text(CLOSE)
        subprocess.run(
            [
                "bash",
                "-c",
                '"$0" "$@" </dev/null 2>&1 | cat',
                str(self._run),
                str(PYTHON),
                windows_path(script),
            ],
            env=environment(),
            capture_output=True,
            timeout=60,
            check=True,
        )

    def close(self) -> None:
        if self.window:
            self.window.kill()
        self._server.kill()
        self._server.wait()


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    if not shutil.which("Xvfb") or not shutil.which("xdotool"):
        pytest.skip("Xvfb and xdotool are not installed")
    opened = Desktop(tmp_path)
    yield opened
    opened.close()


def test_keys_and_resizes_of_a_windows_console_are_read(installed: Path, desktop: Desktop) -> None:
    log = installed / "keys.log"
    log.unlink(missing_ok=True)
    (installed / "keys_probe.py").write_text(PROBE, encoding="utf-8")
    desktop.open(installed, "keys_probe.py")

    def rows() -> list[Any]:
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    wait_until(rows, 60)
    wait_until(lambda: desktop.xdotool("getwindowname", "ID"), 20)
    for number, key in enumerate(KEYS):
        desktop.key(key)
        wait_until(lambda n=number: len(rows()) > n + 1, 10, lambda: str(rows()))  # type: ignore
    assert [row[0] for row in rows()[1:]] == list(KEYS.values())
    sizes = []
    for width, height in ((900, 600), (700, 400), (500, 300), (1000, 700)):
        before = len(rows())
        desktop.xdotool("windowsize", "ID", str(width), str(height))
        wait_until(lambda b=before: len(rows()) > b, 10, lambda: str(rows()))  # type: ignore
        assert rows()[-1][0] == "resize"
        sizes.append(rows()[-1][1])
    assert sizes[0][0] > sizes[1][0] > sizes[2][0] < sizes[3][0]
    assert sizes[0][1] > sizes[1][1] > sizes[2][1] < sizes[3][1]
    desktop.key("x")
    wait_until(lambda: not list_windows_processes(), 20)


def test_closing_the_window_stops_every_process_and_leaves_no_partial_song(
    installed: Path, desktop: Desktop
) -> None:
    home = make_home("closed")
    (home / "data").mkdir()
    settings = home / "data" / "persistent.json"
    settings.write_text('{"song_length": "10"}')
    desktop.open(installed, "launcher.py", LLM_MUSIC_GEN_HOME=windows_path(home))
    wait_until(lambda: desktop.xdotool("getwindowname", "ID"), 60)
    wait_until(lambda: any("launcher.py" in p for p in list_windows_processes()), 60)
    output = home / "output"

    def menu_reads_keys() -> bool:
        """Whether the menu reads keys: 3 and 8 change the theme in the settings."""
        for key in ("Escape", "Escape", "3", "8"):
            desktop.key(key)
        time.sleep(1)
        return "unicode" in settings.read_text()

    wait_until(menu_reads_keys, 60)
    desktop.key("Escape")
    desktop.type("1Rock")
    desktop.key("Return")
    desktop.type("3")
    desktop.key("Return")
    desktop.key("Return")  # starts the order that is shown
    wait_until(lambda: list(output.glob("*.lmg-part")), 90)  # a song is being rendered
    desktop.close_window()
    wait_until(
        lambda: not list_windows_processes(), 15, lambda: "\n".join(list_windows_processes())
    )
    suffixes = {p.suffix for p in output.iterdir()}
    assert not {".lmg-part", ".lmg-lock"} & suffixes, sorted(p.name for p in output.iterdir())


def test_the_menu_without_a_console_says_what_to_do(installed: Path) -> None:
    done = run_windows(".venv/Scripts/python.exe", "launcher.py", cwd=installed)
    assert done.returncode == 2
    assert "the menu needs a console" in done.stdout
