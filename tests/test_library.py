"""The library: index, search, ratings, bin, playlists, duplicates and commands."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import time
from pathlib import Path

import mutagen
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.id3 import ID3, POPM, TIT2, TXXX

from scripts.audio.mp3 import Tags, ffmpeg_path, write_tags
from scripts.audio.play_stats import PlayStats, stars_from_popm, write_stats
from scripts.audio.tags import read_tags
from scripts.core.errors import StorageError, UsageError
from scripts.library.bin import empty_bin, list_bin, move_to_bin, restore_song
from scripts.library.duplicates import find_duplicates
from scripts.library.index import LibraryIndex
from scripts.library.playlists import (
    Playlist,
    find_playlist,
    load_playlists,
    read_m3u8,
    save_playlists,
    write_m3u8,
)
from scripts.library.query import parse_query
from scripts.library.rows import SongFacts, song_id
from scripts.library.songs import Song, read_song
from scripts.library.watcher import LibraryWatcher
from tests.conftest import ROOT, TUNE
from tests.support.waiting import wait_until
from tests.test_batch import Run, read_mp3_frames

FRAME = b"\xff\xfb\x90\x00" + bytes(413)  # of an MP3, silent
ATTACKS = (
    "../../etc/passwd",
    "C:\\Windows\\win.ini",
    "\x1b]0;boo\x07",
    "a\nb",
    "#EXTM3U\n/etc/x",
    "a\r\n#EXTINF:1,x\n\\\\evil\\share\\a.mp3",
    "$(reboot)",
    "; DROP TABLE songs; --",
    "%APPDATA%",
    "' OR 1=1 --",
    "\ud800",
    "\u202egnp.exe",
    "x" * 5000,
)


def write_tagged_mp3(path: Path, title: str = "Song", **more: str) -> Path:
    """Write a small MP3 with tags, as the program does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(FRAME * 40)
    write_tags(
        path,
        Tags(
            title,
            more.get("model", "Model"),
            more.get("asked", "Jazz"),
            "Jazz",
            int(more.get("tempo", "90")),
            more.get("key", "Dm"),
            2026,
            "words",
        ),
    )
    return path


def write_song(folder: Path, name: str, **details: object) -> Path:
    """Write a song with its details file."""
    path = write_tagged_mp3(folder / f"{name}.mp3", name)
    path.with_suffix(".json").write_text(json.dumps({"title": name, **details}))
    return path


@pytest.fixture
def library(tmp_path: Path) -> LibraryIndex:
    for n, (title, asked, tempo, key, made) in enumerate(
        (
            ("Amber Rain", "Chill, Dubstep", 140, "F minor", "2026-11-01T10:00:00+00:00"),
            ("Café Noir", "Jazz", 92.4, "D minor", "2026-11-15T10:00:00+00:00"),
            ("Die Straße", "Drum and Bass", 174, "A minor", "2026-10-02T10:00:00+00:00"),
            ("100% Pure_Sky", "sad piano", 70, "C major", "2026-11-15T12:00:00+00:00"),
        )
    ):
        path = write_song(
            tmp_path / "output",
            title,
            asked=asked,
            tempo=tempo,
            key=key,
            made=made,
            styles=[s.strip().lower() for s in asked.split(",")],
            model="Ruby 8B",
            seconds=60.0 * (n + 1),
            meter="4/4",
            seed=n,
        )
        os.utime(path, ns=(n, n * 10**9))
    found = LibraryIndex(tmp_path / "library.db", tmp_path / "output", lambda: ["sad piano"])
    found.scan()
    return found


def titles(found: list[Song]) -> list[str]:
    return [s.title.split()[0] for s in found]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Amber", "Café", "Die", "100%"]),
        ("amber", ["Amber"]),
        ("AMBER rain", ["Amber"]),
        ("style:chill", ["Amber"]),
        ("tempo<100", ["Café", "100%"]),
        ("tempo:90-150", ["Amber", "Café"]),
        ("tempo:92", ["Café"]),
        ("tempo>=140 tempo<174", ["Amber"]),
        ("bpm:90..100", ["Café"]),
        ('key:"D minor"', ["Café"]),
        ("-minor", ["100%"]),
        ("key:minor -style:jazz", ["Amber", "Die"]),
        ("made:2026-11-15", ["Café", "100%"]),
        ("date<2026-11", ["Die"]),
        ("made:2026", None),
        ("model:ruby", None),
        ("mood:sad", ["100%"]),
        ("length>2", ["Die", "100%"]),
        ("length:2:00", ["Café"]),
        ("length:1:00", ["Amber"]),
        ("length:60s", ["Amber"]),
        ("length:2m", ["Café"]),
        ("length<=2:00", ["Amber", "Café"]),
        ("STRASSE", ["Die"]),
        ("straße", ["Die"]),
        ("100%", ["100%"]),
        ("pure_", ["100%"]),
        ("u_e", []),
        ("%", ["100%"]),
        ("rating:", None),
        ("tempo:x", []),
        ("-tempo<100", ["Amber", "Die"]),
        ("-plays>0", None),
        ("nosuch:thing", []),
        ('"noir', ["Café"]),
        ("-", []),
        ("plays:0", None),
        ("thumb:none", None),
        ("meter:4/4 seed:2", ["Die"]),
        ("file:amber", ["Amber"]),
    ],
)
def test_search_queries_find_the_expected_songs(
    library: LibraryIndex, query: str, expected: list[str] | None
) -> None:
    everything = ["Amber", "Café", "Die", "100%"]
    assert titles(library.find(query)) == (everything if expected is None else expected)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone cannot be set")
def test_dates_are_in_local_time(library: LibraryIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XYZ-13")  # UTC+13
    time.tzset()
    try:
        assert titles(library.find("made:2026-11-16")) == ["100%"]
        assert titles(library.find("made<=2026-11-15")) == ["Amber", "Café", "Die"]
        assert titles(library.find("made>2026-11")) == []
        assert titles(library.find("made>=2026-11-16")) == ["100%"]
        assert titles(library.find("made<2026-11 -made:2025")) == ["Die"]
        assert library.find("made:2026-12 made:2026-12-31 made:9999 made:0001-01-01") == []
    finally:
        monkeypatch.undo()
        time.tzset()


@settings(max_examples=300)
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "rating",
                "tempo",
                "style",
                ":",
                ">=",
                "<",
                "=",
                "-",
                '"',
                " ",
                "9",
                "..",
                "1e999",
                "made",
                "2026-",
                "thumb",
                "up",
                "length",
                "3:",
                "'",
                ";",
                "%",
            ]
        ),
        max_size=12,
    ).map("".join)
)
def test_any_query_is_handled(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("q")
    found = LibraryIndex(folder / "l.db", folder)
    found.find(text)
    assert found.notice == ""
    assert len(parse_query(text)) <= 40
    found.close()


def test_ratings_thumbs_and_plays_can_be_searched(library: LibraryIndex) -> None:
    first, second, *_ = library.songs()
    library.rate(first.path, 4)
    library.set_thumb(second.path, -1)
    library.count_play(second.path)
    assert titles(library.find("rating>=4")) == ["Amber"] == titles(library.find("rating:4"))
    assert titles(library.find("thumb:down plays>0")) == ["Café"]


def test_a_deleted_database_is_rebuilt_from_the_files(
    library: LibraryIndex, tmp_path: Path
) -> None:
    songs = library.songs()
    before = [s.path for s in songs]
    sounds = [read_mp3_frames(p) for p in before]
    for n, one in enumerate(songs):
        library.rate(one.path, n + 1)
        library.set_thumb(one.path, (-1) ** n)
        for _ in range(n):
            library.count_play(one.path)
    expected = [library.get_stats(p) for p in before]
    assert library.write_changes() == 0
    library.close()
    (tmp_path / "library.db").unlink()
    again = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    again.scan()
    assert [s.path for s in again.songs()] == before  # in the same order
    found = [again.get_stats(p) for p in before]
    assert [(h.rating, h.plays, h.thumb) for h in found] == [
        (h.rating, h.plays, h.thumb) for h in expected
    ]
    assert all(abs(a.last - b.last) < 1 for a, b in zip(found, expected, strict=True))
    assert [read_mp3_frames(p) for p in before] == sounds  # no sample has changed
    assert str(ID3(before[0])["TIT2"]) == "Amber Rain"


def test_writing_a_rating_keeps_size_inode_and_modification_time(tmp_path: Path) -> None:
    path = write_tagged_mp3(tmp_path / "a.mp3")
    size, inode, time = path.stat().st_size, path.stat().st_ino, path.stat().st_mtime_ns
    write_stats(path, PlayStats(5, 12, 1e9, 1))
    assert (path.stat().st_size, path.stat().st_ino, path.stat().st_mtime_ns) == (size, inode, time)
    (frame,) = ID3(path).getall("POPM")
    assert (frame.email, frame.rating, frame.count) == ("Windows Media Player 9 Series", 255, 12)
    write_stats(path, PlayStats(0, 12))
    assert read_tags(path).stats == PlayStats(0, 12)
    assert path.stat().st_size == size


def test_a_tag_without_padding_is_rewritten_in_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(FRAME * 40)
    tags = ID3()
    tags.add(TIT2(encoding=3, text=["Theirs"]))
    tags.save(path, padding=lambda info: 0)
    sound = read_mp3_frames(path)
    write_stats(path, PlayStats(3, 1))
    assert read_mp3_frames(path) == sound
    assert read_tags(path).stats.rating == 3
    assert str(ID3(path)["TIT2"]) == "Theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp3"]
    (tmp_path / "b.mp3").write_bytes(FRAME * 40)  # no tag at all
    write_stats(tmp_path / "b.mp3", PlayStats(2))
    assert read_tags(tmp_path / "b.mp3").stats.rating == 2
    assert (tmp_path / "b.mp3").read_bytes().endswith(FRAME * 40)


@pytest.mark.parametrize("ending", ["flac", "ogg", "wav"])
def test_other_file_formats_store_ratings_too(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    subprocess.run(
        [ffmpeg_path(), "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", str(path)],
        check=True,
    )
    assert write_stats(path, PlayStats(4, 7, 1e9, -1))
    assert read_tags(path).stats == PlayStats(4, 7, 1e9, -1)
    assert read_tags(path).seconds > 0.9
    write_stats(path, PlayStats())
    assert read_tags(path).stats == PlayStats()


@pytest.mark.parametrize(
    ("popm", "stars"), [(0, 0), (1, 1), (64, 2), (128, 3), (196, 4), (255, 5), (100, 3), (31, 1)]
)
def test_ratings_of_other_players_are_read(tmp_path: Path, popm: int, stars: int) -> None:
    path = write_tagged_mp3(tmp_path / "a.mp3")
    tags = ID3(path)
    tags.add(POPM(email="rating@winamp.com", rating=popm, count=3))
    tags.save(path)
    assert stars_from_popm(popm) == read_tags(path).stats.rating == stars


@pytest.mark.slow
@settings(max_examples=150)
@given(st.binary(max_size=300), st.integers(0, 255), st.text(max_size=20), st.integers(0, 5))
def test_any_tag_is_handled(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes, rating: int, word: str, keep: int
) -> None:
    folder = tmp_path_factory.mktemp("t")
    path = folder / "a.mp3"
    path.write_bytes(b"ID3" + struct.pack(">BBB", keep % 5, rating % 3, rating) + garbage + FRAME)
    whole = write_tagged_mp3(folder / "b.mp3")
    tags = ID3(whole)
    email = word.encode("latin-1", "ignore").decode("latin-1").replace("\0", "")
    tags.add(POPM(email=email, rating=rating))
    tags.add(TXXX(encoding=3, desc="LLM-MUSIC-GEN LAST PLAYED", text=[word]))
    tags.save(whole)
    library = LibraryIndex(folder / "l.db", folder)
    library.scan()
    assert len(library.songs()) == 2
    assert library.notice == ""
    for one in library.songs():
        assert 0 <= library.get_stats(one.path).rating <= 5
        assert one.title.isprintable()
    library.close()


def test_songs_without_details_are_indexed_by_their_tags(tmp_path: Path) -> None:
    write_tagged_mp3(
        tmp_path / "x.mp3",
        "Nightfall",
        model="The Band",
        asked="First Album",
        key="Am",
        tempo="128",
    )
    library = LibraryIndex(tmp_path / "l.db", tmp_path)
    library.scan()
    (found,) = library.find("nightfall model:band tempo:128 key:am")
    assert found.title == "Nightfall"
    assert found.seconds > 0.5


def test_an_unwritten_rating_survives_a_change_of_the_file(
    library: LibraryIndex,
) -> None:
    first = library.songs()[0]
    library.rate(first.path, 5)
    write_stats(first.path, PlayStats(1, 9))
    os.utime(first.path)
    library.scan()
    assert library.get_stats(first.path).rating == 5
    library.write_changes()
    assert read_tags(first.path).stats.rating == 5


def test_a_rating_that_cannot_be_written_now_is_written_later(
    library: LibraryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = library.songs()[0]
    library.rate(first.path, 2)

    def refuse(path: Path, stats: PlayStats) -> bool:
        raise StorageError("held")

    with monkeypatch.context() as patch:
        patch.setattr("scripts.library.index.write_stats", refuse)
        assert library.write_changes() == 1
    assert library.write_changes([first.path]) == 1  # it is playing
    assert library.write_changes() == 0
    assert read_tags(first.path).stats.rating == 2


def test_songs_of_a_missing_folder_stay_in_the_index(library: LibraryIndex, tmp_path: Path) -> None:
    (tmp_path / "output").rename(tmp_path / "away")
    assert not library.scan()
    assert len(library.songs()) == 4


def test_a_damaged_database_is_rebuilt_from_the_files(
    library: LibraryIndex, tmp_path: Path
) -> None:
    library.rate(library.songs()[0].path, 3)
    library.write_changes()
    library.close()
    (tmp_path / "library.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    again = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    assert "set aside" in again.notice
    again.scan()
    assert len(again.songs()) == 4
    assert again.get_stats(again.songs()[0].path).rating == 3


def test_the_watcher_writes_ratings_into_the_files_on_close(tmp_path: Path) -> None:
    path = write_song(tmp_path / "output", "One")
    watcher = LibraryWatcher(tmp_path / "library.db", tmp_path / "output")
    watcher.start()
    assert watcher.wait(20)
    library = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    library.rate(path, 4)
    watcher.close()
    assert read_tags(path).stats.rating == 4


def test_the_watcher_finds_added_and_removed_songs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.library.watcher.SCAN_INTERVAL", 0.02)
    write_song(tmp_path / "output", "One")
    watcher = LibraryWatcher(tmp_path / "library.db", tmp_path / "output")
    watcher.start()
    assert [s.title for s in wait_until(watcher.take_changed_songs)] == ["One"]
    write_song(tmp_path / "output", "Two")
    wait_until(lambda: [s.title for s in watcher.take_changed_songs() or []] == ["One", "Two"])
    shutil.rmtree(tmp_path / "output")
    (tmp_path / "output").mkdir()
    wait_until(lambda: watcher.take_changed_songs() == [])
    watcher.close()


def test_a_song_is_found_by_id_file_name_or_title(library: LibraryIndex) -> None:
    path = library.songs()[0].path
    for name in (song_id(path.name), path.name, str(path), "amber rain", "Amber Rain.mp3"):
        assert library.find_song(name).path == path
    with pytest.raises(UsageError, match="there is no song"):
        library.find_song("\x1b[2Jnothing")
    write_song(path.parent, "copy", seconds=5).with_suffix(".json").write_text(
        '{"title": "Amber Rain"}'
    )
    library.scan()
    with pytest.raises(UsageError, match="2 songs are called"):
        library.find_song("Amber Rain")


def test_a_song_of_another_folder_is_not_found(library: LibraryIndex, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no song"):
        library.find_song(str(tmp_path / "elsewhere" / "Amber Rain.mp3"))


def test_a_rating_removed_by_another_program_stays_removed(library: LibraryIndex) -> None:
    path = library.songs()[0].path
    library.rate(path, 5)
    library.count_play(path)
    assert library.write_changes() == 0
    tags = ID3(path)
    tags.delall("POPM")
    tags.save(path)
    library.scan(force=True)
    assert library.get_stats(path).rating == 0
    assert library.get_stats(path).plays == 1


@pytest.mark.parametrize("written", [True, False])
def test_a_new_song_with_an_old_name_has_no_rating(
    library: LibraryIndex, tmp_path: Path, written: bool
) -> None:
    path = library.songs()[0].path
    library.rate(path, 5)
    if written:
        library.write_changes()
    write_song(path.parent, path.stem, made="2026-12-01T10:00:00+00:00")
    library.scan()
    assert library.get_stats(path) == PlayStats()
    library.write_changes()
    assert read_tags(path).stats == PlayStats()


@pytest.mark.parametrize(
    "details",
    [
        '{"title": "X", "made": 2020}',
        '{"title": "X"}',
        '{"title": "X", "made": "2026-11-01T10:00:00+00:00"}',
    ],
)
def test_details_added_later_keep_the_rating(
    library: LibraryIndex, tmp_path: Path, details: str
) -> None:
    path = write_tagged_mp3(tmp_path / "output" / "From Elsewhere.mp3")
    library.scan()
    library.rate(path, 4)
    path.with_suffix(".json").write_text(details)
    for _ in range(2):
        library.scan(force=True)
        assert library.get_stats(path).rating == 4


def test_a_failed_write_of_a_rating_is_reported_and_retried(
    library: LibraryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = library.songs()[0].path

    def refuse(path: Path, stats: PlayStats) -> bool:
        raise StorageError(f"{path}: may not be written to")

    monkeypatch.setattr("scripts.library.index.write_stats", refuse)
    library.rate(path, 4)
    assert library.write_changes() == 1
    assert "may not be written to" in library.write_error
    library.scan(force=True)
    monkeypatch.undo()
    assert library.write_changes() == 0
    assert library.write_error == ""
    assert read_tags(path).stats.rating == 4


# -- the bin ---------------------------------------------------------------------------------


def test_a_removed_song_is_restored_with_all_its_files(
    library: LibraryIndex, tmp_path: Path
) -> None:
    path = library.songs()[0].path
    path.with_suffix(".abc").write_text("X:1")
    files = {p.name: p.read_bytes() for p in path.parent.iterdir() if p.stem == path.stem}
    move_to_bin(path)
    library.scan()
    assert len(library.songs()) == 3
    assert not path.exists()
    assert [b.name for b in list_bin(path.parent)] == ["Amber Rain"]
    assert restore_song(path.parent) == path
    assert {n: (path.parent / n).read_bytes() for n in files} == files
    assert list_bin(path.parent) == []
    assert len(files) == 3


def test_the_song_removed_last_is_restored_first(tmp_path: Path) -> None:
    one, two = write_song(tmp_path, "One"), write_song(tmp_path, "Two")
    move_to_bin(one)
    move_to_bin(two)
    assert restore_song(tmp_path).name == "Two.mp3"
    write_song(tmp_path, "One").write_bytes(b"another")
    with pytest.raises(StorageError, match="a song of this name exists"):
        restore_song(tmp_path)
    assert (tmp_path / "One.mp3").read_bytes() == b"another"
    assert empty_bin(tmp_path) == 1
    assert list_bin(tmp_path) == []
    with pytest.raises(UsageError, match="the bin is empty"):
        restore_song(tmp_path)


def test_a_song_that_cannot_be_moved_stays_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = write_song(tmp_path, "One"), write_song(tmp_path, "Two")

    def fail_to_move_audio(file: Path, place: Path) -> None:
        if file == path:
            raise OSError(5, "a player has it open")
        os.replace(file, place)

    with monkeypatch.context() as patch:
        patch.setattr("scripts.library.bin._move", fail_to_move_audio)
        with pytest.raises(StorageError):
            move_to_bin(path)
    assert path.exists()
    assert path.with_suffix(".json").exists()
    assert list_bin(tmp_path) == []
    move_to_bin(other)
    move_to_bin(path)
    assert [b.name for b in list_bin(tmp_path)] == ["One", "Two"]


def test_files_of_an_interrupted_removal_are_restored(tmp_path: Path) -> None:
    path = write_song(tmp_path, "One")
    (tmp_path / ".bin" / "000001").mkdir(parents=True)
    os.replace(path.with_suffix(".json"), tmp_path / ".bin" / "000001" / "One.json")
    assert read_song(path).title == "One"  # by its tags
    restore_song(tmp_path)
    assert path.with_suffix(".json").exists()


def test_restoring_never_overwrites_a_song(tmp_path: Path) -> None:
    path = tmp_path / "Bar.flac"
    path.write_bytes(b"old")
    move_to_bin(path)
    path.write_bytes(b"new")
    with pytest.raises(StorageError, match="a song of this name exists"):
        restore_song(tmp_path)
    assert path.read_bytes() == b"new"
    assert list_bin(tmp_path)[0].files[0].read_bytes() == b"old"


@pytest.mark.parametrize(
    ("removed", "stays"),
    [
        ("Foo.flac", {"Foo.mp3", "Foo.json"}),
        ("Foo.mp3", {"Foo.flac"}),
        ("Foo.ogg", {"Foo.flac", "Foo.mp3", "Foo.json"}),
    ],
)
def test_removing_a_song_keeps_others_of_the_same_name(
    tmp_path: Path, removed: str, stays: set[str]
) -> None:
    for name in {removed, "Foo.flac", "Foo.mp3", "Foo.json"}:
        (tmp_path / name).write_bytes(b"x")
    move_to_bin(tmp_path / removed)
    assert {p.name for p in tmp_path.iterdir() if p.is_file()} == stays


def test_an_ogg_file_is_restored(tmp_path: Path) -> None:
    (tmp_path / "a.ogg").write_bytes(b"OggS")
    (tmp_path / "a.abc").write_text("X:1")
    move_to_bin(tmp_path / "a.ogg")
    assert restore_song(tmp_path).name == "a.ogg"


# -- playlists -------------------------------------------------------------------------------


def test_an_exported_playlist_is_read_back_unchanged(library: LibraryIndex, tmp_path: Path) -> None:
    songs = library.find("minor")
    assert write_m3u8(tmp_path / "a.m3u8", songs) == []
    text = (tmp_path / "a.m3u8").read_text(encoding="utf-8")
    assert text.startswith("#EXTM3U\n#EXTINF:60,Amber Rain\noutput")
    found, warnings = read_m3u8(tmp_path / "a.m3u8")
    assert found == [s.path for s in songs]
    assert warnings == []


@pytest.mark.parametrize("title", ATTACKS)
def test_no_title_adds_a_line_to_a_playlist(tmp_path: Path, title: str) -> None:
    path = write_song(tmp_path, "x")
    path.with_suffix(".json").write_text(
        json.dumps(
            {"title": title, "asked": title, "key": title, "model": title, "styles": [title]}
        )
    )
    library = LibraryIndex(tmp_path / "l.db", tmp_path)
    library.scan()
    (found,) = library.songs()
    assert found.title.isprintable()
    assert library.notice == ""
    write_m3u8(tmp_path / "a.m3u8", [found])
    lines = (tmp_path / "a.m3u8").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("#EXTINF:")
    assert lines[2] == "x.mp3"


@pytest.mark.parametrize(
    "name", ["#EXTM3U.mp3", "Bach: Air.mp3", "a\nb.mp3", " lead.mp3", "\x1b[2J.mp3"]
)
@pytest.mark.skipif(os.name == "nt", reason="Windows does not allow such names")
def test_no_file_name_becomes_a_directive(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FRAME)
    omitted = write_m3u8(tmp_path / "a.m3u8", [read_song(tmp_path / name)])
    found, warnings = read_m3u8(tmp_path / "a.m3u8")
    assert warnings == []
    assert [p.resolve() for p in found] == ([] if omitted else [(tmp_path / name).resolve()])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("http://evil.example/a.mp3", "an address"),
        ("\\\\evil\\share\\a.mp3", "network"),
        ("//evil/share/a.mp3", "network"),
        ("file:///etc/passwd.mp3", "an address"),
        ("/etc/passwd", "can be played"),
        ("../secret.txt", "can be played"),
        ("none.mp3", "no such file"),
        ("a\x1b[2Jb.mp3", "control characters"),
        ("smb://evil/a.mp3", "an address"),
        ("con.mp3", "no such file"),
    ],
)
def test_a_playlist_accepts_only_local_audio_files(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "a.m3u8").write_text(f"#EXTM3U\n{line}\n", encoding="utf-8")
    found, warnings = read_m3u8(tmp_path / "a.m3u8")
    assert found == []
    assert len(warnings) == 1
    assert reason in warnings[0]
    assert warnings[0].isprintable()


@settings(max_examples=150)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace")))
def test_any_playlist_is_handled(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("m")
    (folder / "a.m3u8").write_bytes(data)
    found, warnings = read_m3u8(folder / "a.m3u8")
    assert found == []
    assert all(line.isprintable() for line in warnings)
    (folder / "p.json").write_bytes(data)
    try:
        load_playlists(folder / "p.json")
    except StorageError:
        assert (folder / "p.json").read_bytes() == data


def test_a_fixed_playlist_keeps_its_order_and_songs_of_other_folders(run: Run, home: Path) -> None:
    inside, outside = write_song(home / "output", "Inside"), write_song(home / "music", "Outside")
    (home / "a.m3u8").write_text(f"{outside}\n{inside}\n", encoding="utf-8")
    assert run("library", "playlist", "import", str(home / "a.m3u8"), "Mine").returncode == 0
    shown = run("library", "playlist", "show", "Mine").stdout
    assert 0 < shown.index("Outside") < shown.index("Inside")
    played = run("play", "--playlist", "Mine", "--once", "--output", "null", "--json").stdout
    assert '"Outside"' in played
    assert '"Inside"' in played


def test_a_playlist_loses_only_the_entries_that_are_no_names(tmp_path: Path) -> None:
    file = tmp_path / "playlists.json"
    file.write_text('{"Mix": {"files": [1, "x.mp3"]}, "Bad": 3}')
    assert load_playlists(file) == {"Mix": Playlist(files=("x.mp3",))}


def test_playlists_are_saved_by_name(tmp_path: Path) -> None:
    path = tmp_path / "data" / "playlists.json"
    playlists = {"Evening": Playlist("style:chill"), "Mine": Playlist(files=("a.mp3",))}
    save_playlists(path, playlists)
    assert load_playlists(path) == playlists
    assert find_playlist(playlists, "EVENING").query == "style:chill"
    with pytest.raises(UsageError):
        find_playlist(playlists, "none")


# -- duplicates ------------------------------------------------------------------------------


def test_identical_and_similar_songs_are_distinguished(tmp_path: Path) -> None:
    one, two, three = (write_song(tmp_path, n) for n in ("One", "Two", "Three"))
    write_stats(two, PlayStats(5, 3))  # other tags, the same audio
    three.write_bytes(three.read_bytes() + FRAME)
    for path in (one, three):
        path.with_suffix(".abc").write_text(TUNE)
    found = [
        (kind, sorted(s.title for s in group))
        for kind, group in find_duplicates([read_song(p) for p in (one, two, three)])
    ]
    assert found == [("the same", ["One", "Two"]), ("alike", ["One", "Three"])]


# -- as commands -----------------------------------------------------------------------------


def test_the_library_commands_work_together(run: Run, home: Path) -> None:
    out = home / "output"
    write_song(out, "Amber Rain", asked="Chill", tempo=80, seconds=61)
    write_song(out, "Night Bus", asked="Jazz", tempo=120, seconds=62)

    def output_of(*arguments: str) -> str:
        done = run("library", *arguments)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    assert "2 songs, 02:03" in output_of("list")
    assert "Night Bus: 4 of 5" in output_of("rate", "Night Bus", "4")
    assert "Night Bus" in output_of("search", "rating>=4", "tempo<130")
    assert "Amber" not in output_of("search", "rating>=4")
    output_of("playlist", "save", "Best", "rating>=4")
    assert "Best  (rating>=4; 1 song)" in output_of("playlist")
    output_of("playlist", "export", "Best", str(home / "best.m3u8"))
    assert "Night Bus.mp3" in (home / "best.m3u8").read_text(encoding="utf-8")
    output_of("playlist", "import", str(home / "best.m3u8"), "Again")
    assert "a fixed list; 1 song" in output_of("playlist")
    assert "in the bin" in output_of("remove", song_id("Amber Rain.mp3"))
    assert "1 song," in output_of("list")
    assert "Amber Rain" in output_of("bin")
    assert "was restored" in output_of("undo")
    assert "2 songs" in output_of("rescan")
    assert ".mp3" in output_of("usage")
    assert "the same: " in output_of("duplicates")
    assert ID3(out / "Night Bus.mp3").getall("POPM")[0].rating == 196
    played = run("play", "--playlist", "rating>=4", "--once", "--output", "null", "--json")
    assert '"title": "Night Bus"' in played.stdout
    assert "Amber" not in played.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rate", "Nobody", "3"], "there is no song"),
        (["rate", "One", "9"], 'invalid rating "9": expected 0 (none) to 5'),
        (["rate"], "arguments are required: song, rating; see"),
        (["search"], "arguments are required: WORD; see"),
        (["undo"], "the bin is empty"),
        (["playlist", "show"], "arguments are required: NAME|QUERY; see"),
        (["thumb", "One", "left"], 'invalid thumb "left"'),
        (["playlist", "delete", "none"], "no playlist"),
        (["remove", "../One"], "no song"),
        (["remove", "/elsewhere/One.mp3"], "no song"),
        (["undo", "²"], "invalid number"),
        (["playlist", "export", "rating>=0", "One.mp3"], "expected a name such as best.m3u8"),
        (["playlist", "export", "style:jazz", "rating>=0"], "expected a name such as best.m3u8"),
    ],
)
def test_invalid_arguments_are_reported_on_one_line(
    run: Run, home: Path, arguments: list[str], message: str
) -> None:
    write_song(home / "output", "One")
    done = run("library", *arguments)
    lines = [x for x in done.stderr.splitlines() if x.startswith("llm-music-gen: ")]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert message in lines[0], done.stderr


def test_the_search_command_can_exclude_songs(run: Run, home: Path) -> None:
    write_song(home / "output", "Amber Rain", asked="Jazz")
    write_song(home / "output", "Night Bus", asked="Jazz")
    for arguments in (["jazz", "-rain"], ["-rain", "--json"], ["-rating>3", "bus"]):
        done = run("library", "search", *arguments)
        assert done.returncode == 0, done.stderr
        assert "Night" in done.stdout, done.stderr
        assert "Amber" not in done.stdout


def test_every_library_command_prints_json(run: Run, home: Path) -> None:
    write_song(home / "output", "One")
    for arguments in (
        ["rate", "One", "3"],
        ["thumb", "One", "up"],
        ["rescan"],
        ["remove", "One"],
        ["bin"],
        ["undo"],
        ["playlist", "save", "All", "rating>=0"],
        ["playlist", "export", "All", str(home / "a.m3u8")],
        ["playlist", "import", str(home / "a.m3u8"), "Fixed"],
        ["playlist"],
        ["playlist", "delete", "all"],
        ["bin", "empty"],
    ):
        done = run("library", *arguments, "--json")
        assert done.returncode == 0, (arguments, done.stderr)
        assert done.stdout, (arguments, done.stderr)
        assert all(isinstance(json.loads(line), dict) for line in done.stdout.splitlines())


def test_a_playlist_replaces_only_one_of_its_kind(run: Run, home: Path) -> None:
    write_song(home / "output", "One")
    for arguments in (
        ["save", "Jazz", "style:jazz"],
        ["save", "jazz", "style:jazz", "rating>=0"],
        ["export", "jazz", "rating>=0", str(home / "x.m3u8")],
    ):
        assert run("library", "playlist", *arguments).returncode == 0
    assert [p.query for p in load_playlists(home / "data" / "playlists.json").values()] == [
        "style:jazz rating>=0"
    ]
    done = run("library", "playlist", "import", str(home / "x.m3u8"), "JAZZ")
    assert done.returncode == 2
    assert "is a smart playlist" in done.stderr


def test_a_missing_library_folder_is_reported(run: Run, home: Path) -> None:
    write_song(home / "output", "One")
    assert run("library", "list").returncode == 0
    (home / "output").rename(home / "away")
    done = run("library", "rescan")
    assert done.returncode == 1
    assert "no such folder" in done.stderr


@pytest.mark.parametrize("ending", ["flac", "mp3"])
def test_concurrent_rating_writes_leave_the_song_intact(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "output" / f"a.{ending}"
    path.parent.mkdir()
    subprocess.run(
        [
            ffmpeg_path(),
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "sine=duration=9",
            "-write_xing",
            "0",
            "-id3v2_version",
            "0",
            str(path),
        ],
        check=True,
    )
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from pathlib import Path\n"
                "from scripts.library.index import LibraryIndex\n"
                "song = Path(sys.argv[1])\n"
                "c = LibraryIndex(song.parent.parent / 'l.db', song.parent)\n"
                "c.scan()\n"
                "for n in range(40):\n"
                "    c.rate(song, 1 + n % 5); c.count_play(song); c.write_changes()",
                str(path),
            ],
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.communicate()[1] == b""
        assert process.returncode == 0
    errors = subprocess.run(
        [ffmpeg_path(), "-v", "error", "-i", str(path), "-f", "null", "-"],
        capture_output=True,
        check=True,
    ).stderr
    library = LibraryIndex(tmp_path / "l.db", path.parent)
    library.write_changes()
    assert errors == b""
    assert read_tags(path).stats.plays == library.get_stats(path).plays == 80
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("written", [False, True])
def test_a_rating_during_a_scan_is_not_lost(
    library: LibraryIndex, tmp_path: Path, written: bool
) -> None:
    first = library.songs()[0].path
    other = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    library.scan(force=True, progress=lambda done, of: None)

    real = library._merge_stats

    def rate_meanwhile(facts: SongFacts) -> tuple[PlayStats | None, PlayStats]:
        known = real(facts)
        other.rate(first, 5)
        if facts.name == first.name and written:
            assert other.write_changes() == 0
        return known

    library._merge_stats = rate_meanwhile  # type: ignore[method-assign]
    library.scan(force=True)
    assert library.get_stats(first).rating == 5
    library.write_changes()
    assert read_tags(first).stats.rating == 5


def test_a_database_that_cannot_be_opened_is_not_reported_as_damaged(tmp_path: Path) -> None:
    (tmp_path / "library.db").mkdir()  # a folder cannot be opened as a database
    write_song(tmp_path / "output", "One")
    one = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    two = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    assert "cannot be written" in one.notice
    assert (tmp_path / "library.db").is_dir()
    one.scan()
    assert len(two.find("one")) == 1  # all parts of one program see the same songs


def test_a_locked_database_is_reported_and_the_songs_are_listed(tmp_path: Path) -> None:
    write_song(tmp_path / "output", "One")
    holder = sqlite3.connect(tmp_path / "library.db", isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("CREATE TABLE x (y)")
    import scripts.library.database as database

    before = database.open_database.__defaults__
    database.open_database.__defaults__ = (0.1,)
    try:
        library = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    finally:
        database.open_database.__defaults__ = before
    assert "locked by another program" in library.notice
    library.scan()
    assert len(library.songs()) == 1
    holder.close()


def test_two_programs_can_share_one_library(tmp_path: Path) -> None:
    path = write_song(tmp_path / "output", "One")
    first = LibraryIndex(tmp_path / "l.db", tmp_path / "output")
    second = LibraryIndex(tmp_path / "l.db", tmp_path / "output")
    first.scan()
    second.scan()
    first.count_play(path)
    second.count_play(path)
    assert first.get_stats(path).plays == 2
    assert first.notice == second.notice == ""
    assert mutagen.File(path) is not None
