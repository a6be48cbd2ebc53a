"""Files of earlier versions open with everything in them; files of newer ones stay untouched."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.batch.order import Order
from scripts.batch.schema import MIGRATIONS
from scripts.batch.states import OrderState
from scripts.batch.store import OrderStore
from scripts.core.errors import StorageError
from scripts.core.settings import load_settings
from scripts.core.sqlite import open_database, schema_version
from scripts.jukebox.session import load_session
from scripts.library.index import LibraryIndex
from scripts.library.playlists import Playlist, load_playlists
from scripts.production.recipe_json import read_recipe, recipe_to_json
from scripts.request.request import SongRequest
from scripts.styles.style import Style

EARLIER = Path(__file__).parent / "fixtures" / "upgrades"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def earlier(tmp_path: Path) -> Callable[[str], Path]:
    """Copy a file of an earlier version under the name it has in use."""

    def copy(name: str) -> Path:
        stem, _, _ = name.partition("-")
        return Path(shutil.copy(EARLIER / name, tmp_path / f"{stem}{Path(name).suffix}"))

    return copy


@pytest.mark.parametrize("name", ["jobs-1.db", "jobs-2.db", "jobs-3.db"])
def test_every_order_of_an_earlier_version_is_there(
    earlier: Callable[[str], Path], name: str
) -> None:
    store = OrderStore(earlier(name))
    assert store.notice == ""
    assert store.is_persistent
    jazz, folk, chill = store.orders(tuple(OrderState))
    assert jazz.order.request == SongRequest("Jazz", "0.5", key="F minor")
    assert (jazz.order.songs, jazz.order.seed, jazz.order.extra_formats) == (4, 7, ("mid",))
    assert (jazz.state, jazz.done, jazz.failed, jazz.composed) == (OrderState.OPEN, 1, 1, 1)
    assert store.failures(jazz.id) == [(3, "the model died")]
    assert store.composed_songs(jazz.id) == [(2, {"seed": 8})]
    assert store.latest_titles(jazz.id, 5) == ["Rain"]
    assert (folk.state, chill.state) == (OrderState.PAUSED, OrderState.CANCELLED)
    assert len({jazz.batch, folk.batch, chill.batch}) == 3
    store.close()


@pytest.mark.parametrize("name", ["jobs-1.db", "jobs-2.db", "jobs-3.db"])
def test_a_migrated_store_takes_new_orders_and_opens_again(
    earlier: Callable[[str], Path], name: str
) -> None:
    path = earlier(name)
    store = OrderStore(path)
    added = store.add(Order(SongRequest("Waltz"), 1, 1, "", 0.75, path.parent))
    store.close()
    with sqlite3.connect(path) as connection:
        assert schema_version(connection) == len(MIGRATIONS)
    again = OrderStore(path)
    assert again.get(added.id).order.request.styles == "Waltz"
    assert len(again.orders(tuple(OrderState))) == 4
    again.close()


@pytest.mark.parametrize("name", ["library-1.db", "library-2.db"])
def test_a_rating_of_an_earlier_version_is_there(
    earlier: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    (tmp_path / "songs").mkdir()
    song = tmp_path / "songs" / "One.mp3"
    song.write_bytes(b"")
    library = LibraryIndex(earlier(name), tmp_path / "songs")
    library.scan()
    stats = library.get_stats(song)
    assert (stats.rating, stats.plays, stats.thumb) == (4, 1, 1)
    assert library.notice == ""
    library.close()


@pytest.mark.parametrize(
    ("number", "added"),
    [
        (1, {"bitrate": 256}),
        (2, {"bitrate": 256, "crossfade": 3.0}),
        (3, {"bitrate": 256, "crossfade": 3.0, "device": "Speakers"}),
        (4, {"bitrate": 256, "crossfade": 3.0, "device": "Speakers", "theme": "unicode"}),
    ],
)
def test_every_setting_of_an_earlier_version_is_there(
    earlier: Callable[[str], Path], number: int, added: dict[str, object]
) -> None:
    settings, warnings = load_settings(earlier(f"persistent-{number}.json"))
    assert warnings == []
    assert (settings.volume, settings.temperature, settings.thread_fraction) == (0.4, 1.1, 0.5)
    assert (settings.song_length, settings.model, settings.auto_play) == ("4-6", "ruby.gguf", False)
    assert settings.unknown == {"later": [1]}
    assert {name: getattr(settings, name) for name in added} == added


@pytest.mark.parametrize(("number", "playlist"), [(2, ""), (3, "best"), (4, "best")])
def test_a_session_of_an_earlier_version_is_restored(
    earlier: Callable[[str], Path], number: int, playlist: str
) -> None:
    session = load_session(earlier(f"jukebox-{number}.json"))
    assert session.song == "/songs/One.mp3"
    assert session.position == 12.5
    assert session.order == ("/songs/Two.mp3", "/songs/One.mp3")
    assert (session.repeat, session.shuffle, session.playlist) == ("one", True, playlist)


@pytest.mark.parametrize("number", [3, 4])
def test_playlists_of_an_earlier_version_are_there(
    earlier: Callable[[str], Path], number: int
) -> None:
    assert load_playlists(earlier(f"playlists-{number}.json")) == {
        "best": Playlist("rating>=4"),
        "fixed": Playlist(files=("One.mp3", "/other/Two.mp3")),
    }


@pytest.mark.parametrize("number", [1, 2])
def test_a_recipe_of_an_earlier_version_is_the_same_recipe(
    earlier: Callable[[str], Path], styles: dict[str, Style], number: int
) -> None:
    path = earlier(f"recipe-{number}.json")
    recipe = read_recipe(path, styles)
    assert recipe.request == SongRequest("Folk", "0.2", key="D major")
    assert recipe.composition
    assert recipe.composition.sheet.title == "Fiddler on the Roof"
    written = json.loads(path.read_text(encoding="utf-8"))["recipe"]
    assert recipe_to_json(recipe) == written


def _newer(path: Path) -> bytes:
    """Make a database that says it is of a later version; its bytes."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE future (x)")
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize(
    "command", [("jobs", "list"), ("jobs", "pause", "1"), ("-q", "generate", "--resume")]
)
def test_a_newer_order_store_is_left_alone_with_one_line(
    run: Run, home: Path, command: tuple[str, ...]
) -> None:
    (home / "data").mkdir()
    before = _newer(home / "data" / "jobs.db")
    done = run(*command)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 1
    assert "jobs.db was written by a newer version" in lines[0]
    assert (home / "data" / "jobs.db").read_bytes() == before
    assert not list((home / "data").glob("jobs.db.broken*"))


def test_a_newer_library_is_left_alone_and_the_songs_are_listed(tmp_path: Path) -> None:
    before = _newer(tmp_path / "library.db")
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "One.mp3").write_bytes(b"")
    library = LibraryIndex(tmp_path / "library.db", tmp_path / "songs")
    library.scan()
    assert "newer version" in library.notice
    assert [song.title for song in library.songs()] == ["One"]
    library.close()
    assert (tmp_path / "library.db").read_bytes() == before


def _fail(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO a VALUES (1)")
    connection.execute("INSERT INTO a VALUES (1)")  # violates the primary key


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    first = "CREATE TABLE a (x INTEGER PRIMARY KEY)"
    open_database(path, (first,)).connection.close()
    with pytest.raises(StorageError, match=r"x\.db: cannot be brought up to date"):
        open_database(path, (first, _fail))
    with sqlite3.connect(path) as connection:
        assert schema_version(connection) == 1
        assert connection.execute("SELECT count(*) FROM a").fetchone() == (0,)
    assert not list(tmp_path.glob("x.db.broken*"))
