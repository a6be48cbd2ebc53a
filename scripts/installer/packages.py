"""Puts packages into the environment, with pip."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from scripts.core.errors import SetupError
from scripts.installer import environment
from scripts.installer.diagnosis import cause_of
from scripts.installer.subprocesses import everything, run_telling

FILL_IT = "fill it with 'requisites.py --save-wheels DIR' on a computer with a network"
WHEELS = "https://abetlen.github.io/llama-cpp-python/whl/cpu"


def pip(words: list[str], failure: str) -> None:
    """Run pip in the environment.

    Raises
    ------
    SetupError
        `failure` with the cause in words.
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
    """pip's words for the packages of the program, and of its tests."""
    words = ["-r", str(environment.ROOT / "requirements.txt")]
    if tests:
        words += ["-r", str(environment.ROOT / "requirements-tests.txt")]
    return words


def install_packages(tests: bool, wheels: Path | None) -> None:
    """Install everything but llama-cpp-python, from the registry or a folder of wheels."""
    if wheels is None:
        pip(["install", *_kinds(), *lists(tests)], "the packages could not be installed")
        return
    done = _pip(["install", *only(wheels), *lists(tests)])
    if done.returncode:
        said = everything(done)
        missing = said.rsplit("No matching distribution found for ", 1)
        what = missing[1].split()[0] if len(missing) > 1 else cause_of(said)
        raise SetupError(f"{wheels}: it does not hold all packages ({what}); {FILL_IT}")


def save_wheels(folder: Path) -> None:
    """Fetch every wheel that this computer's kind and Python need into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    pip(
        ["download", "--only-binary=:all:", "-d", str(folder), *lists(False)],
        "the packages could not be fetched",
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
        "the ready-made llama-cpp-python could not be fetched",
    )


def _kinds() -> list[str]:
    """On Windows nothing is built: there is no compiler to be expected."""
    return ["--only-binary=:all:" if os.name == "nt" else "--prefer-binary"]


def only(wheels: Path) -> list[str]:
    """pip's words for a folder of wheels and no network."""
    return ["--no-index", "--find-links", str(wheels)]
