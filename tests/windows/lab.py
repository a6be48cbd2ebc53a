"""Windows lab: a Windows Python under Wine, a console in tmux, a sound card that records.

``WINLAB`` names the folder of the lab. It contains ``wrun`` (runs a Windows program), ``py/cp311``
(Python), ``prefix`` (the Windows drive C:) and ``wheels`` (llama-cpp-python).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import ROOT, STARTER
from tests.support.tmux import Terminal
from tests.support.waiting import wait_until

LAB = Path(os.environ.get("WINLAB", ""))
DRIVE = LAB / "prefix" / "drive_c"
HOME = DRIVE / "users" / "root"
PYTHON = LAB / "py" / "cp311" / "python.exe"
RATE = 44_100


def windows_path(path: Path) -> str:
    """``C:\\...`` for a file on the lab's drive, ``Z:\\...`` for any other."""
    path = path.absolute()
    if path.is_relative_to(DRIVE):
        return "C:\\" + str(path.relative_to(DRIVE)).replace("/", "\\")
    return "Z:" + str(path).replace("/", "\\")


def environment(**more: str) -> dict[str, str]:
    """Environment of this process without the variables that a Windows user would not have."""
    variables = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("PYTEST", "LLM_MUSIC_GEN", "VIRTUAL_ENV", "PYTHON"))
    }
    return {**variables, "PIP_FIND_LINKS": windows_path(LAB / "wheels"), **more}


def run_windows(
    *arguments: str,
    cwd: Path | None = None,
    timeout: float = 600,
    runner: Path = LAB / "wrun",
    **more: str,
) -> subprocess.CompletedProcess[str]:
    """Run a Windows program to its end, with pipes; its exit status is Wine's, modulo 256."""
    return subprocess.run(
        ["bash", "-c", '"$0" "$@" 2>&1 | cat; exit ${PIPESTATUS[0]}', str(runner), *arguments],
        cwd=cwd,
        input="",
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=environment(**more),
        timeout=timeout,
        check=False,
    )


def make_home(name: str) -> Path:
    """Make a new home folder that contains the starter model."""
    home = HOME / name
    shutil.rmtree(home, ignore_errors=True)
    (home / "models").mkdir(parents=True)
    shutil.copy(STARTER, home / "models")
    return home


def make_runner(folder: Path, line: str) -> Path:
    """Copy the runner of the lab, with a shell line added before the program starts."""
    runner = folder / "wrun-special"
    runner.write_text((LAB / "wrun").read_text().replace("; exec", f"; {line}; exec"))
    runner.chmod(0o755)
    return runner


def copy_program(folder: Path, keep: bool = False) -> Path:
    """Copy the program as a download or clone would."""
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return folder


class Console(Terminal):
    """Console window for Windows programs. New for each test, since Wine leaves it in raw mode."""

    def __init__(self, size: tuple[int, int] = (100, 30), **more: str) -> None:
        super().__init__("bash --norc", size, environment(**more))
        time.sleep(0.5)

    def run(self, *arguments: str, runner: Path = LAB / "wrun") -> None:
        """Type a Windows command; the window shows ``status=N`` when it has ended."""
        self.type(f"clear; {shlex.join([str(runner), *arguments])}; echo stat''us=$?", "Enter")

    def full_screen(self) -> str:
        """Screen text, including the lines that have scrolled off."""
        return self.screen(scrollback=200)

    def wait(self, text: str, seconds: float = 60, above: int = 200) -> str:
        return super().wait(text, seconds, above)

    def choose(self, answer: str) -> None:
        """Answer the launcher's menu once its prompt is shown.

        What is typed before Wine's cmd reads becomes part of the answer, even Enter.
        """
        wait_until(
            lambda: self.screen().rstrip().endswith("Exit Launcher = X:"),
            failure_message=self.full_screen,
        )
        time.sleep(0.5)
        self.type(*filter(None, [answer]), "Enter")

    def status(self, seconds: float = 60) -> int:
        """Wait for the command to end; returns its exit status."""
        found = wait_until(
            lambda: re.findall(r"status=(\d+)\s", self.full_screen()), seconds, self.full_screen
        )
        return int(found[-1])


def list_windows_processes(image: str = r"(python|ffmpeg.*)\.exe") -> list[str]:
    """Command lines of the running Windows processes."""
    listed = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True)
    return [
        line
        for line in listed.stdout.splitlines()
        if re.match(rf"([A-Z]:\\|\.venv/).*{image}", line, re.IGNORECASE)
    ]


def end_windows_processes(timeout: float = 8.0) -> None:
    """End the Windows processes of a test, so that none runs beside the next test."""
    deadline = time.monotonic() + timeout
    while list_windows_processes() and time.monotonic() < deadline:
        time.sleep(0.2)
    for line in list_windows_processes():
        subprocess.run(["pkill", "-9", "-f", re.escape(line)], check=False)


class SoundCard:
    """PulseAudio null sink whose monitor is recorded, as a listener would hear it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self.variables = {
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_SERVER": f"unix:{folder / 'pulse.sock'}",
        }
        script = folder / "pulse.pa"
        script.write_text(
            "load-module module-native-protocol-unix auth-anonymous=1 "
            f"socket={folder / 'pulse.sock'}\n"
            f"load-module module-null-sink sink_name=null rate={RATE}\n"
        )
        self._env = {**os.environ, **self.variables}
        self._server = subprocess.Popen(
            [
                "pulseaudio",
                "-n",
                "-F",
                str(script),
                "--exit-idle-time=-1",
                "--daemonize=no",
                "--use-pid-file=no",
            ],
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: (folder / "pulse.sock").exists(), 20)
        self._raw = folder / "recording.raw"
        self._recorder: subprocess.Popen[bytes] | None = None

    def record(self) -> None:
        with self._raw.open("wb") as out:
            self._recorder = subprocess.Popen(
                ["parec", "-d", "null.monitor", "--format=s16le", f"--rate={RATE}", "--channels=2"],
                env=self._env,
                stdout=out,
                stderr=subprocess.DEVNULL,
            )

    def recording(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Samples recorded so far, (n, 2), -1 to 1."""
        data = np.frombuffer(self._raw.read_bytes()[: self._raw.stat().st_size // 4 * 4], np.int16)
        return data.reshape(-1, 2) / 32768.0

    def close(self) -> None:
        for process in (self._recorder, self._server):
            if process:
                process.send_signal(signal.SIGTERM)
                process.wait(10)
