"""Llm-Music-Gen: without words the menu, else a command (see README.md).

The first run makes the environment; every run goes on inside it. Nothing heavy is imported here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main() -> int:
    """Run a command in the project's environment; the exit status."""
    if sys.version_info < (3, 11):
        print(
            "llm-music-gen: Python 3.11 or newer is needed; get it from "
            "https://www.python.org/downloads/",
            file=sys.stderr,
        )
        return 1
    words = sys.argv[1:]
    sys.path.insert(0, str(ROOT))
    from scripts.core.errors import MusicGenError
    from scripts.installer.environment import VENV, python_of, ready

    tests = words[:1] == ["test"]
    python = python_of(VENV)
    try:
        if not ready(tests):
            import requisites

            requisites.ensure(tests)
        if Path(sys.prefix).resolve() == VENV.resolve() and not tests:
            from scripts.cli.main import main as run

            return run(words)
    except MusicGenError as error:
        print(f"llm-music-gen: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("llm-music-gen: stopped; run it again to go on", file=sys.stderr)
        return 130
    if tests:
        return _test(python, words[1:])
    command = [str(python), str(ROOT / "launcher.py"), *words]
    if os.name != "nt":
        os.execv(command[0], command)
    from scripts.installer.subprocesses import hand_over

    return hand_over(command)


def _test(python: Path, words: list[str]) -> int:
    """Lint, types, import contract, then the tests; the first failure's exit status."""
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
        ("tests", [str(python), "-m", "pytest", *words]),
    ):
        print(f"== {name}", flush=True)
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
