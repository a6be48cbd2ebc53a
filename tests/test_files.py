"""Settings, file names and songs on disk: nothing is lost, nothing is half-written."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.errors import StorageError, UsageError
from scripts.files import legal_name, write_text
from scripts.library.songs import SongFiles, list_songs, sweep
from scripts.settings import Settings, checked, load_settings, save_settings


def test_no_settings_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.json") == (Settings(), [])


def test_settings_come_back_and_unknown_keys_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "persistent.json"
    path.write_text('{"volume": 0.4, "from_the_future": [1, 2]}')
    found, notes = load_settings(path)
    assert found.volume == 0.4 and not notes
    save_settings(path, replace(found, temperature=1.1))
    again = json.loads(path.read_text())
    assert again["from_the_future"] == [1, 2] and again["temperature"] == 1.1


def test_a_broken_settings_file_is_set_aside_and_told(tmp_path: Path) -> None:
    path = tmp_path / "persistent.json"
    path.write_text('{"volume": 0.4, oops')
    found, notes = load_settings(path)
    assert found == Settings() and "set aside" in notes[0]
    assert (tmp_path / "persistent.json.broken").read_text() == '{"volume": 0.4, oops'


def test_one_bad_value_does_not_cost_the_others(tmp_path: Path) -> None:
    path = tmp_path / "persistent.json"
    path.write_text('{"volume": "loud", "temperature": 0.3}')
    found, notes = load_settings(path)
    assert found.volume == Settings().volume and found.temperature == 0.3
    assert len(notes) == 1 and "volume" in notes[0]


@settings(max_examples=200)
@given(data=st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(
        st.sampled_from(["volume", "model", "song_length", "x"]), x), max_leaves=8).map(
            lambda v: json.dumps(v).encode()))
def test_any_settings_file_is_survived(tmp_path_factory: pytest.TempPathFactory,
                                       data: bytes) -> None:
    path = tmp_path_factory.mktemp("s") / "persistent.json"
    path.write_bytes(data)
    found, _ = load_settings(path)
    assert 0 <= found.volume <= 1 and isinstance(found.model, str)


@pytest.mark.parametrize(("name", "value"), [("volume", 1.5), ("volume", True),
                                             ("output", "pink"), ("song_length", "soon"),
                                             ("nothing", 1), ("temperature", float("nan")),
                                             ("auto_play", "yes")])
def test_a_setting_out_of_range_is_refused(name: str, value: object) -> None:
    with pytest.raises(UsageError):
        checked(Settings(), name, value)


@given(st.text(max_size=300))
def test_any_title_becomes_a_legal_file_name(title: str) -> None:
    name = legal_name(title)
    assert 0 < len(name) <= 90 and len(name.encode()) <= 210
    assert not set(name) & set('<>:"/\\|?*') and name == name.strip(" .")
    assert name.isprintable()
    assert name.split(".")[0].casefold() not in ("con", "prn", "aux", "nul", "com1", "lpt9")


@pytest.mark.parametrize("title", ["../../etc/passwd", "C:\\Windows\\x", "\x1b[2Jboo", "CON", "...",
                                   "a" * 500, "COM1.mp3", ""])
def test_a_title_never_becomes_a_path(title: str, tmp_path: Path) -> None:
    files = SongFiles(tmp_path / "songs", title)
    assert files.final.parent == tmp_path / "songs"
    assert "\x1b" not in files.name
    files.tidy()


def test_two_songs_with_one_title_get_two_names(tmp_path: Path) -> None:
    first, second = SongFiles(tmp_path, "Rain"), SongFiles(tmp_path, "Rain")
    assert first.final.name == "Rain.mp3" and second.final.name == "Rain (2).mp3"
    first.tidy()
    second.tidy()
    assert list(tmp_path.iterdir()) == []


def test_nothing_has_a_final_name_until_all_is_written(tmp_path: Path) -> None:
    files = SongFiles(tmp_path, "Rain")
    files.part(".mp3").write_bytes(b"x")
    assert not list(tmp_path.glob("*.mp3"))
    files.finish({".json": "{}", ".abc": "X:1\n"}, keep_wav=False)
    files.tidy()
    assert {p.name for p in tmp_path.iterdir()} == {"Rain.mp3", "Rain.json", "Rain.abc"}


def test_a_failed_finish_leaves_nothing(tmp_path: Path) -> None:
    files = SongFiles(tmp_path, "Rain")  # its mp3 was never written
    with pytest.raises(StorageError):
        files.finish({".json": "{}"}, keep_wav=False)
    files.tidy()
    assert list(tmp_path.iterdir()) == []


def test_old_parts_are_swept_and_young_ones_kept(tmp_path: Path) -> None:
    for name, age in (("a.mp3.lmg-part", 90_000), ("b.mp3.lmg-part", 10), ("c.mp3", 90_000)):
        (tmp_path / name).write_bytes(b"")
        stamp = 1_000_000_000 - age
        os.utime(tmp_path / name, (stamp, stamp))
    assert sweep(tmp_path, 24 * 3600, 1_000_000_000) == 1
    assert {p.name for p in tmp_path.iterdir()} == {"b.mp3.lmg-part", "c.mp3"}


def test_a_folder_that_is_a_file_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        write_text(tmp_path / "file" / "x.json", "{}")


def test_songs_from_elsewhere_are_listed_too(tmp_path: Path) -> None:
    (tmp_path / "Mine.mp3").write_bytes(b"")
    (tmp_path / "Odd.mp3").write_bytes(b"")
    (tmp_path / "Odd.json").write_text('["not", "an", "object"]')
    (tmp_path / "Evil.mp3").write_bytes(b"")
    (tmp_path / "Evil.json").write_text(json.dumps({"title": "\x1b]0;boo\x07", "seconds": "x"}))
    songs = {s.path.name: s for s in list_songs(tmp_path)}
    assert songs["Mine.mp3"].title == "Mine" and songs["Odd.mp3"].details == {}
    assert songs["Evil.mp3"].title.isprintable()
