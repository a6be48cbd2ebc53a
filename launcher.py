"""Launcher of Llm-Music-Gen: opens the menu, or runs the command that is given (see README.md).

It creates the environment on the first run and runs the program inside it. Standard library only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main() -> int:
    """Run the program in its environment; return the exit status."""
    if sys.version_info < (3, 11):
        print(
            "llm-music-gen: Python 3.11 or newer is required; install it from "
            "https://www.python.org/downloads/",
            file=sys.stderr,
        )
        return 1
    arguments = sys.argv[1:]
    sys.path.insert(0, str(ROOT))
    from scripts.core.errors import MusicGenError
    from scripts.installer.environment import VENV, interpreter_path, is_ready

    tests = arguments[:1] == ["test"]
    python = interpreter_path(VENV)
    try:
        if not is_ready(tests):
            import requisites

            requisites.ensure_environment(tests)
    except MusicGenError as error:
        print(f"llm-music-gen: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("llm-music-gen: interrupted; run the same command again to resume", file=sys.stderr)
        return 130
    if tests:
        return _run_checks(python, arguments[1:])
    if Path(sys.prefix).resolve() == VENV.resolve():
        from scripts.cli.main import run_program as run

        return run()
    command = [str(python), str(ROOT / "launcher.py"), *arguments]
    if os.name != "nt":
        os.execv(command[0], command)
    from scripts.installer.subprocesses import run_in_foreground

    return run_in_foreground(command)


def _run_checks(python: Path, pytest_arguments: list[str]) -> int:
    """Run all checks, then the tests; return the exit status of the first failure."""
    for name, command in (
        ("lint", [str(python), "-m", "ruff", "check", "."]),
        ("format", [str(python), "-m", "ruff", "format", "--check", "."]),
        ("types", [str(python), "-m", "mypy", "--platform", "linux"]),
        ("types on Windows", [str(python), "-m", "mypy", "--platform", "win32"]),
        (
            "imports",
            [
                str(python),
                "-c",
                "from importlinter.cli import lint_imports_command as run; run()",
                "--no-cache",
            ],
        ),
        ("tests", [str(python), "-m", "pytest", *pytest_arguments]),
    ):
        print(f"== {name}", flush=True)
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
