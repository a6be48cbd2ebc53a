"""Installs packages into the environment with pip."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from scripts.core.errors import SetupError
from scripts.installer import environment
from scripts.installer.diagnosis import cause_of
from scripts.installer.subprocesses import everything, run_telling

FILL_IT = "fill the folder with 'requisites.py --save-wheels DIR' on a computer with a network"
WHEELS = "https://abetlen.github.io/llama-cpp-python/whl/cpu"


def pip(words: list[str], failure: str) -> None:
    """Run pip in the environment.

    Raises
    ------
    SetupError
        When pip fails: `failure` and the cause.
    """
    done = _pip([words[0], "--retries", "2", *words[1:]])
    if done.returncode:
        raise SetupError(f"{failure}: {cause_of(everything(done))}")


def _pip(words: list[str]) -> subprocess.CompletedProcess[str]:
    return run_telling(
        environment.python(
            "-m", "pip", *words, "--disable-pip-version-check", "--progress-bar", "off"
        )
    )


def lists(tests: bool) -> list[str]:
    """Return pip's options for the requirements of the program and, if asked, its tests."""
    words = ["-r", str(environment.ROOT / "requirements.txt")]
    if tests:
        words += ["-r", str(environment.ROOT / "requirements-tests.txt")]
    return words


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
        pip(["install", *_kinds(), *lists(tests)], "cannot install the packages")
        return
    done = _pip(["install", *only(wheels), *lists(tests)])
    if done.returncode:
        said = everything(done)
        missing = said.rsplit("No matching distribution found for ", 1)
        what = missing[1].split()[0] if len(missing) > 1 else cause_of(said)
        raise SetupError(f"{wheels}: some packages are missing ({what}); {FILL_IT}")


def save_wheels(folder: Path) -> None:
    """Download all wheels for this platform and Python version into `folder`.

    Raises
    ------
    SetupError
        When pip fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pip(
        ["download", "--only-binary=:all:", "-d", str(folder), *lists(False)],
        "cannot download the packages",
    )
    pip(
        [
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "-d",
            str(folder),
            "--extra-index-url",
            WHEELS,
            environment.LLAMA_RANGE,
        ],
        "cannot download the prebuilt llama-cpp-python",
    )


def _kinds() -> list[str]:
    """Allow only wheels on Windows, which usually has no compiler; elsewhere prefer them."""
    return ["--only-binary=:all:" if os.name == "nt" else "--prefer-binary"]


def only(wheels: Path) -> list[str]:
    """Return pip's options for installing from a folder of wheels without a network."""
    return ["--no-index", "--find-links", str(wheels)]
