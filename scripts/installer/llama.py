"""llama-cpp-python: a ready-made wheel where there is one, else built here."""

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

WHEEL_TIMEOUT = 60  # seconds for all of the ready-made wheel, where one can be built instead
# Only the library itself: no tools, server, examples, tests, pictures or downloads.
CMAKE = (
    "-DLLAMA_CURL=OFF -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF "
    "-DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_COMMON=OFF"
)


def install_llama(wheels: Path | None, build: bool = False) -> None:
    """Install llama-cpp-python unless it is there; `build` makes one for this processor.

    Raises
    ------
    SetupError
        When it cannot be installed, in words.
    """
    if build:
        _build()
        return
    if _there():
        return
    if wheels is not None:
        done = _pip_wheel(only(wheels), None)
        if done.returncode:
            raise SetupError(f"{wheels}: it holds no {LLAMA_RANGE} for this computer; {FILL_IT}")
        return
    say("     trying the ready-made wheel")
    said = _ready_made()
    if not said:
        return
    if os.name == "nt":  # no compiler is to be expected
        raise SetupError(
            f"the ready-made llama-cpp-python could not be fetched from {WHEELS}: {cause_of(said)}"
        )
    say("     there is none for this computer")
    _build()


def _there() -> bool:
    """True when the right version is in the environment; whether it starts is seen later."""
    there = run(
        python("-c", "from importlib.metadata import version; print(version('llama-cpp-python'))")
    )
    return there.returncode == 0 and suits(there.stdout.strip())


def suits(version: str) -> bool:
    """True for a version that the program works with."""
    try:
        found, oldest, newest = (
            tuple(map(int, v.split("."))) for v in (version, OLDEST_LLAMA, LLAMA)
        )
    except ValueError:
        return False
    return oldest <= found <= newest


def _ready_made() -> str:
    """Install the ready-made wheel; what pip said when there is none that starts, else ''."""
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
    # Off Windows it may be made for another C library; then it is built here.
    starts = run(python("-c", "import llama_cpp")).returncode == 0
    return "" if starts else "it does not start here"


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
    # On Windows the build finds Visual Studio by itself, and says so when it does not.
    if os.name != "nt" and not any(shutil.which(c) for c in ("c++", "g++", "clang++")):
        raise SetupError(
            "no ready-made llama-cpp-python and no C++ compiler; install one "
            "(Debian, Ubuntu: apt install g++; macOS: xcode-select --install) and "
            "run it again"
        )
    say("     building llama-cpp-python (5 to 10 minutes)")
    said = run_patiently(
        python("-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", str(_source())),
        environment.VENV / "build.log",
        {"CMAKE_ARGS": f"{CMAKE} {os.environ.get('CMAKE_ARGS', '')}".strip()},
    )
    if said:
        raise SetupError(
            f"llama-cpp-python could not be built ({last_words(said)}); see docs/install.md"
        )


def _source() -> Path:
    """The source archive of llama-cpp-python, fetched once."""
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
            "the source of llama-cpp-python could not be fetched",
        )
    return archive


def fetch_vocabularies() -> None:
    """The tokenizers of real models, for the tests; they lie in llama-cpp-python's source."""
    folder = environment.VENV / "vocabs"
    if folder.is_dir() and len(list(folder.glob("*.gguf"))) >= 4:
        return
    say("     fetching tokenizers of real models for the tests")
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
