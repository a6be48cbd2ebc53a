"""Installs packages into the environment with pip."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from scripts.core.errors import SetupError
from scripts.installer import environment
from scripts.installer.diagnosis import explain_failure
from scripts.installer.subprocesses import combined_output, run_with_progress

SAVE_WHEELS_HINT = (
    "fill the folder with 'requisites.py --save-wheels DIR' on a computer with a network"
)
WHEEL_INDEX_URL = "https://abetlen.github.io/llama-cpp-python/whl/cpu"


def run_pip(arguments: list[str], failure: str) -> None:
    """Run pip in the environment.

    Raises
    ------
    SetupError
        When pip fails: `failure` and the cause.
    """
    done = _run_pip([arguments[0], "--retries", "2", *arguments[1:]])
    if done.returncode:
        raise SetupError(f"{failure}: {explain_failure(combined_output(done))}")


def _run_pip(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return run_with_progress(
        environment.python_command(
            "-m", "pip", *arguments, "--disable-pip-version-check", "--progress-bar", "off"
        )
    )


def requirement_options(tests: bool) -> list[str]:
    """Return pip's options for the requirements of the program and, if asked, its tests.

    The locks pin every package with the hashes of its files; pip refuses any other file.
    """
    name = "requirements-tests.lock" if tests else "requirements.lock"
    return ["--require-hashes", "-r", str(environment.ROOT / name)]


def install_packages(tests: bool, wheels: Path | None) -> None:
    """Install all packages but llama-cpp-python.

    Parameters
    ----------
    tests : bool
        Install the packages of the tests, too.
    wheels : Path or None
        Folder of wheels to install from; None for the package index.

    Raises
    ------
    SetupError
        When pip fails.
    """
    if wheels is None:
        run_pip(
            ["install", *_binary_options(), *requirement_options(tests)],
            "cannot install the packages",
        )
        return
    done = _run_pip(["install", *offline_options(wheels), *requirement_options(tests)])
    if done.returncode:
        output = combined_output(done)
        missing = output.rsplit("No matching distribution found for ", 1)
        what = missing[1].split()[0] if len(missing) > 1 else explain_failure(output)
        raise SetupError(f"{wheels}: some packages are missing ({what}); {SAVE_WHEELS_HINT}")


def save_wheels(folder: Path) -> None:
    """Download all wheels for this platform and Python version into `folder`.

    Raises
    ------
    SetupError
        When pip fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run_pip(
        ["download", "--only-binary=:all:", "-d", str(folder), *requirement_options(False)],
        "cannot download the packages",
    )
    run_pip(
        [
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "-d",
            str(folder),
            "--extra-index-url",
            WHEEL_INDEX_URL,
            environment.LLAMA_REQUIREMENT,
        ],
        "cannot download the prebuilt llama-cpp-python",
    )


def _binary_options() -> list[str]:
    """Allow only wheels on Windows, which usually has no compiler; elsewhere prefer them."""
    return ["--only-binary=:all:" if os.name == "nt" else "--prefer-binary"]


def offline_options(wheels: Path) -> list[str]:
    """Return pip's options for installing from a folder of wheels without a network."""
    return ["--no-index", "--find-links", str(wheels)]
