"""Orders without end: how far they are made, what they keep, and that they can be resumed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.audio.play_stats import PlayStats, write_stats
from scripts.batch.endless import SONGS_AHEAD, EndlessOrders
from scripts.batch.order import Order, order_from_json, parse_size, parse_until
from scripts.core.errors import StorageError, UsageError
from scripts.library.bin import list_bin, move_to_bin, restore_song
from scripts.library.index import LibraryIndex
from scripts.request.request import SongRequest
from tests.support.processes import interrupt, start
from tests.support.waiting import wait_until

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "output").mkdir()
    return tmp_path / "output"


def endless_order(folder: Path, **options: object) -> Order:
    """An order without end."""
    order = Order(SongRequest("chill"), 1, 1, "", 0.75, folder, endless=True)
    return replace(order, **options)  # type: ignore[arg-type]


def write_songs(folder: Path, count: int, size: int = 1000) -> list[Path]:
    songs = [folder / f"Song {n}.mp3" for n in range(count)]
    for song in songs:
        song.write_bytes(b"x" * size)
    return songs


def open_library(folder: Path) -> LibraryIndex:
    return LibraryIndex(folder.parent / "library.db", folder)


def test_an_endless_order_survives_a_json_round_trip(folder: Path) -> None:
    order = endless_order(folder, until=123.5, keep_bytes=10**8)
    assert order_from_json(order.to_json()) == order


def test_orders_of_earlier_versions_have_an_end(folder: Path) -> None:
    data = Order(SongRequest("chill"), 3, 1, "", 0.75, folder).to_json()
    assert not {"endless", "until", "keep"} & data.keys()
    assert not order_from_json(data).endless


def test_in_the_menu_a_few_songs_are_made_ahead_of_the_listener(folder: Path) -> None:
    order, songs = endless_order(folder), write_songs(folder, 5)
    library = open_library(folder)
    endless = EndlessOrders(lambda: library, waits_for_listener=True)
    assert endless.may_compose(1, order, 0)
    assert not endless.may_compose(1, order, SONGS_AHEAD)
    endless.add_songs(1, songs[:3])
    assert not endless.may_compose(1, order, 0)
    library.count_play(songs[0])
    assert endless.may_compose(1, order, 0)
    assert not endless.may_compose(1, order, 1)
    songs[1].unlink()
    assert endless.may_compose(1, order, 1)


def test_on_the_command_line_nobody_is_waited_for(folder: Path) -> None:
    order, endless = endless_order(folder), EndlessOrders(lambda: open_library(folder), False)
    endless.add_songs(1, write_songs(folder, 9))
    assert endless.may_compose(1, order, 9)


def test_an_order_ends_at_its_time(folder: Path) -> None:
    endless = EndlessOrders(lambda: open_library(folder), False)
    assert not endless.may_compose(1, endless_order(folder, until=time.time() - 1), 0)
    assert endless.may_compose(1, endless_order(folder, until=time.time() + 60), 0)


def test_the_oldest_songs_without_a_rating_go_to_the_bin(folder: Path) -> None:
    songs, library = write_songs(folder, 6, 3_000_000), open_library(folder)
    library.rate(songs[0], 4)
    library.set_thumb(songs[1], 1)
    endless = EndlessOrders(lambda: library, False)
    endless.add_songs(1, songs)
    order = endless_order(folder, keep_bytes=10_000_000)
    assert endless.keep_within_bound(1, order) == ["Song 2", "Song 3", "Song 4"]
    assert [song.exists() for song in songs] == [True, True, False, False, False, True]
    assert [entry.name for entry in list_bin(folder)] == ["Song 4", "Song 3"]
    assert endless.keep_within_bound(1, order) == []


def test_songs_of_another_folder_are_told_apart_from_those_of_the_library(
    folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "radio"
    elsewhere.mkdir()
    mine, library = write_songs(folder, 2), open_library(folder)
    library.rate(mine[0], 5)
    library.count_play(mine[1])
    endless = EndlessOrders(lambda: library, False)
    endless.add_songs(1, write_songs(elsewhere, 3, 3_000_000))
    order = endless_order(elsewhere, keep_bytes=3_000_000)
    assert endless.keep_within_bound(1, order) == ["Song 0", "Song 1"]
    assert library.get_stats(mine[1]).plays == 1


def test_a_song_that_is_rated_in_its_tags_stays(folder: Path) -> None:
    liked = folder / "Liked.mp3"
    liked.write_bytes((b"\xff\xfb\x90\x00" + bytes(413)) * 40)
    write_stats(liked, PlayStats(rating=4))
    endless = EndlessOrders(lambda: open_library(folder), False)
    endless.add_songs(1, [liked, *write_songs(folder, 2, 3_000_000)])
    assert endless.keep_within_bound(1, endless_order(folder, keep_bytes=1)) == ["Song 0"]
    assert liked.exists()


def test_a_file_that_cannot_be_deleted_stops_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(song: object) -> None:
        raise StorageError("it is open elsewhere")

    monkeypatch.setattr("scripts.batch.endless.delete_binned", fail)
    endless = EndlessOrders(lambda: open_library(folder), False)
    endless.add_songs(1, write_songs(folder, 5, 3_000_000))
    moved = endless.keep_within_bound(1, endless_order(folder, keep_bytes=1))
    assert len(moved) == 4
    assert len(list_bin(folder)) == 4


def test_songs_that_the_user_moves_to_the_bin_stay_there(folder: Path) -> None:
    order = endless_order(folder, keep_bytes=10_000_000)
    songs = write_songs(folder, 8, 4_000_000)
    endless = EndlessOrders(lambda: open_library(folder), False)
    endless.add_songs(1, songs[:3])
    assert endless.keep_within_bound(1, order) == ["Song 0"]
    restore_song(folder)
    mine = move_to_bin(songs[7])  # has the number that Song 0 had
    later = EndlessOrders(lambda: open_library(folder), False)  # after a restart
    later.add_songs(1, [song for song in songs if song.exists()])
    assert later.keep_within_bound(1, order) == [f"Song {n}" for n in range(5)]
    names = [entry.name for entry in list_bin(folder)]
    assert names == ["Song 4", "Song 3", "Song 7"]
    assert mine.files[0].exists()


def test_songs_in_the_bin_that_free_space_can_be_restored(folder: Path) -> None:
    song = write_songs(folder, 1)[0]
    move_to_bin(song, frees_space=True)
    assert restore_song(folder) == song
    assert not list((folder / ".bin").iterdir())


def test_a_time_of_day_is_the_next_one() -> None:
    now = datetime(2026, 5, 4, 22, 0)
    assert datetime.fromtimestamp(parse_until("23:30", now)) == datetime(2026, 5, 4, 23, 30)
    assert datetime.fromtimestamp(parse_until("7:05", now)) == datetime(2026, 5, 5, 7, 5)
    for text in ("24:00", "7", "7:5", "", "noon"):
        with pytest.raises(UsageError):
            parse_until(text, now)


@pytest.mark.parametrize(("text", "size"), [("5GB", 5 * 10**9), ("500 mb", 5 * 10**8)])
def test_a_size_is_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@given(st.text(max_size=12))
def test_any_size_is_read_or_rejected(text: str) -> None:
    try:
        assert parse_size(text) >= 10**7
    except UsageError as error:
        assert "\n" not in str(error)


def test_until_and_keep_need_an_endless_order(folder: Path) -> None:
    with pytest.raises(UsageError, match="--songs endless"):
        Order(SongRequest("chill"), 3, 1, "", 0.75, folder, until=1.0)


def make_until(home: Path, count: int, *arguments: str) -> list[Path]:
    """Make songs until there are `count`, then interrupt; return the songs."""
    process = start(home, "generate", *arguments)
    wait_until(lambda: len(list((home / "output").glob("*.mp3"))) >= count, 90)
    interrupt(process)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    return list((home / "output").glob("*.mp3"))


@pytest.mark.slow
def test_an_endless_order_is_made_until_it_is_stopped_and_resumed(run: Run, home: Path) -> None:
    first = make_until(home, 3, "chill, 10 seconds", "--songs", "endless")
    assert "songs, endless" in run("jobs", "list").stdout
    songs = make_until(home, len(first) + 2, "--resume")
    assert len({song.read_bytes() for song in songs}) == len(songs)
    run("jobs", "cancel", "1")
    assert "cancelled" in run("jobs", "list").stdout
    assert "open" in run("jobs", "continue", "1").stdout
