"""What is different on Windows: folders, file names, code pages and files in use."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mutagen.id3 import ID3
from mutagen.mp3 import MP3

from tests.conftest import STARTER
from tests.support.waiting import wait_until
from tests.windows.lab import (
    HOME,
    LAB,
    Console,
    end_windows_processes,
    environment,
    list_windows_processes,
    make_home,
    run_windows,
    windows_path,
)

Python = Callable[..., subprocess.CompletedProcess[str]]
ENDED = "\nprint('all', 'right')"


def run_command(installed: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command of the program, without the launcher and without UTF-8 mode."""
    return run_windows(".venv/Scripts/python.exe", "launcher.py", *arguments, cwd=installed, **more)


@pytest.fixture
def home() -> Path:
    """Home folder whose name has letters that no single code page contains."""
    folder = make_home("Größe 音楽 ♪ & (b)")
    (folder / "models" / STARTER.name).rename(folder / "models" / "Stück 音.gguf")
    return folder


def test_names_outside_the_code_page_are_supported(installed: Path, home: Path) -> None:
    generated = run_command(
        installed,
        "generate",
        "Folk",
        "--length",
        "0.2",
        "--model",
        "Stück 音",
        LLM_MUSIC_GEN_HOME=windows_path(home),
    )
    assert generated.returncode == 0, generated.stdout
    (song,) = (home / "output").glob("*.mp3")
    assert abs(MP3(song).info.length - 12) < 0.2
    song.with_suffix(".json").unlink()
    song = song.rename(song.with_name("歌 ♪ é.mp3"))
    ID3(song).delete(song)
    listed = run_command(installed, "library", "list", LLM_MUSIC_GEN_HOME=windows_path(home))
    assert listed.returncode == 0
    assert "Traceback" not in listed.stdout
    assert "é" in listed.stdout or "�" in listed.stdout  # cp1252 contains é but not 歌
    played = run_command(
        installed,
        "play",
        "--once",
        "--output",
        "null",
        "--json",
        LLM_MUSIC_GEN_HOME=windows_path(home),
    )
    assert played.returncode == 0, played.stdout
    event = json.loads(played.stdout.splitlines()[0])
    assert event["title"] == "歌 ♪ é"
    assert abs(event["seconds"] - 12) < 0.2


def test_listing_commands_print_in_a_legacy_code_page(installed: Path) -> None:
    for arguments in (["styles"], ["models", "list"], ["models", "find"], ["doctor"], ["--help"]):
        done = run_command(installed, *arguments)
        assert "Traceback" not in done.stdout
        assert "UnicodeEncodeError" not in done.stdout
        assert done.returncode == 0, done.stdout


def test_the_program_runs_from_a_network_share(installed: Path) -> None:
    share = LAB / "prefix" / "dosdevices" / "unc" / "nas"
    share.mkdir(parents=True, exist_ok=True)
    (share / "music").unlink(missing_ok=True)
    (share / "music").symlink_to(installed)
    out = HOME / "from share"
    shutil.rmtree(out, ignore_errors=True)
    done = run_windows(
        ".venv/Scripts/python.exe",
        r"\\nas\music\launcher.py",
        "generate",
        "Folk",
        "--length",
        "0.2",
        "--out",
        windows_path(out),
        cwd=installed,
    )
    (share / "music").unlink()
    assert done.returncode == 0, done.stdout
    assert len(list(out.glob("*.mp3"))) == 1


NAMES = """
from pathlib import Path
from scripts.library.song_files import SongFiles
folder = Path("names"); folder.mkdir(exist_ok=True)
titles = ["CON", "nul.txt", "COM1", "LPT¹", "a" * 300, "dots...", "a:b", 'q"u?o*t|e<s>', "歌" * 300,
          "back\\\\slash/and", " . ", "\\x07bell", "CONIN$", "x" * 79 + ".", "tab\\there"]
for title in titles:
    files = SongFiles(folder, title)
    files.part(".mp3").write_bytes(b"x")
    assert files.finish({".json": "{}", ".musicxml": "x"}).read_bytes() == b"x", title
    files.tidy()
assert len(list(folder.glob("*.mp3"))) == len(titles)
deep = folder.resolve()
while len(str(deep)) < 205:
    deep = deep / "abcdefghi"
files = SongFiles(deep, "t" * 80)
assert len(str(files.final)) < 250
files.part(".mp3").write_bytes(b"x"); files.finish({}); files.tidy()
from scripts.core.errors import StorageError
try:
    SongFiles(deep / "abcdefghi" / "abcdefghi", "t")
    raise SystemExit("it was accepted")
except StorageError as error:
    assert "too long for Windows" in str(error), error
"""


def test_any_title_becomes_a_valid_file_name_on_windows(python: Python, installed: Path) -> None:
    done = python(NAMES + ENDED)
    shutil.rmtree(installed / "names", ignore_errors=True)
    assert "all right" in done.stdout, done.stdout


FILES_IN_USE = """
import threading, time
from pathlib import Path
from scripts.core import atomic_files as f
from scripts.core.errors import FileInUseError, StorageError
from scripts.library.song_files import SongFiles, recover
folder = Path("held"); folder.mkdir(exist_ok=True)

def hold(path, seconds):
    file = path.open("rb"); opened.set(); time.sleep(seconds); file.close()

opened = threading.Event()                       # a virus scanner reads the new song for a while
song = SongFiles(folder, "Rain"); song.part(".mp3").write_bytes(b"x" * 1000)
threading.Thread(target=hold, args=(song.part(".mp3"), 1.5)).start(); opened.wait()
begun = time.monotonic()
song.finish({".json": "{}"}); song.tidy()
assert time.monotonic() - begun > 0.5, "it did not wait: the file was not in use"
assert sorted(p.name for p in folder.iterdir()) == ["Rain.json", "Rain.mp3"]

import scripts.library.song_files as songs            # another program keeps it open for too long
real = f.rename
songs.rename = lambda part, path, waits=(0.1,): real(part, path, (0.1,))
opened.clear()
song = SongFiles(folder, "Wind"); song.part(".mp3").write_bytes(b"y" * 1000)
holder = threading.Thread(target=hold, args=(song.part(".mp3"), 3)); holder.start(); opened.wait()
try:
    song.finish({".json": "{}"})
    raise SystemExit("the file was not in use")
except FileInUseError as error:
    assert "another program holds it open" in str(error), error
song.tidy(); holder.join()
assert not (folder / "Wind.mp3").exists()
assert recover(folder, time.time() + 100) == 1
assert (folder / "Wind.mp3").read_bytes() == b"y" * 1000

import ctypes                                    # a scanner that lets nobody else open it
open_file = ctypes.windll.kernel32.CreateFileW
open_file.restype = ctypes.c_void_p

def lock_out(path, seconds):
    handle = open_file(str(path), 0x80000000, 0, None, 3, 0, None)
    assert handle not in (None, ctypes.c_void_p(-1).value), path
    opened.set(); time.sleep(seconds); ctypes.windll.kernel32.CloseHandle(ctypes.c_void_p(handle))

songs.rename = real
opened.clear()
song = SongFiles(folder, "Snow"); song.part(".mp3").write_bytes(b"z" * 1000)
threading.Thread(target=lock_out, args=(song.part(".mp3"), 1.5)).start(); opened.wait()
begun = time.monotonic()
song.finish({".json": "{}"}); song.tidy()
assert time.monotonic() - begun > 0.5 and (folder / "Snow.mp3").read_bytes() == b"z" * 1000

from scripts.audio.mp3 import Tags, write_tags
from mutagen.id3 import ID3
opened.clear()
threading.Thread(target=lock_out, args=(folder / "Snow.mp3", 1.5)).start(); opened.wait()
write_tags(folder / "Snow.mp3", Tags("Snow", "a", "b", "c", 90, "Am", 2026, "d"))
assert str(ID3(folder / "Snow.mp3")["TIT2"]) == "Snow"

path = folder / "persistent.json"                # the settings, while an editor has them open
f.write_text(path, "one")
f.retry_while_open_elsewhere.__defaults__ = ((0.1,), time.sleep)
file = path.open("rb")
try:
    f.write_text(path, "two")
    raise SystemExit("the file was not in use")
except StorageError as error:
    assert "another program has it open" in str(error), error
file.close()
f.write_text(path, "three")
assert path.read_text() == "three"
"""


def test_files_in_use_are_retried_then_reported_and_never_lost(
    python: Python, installed: Path
) -> None:
    done = python(FILES_IN_USE + ENDED)
    shutil.rmtree(installed / "held", ignore_errors=True)
    assert "all right" in done.stdout, done.stdout


def wait_until_rendering(window: Console, number: int) -> None:
    """Wait until a song is well under way.

    ffmpeg has then been started: Wine forks to start a program, and Ctrl+C or a kill during the
    fork can make it hang. Windows has no fork.
    """
    shown = re.compile(rf"Rendering song number {number}\.\.\.\s+\[[#-]+\] [1-9]\d?% Complete")
    wait_until(lambda: shown.search(window.full_screen()), 240, window.full_screen)


def test_ctrl_c_at_the_console_ends_every_process(
    installed: Path, console: Callable[..., Console]
) -> None:
    out = HOME / "cancelled"
    shutil.rmtree(out, ignore_errors=True)
    window = console()
    window.run(
        windows_path(installed / ".venv" / "Scripts" / "python.exe"),
        windows_path(installed / "launcher.py"),
        "generate",
        "Rock",
        "--length",
        "30",
        "--songs",
        "3",
        "--out",
        windows_path(out),
    )
    # Composing is a quarter of a song's progress: from 10 % of 3 songs on, it is rendered.
    begun = re.compile(r"(1\d|[2-9]\d)% Complete, 0 of 3 songs")
    wait_until(lambda: begun.search(window.full_screen()), 240, window.full_screen)
    window.type("C-c")
    window.wait("interrupted; 'generate --resume' continues", 30)
    assert window.status(30) == 130
    wait_until(
        lambda: not list_windows_processes(), 20, lambda: "\n".join(list_windows_processes())
    )
    assert not list(out.iterdir())


MENU_PROCESSES = {
    "outer": r"^C:.*\.venv.Scripts.python\.exe .*launcher\.py",
    "inner": r"^Z:.*python\.exe .*launcher\.py",
}


@pytest.mark.parametrize("which", ["outer", "inner"])
def test_a_killed_menu_leaves_no_process_and_no_partial_song(
    which: str, installed: Path, console: Callable[..., Console]
) -> None:
    """The environment's python.exe only starts the real one: either may be killed."""
    home = make_home("killed")
    (home / "data").mkdir()
    (home / "data" / "persistent.json").write_text(
        '{"song_length": "30", "output": "null"}', encoding="utf-8"
    )
    window = console(LLM_MUSIC_GEN_HOME=windows_path(home))
    window.run(
        windows_path(installed / ".venv" / "Scripts" / "python.exe"),
        windows_path(installed / "launcher.py"),
    )
    window.place_order("Rock", 5)
    wait_until_rendering(window, 1)
    assert any("llm.worker" in p for p in list_windows_processes())
    killed = subprocess.run(["pkill", "-9", "-f", MENU_PROCESSES[which]], check=False)
    assert killed.returncode == 0, "\n".join(list_windows_processes())
    wait_until(
        lambda: not list_windows_processes(), 30, lambda: "\n".join(list_windows_processes())
    )
    assert not list((home / "output").glob("*.mp3"))


def test_two_programs_can_work_in_one_folder(installed: Path) -> None:
    home = make_home("shared")
    output = home / "output"
    arguments = [
        str(LAB / "wrun"),
        ".venv/Scripts/python.exe",
        "launcher.py",
        "generate",
        "Rock",
        "--length",
        "60",
    ]
    with subprocess.Popen(
        arguments,
        cwd=installed,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(LLM_MUSIC_GEN_HOME=windows_path(home)),
    ) as long:
        wait_until(lambda: [p for p in output.glob("*.mp3.lmg-part") if p.stat().st_size], 120)
        (begun,) = output.glob("*.mp3.lmg-part")
        short = run_command(
            installed, "generate", "Folk", "--length", "0.2", LLM_MUSIC_GEN_HOME=windows_path(home)
        )
        assert short.returncode == 0, short.stdout
        resumed = run_command(
            installed, "generate", "--resume", LLM_MUSIC_GEN_HOME=windows_path(home)
        )
        assert "another program" in resumed.stdout, resumed.stdout
        assert long.poll() is None
        assert begun.exists()
        assert len(list(output.glob("*.mp3"))) == 1
        end_windows_processes(0)
        long.wait(30)
