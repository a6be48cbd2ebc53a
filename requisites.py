"""Installer: creates the environment ``.venv``, installs the pinned packages, finds models.

``python requisites.py``                    install what the program needs, or check it
``python requisites.py --tests``            install what its tests need, too
``python requisites.py --wheels DIR``       install without a network, from a folder of wheels
``python requisites.py --save-wheels DIR``  fill such a folder
``python requisites.py --build``            build llama-cpp-python for this processor
``python requisites.py --portable DIR``     make a folder that runs without an installed Python
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
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NoReturn

from scripts.core.cpu import NO_AVX_MESSAGE
from scripts.core.errors import MusicGenError, SetupError, UsageError
from scripts.installer import environment
from scripts.installer.diagnosis import NO_REDIST
from scripts.installer.environment import (
    ROOT,
    backup_environment,
    check_system_requirements,
    create_environment,
    delete_stamp,
    expected_stamp,
    interpreter_path,
    is_ready,
    read_stamp,
    write_stamp,
)
from scripts.installer.install_lock import exclusive_lock
from scripts.installer.llama import fetch_vocabularies, install_llama
from scripts.installer.packages import install_packages, save_wheels
from scripts.installer.portable import make_portable
from scripts.installer.startup_check import check_startup
from scripts.installer.subprocesses import print_status, run_in_foreground


def ensure_environment(tests: bool = False, wheels: Path | None = None) -> Path:
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
    if not is_ready(tests):
        _install(tests, wheels or _wheel_folder())
    return interpreter_path(environment.VENV)


def _wheel_folder(argument: str | None = None) -> Path | None:
    """Return the folder of wheels from the option or from ``LLM_MUSIC_GEN_WHEELS``."""
    folder = argument or os.environ.get("LLM_MUSIC_GEN_WHEELS")
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise SetupError(f"no such folder of wheels: {folder}")
    return Path(folder).resolve()


def _install(tests: bool, wheels: Path | None) -> None:
    check_system_requirements()
    with _locked_environment():
        if not is_ready(tests):  # another process may have installed it meanwhile
            _run_install_steps(tests, wheels)


@contextmanager
def _locked_environment() -> Iterator[None]:
    """Lock the environment; turn an OSError into a SetupError."""
    try:
        with exclusive_lock(environment.VENV.with_name(".venv.lock")):
            yield
    except OSError as error:
        raise SetupError(
            f"{error.filename or ROOT}: {error.strerror or error}; close programs that "
            "have it open, or move Llm-Music-Gen to a folder of your own"
        ) from error


def _run_install_steps(tests: bool, wheels: Path | None, build: bool = False) -> None:
    before = read_stamp()
    keep_tests = tests or bool(before.get("tests"))
    delete_stamp()
    times: dict[str, float] = {}
    with _timed_step("environment", times):
        print_status(f"1/4  Creating the environment in {environment.VENV.name}")
        create_environment()
    with _timed_step("packages", times):
        print_status("2/4  Installing packages (about 150 MB the first time)")
        install_packages(keep_tests, wheels)
    with _timed_step("llama-cpp-python", times):
        print_status("3/4  Installing llama-cpp-python, which runs the models")
        install_llama(wheels, build)
        if tests:
            fetch_vocabularies()
    with _timed_step("check", times):
        print_status("4/4  Checking that everything starts")
        check_startup(interpreter_path(environment.VENV))
    write_stamp(expected_stamp(keep_tests))
    steps = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in times.items())
    print_status(f"Ready after {sum(times.values()):.0f} s ({steps}).")


@contextmanager
def _timed_step(name: str, times: dict[str, float]) -> Iterator[None]:
    """Store the seconds that the block takes under `name`."""
    started = time.monotonic()
    yield
    times[name] = time.monotonic() - started


def _install_or_check(tests: bool, wheels: Path | None) -> None:
    """Install what is missing; when nothing is, check that all packages start."""
    if is_ready(tests):
        print_status("Everything is installed. Checking that it starts...")
        try:
            check_startup(interpreter_path(environment.VENV))
            print_status("Everything works.")
            return
        except SetupError as error:
            if str(error) in (NO_AVX_MESSAGE, NO_REDIST):
                raise  # reinstalling would not help
            print_status(f"requisites: {error}")
            print_status("Reinstalling...")
            # A portable folder's Python cannot be moved away: it is running.
            backup = nullcontext() if environment.is_portable() else backup_environment()
            with _locked_environment(), backup:
                _run_install_steps(tests, wheels)
            return
    _install(tests, wheels)


def _run_model_finder() -> int:
    """Run the model finder in the program's environment."""
    return run_in_foreground(
        environment.python_command("-m", "scripts.cli", "models", "find"), ROOT
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see 'requisites.py --help'")


def _build_parser() -> argparse.ArgumentParser:
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
    parser.add_argument(
        "--portable",
        type=Path,
        metavar="DIR",
        help="make a folder with its own Python that runs without installing anything",
    )
    parser.add_argument("--models", action="store_true", help="list and download models")
    parser.add_argument("--tool", action="store_true", help="install, then run --models")
    return parser


def main() -> int:
    """Run the installer; return the exit status."""
    try:
        args = _build_parser().parse_args()
        wheels = _wheel_folder(args.wheels)
        if args.tests and environment.is_portable():
            raise UsageError("a portable folder has no tests; get the source code")
        if args.portable:
            make_portable(args.portable.resolve(), wheels)
            print_status(f"The portable program is in {args.portable}.")
            return 0
        if args.models:
            ensure_environment(wheels=wheels)
            return _run_model_finder()
        if args.build:
            check_system_requirements()
            with _locked_environment():
                _run_install_steps(args.tests, wheels, build=True)
        else:
            _install_or_check(args.tests, wheels)
        if args.save_wheels:
            save_wheels(args.save_wheels.resolve())
            print_status(f"The wheels are in {args.save_wheels}.")
        if args.tool:
            return _run_model_finder()
    except MusicGenError as error:
        print_status(f"requisites: {error}")
        return error.exit_status
    except KeyboardInterrupt:
        print_status("requisites: interrupted; run the same command again to resume")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
