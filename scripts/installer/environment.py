"""The environment of the program: ``.venv``, or in a portable folder a Python of its own."""

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
from scripts.installer.diagnosis import last_error_line
from scripts.installer.subprocesses import combined_output, run

ROOT = Path(__file__).resolve().parent.parent.parent
_OWN_PYTHON = "python"  # folder of a portable program's Python
LLAMA_VERSION = "0.3.36"
MIN_LLAMA_VERSION = "0.3.16"  # used where the newest has no prebuilt wheel; tested too
LLAMA_REQUIREMENT = f"llama-cpp-python>={MIN_LLAMA_VERSION},<={LLAMA_VERSION}"
MIN_PYTHON = (3, 11)
PYTHON_URL = "https://www.python.org/downloads/"
MIN_FREE_BYTES = 1_500_000_000  # free disk space needed while packages are unpacked
MAX_VENV_PATH_LENGTH = 130  # longest path below .venv, in characters; measured with these packages
MAX_PATH_LENGTH = 259  # characters, on Windows without the long-path setting


def python_in(prefix: Path) -> Path:
    """Return the path of the interpreter of a Python that was copied to `prefix`."""
    return prefix / ("python.exe" if os.name == "nt" else "bin/python3")


def _find_environment() -> Path:
    own = ROOT / _OWN_PYTHON
    return own if python_in(own).is_file() else ROOT / ".venv"


VENV = _find_environment()


def is_portable() -> bool:
    """Whether the program has a Python of its own."""
    return VENV.name == _OWN_PYTHON


REPAIR_HINT = "unpack the ZIP again" if is_portable() else "delete the folder .venv and try again"


def interpreter_path(venv: Path) -> Path:
    """Return the path of an environment's Python interpreter."""
    if venv.name == _OWN_PYTHON:
        return python_in(venv)
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def python_command(*arguments: str) -> list[str]:
    """Build a command line that runs the environment's interpreter."""
    return [str(interpreter_path(VENV)), *arguments]


def expected_stamp(tests: bool) -> dict[str, str]:
    """Build the stamp of an up-to-date environment: hashes of its requirements and versions."""
    texts = (ROOT / "requirements.lock").read_bytes()
    extra = (ROOT / "requirements-tests.lock").read_bytes() if tests else b""
    return {
        "packages": hashlib.sha256(texts).hexdigest(),
        "llama": LLAMA_VERSION,
        "tests": hashlib.sha256(extra).hexdigest() if tests else "",
    }


def is_ready(tests: bool = False) -> bool:
    """Whether the environment exists, is complete and is up to date."""
    found, need = read_stamp(), expected_stamp(tests)
    return (
        all(found.get(k) == need[k] for k in ("packages", "llama"))
        and _is_python_unchanged()
        and (not tests or found.get("tests") == need["tests"])
    )


def _is_python_unchanged() -> bool:
    """Whether the Python that the environment was created with is still installed."""
    interpreter = interpreter_path(VENV)
    if not interpreter.exists() or is_portable():
        return interpreter.exists()
    made = _read_pyvenv_cfg()
    if os.name == "nt":  # its python.exe only starts the one in `home`
        return (Path(made.get("home", "")) / "python.exe").exists()
    same = interpreter.resolve() == Path(sys.executable).resolve()
    return not same or made.get("version", "").startswith(_python_version())


def _read_pyvenv_cfg() -> dict[str, str]:
    """Read the keys of ``pyvenv.cfg``, such as ``home`` and ``version``."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {k.strip(): v.strip() for k, _, v in (line.partition("=") for line in lines)}


def _python_version() -> str:
    return ".".join(map(str, sys.version_info[:2]))


def read_stamp() -> dict[str, object]:
    """Read the environment's stamp; empty when the installation never finished."""
    try:
        found = json.loads(_stamp_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_stamp(stamp: dict[str, str]) -> None:
    """Mark the environment as complete."""
    part = _stamp_path().with_suffix(".part")
    part.write_text(json.dumps(stamp), encoding="utf-8")
    os.replace(part, _stamp_path())


def delete_stamp() -> None:
    """Mark the environment as incomplete."""
    _stamp_path().unlink(missing_ok=True)


def _stamp_path() -> Path:
    return VENV / "llm-music-gen.json"


def check_system_requirements() -> None:
    """Check the Python version, the free disk space and the path length before downloading.

    Raises
    ------
    SetupError
        When one of them does not meet the requirements.
    """
    if sys.version_info < MIN_PYTHON:
        raise SetupError(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} is too old; install "
            f"3.11 or newer from {PYTHON_URL}"
        )
    if sys.maxsize < 2**32:
        raise SetupError(f"this Python is 32-bit; install the 64-bit one from {PYTHON_URL}")
    if sysconfig.get_platform() == "win-arm64":
        raise SetupError(
            "this Python is for ARM, and some packages do not support ARM; install "
            f"the x64 one (it runs on ARM too) from {PYTHON_URL}"
        )
    if shutil.disk_usage(ROOT).free < MIN_FREE_BYTES:
        raise SetupError(f"{ROOT}: less than 1.5 GB of disk space is free; free some and try again")
    if (
        os.name == "nt"
        and not _long_paths_enabled()
        and len(str(VENV)) + MAX_VENV_PATH_LENGTH > MAX_PATH_LENGTH
    ):
        raise SetupError(
            f"{ROOT}: the path is too long for Windows; move the program to a "
            r"shorter folder such as C:\Music"
        )


def _long_paths_enabled() -> bool:
    """Whether long paths are enabled in Windows."""
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
def backup_environment() -> Iterator[None]:
    """Rename the environment while a new one is created in its place; restore it on failure.

    Raises
    ------
    SetupError
        When it is in use.
    """
    aside = VENV.with_name(f"{VENV.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        os.replace(VENV, aside)
    except OSError as error:
        raise SetupError(f"{VENV} is in use; close Llm-Music-Gen and try again") from error
    try:
        yield
    except BaseException:
        shutil.rmtree(VENV, ignore_errors=True)
        os.replace(aside, VENV)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def create_environment() -> None:
    """Create ``.venv`` unless it works already.

    Raises
    ------
    SetupError
        When it cannot be created.
    """
    if is_portable():
        _install_pip()
        return
    if _is_usable():
        return
    if Path(sys.prefix).resolve() == VENV.resolve() and os.name == "nt":
        raise SetupError(f"the environment is damaged; {REPAIR_HINT}")
    done = run(
        [getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", str(VENV)]
    )
    if done.returncode:
        remedy = (
            f"reinstall Python with pip from {PYTHON_URL}"
            if os.name == "nt"
            else "on Debian and Ubuntu install python3-venv"
        )
        raise SetupError(
            f"cannot create the environment ({last_error_line(combined_output(done))}); {remedy}"
        )


def _install_pip() -> None:
    """Install pip from the copy that Python carries.

    Raises
    ------
    SetupError
        When that fails.
    """
    done = run(python_command("-m", "ensurepip", "--upgrade"))
    if done.returncode:
        raise SetupError(f"cannot install pip ({last_error_line(combined_output(done))})")


def _is_usable() -> bool:
    """Whether the environment's Python runs, has pip, and has the version of its creation."""
    if not interpreter_path(VENV).exists():
        return False
    try:
        done = run(python_command("-c", "import sys, pip; print('%d.%d' % sys.version_info[:2])"))
    except OSError:  # made for another kind of computer
        return False
    version = done.stdout.strip()
    return (
        done.returncode == 0
        and bool(version)
        and _read_pyvenv_cfg().get("version", "").startswith(version)
    )
