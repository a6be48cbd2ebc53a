"""Installs llama-cpp-python: a prebuilt wheel where there is one, else built from source."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from scripts.core.errors import SetupError
from scripts.installer import environment
from scripts.installer.diagnosis import explain_failure, last_error_line
from scripts.installer.environment import (
    LLAMA_REQUIREMENT,
    LLAMA_VERSION,
    MIN_LLAMA_VERSION,
    python_command,
)
from scripts.installer.packages import SAVE_WHEELS_HINT, WHEEL_INDEX_URL, offline_options, run_pip
from scripts.installer.subprocesses import combined_output, print_status, run, run_with_heartbeat

WHEEL_TIMEOUT = 60  # seconds for installing the prebuilt wheel where building is possible
# Build only the library: no downloads, image models, tests, tools, examples or server.
CMAKE_OPTIONS = (
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
        _build_from_source()
        return
    if _is_installed():
        return
    if wheels is not None:
        done = _pip_install_wheel(offline_options(wheels), None)
        if done.returncode:
            raise SetupError(
                f"{wheels}: no {LLAMA_REQUIREMENT} for this computer; {SAVE_WHEELS_HINT}"
            )
        return
    print_status("     trying the prebuilt wheel")
    failure = _install_prebuilt()
    if not failure:
        return
    if os.name == "nt":  # usually has no compiler
        raise SetupError(
            f"cannot download the prebuilt llama-cpp-python from {WHEEL_INDEX_URL}: "
            f"{explain_failure(failure)}"
        )
    print_status("     no prebuilt wheel for this computer")
    _build_from_source()


def _is_installed() -> bool:
    """Whether a supported version is installed; whether it starts is checked later."""
    done = run(
        python_command(
            "-c", "from importlib.metadata import version; print(version('llama-cpp-python'))"
        )
    )
    return done.returncode == 0 and is_supported_version(done.stdout.strip())


def is_supported_version(version: str) -> bool:
    """Whether the program was tested with this version of llama-cpp-python."""
    try:
        found, oldest, newest = (
            tuple(map(int, v.split("."))) for v in (version, MIN_LLAMA_VERSION, LLAMA_VERSION)
        )
    except ValueError:
        return False
    return oldest <= found <= newest


def _install_prebuilt() -> str:
    """Install the prebuilt wheel; return why that failed, or "" when it works."""
    try:
        done = _pip_install_wheel(
            ["--index-url", WHEEL_INDEX_URL, "--timeout", "6", "--retries", "1"],
            None if os.name == "nt" else WHEEL_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return "timed out"
    if done.returncode:
        return combined_output(done)
    if os.name == "nt":
        return ""
    # On Linux it may be for another C library; then build it.
    starts = run(python_command("-c", "import llama_cpp")).returncode == 0
    return "" if starts else "it does not start on this computer"


def _pip_install_wheel(
    index_options: list[str], timeout: float | None
) -> subprocess.CompletedProcess[str]:
    return run(
        python_command(
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
            *index_options,
            LLAMA_REQUIREMENT,
        ),
        timeout=timeout,
    )


def _build_from_source() -> None:
    # On Windows the build looks for Visual Studio and reports when there is none.
    if os.name != "nt" and not any(shutil.which(c) for c in ("c++", "g++", "clang++")):
        raise SetupError(
            "no prebuilt llama-cpp-python and no C++ compiler found; install a compiler "
            "(Debian, Ubuntu: apt install g++; macOS: xcode-select --install) and try again"
        )
    print_status("     building llama-cpp-python (2 to 5 minutes)")
    arguments = f"{CMAKE_OPTIONS} {os.environ.get('CMAKE_ARGS', '')}".strip()
    output = run_with_heartbeat(
        python_command(
            "-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", str(_fetch_source())
        ),
        environment.VENV / "build.log",
        # Without a number of its own, make would use one core.
        {"CMAKE_ARGS": arguments, "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1)},
    )
    if output:
        raise SetupError(
            f"cannot build llama-cpp-python ({last_error_line(output)}); see docs/install.md"
        )


def _fetch_source() -> Path:
    """Download the source archive of llama-cpp-python if needed; return its path."""
    folder = environment.VENV / "sdist"
    archive = folder / f"llama_cpp_python-{LLAMA_VERSION}.tar.gz"
    if not archive.exists():
        run_pip(
            [
                "download",
                "--no-deps",
                "--no-binary=llama-cpp-python",
                "-d",
                str(folder),
                "--require-hashes",
                "-r",
                str(environment.ROOT / "requirements-llama.lock"),
            ],
            "cannot download the source of llama-cpp-python",
        )
    return archive


def fetch_vocabularies() -> None:
    """Extract tokenizers of real models from llama-cpp-python's source, for the tests."""
    folder = environment.VENV / "vocabs"
    if folder.is_dir() and len(list(folder.glob("*.gguf"))) >= 4:
        return
    print_status("     extracting tokenizers of real models for the tests")
    part = environment.VENV / "vocabs.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    with tarfile.open(_fetch_source()) as archive:
        for member in archive:
            name = Path(member.name).name
            if name.startswith("ggml-vocab-") and name.endswith(".gguf"):
                source = archive.extractfile(member)
                if source:
                    (part / name).write_bytes(source.read())
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)
