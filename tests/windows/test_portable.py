"""The portable folder makes and plays songs on a Windows without Python and network."""

from __future__ import annotations

import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.waiting import wait_until
from tests.windows.conftest import launcher_path, run_launcher
from tests.windows.lab import (
    HOME,
    PYTHON,
    Console,
    SoundCard,
    copy_program,
    make_runner,
    run_windows,
    windows_path,
)
from tests.windows.test_launcher import SYSTEM

NO_NETWORK = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
MAX_ZIP_BYTES = 230_000_000


@pytest.fixture(scope="module")
def unzipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portable folder, made, zipped and unzipped at another place."""
    source, made, moved = HOME / "Portable source", HOME / "made", HOME / "USB stick" / "Music"
    for folder in (made, moved):
        shutil.rmtree(folder, ignore_errors=True)
    copy_program(source)
    done = run_windows(
        windows_path(PYTHON),
        "requisites.py",
        "--portable",
        windows_path(made),
        cwd=source,
        timeout=1500,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    archive = shutil.make_archive(str(tmp_path_factory.mktemp("zip") / "portable"), "zip", made)
    assert Path(archive).stat().st_size < MAX_ZIP_BYTES
    with zipfile.ZipFile(archive) as file:
        file.extractall(moved)
    for folder in (made, source):
        shutil.rmtree(folder)
    for program in moved.glob("python/**/*.exe"):
        program.chmod(0o755)  # ZIP files of Python do not keep it, and Wine needs it
    yield moved
    shutil.rmtree(moved.parent, ignore_errors=True)


def test_a_song_is_made_without_python_and_network(unzipped: Path) -> None:
    done = run_launcher(
        unzipped, "generate", "Chill", "--songs", "2", "--length", "0.2", path=SYSTEM, **NO_NETWORK
    )
    assert done.returncode == 0, done.stdout
    assert len([*(unzipped / "output").glob("*.mp3")]) == 2
    assert not (unzipped / ".venv").exists()


def test_double_click_to_the_first_sound(
    unzipped: Path, console: Callable[..., Console], card: SoundCard, tmp_path: Path
) -> None:
    window = console(**card.variables, **NO_NETWORK)
    started = time.monotonic()
    runner = make_runner(tmp_path, f"export WINEPATH='{SYSTEM}'")
    window.run("cmd", "/c", launcher_path(unzipped), runner=runner)
    window.choose("1")
    window.wait("Selection; Menu Option = 1-3, Refresh = R, Exit Program = X:", 120)
    menu = time.monotonic()
    card.record()
    window.place_order("Chill, Dubstep", 1)
    ordered = time.monotonic()
    wait_until(lambda: bool(np.abs(card.recording()).max(initial=0) > 0.01), 120)
    print(
        f"menu after {menu - started:.1f} s, sound {time.monotonic() - ordered:.1f} s after Enter"
    )
    window.type("b")
    window.type("x")


def test_a_python_of_the_system_is_offered_with_the_command_shown(
    console: Callable[..., Console], tmp_path: Path
) -> None:
    folder = HOME / "try" / "winget"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Llm-Music-Gen.bat", "launcher.py", "requisites.py"):
        shutil.copy(Path(__file__).parents[2] / name, folder)
    (folder / "apps").mkdir(exist_ok=True)
    (folder / "apps" / "winget.bat").write_text("@echo installing %*\r\n")
    window = console()
    runner = make_runner(tmp_path, f"export WINEPATH='{windows_path(folder / 'apps')};{SYSTEM}'")
    window.run("cmd", "/c", launcher_path(folder), runner=runner)
    window.choose("1")
    window.wait("winget install --id Python.Python.3.13 --exact --source winget --scope user")
    window.wait("Run it now? Yes = Y, No = Enter:")
    window.type("Enter")
    window.wait("Press any key")
    assert "installing" not in window.full_screen()
    shutil.rmtree(folder)
