"""``Llm-Music-Gen.bat``: where it may lie, which Python it takes, words, exit codes, code page."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.windows.conftest import windows_bat
from tests.windows.lab import HOME, PYTHON, Console, windows, windows_path

# Stands in for the program: says its words, and ends with the number in a file.
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
    """Puts the launcher, with a stand-in for the program, into a folder."""
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


def bat(folder: Path, *words: str, path: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Start the launcher as Explorer starts it: as a program, with words; its output and status."""
    starter = HOME / "start.py"
    starter.write_text(
        "import json, os, subprocess, sys\n"
        "given = json.loads(sys.argv[1])\n"
        "path = given['path'] or os.environ['PATH']\n"
        "done = subprocess.run(given['words'], env={**os.environ, 'PATH': path},\n"
        "                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,\n"
        "                      stderr=subprocess.STDOUT)\n"
        "sys.stdout.buffer.write(done.stdout)\n"
        "print('ended with', done.returncode)\n",
        encoding="utf-8",
    )
    given = json.dumps({"words": [windows_bat(folder), *words], "path": path})
    done = windows(windows_path(PYTHON), windows_path(starter), given, **more)
    assert "ended with" in done.stdout, done.stdout
    done.returncode = int(done.stdout.rsplit("ended with ", 1)[1])
    return done


@pytest.mark.parametrize("name", FOLDERS)
def test_it_runs_from_any_folder(name: str, place: Callable[..., Path]) -> None:
    done = bat(place(HOME / "try" / name), "generate", "Chill, Dubstep")
    assert "generate" in done.stdout, done.stdout
    assert "Chill, Dubstep" in done.stdout, done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("status", [0, 1, 2, 130])
def test_the_exit_code_is_passed_on(status: int, place: Callable[..., Path]) -> None:
    assert bat(place(HOME / "try" / "codes", status), "generate").returncode == status


def test_words_reach_the_program_as_they_were_typed(place: Callable[..., Path]) -> None:
    words = ("generate", "Chill & Dubstep", "--chords", "Fm Db", "--key", "F# minor", "x (y) !z!")
    done = bat(place(HOME / "try" / "words"), *words)
    assert str([ascii(w) for w in words]) in done.stdout, done.stdout


def stand_in(folder: Path, code: str) -> str:
    """A python.exe that does `code`; the PATH that finds it first and no other Python."""
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
def test_a_python_that_will_not_do_is_not_taken(
    code: str, place: Callable[..., Path], tmp_path: Path
) -> None:
    folder = place(HOME / "try" / "nothing")
    path = stand_in(tmp_path / "apps", code)
    done = bat(folder, "styles", path=f"{path};{SYSTEM}")
    assert done.returncode == 9, done.stdout
    assert "needs Python 3.11 or newer, 64-bit" in done.stdout
    assert "https://www.python.org/downloads/" in done.stdout
    assert "Microsoft Store" not in done.stdout
    assert "words" not in done.stdout


def test_a_usable_python_behind_the_stores_alias_is_found(
    place: Callable[..., Path], tmp_path: Path
) -> None:
    """As when only ``python3`` is a real one."""
    folder = place(HOME / "try" / "behind")
    path = stand_in(tmp_path / "apps", STORE)
    alias = PYTHON.with_name("python3.exe")
    if not alias.exists():
        shutil.copy(PYTHON, alias)
    done = bat(folder, "styles", path=f"{path};{SYSTEM};{windows_path(PYTHON.parent)}")
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
    pages = [line for line in window.shown().splitlines() if "page" in line.lower()]
    assert [p.rstrip(".").split()[-1] for p in pages if ":" in p][-2:] == ["65001", "850"], (
        window.shown()
    )


def test_an_error_can_be_read_before_the_window_closes(
    place: Callable[..., Path], console: Callable[..., Console]
) -> None:
    folder = place(HOME / "try" / "errors", status=1)
    window = console()
    window.run("cmd", "/c", windows_bat(folder))
    window.choose("1")
    window.wait("ended with status 1")
    assert "status=" not in window.shown()
    window.type("q")
    window.choose("x")
    assert window.status() == 1


@pytest.mark.parametrize("waits", [True, False])
def test_with_words_too_an_error_waits_for_a_key_unless_told_not_to(
    waits: bool, place: Callable[..., Path], console: Callable[..., Console]
) -> None:
    more = {} if waits else {"LLM_MUSIC_GEN_NO_PAUSE": "1"}
    window = console(**more)
    window.run("cmd", "/c", windows_bat(place(HOME / "try" / "held", status=2)), "generate")
    window.wait("words")
    if waits:
        window.wait("Press any key")
        assert "status=" not in window.shown()
        window.type("q")
    assert window.status() == 2
    assert ("Press any key" in window.shown()) is waits


def test_a_launcher_without_its_program_says_to_unpack_the_zip() -> None:
    folder = HOME / "try" / "in the zip"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "Llm-Music-Gen.bat", folder)
    done = bat(folder)
    assert done.returncode == 9, done.stdout
    assert "unpack the whole ZIP" in done.stdout, done.stdout


def test_a_python_may_be_named(place: Callable[..., Path], tmp_path: Path) -> None:
    folder = place(HOME / "try" / "named")
    path = stand_in(tmp_path / "apps", STORE)
    real = windows_path(PYTHON)
    done = bat(folder, "styles", path=f"{path};{SYSTEM}", LLM_MUSIC_GEN_PYTHON=real)
    assert done.returncode == 0, done.stdout
    assert "words" in done.stdout, done.stdout


def test_a_python_that_is_a_batch_file_is_found_and_comes_back(
    place: Callable[..., Path], tmp_path: Path
) -> None:
    """As pyenv puts one into the PATH."""
    shims = tmp_path / "shims"
    shims.mkdir()
    real = windows_path(PYTHON)
    (shims / "python.bat").write_text(f'@echo off\r\n"{real}" %*\r\n')
    done = bat(
        place(HOME / "try" / "shim", status=1), "styles", path=f"{windows_path(shims)};{SYSTEM}"
    )
    assert "words" in done.stdout, done.stdout
    assert done.returncode == 1, done.stdout


def test_strange_answers_only_draw_the_menu_again(
    place: Callable[..., Path], console: Callable[..., Console]
) -> None:
    window = console()
    window.run("cmd", "/c", windows_bat(place(HOME / "try" / "answers")))
    for answer in ("9", '"', "& echo oops", "%PATH%", ""):
        window.choose(answer)
    window.choose("x")
    assert window.status() == 0
    assert "\noops" not in window.shown()


def test_an_input_that_has_ended_ends_the_menu(place: Callable[..., Path]) -> None:
    done = windows("cmd", "/c", windows_bat(place(HOME / "try" / "silent")), timeout=60)
    assert done.returncode == 0
    assert done.stdout.count("Run Main Program") <= 6
