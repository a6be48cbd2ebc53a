"""Installs llama-cpp-python: a prebuilt wheel where there is one, else built from source."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from scripts.core.errors import SetupError
from scripts.installer import environment
from scripts.installer.diagnosis import cause_of, last_words
from scripts.installer.environment import LLAMA, LLAMA_RANGE, OLDEST_LLAMA, python
from scripts.installer.packages import FILL_IT, WHEELS, only, pip
from scripts.installer.subprocesses import everything, run, run_patiently, say

WHEEL_TIMEOUT = 60  # seconds for installing the prebuilt wheel where building is possible
# Build only the library: no downloads, image models, tests, tools, examples or server.
CMAKE = (
    "-DLLAMA_CURL=OFF -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF "
    "-DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_COMMON=OFF"
)


def install_llama(wheels: Path | None, build: bool = False) -> None:
    """Install llama-cpp-python unless a supported version is installed.

    Parameters
    ----------
    wheels : Path or None
        Folder of wheels to install from, without a network.
    build : bool
        Always build it from source, for this processor.

    Raises
    ------
    SetupError
        When it cannot be installed.
    """
    if build:
        _build()
        return
    if _there():
        return
    if wheels is not None:
        done = _pip_wheel(only(wheels), None)
        if done.returncode:
            raise SetupError(f"{wheels}: no {LLAMA_RANGE} for this computer; {FILL_IT}")
        return
    say("     trying the prebuilt wheel")
    said = _ready_made()
    if not said:
        return
    if os.name == "nt":  # usually has no compiler
        raise SetupError(
            f"cannot download the prebuilt llama-cpp-python from {WHEELS}: {cause_of(said)}"
        )
    say("     no prebuilt wheel for this computer")
    _build()


def _there() -> bool:
    """Whether a supported version is installed; whether it starts is checked later."""
    there = run(
        python("-c", "from importlib.metadata import version; print(version('llama-cpp-python'))")
    )
    return there.returncode == 0 and suits(there.stdout.strip())


def suits(version: str) -> bool:
    """Whether the program was tested with this version of llama-cpp-python."""
    try:
        found, oldest, newest = (
            tuple(map(int, v.split("."))) for v in (version, OLDEST_LLAMA, LLAMA)
        )
    except ValueError:
        return False
    return oldest <= found <= newest


def _ready_made() -> str:
    """Install the prebuilt wheel; return why that failed, or "" when it works."""
    try:
        done = _pip_wheel(
            ["--index-url", WHEELS, "--timeout", "6", "--retries", "1"],
            None if os.name == "nt" else WHEEL_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return "timed out"
    if done.returncode:
        return everything(done)
    if os.name == "nt":
        return ""
    # On Linux it may be for another C library; then build it.
    starts = run(python("-c", "import llama_cpp")).returncode == 0
    return "" if starts else "it does not start on this computer"


def _pip_wheel(where: list[str], limit: float | None) -> subprocess.CompletedProcess[str]:
    return run(
        python(
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
            *where,
            LLAMA_RANGE,
        ),
        timeout=limit,
    )


def _build() -> None:
    # On Windows the build looks for Visual Studio and reports when there is none.
    if os.name != "nt" and not any(shutil.which(c) for c in ("c++", "g++", "clang++")):
        raise SetupError(
            "no prebuilt llama-cpp-python and no C++ compiler found; install a compiler "
            "(Debian, Ubuntu: apt install g++; macOS: xcode-select --install) and "
            "try again"
        )
    say("     building llama-cpp-python (5 to 10 minutes)")
    said = run_patiently(
        python("-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", str(_source())),
        environment.VENV / "build.log",
        {"CMAKE_ARGS": f"{CMAKE} {os.environ.get('CMAKE_ARGS', '')}".strip()},
    )
    if said:
        raise SetupError(f"cannot build llama-cpp-python ({last_words(said)}); see docs/install.md")


def _source() -> Path:
    """Download the source archive of llama-cpp-python if needed; return its path."""
    folder = environment.VENV / "sdist"
    archive = folder / f"llama_cpp_python-{LLAMA}.tar.gz"
    if not archive.exists():
        pip(
            [
                "download",
                "--no-deps",
                "--no-binary=llama-cpp-python",
                "-d",
                str(folder),
                f"llama-cpp-python=={LLAMA}",
            ],
            "cannot download the source of llama-cpp-python",
        )
    return archive


def fetch_vocabularies() -> None:
    """Extract tokenizers of real models from llama-cpp-python's source, for the tests."""
    folder = environment.VENV / "vocabs"
    if folder.is_dir() and len(list(folder.glob("*.gguf"))) >= 4:
        return
    say("     extracting tokenizers of real models for the tests")
    part = environment.VENV / "vocabs.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    with tarfile.open(_source()) as archive:
        for member in archive:
            name = Path(member.name).name
            if name.startswith("ggml-vocab-") and name.endswith(".gguf"):
                source = archive.extractfile(member)
                if source:
                    (part / name).write_bytes(source.read())
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)
