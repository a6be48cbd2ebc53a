"""Files from outside: only regular files are opened, and no more of them is read than asked."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.audio.play_stats import PlayStats, write_stats
from scripts.audio.streams import Stream
from scripts.audio.tags import read_tags
from scripts.batch.interpreter import Interpreter
from scripts.batch.order import Order
from scripts.batch.order_file import read_order_file
from scripts.core import paths
from scripts.core.atomic_files import make_private
from scripts.core.errors import MusicGenError, StorageError, UsageError
from scripts.core.input_files import find_beside, names_device, read_input
from scripts.core.json_fields import format_json
from scripts.core.log import LOG_FILE_NAME
from scripts.core.settings import load_settings
from scripts.core.sqlite import open_database
from scripts.core.toml import read_tables
from scripts.library.playlists import load_playlists, read_m3u8
from scripts.library.songs import read_details
from scripts.llm.gguf_file import read_gguf
from scripts.llm.registry import find_model
from scripts.production.recipe_json import read_recipe
from scripts.request.request import SongRequest
from scripts.score.open_piece import open_piece
from scripts.styles.style import Style, load_styles

Run = Callable[..., subprocess.CompletedProcess[str]]
INTERPRETER = Interpreter(load_styles(paths.DATA / "styles"))
DEFAULTS = Order(SongRequest("pop", "0.2"), 1, 1, "", 0.75, Path("out"))
MP3 = (b"\xff\xfb\x90\x00" + bytes(413)) * 40

READERS: dict[str, Callable[[Path], object]] = {
    "models": read_gguf,
    "notation": open_piece,
    "job files": lambda path: read_order_file(path, DEFAULTS, INTERPRETER),
    "recipes": lambda path: read_recipe(path, {}),
    "playlists": read_m3u8,
    "saved playlists": load_playlists,
    "data files": read_tables,
}
QUIET_READERS: dict[str, Callable[[Path], object]] = {
    "settings": load_settings,
    "details": read_details,
    "tags": read_tags,
}


@pytest.fixture(params=["fifo", "device", "folder", "socket", "endless"])
def odd_file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "odd"
    if request.param == "fifo":
        os.mkfifo(path)
    elif request.param == "device":
        path.symlink_to("/dev/tty" if Path("/dev/tty").exists() else "/dev/null")
    elif request.param == "endless":
        path.symlink_to("/dev/zero")
    elif request.param == "folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            yield path
            return
    yield path


@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_regular_file_is_refused_at_once(reader: str, odd_file: Path) -> None:
    started = time.monotonic()
    with pytest.raises(MusicGenError) as error:
        READERS[reader](odd_file)
    assert time.monotonic() - started < 2
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("reader", QUIET_READERS)
def test_what_is_no_regular_file_is_left_alone(reader: str, odd_file: Path) -> None:
    started = time.monotonic()
    QUIET_READERS[reader](odd_file)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("name", "size"),
    [("a.abc", 9 << 20), ("a.csv", 2 << 20), ("a.json", 5 << 20), ("a.toml", 5 << 20)],
)
def test_a_file_that_is_too_large_is_not_read(name: str, size: int, tmp_path: Path) -> None:
    path = tmp_path / name
    path.touch()
    os.truncate(path, size)
    readers = {
        "a.abc": "notation",
        "a.csv": "job files",
        "a.json": "recipes",
        "a.toml": "data files",
    }
    tracemalloc.start()
    try:
        with pytest.raises(MusicGenError):
            READERS[readers[name]](path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_model_is_found_beside_a_fifo_of_its_name(home: Path) -> None:
    os.mkfifo(home / "models" / "aaa.gguf")
    assert find_model("", home / "models").path.name == "starter.gguf"
    with pytest.raises(MusicGenError, match="not a regular file"):
        find_model("aaa", home / "models")


# -- files that name others -----------------------------------------------------------------------

OUTSIDE = [
    "/etc/passwd", "../tune.abc", "a/../../tune.abc", "..\\tune.abc", "C:\\tune.abc", "C:tune.abc",
    "\\\\server\\share\\tune.abc", "//server/share/tune.abc", "\\\\.\\pipe\\x", "CON", "nul.abc",
    "folder/COM1.txt", "tune.abc:stream", "", "a\0b", "a\nb", "/", "~/../x",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_file_of_another_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected one in its own folder"):
        find_beside(tmp_path / "recipe.json", name)


def test_a_link_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tune.abc").symlink_to("/etc/hostname")
    with pytest.raises(UsageError, match="expected one in its own folder"):
        find_beside(tmp_path / "recipe.json", "tune.abc")


@given(st.text(max_size=40))
def test_any_name_leads_below_the_folder_or_is_refused(name: str) -> None:
    folder = Path("/srv/mail")
    try:
        found = find_beside(folder / "recipe.json", name)
    except UsageError:
        return
    assert Path(os.path.normpath(found)).is_relative_to(folder)
    assert found != folder


def recipe(tmp_path: Path, file: str) -> Path:
    path = tmp_path / "mail.json"
    wishes = {"styles": "plain", "length": ""}
    data = {"wishes": wishes, "seed": 1, "temperature": 0.7, "file": file}
    path.write_text(json.dumps({"recipe": data}), encoding="utf-8")
    return path


@pytest.mark.parametrize("file", OUTSIDE)
def test_a_recipe_reads_only_what_lies_beside_it(
    file: str, tmp_path: Path, styles: dict[str, Style]
) -> None:
    with pytest.raises(MusicGenError, match="expected one in its own folder"):
        read_recipe(recipe(tmp_path, file), styles)


def test_a_recipe_reads_the_notes_beside_it(tmp_path: Path, styles: dict[str, Style]) -> None:
    (tmp_path / "tune.abc").write_text("X:1\nK:C\nCDEF|\n")
    assert len(read_recipe(recipe(tmp_path, "tune.abc"), styles).load_piece().notes) == 4


@pytest.mark.parametrize("model", [name for name in OUTSIDE if re.search(r"\w:\w+\.|[\\/]", name)])
def test_a_job_file_names_only_models_beside_it_or_in_the_models_folder(
    model: str, tmp_path: Path
) -> None:
    jobs = tmp_path / "jobs.json"
    jobs.write_text(json.dumps([{"styles": "pop", "songs": 1, "model": model}]))
    with pytest.raises(UsageError, match="expected one in its own folder"):
        read_order_file(jobs, DEFAULTS, INTERPRETER)


def test_a_job_file_may_name_a_model_beside_it(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.csv"
    jobs.write_text("styles,model\npop,mine.gguf\njazz,starter\n")
    (tmp_path / "mine.gguf").write_bytes(b"GGUF")
    plans = read_order_file(jobs, DEFAULTS, INTERPRETER)
    assert [plan.order.model for plan in plans] == [str(tmp_path / "mine.gguf"), "starter"]


def test_a_job_file_with_very_many_columns_is_refused_at_once(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.csv"
    jobs.write_text(",".join(f"c{n}" for n in range(100_000)) + "\n")
    started = time.process_time()
    with pytest.raises(UsageError, match="100,000 columns are too many") as error:
        read_order_file(jobs, DEFAULTS, INTERPRETER)
    assert time.process_time() - started < 5
    assert len(str(error.value)) <= 200


def test_a_setting_of_600_kilobytes_is_refused_in_a_short_line(tmp_path: Path) -> None:
    file = tmp_path / "persistent.json"
    file.write_text(json.dumps({"model": "x" * 600_000, "theme": "y" * 600_000}))
    settings, warnings = load_settings(file)
    assert settings.model != "x" * 600_000
    assert all(len(line) <= 200 for line in warnings)


def test_settings_that_are_too_large_are_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "persistent.json"
    file.write_text(json.dumps({"mine": "x" * (2 << 20)}))
    _, warnings = load_settings(file)
    assert warnings == ["persistent.json is larger than 1 MB; set aside as persistent.json.broken"]
    assert (tmp_path / "persistent.json.broken").exists()


# -- tags -----------------------------------------------------------------------------------------


def tagged(path: Path, frames: bytes) -> Path:
    """Write an MP3 with these ID3v2.4 frames."""
    size = len(frames)
    syncsafe = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\4\0\0" + syncsafe + frames + MP3)
    return path


def frame(name: bytes, data: bytes, flags: int = 0) -> bytes:
    size = bytes((len(data) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return name + size + struct.pack(">H", flags) + data


def test_a_tag_that_unpacks_to_600_megabytes_takes_little_memory(tmp_path: Path) -> None:
    packer = zlib.compressobj(9)
    packed = packer.compress(b"\3") + b"".join(packer.compress(bytes(1 << 20)) for _ in range(600))
    packed += packer.flush()
    song = tagged(tmp_path / "bomb.mp3", frame(b"TIT2", bytes(4) + packed, 0x0009))
    tracemalloc.start()
    try:
        assert "title" not in read_tags(song).texts
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("write", [False, True], ids=["read", "rate"])
def test_many_frames_that_unpack_take_little_memory(write: bool, tmp_path: Path) -> None:
    packed = bytes(4) + zlib.compress(b"\3name\0" + b"x" * 60_000)
    song = tagged(tmp_path / "bombs.mp3", frame(b"TXXX", packed, 0x0009) * 3000)
    tracemalloc.start()
    try:
        read_tags(song)
        if write:
            write_stats(song, PlayStats(rating=3))
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


def test_a_tag_of_very_many_values_is_read_at_once(tmp_path: Path) -> None:
    values = b"\3" + b"a\0b" * 1_000_000
    song = tagged(tmp_path / "values.mp3", frame(b"TPE1", values) + frame(b"TIT2", b"\3Title"))
    started = time.process_time()
    assert read_tags(song).texts == {"title": "Title"}
    assert time.process_time() - started < 5


def test_a_cover_of_250_megabytes_takes_little_memory(tmp_path: Path) -> None:
    song = tmp_path / "cover.mp3"
    size = 250 << 20
    head = b"ID3\4\0\0" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    song.write_bytes(head + frame(b"TIT2", b"\3Title") + b"APIC" + head[6:] + b"\0\0")
    os.truncate(song, size + 10)
    with song.open("ab") as file:
        file.write(MP3)
    tracemalloc.start()
    try:
        read_tags(song)
        with pytest.raises(StorageError) as error:
            write_stats(song, PlayStats(rating=3))
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    assert str(error.value).count("16 MB") == 1


def test_an_error_of_the_tags_names_its_reason_once(tmp_path: Path) -> None:
    broken = tmp_path / "a.flac"
    broken.write_bytes(b"fLaC" + bytes(60))
    with pytest.raises(StorageError) as error:
        write_stats(broken, PlayStats(rating=3))
    assert "(error" not in str(error.value)
    assert "( " not in str(error.value)


@pytest.mark.skipif(sys.platform != "linux", reason="counts the open files in /proc")
def test_damaged_files_opened_in_the_middle_stay_closed(song: Path, tmp_path: Path) -> None:
    data = song.read_bytes()
    damaged = tmp_path / "damaged.mp3"

    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = open_files()
    for cut in range(20):
        keep = len(data) * (cut + 1) // 40
        damaged.write_bytes(data[:keep] + bytes(len(data) - keep))
        os.utime(damaged, ns=(cut * 10**9, cut * 10**9))
        for start in (0.0, 1.0, 2.5):
            try:
                stream = Stream(damaged, start)
            except ValueError:
                continue
            stream.read(1000)
            stream.close()
    assert open_files() == before


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import numpy as np

    from scripts.audio.mp3 import encode_stream

    path = tmp_path_factory.mktemp("song") / "song.mp3"
    noise = np.random.default_rng(1).normal(0, 0.1, (2, 3 * 44_100)).astype(np.float32)
    encode_stream(iter([noise]), path, 128, lambda done: None)
    return path


# -- names that are not UTF-8 ---------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have only Unicode names")
def test_a_song_whose_name_is_not_utf_8_can_be_used(song: Path, home: Path, run: Run) -> None:
    output = home / "output"
    output.mkdir()
    named = output / os.fsdecode(b"caf\xe9 \xff.mp3")
    named.write_bytes(song.read_bytes())
    stream = Stream(named, 1.0)
    assert len(stream.read(1000)) == 1000
    stream.close()
    assert run("library", "rate", str(named), "4").returncode == 0
    listed = json.loads(run("library", "list", "--json").stdout)
    assert (listed["path"], listed["rating"]) == (str(named), 4)
    assert run("play", str(named), "--once", "--output", "null").returncode == 0
    assert run("library", "remove", str(named)).returncode == 0
    assert run("library", "undo").returncode == 0
    assert named.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have only Unicode names")
@pytest.mark.parametrize(
    "arguments",
    [
        ("generate", "pop\udcff"),
        ("generate", "pop", "--form", "intro\udcff"),
        ("generate", "pop", "--out", "o\udcff"),
        ("generate", "pop", "--model", "m\udcff"),
        ("render", "tune\udcff.abc"),
    ],
)
def test_an_order_that_is_not_unicode_is_refused_in_one_line(
    arguments: tuple[str, ...], run: Run
) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "not valid Unicode" in done.stderr
    assert done.stderr.count("\n") == 1


def test_json_with_half_a_character_can_be_written() -> None:
    text = format_json({"file": "a\udcff", "é": 1})
    assert json.loads(text.encode("utf-8")) == {"file": "a\udcff", "é": 1}
    assert "é" in format_json({"é": 1})


# -- pipes and rights -----------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows reports closed pipes in another way")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_reader_that_leaves_costs_no_song(options: tuple[str, ...], home: Path, run: Run) -> None:
    command = [sys.executable, "-m", "scripts.cli", "generate", "pop", "--songs", "2"]
    with subprocess.Popen(
        [*command, "--length", "0.2", *options],
        cwd=paths.ROOT,
        env={**os.environ, "LLM_MUSIC_GEN_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(120) == 0
    assert len(list((home / "output").glob("*.mp3"))) == 2
    assert "failed" not in run("jobs", "list").stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_what_a_listener_did_is_readable_by_the_owner_alone(home: Path, run: Run) -> None:
    assert run("generate", "pop", "--length", "0.2").returncode == 0
    song = next((home / "output").glob("*.mp3"))
    assert run("library", "rate", str(song), "4").returncode == 0
    assert run("library", "playlist", "save", "mine", "rating:4").returncode == 0
    data = home / "data"
    for path in [*data.glob("*.db*"), data / "playlists.json", data / "log" / LOG_FILE_NAME]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_a_database_of_an_earlier_version_loses_the_rights_of_others(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    path.touch(0o644)
    open_database(path, ["CREATE TABLE a (b)"]).connection.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    make_private(tmp_path / "missing" / "no.db")  # reports nothing


@pytest.mark.skipif(os.name == "nt", reason="POSIX locks")
def test_a_second_connection_leaves_the_locks_of_the_first(tmp_path: Path) -> None:
    """Another process that writes and closes must not remove the log of an open database."""
    path, schema = tmp_path / "library.db", ["CREATE TABLE a (b)"]
    first = open_database(path, schema).connection
    first.execute("INSERT INTO a VALUES (1)")
    open_database(path, schema).connection.close()
    code = (
        f"import sqlite3; c = sqlite3.connect({str(path)!r}); c.execute('INSERT INTO a VALUES (2)')"
    )
    subprocess.run([sys.executable, "-c", f"{code}; c.commit(); c.close()"], check=True)
    first.execute("INSERT INTO a VALUES (3)")
    first.close()
    again = open_database(path, schema).connection
    assert [row[0] for row in again.execute("SELECT b FROM a ORDER BY b")] == [1, 2, 3]
    assert again.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    again.close()


def test_a_database_that_is_no_file_is_replaced_by_a_temporary_one(odd_file: Path) -> None:
    mode = odd_file.stat().st_mode
    opened = open_database(odd_file, ["CREATE TABLE a (b)"])
    opened.connection.close()
    assert not opened.is_persistent
    assert odd_file.stat().st_mode == mode


@pytest.mark.skipif(os.name == "nt", reason="no FIFO there")
def test_a_log_that_is_a_fifo_stops_nothing(home: Path, run: Run) -> None:
    (home / "data" / "log").mkdir(parents=True)
    os.mkfifo(home / "data" / "log" / LOG_FILE_NAME)
    assert run("library", "list").returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_output_on_a_full_disk_costs_no_song(home: Path, run: Run) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "scripts.cli", "generate", "pop", "--length", "0.2"],
            cwd=paths.ROOT,
            env={**os.environ, "LLM_MUSIC_GEN_HOME": str(home)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "cannot write the output: No space left on device" in done.stderr
    assert "failed" not in run("jobs", "list").stdout


def test_a_song_rendered_from_a_recipe_keeps_its_notes(home: Path, run: Run) -> None:
    (home / "sub").mkdir()
    (home / "sub" / "in.abc").write_text("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n")
    first = run("render", str(recipe(home, "sub/in.abc")))
    assert first.returncode == 0, first.stderr
    song = next((home / "output").glob("*.mp3")).with_suffix(".json")
    assert str(home) not in json.dumps(json.loads(song.read_text())["recipe"])
    (home / "sub" / "in.abc").unlink()
    assert run("render", str(song)).returncode == 0


def test_devices_of_windows_are_known_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    for name in ("CON", "nul.txt", r"\\.\pipe\x", r"\\?\pipe\x", "folder\\aux", "COM1 "):
        assert names_device(name), name
    for name in ("console.abc", r"C:\songs\a.mp3", r"\\server\share\a", r"\\?\C:\songs\a.mp3"):
        assert not names_device(name), name


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_input(path, 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_input(path, 4)
