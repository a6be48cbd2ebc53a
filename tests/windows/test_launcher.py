"""``Llm-Music-Gen.bat``: folders, choice of Python, arguments, exit codes and code page."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.windows.conftest import launcher_path, run_launcher
from tests.windows.lab import HOME, PYTHON, Console, run_windows, windows_path

# Stand-in for the program: prints its arguments and exits with the number in a file.
_STUB = """import os, sys
print("words", [ascii(w) for w in sys.argv[1:]])
print("prefix", sys.prefix == sys.base_prefix, os.environ.get("PYTHONUTF8"))
sys.exit(int(open(os.path.join(os.path.dirname(__file__), "status")).read()))
"""
FOLDERS = [
    "My Music",
    "Music (new)",
    "Rock & Roll (a) & b",
    "one ^caret! @home",
    "Größe 音楽 ♪",
    "it's; a, b=c",
]


@pytest.fixture
def place() -> Iterator[Callable[[Path], Path]]:
    """Function that puts the launcher and a stand-in for the program into a folder."""
    made: list[Path] = []

    def make(folder: Path, status: int = 0) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        made.append(folder)
        shutil.copy(ROOT / "Llm-Music-Gen.bat", folder)
        for name in ("launcher.py", "requisites.py"):
            (folder / name).write_text(_STUB, encoding="utf-8")
        (folder / "status").write_text(str(status))
        return folder

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("name", FOLDERS)
def test_the_launcher_runs_from_any_folder(name: str, place: Callable[..., Path]) -> None:
    done = run_launcher(place(HOME / "try" / name), "generate", "Chill, Dubstep")
    assert "generate" in done.stdout, done.stdout
    assert "Chill, Dubstep" in done.stdout, done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("status", [0, 1, 2, 130])
def test_the_exit_code_is_passed_on(status: int, place: Callable[..., Path]) -> None:
    assert run_launcher(place(HOME / "try" / "codes", status), "generate").returncode == status


def test_arguments_reach_the_program_unchanged(place: Callable[..., Path]) -> None:
    arguments = (
        "generate",
        "Chill & Dubstep",
        "--chords",
        "Fm Db",
        "--key",
        "F# minor",
        "x (y) !z!",
    )
    done = run_launcher(place(HOME / "try" / "words"), *arguments)
    assert str([ascii(w) for w in arguments]) in done.stdout, done.stdout


def build_fake_python(folder: Path, code: str) -> str:
    """Build a python.exe that executes `code`, in C; returns its folder for PATH."""
    source = folder / "python.c"
    folder.mkdir(parents=True, exist_ok=True)
    source.write_text(f"#include <stdio.h>\nint main(void) {{ {code} }}\n")
    subprocess.run(
        [
            "x86_64-w64-mingw32-gcc-posix",
            "-O1",
            "-s",
            "-o",
            str(folder / "python.exe"),
            str(source),
        ],
        check=True,
    )
    return windows_path(folder)


SYSTEM = r"C:\windows\system32;C:\windows"
STORE = (
    'puts("Python was not found; run without arguments to install from the Microsoft Store, '
    'or disable this shortcut from Settings."); return 9009;'
)


@pytest.mark.parametrize(
    "code",
    [STORE, "return 1;", "return 0xC0000135;"],
    ids=["the Store's alias", "an old Python", "one that crashes"],
)
def test_an_unusable_python_is_not_used(
    code: str, place: Callable[..., Path], tmp_path: Path
) -> None:
    folder = place(HOME / "try" / "nothing")
    path = build_fake_python(tmp_path / "apps", code)
    done = run_launcher(folder, "styles", path=f"{path};{SYSTEM}")
    assert done.returncode == 9, done.stdout
    assert "needs Python 3.11 or newer, 64-bit" in done.stdout
    assert "https://www.python.org/downloads/" in done.stdout
    assert "Microsoft Store" not in done.stdout
    assert "words" not in done.stdout


def test_a_usable_python_behind_the_stores_alias_is_found(
    place: Callable[..., Path], tmp_path: Path
) -> None:
    """Only ``python3`` is a real interpreter."""
    folder = place(HOME / "try" / "behind")
    path = build_fake_python(tmp_path / "apps", STORE)
    alias = PYTHON.with_name("python3.exe")
    if not alias.exists():
        shutil.copy(PYTHON, alias)
    done = run_launcher(folder, "styles", path=f"{path};{SYSTEM};{windows_path(PYTHON.parent)}")
    assert "words" in done.stdout, done.stdout
    assert done.returncode == 0, done.stdout


def test_the_code_page_is_set_and_restored(
    place: Callable[..., Path], console: Callable[..., Console]
) -> None:
    folder = place(HOME / "try" / "page")
    caller = HOME / "page.bat"
    caller.write_text(
        "@echo off\r\nchcp 850\r\n"
        f'call "{windows_path(folder)}\\Llm-Music-Gen.bat" styles\r\nchcp\r\n'
    )
    (folder / "launcher.py").write_text("import os; os.system('chcp')\n")
    window = console()
    window.run("cmd", "/c", windows_path(caller))
    window.status()
    pages = [line for line in window.full_screen().splitlines() if "page" in line.lower()]
    assert [p.rstrip(".").split()[-1] for p in pages if ":" in p][-2:] == ["65001", "850"], (
        window.full_screen()
    )


def test_an_error_can_be_read_before_the_window_closes(
    place: Callable[..., Path], console: Callable[..., Console]
) -> None:
    folder = place(HOME / "try" / "errors", status=1)
    window = console()
    window.run("cmd", "/c", launcher_path(folder))
    window.choose("1")
    window.wait("ended with status 1")
    assert "status=" not in window.full_screen()
    window.type("q")
    window.choose("x")
    assert window.status() == 1


@pytest.mark.parametrize("waits", [True, False])
def test_an_error_of_a_command_waits_for_a_key_unless_disabled(
    waits: bool, place: Callable[..., Path], console: Callable[..., Console]
) -> None:
    more = {} if waits else {"LLM_MUSIC_GEN_NO_PAUSE": "1"}
    window = console(**more)
    window.run("cmd", "/c", launcher_path(place(HOME / "try" / "held", status=2)), "generate")
    window.wait("words")
    if waits:
        window.wait("Press any key")
        assert "status=" not in window.full_screen()
        window.type("q")
    assert window.status() == 2
    assert ("Press any key" in window.full_screen()) is waits


def test_a_launcher_without_the_program_says_to_unpack_the_zip() -> None:
    folder = HOME / "try" / "in the zip"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "Llm-Music-Gen.bat", folder)
    done = run_launcher(folder)
    assert done.returncode == 9, done.stdout
    assert "unpack the whole ZIP" in done.stdout, done.stdout


def test_a_variable_selects_the_python(place: Callable[..., Path], tmp_path: Path) -> None:
    folder = place(HOME / "try" / "named")
    path = build_fake_python(tmp_path / "apps", STORE)
    real = windows_path(PYTHON)
    done = run_launcher(folder, "styles", path=f"{path};{SYSTEM}", LLM_MUSIC_GEN_PYTHON=real)
    assert done.returncode == 0, done.stdout
    assert "words" in done.stdout, done.stdout


def test_a_python_that_is_a_batch_file_is_called_and_returns(
    place: Callable[..., Path], tmp_path: Path
) -> None:
    """Like the shims that pyenv puts into PATH."""
    shims = tmp_path / "shims"
    shims.mkdir()
    real = windows_path(PYTHON)
    (shims / "python.bat").write_text(f'@echo off\r\n"{real}" %*\r\n')
    done = run_launcher(
        place(HOME / "try" / "shim", status=1), "styles", path=f"{windows_path(shims)};{SYSTEM}"
    )
    assert "words" in done.stdout, done.stdout
    assert done.returncode == 1, done.stdout


def test_invalid_answers_only_redraw_the_menu(
    place: Callable[..., Path], console: Callable[..., Console]
) -> None:
    window = console()
    window.run("cmd", "/c", launcher_path(place(HOME / "try" / "answers")))
    for answer in ("9", '"', "& echo oops", "%PATH%", ""):
        window.choose(answer)
    window.choose("x")
    assert window.status() == 0
    assert "\noops" not in window.full_screen()


def test_the_end_of_the_input_ends_the_menu(place: Callable[..., Path]) -> None:
    done = run_windows("cmd", "/c", launcher_path(place(HOME / "try" / "silent")), timeout=60)
    assert done.returncode == 0
    assert done.stdout.count("Run Main Program") <= 6
