"""The environment ``.venv``: where it is, whether it is ready, and making it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.core.errors import SetupError
from scripts.installer.diagnosis import last_words
from scripts.installer.subprocesses import everything, run

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
LLAMA = "0.3.36"
OLDEST_LLAMA = "0.3.16"  # taken where there is no ready-made wheel of the newest; tested too
LLAMA_RANGE = f"llama-cpp-python>={OLDEST_LLAMA},<={LLAMA}"
OLDEST = (3, 11)
PYTHON_PAGE = "https://www.python.org/downloads/"
NEEDED = 1_500_000_000  # bytes on the disk while packages are unpacked
DEEPEST = 130  # characters of the longest path below .venv, measured with these packages
LONGEST_PATH = 259  # characters of a path on Windows without the long-path setting


def python_of(venv: Path) -> Path:
    """The environment's interpreter."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def python(*words: str) -> list[str]:
    """The command that runs the environment's interpreter."""
    return [str(python_of(VENV)), *words]


def wanted(tests: bool) -> dict[str, str]:
    """What a finished environment says of itself."""
    texts = (ROOT / "requirements.txt").read_bytes()
    extra = (ROOT / "requirements-tests.txt").read_bytes() if tests else b""
    return {
        "packages": hashlib.sha256(texts).hexdigest(),
        "llama": LLAMA,
        "tests": hashlib.sha256(extra).hexdigest() if tests else "",
    }


def ready(tests: bool = False) -> bool:
    """True when the environment is there, whole and up to date."""
    found, need = read_stamp(), wanted(tests)
    return (
        all(found.get(k) == need[k] for k in ("packages", "llama"))
        and _python_stays()
        and (not tests or found.get("tests") == need["tests"])
    )


def _python_stays() -> bool:
    """True when the Python that the environment was made from is still that Python."""
    interpreter = python_of(VENV)
    if not interpreter.exists():
        return False
    made = _configuration()
    if os.name == "nt":  # the environment holds only a starter for it
        return (Path(made.get("home", "")) / "python.exe").exists()
    same = interpreter.resolve() == Path(sys.executable).resolve()
    return not same or made.get("version", "").startswith(_version())


def _configuration() -> dict[str, str]:
    """What ``pyvenv.cfg`` says: among others ``home`` and ``version``."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {k.strip(): v.strip() for k, _, v in (line.partition("=") for line in lines)}


def _version() -> str:
    return ".".join(map(str, sys.version_info[:2]))


def read_stamp() -> dict[str, object]:
    """What the environment says of itself; empty when it was never finished."""
    try:
        found = json.loads(_stamp().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_stamp(stamp: dict[str, str]) -> None:
    """Say that the environment is finished."""
    part = _stamp().with_suffix(".part")
    part.write_text(json.dumps(stamp), encoding="utf-8")
    os.replace(part, _stamp())


def forget_stamp() -> None:
    """Say that the environment is being worked on."""
    _stamp().unlink(missing_ok=True)


def _stamp() -> Path:
    return VENV / "llm-music-gen.json"


def check_computer() -> None:
    """Look at Python, the disk and the folder before anything is fetched.

    Raises
    ------
    SetupError
        When they will not do.
    """
    if sys.version_info < OLDEST:
        raise SetupError(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} is too old; install "
            f"3.11 or newer from {PYTHON_PAGE}"
        )
    if sys.maxsize < 2**32:
        raise SetupError(f"this Python is 32-bit; install the 64-bit one from {PYTHON_PAGE}")
    if sysconfig.get_platform() == "win-arm64":
        raise SetupError(
            "this Python is for ARM, for which some packages are not made; install "
            f"the x64 one (it runs on ARM too) from {PYTHON_PAGE}"
        )
    if shutil.disk_usage(ROOT).free < NEEDED:
        raise SetupError(f"{ROOT}: less than 1.5 GB is free; make room and run it again")
    if os.name == "nt" and not _long_paths() and len(str(VENV)) + DEEPEST > LONGEST_PATH:
        raise SetupError(
            f"{ROOT}: the path is too long for Windows; move the program to a "
            r"shorter folder such as C:\Music"
        )


def _long_paths() -> bool:
    """True when Windows was told to allow long paths."""
    if sys.platform != "win32":
        return True
    import winreg

    try:
        with winreg.OpenKey(
            winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem"
        ) as key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
    except OSError:
        return False


@contextmanager
def set_aside() -> Iterator[None]:
    """Put the environment away while another is made; it comes back when that fails.

    Raises
    ------
    SetupError
        When a program in it is running.
    """
    aside = VENV.with_name(f"{VENV.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        os.replace(VENV, aside)
    except OSError as error:
        raise SetupError(f"{VENV}: it is in use; close Llm-Music-Gen and run it again") from error
    try:
        yield
    except BaseException:
        shutil.rmtree(VENV, ignore_errors=True)
        os.replace(aside, VENV)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def make_environment() -> None:
    """Make ``.venv`` unless there is a working one.

    Raises
    ------
    SetupError
        When it cannot be made.
    """
    if _works():
        return
    if Path(sys.prefix).resolve() == VENV.resolve() and os.name == "nt":
        raise SetupError("the environment .venv is broken; delete that folder and run it again")
    done = run(
        [getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", str(VENV)]
    )
    if done.returncode:
        cure = (
            f"install Python anew from {PYTHON_PAGE}, with pip"
            if os.name == "nt"
            else "on Debian and Ubuntu install python3-venv"
        )
        raise SetupError(
            f"the environment could not be made ({last_words(everything(done))}); {cure}"
        )


def _works() -> bool:
    """True when the environment's Python runs, has pip, and is of the version it was made with."""
    if not python_of(VENV).exists():
        return False
    try:
        done = run(python("-c", "import sys, pip; print('%d.%d' % sys.version_info[:2])"))
    except OSError:  # left by another computer
        return False
    version = done.stdout.strip()
    return (
        done.returncode == 0
        and bool(version)
        and _configuration().get("version", "").startswith(version)
    )
