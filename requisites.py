"""Installer: creates the environment ``.venv``, installs the pinned packages, finds models.

``python requisites.py``                    install what the program needs, or check it
``python requisites.py --tests``            install what its tests need, too
``python requisites.py --wheels DIR``       install without a network, from a folder of wheels
``python requisites.py --save-wheels DIR``  fill such a folder
``python requisites.py --build``            build llama-cpp-python for this processor
``python requisites.py --models``           run the model finder
``python requisites.py --tool``             install, then run the model finder (launcher item 2)

It can be interrupted and run again at any time: finished steps are not repeated, and the
environment counts as ready only when the last step has succeeded. Standard library only.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from scripts.core.cpu import NO_AVX
from scripts.core.errors import MusicGenError, SetupError, UsageError
from scripts.installer import environment
from scripts.installer.diagnosis import NO_REDIST
from scripts.installer.environment import (
    ROOT,
    check_computer,
    forget_stamp,
    make_environment,
    python_of,
    read_stamp,
    ready,
    set_aside,
    wanted,
    write_stamp,
)
from scripts.installer.install_lock import alone
from scripts.installer.llama import fetch_vocabularies, install_llama
from scripts.installer.packages import install_packages, save_wheels
from scripts.installer.startup_check import check_start
from scripts.installer.subprocesses import hand_over, say


def ensure(tests: bool = False, wheels: Path | None = None) -> Path:
    """Install the environment if it is not ready; return its interpreter.

    Parameters
    ----------
    tests : bool
        Install the packages of the tests, too.
    wheels : Path, optional
        Folder of wheels to install from, without a network.

    Raises
    ------
    SetupError
        When the installation fails.
    """
    if not ready(tests):
        _install(tests, wheels or _wheels())
    return python_of(environment.VENV)


def _wheels(given: str | None = None) -> Path | None:
    """Return the folder of wheels from the option or from ``LLM_MUSIC_GEN_WHEELS``."""
    folder = given or os.environ.get("LLM_MUSIC_GEN_WHEELS")
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise SetupError(f"no such folder of wheels: {folder}")
    return Path(folder).resolve()


def _install(tests: bool, wheels: Path | None) -> None:
    check_computer()
    with _working():
        if not ready(tests):  # another process may have installed it meanwhile
            _make(tests, wheels)


@contextmanager
def _working() -> Iterator[None]:
    """Lock the environment; turn an OSError into a SetupError."""
    try:
        with alone(environment.VENV.with_name(".venv.lock")):
            yield
    except OSError as error:
        raise SetupError(
            f"{error.filename or ROOT}: {error.strerror or error}; close programs that "
            "have it open, or move Llm-Music-Gen to a folder of your own"
        ) from error


def _make(tests: bool, wheels: Path | None, build: bool = False) -> None:
    started = time.monotonic()
    before = read_stamp()
    keep_tests = tests or bool(before.get("tests"))
    forget_stamp()
    say("1/4  Creating the environment in .venv")
    make_environment()
    say("2/4  Installing packages (about 150 MB the first time)")
    install_packages(keep_tests, wheels)
    say("3/4  Installing llama-cpp-python, which runs the models")
    install_llama(wheels, build)
    if tests:
        fetch_vocabularies()
    say("4/4  Checking that everything starts")
    check_start(python_of(environment.VENV))
    write_stamp(wanted(keep_tests))
    say(f"Ready after {time.monotonic() - started:.0f} s.")


def _repair(tests: bool, wheels: Path | None) -> None:
    """Install what is missing; when nothing is, check that all packages start."""
    if ready(tests):
        say("Everything is installed. Checking that it starts...")
        try:
            check_start(python_of(environment.VENV))
            say("Everything works.")
            return
        except SetupError as error:
            if str(error) in (NO_AVX, NO_REDIST):
                raise  # reinstalling would not help
            say(f"requisites: {error}")
            say("Reinstalling...")
            with _working(), set_aside():
                _make(tests, wheels)
            return
    _install(tests, wheels)


def _models() -> int:
    """Run the model finder in the program's environment."""
    return hand_over(environment.python("-m", "scripts.cli.main", "models", "find"), ROOT)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see 'requisites.py --help'")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="requisites.py",
        description="Install what Llm-Music-Gen needs into the folder .venv beside it.",
    )
    parser.add_argument("--tests", action="store_true", help="also install what the tests need")
    parser.add_argument(
        "--wheels", metavar="DIR", help="install from a folder of wheels, without a network"
    )
    parser.add_argument(
        "--save-wheels", type=Path, metavar="DIR", help="download all wheels to DIR, for --wheels"
    )
    parser.add_argument(
        "--build",
        action="store_true",
        help="build llama-cpp-python for this processor; needs a C++ compiler",
    )
    parser.add_argument("--models", action="store_true", help="list and download models")
    parser.add_argument("--tool", action="store_true", help="install, then run --models")
    return parser


def main() -> int:
    """Run the installer; return the exit status."""
    try:
        args = _parser().parse_args()
        wheels = _wheels(args.wheels)
        if args.models:
            ensure(wheels=wheels)
            return _models()
        if args.build:
            check_computer()
            with _working():
                _make(args.tests, wheels, build=True)
        else:
            _repair(args.tests, wheels)
        if args.save_wheels:
            save_wheels(args.save_wheels.resolve())
            say(f"The wheels are in {args.save_wheels}.")
        if args.tool:
            return _models()
    except MusicGenError as error:
        say(f"requisites: {error}")
        return error.exit_status
    except KeyboardInterrupt:
        say("requisites: interrupted; run the same command again to resume")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
