"""The library: what is found, kept, listed and brought back."""

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
from scripts.audio.tags import FileTags, read_tags
from scripts.core.errors import StorageError, UsageError
from scripts.library.bin import empty_bin, list_bin, move_to_bin, restore_song
from scripts.library.duplicates import find_duplicates
from scripts.library.index import LibraryIndex, song_id
from scripts.library.playlists import (
    Playlist,
    find_playlist,
    load_playlists,
    read_m3u8,
    save_playlists,
    write_m3u8,
)
from scripts.library.query import parse_query
from scripts.library.songs import Song, read_song
from scripts.library.watcher import LibraryWatcher
from tests.conftest import ROOT, TUNE
from tests.support.waiting import until
from tests.test_batch import Run, sound_of

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


def tagged(path: Path, title: str = "Song", **more: str) -> Path:
    """A small MP3 as the program makes them."""
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


def song(folder: Path, name: str, **details: object) -> Path:
    """A song with its details beside it."""
    path = tagged(folder / f"{name}.mp3", name)
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
        path = song(
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
def test_the_search_language(library: LibraryIndex, query: str, expected: list[str] | None) -> None:
    everything = ["Amber", "Café", "Die", "100%"]
    assert titles(library.find(query)) == (everything if expected is None else expected)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the clock's zone cannot be set")
def test_days_are_those_of_the_listeners_clock(
    library: LibraryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "XYZ-13")  # thirteen hours before Greenwich
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
def test_any_query_is_survived(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("q")
    found = LibraryIndex(folder / "l.db", folder)
    found.find(text)
    assert found.notice == ""
    assert len(parse_query(text)) <= 40
    found.close()


def test_what_the_listener_thinks_is_found(library: LibraryIndex) -> None:
    first, second, *_ = library.songs()
    library.rate(first.path, 4)
    library.set_thumb(second.path, -1)
    library.count_play(second.path)
    assert titles(library.find("rating>=4")) == ["Amber"] == titles(library.find("rating:4"))
    assert titles(library.find("thumb:down plays>0")) == ["Café"]


def test_a_deleted_database_loses_nothing(library: LibraryIndex, tmp_path: Path) -> None:
    songs = library.songs()
    before = [s.path for s in songs]
    sounds = [sound_of(p) for p in before]
    for n, one in enumerate(songs):
        library.rate(one.path, n + 1)
        library.set_thumb(one.path, (-1) ** n)
        for _ in range(n):
            library.count_play(one.path)
    kept = [library.get_stats(p) for p in before]
    assert library.write_changes() == 0
    library.close()
    (tmp_path / "library.db").unlink()
    again = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    again.scan()
    assert [s.path for s in again.songs()] == before  # in the same order
    found = [again.get_stats(p) for p in before]
    assert [(h.rating, h.plays, h.thumb) for h in found] == [
        (h.rating, h.plays, h.thumb) for h in kept
    ]
    assert all(abs(a.last - b.last) < 1 for a, b in zip(found, kept, strict=True))
    assert [sound_of(p) for p in before] == sounds  # not a sample has moved
    assert str(ID3(before[0])["TIT2"]) == "Amber Rain"


def test_a_rating_moves_nothing_in_the_songs_file(tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.mp3")
    size, inode, time = path.stat().st_size, path.stat().st_ino, path.stat().st_mtime_ns
    write_stats(path, PlayStats(5, 12, 1e9, 1))
    assert (path.stat().st_size, path.stat().st_ino, path.stat().st_mtime_ns) == (size, inode, time)
    (frame,) = ID3(path).getall("POPM")
    assert (frame.email, frame.rating, frame.count) == ("Windows Media Player 9 Series", 255, 12)
    write_stats(path, PlayStats(0, 12))
    assert read_tags(path).stats == PlayStats(0, 12)
    assert path.stat().st_size == size


def test_a_tag_without_room_is_made_anew_in_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(FRAME * 40)
    tags = ID3()
    tags.add(TIT2(encoding=3, text=["Theirs"]))
    tags.save(path, padding=lambda info: 0)
    sound = sound_of(path)
    write_stats(path, PlayStats(3, 1))
    assert sound_of(path) == sound
    assert read_tags(path).stats.rating == 3
    assert str(ID3(path)["TIT2"]) == "Theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp3"]
    (tmp_path / "b.mp3").write_bytes(FRAME * 40)  # no tag at all
    write_stats(tmp_path / "b.mp3", PlayStats(2))
    assert read_tags(tmp_path / "b.mp3").stats.rating == 2
    assert (tmp_path / "b.mp3").read_bytes().endswith(FRAME * 40)


@pytest.mark.parametrize("ending", ["flac", "ogg", "wav"])
def test_other_kinds_of_files_hold_a_rating_too(tmp_path: Path, ending: str) -> None:
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
def test_stars_of_other_players_are_understood(tmp_path: Path, popm: int, stars: int) -> None:
    path = tagged(tmp_path / "a.mp3")
    tags = ID3(path)
    tags.add(POPM(email="rating@winamp.com", rating=popm, count=3))
    tags.save(path)
    assert stars_from_popm(popm) == read_tags(path).stats.rating == stars


@settings(max_examples=150)
@given(st.binary(max_size=300), st.integers(0, 255), st.text(max_size=20), st.integers(0, 5))
def test_any_tag_is_survived(
    tmp_path_factory: pytest.TempPathFactory, rubbish: bytes, rating: int, word: str, keep: int
) -> None:
    folder = tmp_path_factory.mktemp("t")
    path = folder / "a.mp3"
    path.write_bytes(b"ID3" + struct.pack(">BBB", keep % 5, rating % 3, rating) + rubbish + FRAME)
    whole = tagged(folder / "b.mp3")
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


def test_songs_from_elsewhere_are_known_by_their_tags(tmp_path: Path) -> None:
    tagged(
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


def test_a_song_that_is_changed_meanwhile_keeps_what_is_not_written_yet(
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


def test_a_file_that_cannot_be_written_now_is_written_later(
    library: LibraryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = library.songs()[0]
    library.rate(first.path, 2)

    def refuse(path: Path, heard: PlayStats) -> bool:
        raise StorageError("held")

    with monkeypatch.context() as patch:
        patch.setattr("scripts.library.index.write_stats", refuse)
        assert library.write_changes() == 1
    assert library.write_changes([first.path]) == 1  # it plays
    assert library.write_changes() == 0
    assert read_tags(first.path).stats.rating == 2


def test_a_drive_that_is_not_there_has_not_lost_its_songs(
    library: LibraryIndex, tmp_path: Path
) -> None:
    (tmp_path / "output").rename(tmp_path / "away")
    assert not library.scan()
    assert len(library.songs()) == 4


def test_a_damaged_library_is_made_again(library: LibraryIndex, tmp_path: Path) -> None:
    library.rate(library.songs()[0].path, 3)
    library.write_changes()
    library.close()
    (tmp_path / "library.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    again = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    assert "set aside" in again.notice
    again.scan()
    assert len(again.songs()) == 4
    assert again.get_stats(again.songs()[0].path).rating == 3


def test_the_librarian_writes_ratings_into_the_files_in_the_end(tmp_path: Path) -> None:
    path = song(tmp_path / "output", "One")
    librarian = LibraryWatcher(tmp_path / "library.db", tmp_path / "output")
    librarian.start()
    assert librarian.wait(20)
    library = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    library.rate(path, 4)
    librarian.close()
    assert read_tags(path).stats.rating == 4


def test_the_librarian_finds_what_comes_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.library.watcher.SCAN_INTERVAL", 0.02)
    song(tmp_path / "output", "One")
    librarian = LibraryWatcher(tmp_path / "library.db", tmp_path / "output")
    librarian.start()
    assert [s.title for s in until(librarian.take_changed_songs)] == ["One"]
    song(tmp_path / "output", "Two")
    until(lambda: [s.title for s in librarian.take_changed_songs() or []] == ["One", "Two"])
    shutil.rmtree(tmp_path / "output")
    (tmp_path / "output").mkdir()
    until(lambda: librarian.take_changed_songs() == [])
    librarian.close()


def test_a_song_is_named_by_id_file_or_title(library: LibraryIndex) -> None:
    path = library.songs()[0].path
    for name in (song_id(path.name), path.name, str(path), "amber rain", "Amber Rain.mp3"):
        assert library.find_song(name).path == path
    with pytest.raises(UsageError, match="there is no song"):
        library.find_song("\x1b[2Jnothing")
    song(path.parent, "copy", seconds=5).with_suffix(".json").write_text('{"title": "Amber Rain"}')
    library.scan()
    with pytest.raises(UsageError, match="2 songs are called"):
        library.find_song("Amber Rain")


def test_a_song_of_another_folder_is_not_taken_for_one_of_the_library(
    library: LibraryIndex, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="there is no song"):
        library.find_song(str(tmp_path / "elsewhere" / "Amber Rain.mp3"))


def test_stars_that_another_program_took_away_are_gone(library: LibraryIndex) -> None:
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
def test_a_new_song_of_an_old_name_has_no_stars(
    library: LibraryIndex, tmp_path: Path, written: bool
) -> None:
    path = library.songs()[0].path
    library.rate(path, 5)
    if written:
        library.write_changes()
    song(path.parent, path.stem, made="2026-12-01T10:00:00+00:00")
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
def test_details_that_come_later_take_no_stars(
    library: LibraryIndex, tmp_path: Path, details: str
) -> None:
    path = tagged(tmp_path / "output" / "From Elsewhere.mp3")
    library.scan()
    library.rate(path, 4)
    path.with_suffix(".json").write_text(details)
    for _ in range(2):
        library.scan(force=True)
        assert library.get_stats(path).rating == 4


def test_a_rating_that_the_file_does_not_take_is_told_and_kept(
    library: LibraryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = library.songs()[0].path

    def refuse(path: Path, heard: PlayStats) -> bool:
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


def test_a_removed_song_comes_back_whole(library: LibraryIndex, tmp_path: Path) -> None:
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


def test_the_bin_gives_back_the_last_one_first_and_harms_nobody(tmp_path: Path) -> None:
    one, two = song(tmp_path, "One"), song(tmp_path, "Two")
    move_to_bin(one)
    move_to_bin(two)
    assert restore_song(tmp_path).name == "Two.mp3"
    song(tmp_path, "One").write_bytes(b"another")
    with pytest.raises(StorageError, match="a song of this name exists"):
        restore_song(tmp_path)
    assert (tmp_path / "One.mp3").read_bytes() == b"another"
    assert empty_bin(tmp_path) == 1
    assert list_bin(tmp_path) == []
    with pytest.raises(UsageError, match="the bin is empty"):
        restore_song(tmp_path)


def test_a_song_that_cannot_be_moved_stays_whole_and_the_bin_works_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = song(tmp_path, "One"), song(tmp_path, "Two")

    def hold_the_sound(file: Path, place: Path) -> None:
        if file == path:
            raise OSError(5, "a player holds it")
        os.replace(file, place)

    with monkeypatch.context() as patch:
        patch.setattr("scripts.library.bin._move", hold_the_sound)
        with pytest.raises(StorageError):
            move_to_bin(path)
    assert path.exists()
    assert path.with_suffix(".json").exists()
    assert list_bin(tmp_path) == []
    move_to_bin(other)
    move_to_bin(path)
    assert [b.name for b in list_bin(tmp_path)] == ["One", "Two"]


def test_a_removal_that_a_power_cut_ends_leaves_files_that_come_back(tmp_path: Path) -> None:
    path = song(tmp_path, "One")
    (tmp_path / ".bin" / "000001").mkdir(parents=True)
    os.replace(path.with_suffix(".json"), tmp_path / ".bin" / "000001" / "One.json")
    assert read_song(path).title == "One"  # by its tags
    restore_song(tmp_path)
    assert path.with_suffix(".json").exists()


def test_a_song_never_comes_back_over_another(tmp_path: Path) -> None:
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
def test_a_song_of_the_same_name_stays_when_another_is_removed(
    tmp_path: Path, removed: str, stays: set[str]
) -> None:
    for name in {removed, "Foo.flac", "Foo.mp3", "Foo.json"}:
        (tmp_path / name).write_bytes(b"x")
    move_to_bin(tmp_path / removed)
    assert {p.name for p in tmp_path.iterdir() if p.is_file()} == stays


def test_an_ogg_comes_back_as_itself(tmp_path: Path) -> None:
    (tmp_path / "a.ogg").write_bytes(b"OggS")
    (tmp_path / "a.abc").write_text("X:1")
    move_to_bin(tmp_path / "a.ogg")
    assert restore_song(tmp_path).name == "a.ogg"


# -- playlists -------------------------------------------------------------------------------


def test_a_playlist_comes_back_as_it_went_out(library: LibraryIndex, tmp_path: Path) -> None:
    songs = library.find("minor")
    assert write_m3u8(tmp_path / "a.m3u8", songs) == []
    text = (tmp_path / "a.m3u8").read_text(encoding="utf-8")
    assert text.startswith("#EXTM3U\n#EXTINF:60,Amber Rain\noutput")
    found, told = read_m3u8(tmp_path / "a.m3u8")
    assert found == [s.path for s in songs]
    assert told == []


@pytest.mark.parametrize("title", ATTACKS)
def test_no_title_becomes_a_line_of_a_playlist(tmp_path: Path, title: str) -> None:
    path = song(tmp_path, "x")
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
@pytest.mark.skipif(os.name == "nt", reason="such names cannot be on Windows")
def test_no_file_name_becomes_a_directive(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FRAME)
    left = write_m3u8(tmp_path / "a.m3u8", [read_song(tmp_path / name)])
    found, told = read_m3u8(tmp_path / "a.m3u8")
    assert told == []
    assert [p.resolve() for p in found] == ([] if left else [(tmp_path / name).resolve()])


@pytest.mark.parametrize(
    ("line", "said"),
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
def test_a_playlist_opens_nothing_but_files_of_sound(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "a.m3u8").write_text(f"#EXTM3U\n{line}\n", encoding="utf-8")
    found, told = read_m3u8(tmp_path / "a.m3u8")
    assert found == []
    assert len(told) == 1
    assert said in told[0]
    assert told[0].isprintable()


@settings(max_examples=150)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace")))
def test_any_playlist_is_survived(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("m")
    (folder / "a.m3u8").write_bytes(data)
    found, told = read_m3u8(folder / "a.m3u8")
    assert found == []
    assert all(line.isprintable() for line in told)
    (folder / "p.json").write_bytes(data)
    try:
        load_playlists(folder / "p.json")
    except StorageError:
        assert (folder / "p.json").read_bytes() == data


def test_a_fixed_list_may_have_songs_of_other_folders_in_its_order(run: Run, home: Path) -> None:
    inside, outside = song(home / "output", "Inside"), song(home / "music", "Outside")
    (home / "a.m3u8").write_text(f"{outside}\n{inside}\n", encoding="utf-8")
    assert run("library", "playlist", "import", str(home / "a.m3u8"), "Mine").returncode == 0
    shown = run("library", "playlist", "show", "Mine").stdout
    assert 0 < shown.index("Outside") < shown.index("Inside")
    played = run("play", "--playlist", "Mine", "--once", "--output", "null", "--json").stdout
    assert '"Outside"' in played
    assert '"Inside"' in played


def test_playlists_are_kept_by_name(tmp_path: Path) -> None:
    path = tmp_path / "data" / "playlists.json"
    kept = {"Evening": Playlist("style:chill"), "Mine": Playlist(files=("a.mp3",))}
    save_playlists(path, kept)
    assert load_playlists(path) == kept
    assert find_playlist(kept, "EVENING").query == "style:chill"
    with pytest.raises(UsageError):
        find_playlist(kept, "none")


# -- duplicates ------------------------------------------------------------------------------


def test_the_same_and_the_alike_are_told_apart(tmp_path: Path) -> None:
    one, two, three = (song(tmp_path, n) for n in ("One", "Two", "Three"))
    write_stats(two, PlayStats(5, 3))  # another tag, the same sound
    three.write_bytes(three.read_bytes() + FRAME)
    for path in (one, three):
        path.with_suffix(".abc").write_text(TUNE)
    found = [
        (kind, sorted(s.title for s in group))
        for kind, group in find_duplicates([read_song(p) for p in (one, two, three)])
    ]
    assert found == [("the same", ["One", "Two"]), ("alike", ["One", "Three"])]


# -- as commands -----------------------------------------------------------------------------


def test_the_library_at_the_console(run: Run, home: Path) -> None:
    out = home / "output"
    song(out, "Amber Rain", asked="Chill", tempo=80, seconds=61)
    song(out, "Night Bus", asked="Jazz", tempo=120, seconds=62)

    def said(*words: str) -> str:
        done = run("library", *words)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    assert "2 songs, 02:03" in said("list")
    assert "Night Bus: 4 of 5" in said("rate", "Night Bus", "4")
    assert "Night Bus" in said("search", "rating>=4", "tempo<130")
    assert "Amber" not in said("search", "rating>=4")
    said("playlist", "save", "Best", "rating>=4")
    assert "Best  (rating>=4; 1 song)" in said("playlist")
    said("playlist", "export", "Best", str(home / "best.m3u8"))
    assert "Night Bus.mp3" in (home / "best.m3u8").read_text(encoding="utf-8")
    said("playlist", "import", str(home / "best.m3u8"), "Again")
    assert "a fixed list; 1 song" in said("playlist")
    assert "in the bin" in said("remove", song_id("Amber Rain.mp3"))
    assert "1 song," in said("list")
    assert "Amber Rain" in said("bin")
    assert "is back" in said("undo")
    assert "2 songs" in said("rescan")
    assert ".mp3" in said("usage")
    assert "the same: " in said("duplicates")
    assert ID3(out / "Night Bus.mp3").getall("POPM")[0].rating == 196
    played = run("play", "--playlist", "rating>=4", "--once", "--output", "null", "--json")
    assert '"title": "Night Bus"' in played.stdout
    assert "Amber" not in played.stdout


@pytest.mark.parametrize(
    ("words", "said"),
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
def test_a_slip_at_the_library_is_one_line(
    run: Run, home: Path, words: list[str], said: str
) -> None:
    song(home / "output", "One")
    done = run("library", *words)
    lines = [x for x in done.stderr.splitlines() if x.startswith("llm-music-gen: ")]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert said in lines[0], done.stderr


def test_a_search_can_leave_songs_out_at_the_console(run: Run, home: Path) -> None:
    song(home / "output", "Amber Rain", asked="Jazz")
    song(home / "output", "Night Bus", asked="Jazz")
    for words in (["jazz", "-rain"], ["-rain", "--json"], ["-rating>3", "bus"]):
        done = run("library", "search", *words)
        assert done.returncode == 0, done.stderr
        assert "Night" in done.stdout, done.stderr
        assert "Amber" not in done.stdout


def test_every_change_of_the_library_speaks_json(run: Run, home: Path) -> None:
    song(home / "output", "One")
    for words in (
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
        done = run("library", *words, "--json")
        assert done.returncode == 0, (words, done.stderr)
        assert done.stdout, (words, done.stderr)
        assert all(isinstance(json.loads(line), dict) for line in done.stdout.splitlines())


def test_a_playlist_replaces_only_its_like(run: Run, home: Path) -> None:
    song(home / "output", "One")
    for words in (
        ["save", "Jazz", "style:jazz"],
        ["save", "jazz", "style:jazz", "rating>=0"],
        ["export", "jazz", "rating>=0", str(home / "x.m3u8")],
    ):
        assert run("library", "playlist", *words).returncode == 0
    assert [p.query for p in load_playlists(home / "data" / "playlists.json").values()] == [
        "style:jazz rating>=0"
    ]
    done = run("library", "playlist", "import", str(home / "x.m3u8"), "JAZZ")
    assert done.returncode == 2
    assert "is a smart playlist" in done.stderr


def test_a_library_whose_folder_is_gone_is_told(run: Run, home: Path) -> None:
    song(home / "output", "One")
    assert run("library", "list").returncode == 0
    (home / "output").rename(home / "away")
    done = run("library", "rescan")
    assert done.returncode == 1
    assert "no such folder" in done.stderr


@pytest.mark.parametrize("ending", ["flac", "mp3"])
def test_two_programs_that_write_one_rating_leave_a_whole_song(tmp_path: Path, ending: str) -> None:
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
    begun = [
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
                "    c.rate(song, 1 + n % 5); c.played(song); c.write_changes()",
                str(path),
            ],
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in begun:
        assert process.communicate()[1] == b""
        assert process.returncode == 0
    said = subprocess.run(
        [ffmpeg_path(), "-v", "error", "-i", str(path), "-f", "null", "-"],
        capture_output=True,
        check=True,
    ).stderr
    library = LibraryIndex(tmp_path / "l.db", path.parent)
    library.write_changes()
    assert said == b""
    assert read_tags(path).stats.plays == library.get_stats(path).plays == 80
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("written", [False, True])
def test_a_rating_during_a_scan_is_not_taken_back(
    library: LibraryIndex, tmp_path: Path, written: bool
) -> None:
    first = library.songs()[0].path
    other = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    library.scan(force=True, progress=lambda done, of: None)

    real = library._merge_file_stats

    def rate_meanwhile(name: str, tags: FileTags, made: str) -> tuple[PlayStats | None, PlayStats]:
        known = real(name, tags, made)
        other.rate(first, 5)
        if name == first.name and written:
            assert other.write_changes() == 0
        return known

    library._merge_file_stats = rate_meanwhile  # type: ignore[method-assign]
    library.scan(force=True)
    assert library.get_stats(first).rating == 5
    library.write_changes()
    assert read_tags(first).stats.rating == 5


def test_a_library_that_cannot_be_opened_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "library.db").mkdir()  # nobody may write there
    song(tmp_path / "output", "One")
    one = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    two = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    assert "cannot be written" in one.notice
    assert (tmp_path / "library.db").is_dir()
    one.scan()
    assert len(two.find("one")) == 1  # both ends of the menu see the same songs


def test_a_locked_library_is_told_and_the_songs_are_listed(tmp_path: Path) -> None:
    song(tmp_path / "output", "One")
    holder = sqlite3.connect(tmp_path / "library.db", isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("CREATE TABLE x (y)")
    import scripts.library.index as catalogue

    before = catalogue.open_database.__defaults__
    catalogue.open_database.__defaults__ = (0.1,)
    try:
        library = LibraryIndex(tmp_path / "library.db", tmp_path / "output")
    finally:
        catalogue.open_database.__defaults__ = before
    assert "locked by another program" in library.notice
    library.scan()
    assert len(library.songs()) == 1
    holder.close()


def test_two_programs_use_one_library(tmp_path: Path) -> None:
    path = song(tmp_path / "output", "One")
    first = LibraryIndex(tmp_path / "l.db", tmp_path / "output")
    second = LibraryIndex(tmp_path / "l.db", tmp_path / "output")
    first.scan()
    second.scan()
    first.count_play(path)
    second.count_play(path)
    assert first.get_stats(path).plays == 2
    assert first.notice == second.notice == ""
    assert mutagen.File(path) is not None
