"""Settings, file names and songs on disk: nothing is lost, nothing is half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.core.atomic_files import retry_while_open_elsewhere, storage_error, write_text
from scripts.core.errors import FileInUseError, StorageError, UsageError
from scripts.core.file_lock import FileLock
from scripts.core.filenames import sanitize_filename
from scripts.core.settings import Settings, change_setting, load_settings, save_settings
from scripts.library import song_files
from scripts.library.index import LibraryIndex
from scripts.library.song_files import PART_SUFFIX, SongFiles, recover
from scripts.library.songs import Song
from tests.conftest import ROOT


def test_no_settings_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.json") == (Settings(), [])


def test_settings_and_unknown_keys_survive_a_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "persistent.json"
    path.write_text('{"volume": 0.4, "from_the_future": [1, 2]}')
    found, notices = load_settings(path)
    assert found.volume == 0.4
    assert not notices
    save_settings(path, replace(found, temperature=1.1))
    saved = json.loads(path.read_text())
    assert saved["from_the_future"] == [1, 2]
    assert saved["temperature"] == 1.1


def test_a_whole_number_may_be_written_with_a_fraction(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"bitrate": 128.0, "crossfade": 2}')
    settings, warnings = load_settings(path)
    assert (settings.bitrate, settings.crossfade, warnings) == (128, 2.0, [])


def test_a_broken_settings_file_is_set_aside_with_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "persistent.json"
    path.write_text('{"volume": 0.4, oops')
    found, notices = load_settings(path)
    assert found == Settings()
    assert "set aside" in notices[0]
    assert (tmp_path / "persistent.json.broken").read_text() == '{"volume": 0.4, oops'


def test_an_invalid_value_does_not_affect_the_others(tmp_path: Path) -> None:
    path = tmp_path / "persistent.json"
    path.write_text('{"volume": "loud", "temperature": 0.3}')
    found, notices = load_settings(path)
    assert found.volume == Settings().volume
    assert found.temperature == 0.3
    assert len(notices) == 1
    assert "volume" in notices[0]


@settings(max_examples=200)
@given(
    data=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(st.sampled_from(["volume", "model", "song_length", "x"]), x)
        ),
        max_leaves=8,
    ).map(lambda v: json.dumps(v).encode())
)
def test_any_settings_file_gives_valid_settings(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("s") / "persistent.json"
    path.write_bytes(data)
    found, _ = load_settings(path)
    assert 0 <= found.volume <= 1
    assert isinstance(found.model, str)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("volume", 1.5),
        ("volume", True),
        ("output", "pink"),
        ("song_length", "soon"),
        ("nothing", 1),
        ("temperature", float("nan")),
        ("auto_play", "yes"),
    ],
)
def test_an_invalid_setting_is_rejected(name: str, value: object) -> None:
    with pytest.raises(UsageError):
        change_setting(Settings(), name, value)


@given(st.text(max_size=300))
def test_any_title_becomes_a_legal_file_name(title: str) -> None:
    name = sanitize_filename(title)
    assert 0 < len(name) <= 90
    assert len(name.encode()) <= 210
    assert not set(name) & set('<>:"/\\|?*')
    assert name == name.strip(" .")
    assert name.isprintable()
    assert name.split(".")[0].casefold() not in ("con", "prn", "aux", "nul", "com1", "lpt9")


@pytest.mark.parametrize("title", ["COM¹", "lpt9.txt", "CONIN$", "nul", "AUX .x", "con."])
def test_windows_device_names_are_avoided(title: str) -> None:
    assert sanitize_filename(title).startswith("Song ")


@given(title=st.text(max_size=300), longest=st.integers(12, 80))
def test_a_name_fits_the_length_that_the_folder_leaves(title: str, longest: int) -> None:
    name = sanitize_filename(title, longest)
    assert 0 < len(name.encode("utf-16-le")) <= 2 * longest
    assert name == name.strip(" .")


def test_a_file_open_in_another_program_is_reported(tmp_path: Path) -> None:
    try:
        raise_sharing_violation()
    except OSError as error:
        assert "another program has it open" in str(storage_error(error, tmp_path / "a.mp3"))


@pytest.mark.parametrize(
    "title",
    ["../../etc/passwd", "C:\\Windows\\x", "\x1b[2Jboo", "CON", "...", "a" * 500, "COM1.mp3", ""],
)
def test_a_title_never_becomes_a_path(title: str, tmp_path: Path) -> None:
    files = SongFiles(tmp_path / "songs", title)
    assert files.final.parent == tmp_path / "songs"
    assert "\x1b" not in files.name
    files.tidy()


def test_two_songs_with_one_title_get_two_names(tmp_path: Path) -> None:
    first, second = SongFiles(tmp_path, "Rain"), SongFiles(tmp_path, "Rain")
    assert first.final.name == "Rain.mp3"
    assert second.final.name == "Rain (2).mp3"
    first.tidy()
    second.tidy()
    assert list(tmp_path.iterdir()) == []


def test_nothing_has_a_final_name_until_all_is_written(tmp_path: Path) -> None:
    files = SongFiles(tmp_path, "Rain")
    files.part(".mp3").write_bytes(b"x")
    assert not list(tmp_path.glob("*.mp3"))
    files.finish({".json": "{}", ".abc": "X:1\n"})
    files.tidy()
    assert {p.name for p in tmp_path.iterdir()} == {"Rain.mp3", "Rain.json", "Rain.abc"}


def test_a_failed_finish_leaves_no_files(tmp_path: Path) -> None:
    files = SongFiles(tmp_path, "Rain")  # its mp3 was never written
    with pytest.raises(StorageError):
        files.finish({".json": "{}"})
    files.tidy()
    assert list(tmp_path.iterdir()) == []


NOW = 1_000_000_000


def write_file(folder: Path, name: str, age: float, text: str = "") -> None:
    (folder / name).write_text(text)
    os.utime(folder / name, (NOW - age, NOW - age))


def test_old_parts_are_deleted_and_recent_ones_are_not(tmp_path: Path) -> None:
    for name, age in (
        ("a.mp3.lmg-part", 90_000),
        ("a.lmg-lock", 90_000),
        ("b.mp3.lmg-part", 10),
        ("c.mp3", 90_000),
    ):
        write_file(tmp_path, name, age)
    assert recover(tmp_path, NOW) == 0
    assert {p.name for p in tmp_path.iterdir()} == {"b.mp3.lmg-part", "c.mp3"}


def test_parts_of_a_running_process_are_left_alone_at_any_age(tmp_path: Path) -> None:
    files = SongFiles(tmp_path, "Rain")
    write_file(tmp_path, "Rain.mp3.lmg-part", 90_000)
    recover(tmp_path, NOW + 1e9)
    assert (tmp_path / "Rain.mp3.lmg-part").exists()
    files.tidy()


def test_parts_of_a_killed_process_are_deleted_at_once(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path\n"
            "from scripts.library.song_files import SongFiles\n"
            "f = SongFiles(Path(sys.argv[1]), 'Rain'); f.part('.mp3').write_bytes(b'half')\n"
            "print('there', flush=True); time.sleep(60)",
            str(tmp_path),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline().strip() == b"there"
    assert recover(tmp_path, time.time()) == 0
    assert (tmp_path / "Rain.mp3.lmg-part").exists()
    process.kill()
    process.wait()
    assert recover(tmp_path, 0) == 0
    assert list(tmp_path.iterdir()) == []


def raise_sharing_violation(*_: object) -> None:
    error = PermissionError(13, "Access is denied")
    error.winerror = 32  # type: ignore[attr-defined]
    raise error


def test_a_file_open_in_another_program_is_retried() -> None:
    slept: list[float] = []
    tries: list[int] = []

    def succeed_at_third_try() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise_sharing_violation()

    retry_while_open_elsewhere(succeed_at_third_try, (0.1, 0.2, 0.4), slept.append)
    assert slept == [0.1, 0.2]
    with pytest.raises(PermissionError):
        retry_while_open_elsewhere(raise_sharing_violation, (0.1, 0.2), slept.append)
    with pytest.raises(PermissionError):  # not a sharing violation: waiting would not help
        retry_while_open_elsewhere(
            lambda: (_ for _ in ()).throw(PermissionError(13, "no")), (9,), slept.append
        )
    assert slept == [0.1, 0.2, 0.1, 0.2]


def test_a_song_open_in_another_program_is_reported_and_finished_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = SongFiles(tmp_path, "Rain")
    files.part(".mp3").write_bytes(b"music")
    with monkeypatch.context() as patch:
        patch.setattr(song_files, "rename", raise_sharing_violation)
        with pytest.raises(FileInUseError, match=r"OneDrive.*the song is complete"):
            files.finish({".json": "{}"})
        assert recover(tmp_path, time.time() + 100_000) == 0  # still locked
        files.tidy()
    assert not (tmp_path / "Rain.mp3").exists()
    assert recover(tmp_path, 0) == 1  # at once, whatever the clock says
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {
        "Rain.mp3": "music",
        "Rain.json": "{}",
    }


def test_a_part_that_the_lock_file_does_not_list_is_deleted(tmp_path: Path) -> None:
    write_file(tmp_path, "Rain.mp3.lmg-part", 100, "music")
    write_file(tmp_path, "Rain.wav.lmg-part", 100, "long")
    write_file(tmp_path, "Rain.lmg-lock", 100, '[".mp3"]')
    assert recover(tmp_path, NOW) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["Rain.mp3"]


def test_a_file_that_the_user_added_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    write_file(tmp_path, "Rain.mp3.lmg-part", 100, "made")
    write_file(tmp_path, "Rain.lmg-lock", 100, '[".mp3"]')
    write_file(tmp_path, "Rain.mp3", 10, "mine")
    recover(tmp_path, NOW)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {
        "Rain.mp3": "mine",
        "Rain (2).mp3": "made",
    }


def test_a_lock_file_filled_with_zeros_by_a_power_cut_is_deleted(tmp_path: Path) -> None:
    write_file(tmp_path, "Rain.lmg-lock", 90_000, "\0" * 30)
    write_file(tmp_path, "Rain.mp3.lmg-part", 90_000, "half")
    assert recover(tmp_path, NOW) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_song_removed_at_the_last_moment_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = SongFiles(tmp_path, "Rain")
    files.part(".mp3").write_bytes(b"music")
    monkeypatch.setattr(song_files, "_flush_if_free", lambda path: path.unlink())
    with pytest.raises(StorageError, match="removed it"):
        files.finish({})


def test_a_song_open_in_another_program_is_finished_without_a_flush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(song_files, "fsync_file", raise_sharing_violation)
    files = SongFiles(tmp_path, "Rain")
    files.part(".mp3").write_bytes(b"music")
    assert files.finish({}).read_bytes() == b"music"


def test_a_name_used_between_check_and_lock_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = song_files.try_lock

    def create_then_lock(path: Path, new: bool = False) -> FileLock | None:
        if path.name == "Rain.lmg-lock":
            (tmp_path / "Rain.mp3").write_text("another program's")
        return real(path, new)

    monkeypatch.setattr(song_files, "try_lock", create_then_lock)
    assert SongFiles(tmp_path, "Rain").name == "Rain (2)"


@pytest.mark.parametrize("renamed", [0, 1, 2, 3])
def test_an_interrupted_renaming_is_finished(tmp_path: Path, renamed: int) -> None:
    """The process dies after writing the lock file, between any two renames."""
    suffixes = [".json", ".abc", ".mp3"]
    for i, suffix in enumerate(suffixes):
        write_file(tmp_path, f"Rain{suffix}{'' if i < renamed else PART_SUFFIX}", 90_000, "x")
    write_file(tmp_path, "Rain.lmg-lock", 90_000, json.dumps(suffixes))
    recover(tmp_path, NOW)
    assert {p.name for p in tmp_path.iterdir()} == {"Rain.json", "Rain.abc", "Rain.mp3"}


@given(
    text=st.text(max_size=40)
    | st.recursive(
        st.sampled_from([".mp3", "/../x", ".exe", None, 1]),
        lambda x: st.lists(x, max_size=3),
        max_leaves=6,
    ).map(json.dumps)
)
def test_any_lock_file_is_recovered_or_deleted(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("songs") / "output"
    folder.mkdir()
    (folder / "Rain.lmg-lock").write_text(text, encoding="utf-8")
    recover(folder, time.time() + 120)
    assert [p.name for p in folder.parent.iterdir()] == ["output"]
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        write_text(tmp_path / "file" / "x.json", "{}")


def test_songs_without_valid_details_are_listed(tmp_path: Path) -> None:
    (tmp_path / "Mine.mp3").write_bytes(b"")
    (tmp_path / "Odd.mp3").write_bytes(b"")
    (tmp_path / "Odd.json").write_text('["not", "an", "object"]')
    (tmp_path / "Evil.mp3").write_bytes(b"")
    (tmp_path / "Evil.json").write_text(json.dumps({"title": "\x1b]0;boo\x07", "seconds": "x"}))
    songs = {s.path.name: s for s in list_songs(tmp_path)}
    assert songs["Mine.mp3"].title == "Mine"
    assert songs["Odd.mp3"].details == {}
    assert songs["Evil.mp3"].title.isprintable()


def test_a_song_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    for name in ("b.mp3", "a.flac", "a.wav", "b.wav", "c.txt"):
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, ns=(0, 10**9 * (1 if name[0] == "b" else 2)))
    (tmp_path / "b.json").write_text('{"title": "One", "seconds": 5}')
    library = LibraryIndex(tmp_path / "data" / "library.db", tmp_path)
    read: list[int] = []
    assert library.scan(progress=lambda done, of: read.append(of))
    assert read == [3]
    assert [s.title for s in library.songs()] == ["One", "a", "a"]
    assert not library.scan(progress=lambda done, of: read.append(of))
    assert read == [3]
    (tmp_path / "b.json").write_text('{"title": "Two"}')
    os.utime(tmp_path / "b.json", ns=(0, 5))
    assert library.scan(progress=lambda done, of: read.append(of))
    assert read == [3, 1]
    assert [s.title for s in library.songs()] == ["Two", "a", "a"]
    (tmp_path / "d.ogg").write_bytes(b"")
    assert library.scan()
    assert len(library.songs()) == 4
    none = LibraryIndex(tmp_path / "data" / "none.db", tmp_path / "none")
    assert not none.scan()
    assert none.songs() == []


def list_songs(folder: Path) -> list[Song]:
    """Return all playable files of a folder, oldest first."""
    library = LibraryIndex(folder.parent / f"{folder.name}.db", folder)
    library.scan()
    return library.songs()


def test_stems_of_a_song_are_not_listed(tmp_path: Path) -> None:
    for name in (
        "Duo.mp3",
        "Duo.wav",
        "Duo.bass.wav",
        "Duo.voice2.wav",
        "Duo.remix.wav",
        "bass.wav",
    ):
        (tmp_path / name).write_bytes(b"")
    assert {s.path.name for s in list_songs(tmp_path)} == {"Duo.mp3", "Duo.remix.wav", "bass.wav"}


@pytest.mark.parametrize("text", ["Infinity", "NaN", "-5", "true", '"long"', "[]", "9" * 400])
def test_an_invalid_length_becomes_zero(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.mp3").write_bytes(b"")
    (tmp_path / "a.json").write_text('{"title": "A", "seconds": ' + text + "}")
    assert list_songs(tmp_path)[0].seconds == 0.0
