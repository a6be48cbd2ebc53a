"""Batches: songs survive kills and crashes; none is lost and none is made twice."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.batch.claims import claim_batch
from scripts.batch.composing import ComposingService
from scripts.batch.interpreter import Interpreter
from scripts.batch.order import Order, order_from_json
from scripts.batch.order_file import read_order_file
from scripts.batch.states import UNFINISHED_STATES, OrderState
from scripts.batch.store import OrderStore
from scripts.composer.compose import Composition
from scripts.core import paths
from scripts.core.errors import ModelError, MusicGenError, NotationError, StorageError, UsageError
from scripts.core.settings import Settings
from scripts.production.recipe import Recipe
from scripts.production.recipe_json import read_recipe, recipe_from_json, recipe_to_json
from scripts.production.render_job import find_finished_songs, save_remote_files
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.score.abc_reader import read_abc
from scripts.score.fingerprint import SIMILARITY_THRESHOLD, fingerprint, similarity
from scripts.score.sheet import LeadSheet, transpose
from scripts.styles.style import Style, load_styles
from tests.conftest import STARTER, TUNE
from tests.faults.songs import count_songs as numbers
from tests.support.processes import command_line, descendants, interrupt, read_until, start
from tests.support.waiting import wait_until

Run = Callable[..., subprocess.CompletedProcess[str]]
SHORT = ("--length", "0.17", "--seed", "5")
INTERPRETER = Interpreter(load_styles(paths.DATA / "styles"))
DEFAULTS = Order(SongRequest("pop", "0.2"), 2, 1, "", 0.75, Path("out"))


def order(styles: str = "jazz", songs: int = 3, **changes: object) -> Order:
    return replace(DEFAULTS, request=SongRequest(styles, "0.17"), songs=songs, **changes)  # type: ignore


def has_only_complete_songs(folder: Path) -> bool:
    stems = Counter(
        p.name.removesuffix(".light.json").removesuffix(p.suffix) for p in folder.iterdir()
    )
    return set(stems.values()) <= {4}


def read_details(folder: Path) -> list[dict[str, Any]]:
    """Contents of the songs' ``.json`` files."""
    songs = sorted(folder.glob("*.mp3"))
    return [json.loads(p.with_suffix(".json").read_text(encoding="utf-8")) for p in songs]


# -- job files -------------------------------------------------------------------------------

CSV = 'styles,songs,length,key,tempo,loop\n"Chill, Dubstep",5,0.5,F minor,140,yes\njazz,2,,,,\n'


def read_orders(path: Path) -> list[Order]:
    """Orders of a job file."""
    return [plan.order for plan in read_order_file(path, DEFAULTS, INTERPRETER)]


def test_csv_and_json_job_files_give_the_same_orders(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "b.csv").write_text(
        CSV.replace(",", ";").replace("Chill;", "Chill,").replace("0.5", "0,5"),
        encoding="utf-8-sig",
    )
    (tmp_path / "c.json").write_text(
        json.dumps(
            [
                {
                    "styles": "Chill, Dubstep",
                    "songs": 5,
                    "length": "0.5",
                    "key": "F minor",
                    "tempo": 140,
                    "loop": True,
                },
                {"styles": "jazz", "songs": 2},
            ]
        )
    )
    first, second = read_orders(tmp_path / "a.csv")
    assert (first.request.styles, first.songs, first.request.key) == (
        "Chill, Dubstep",
        5,
        "F minor",
    )
    assert first.request.tempo == 140
    assert first.request.loop
    assert second.request.length == "0.2"
    assert read_orders(tmp_path / "c.json") == [first, second]
    assert read_orders(tmp_path / "b.csv") == [first, second]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("styles,songs\njazz,none\n", 'line 2: invalid value "none": expected a number'),
        ("styles,songs\njazz,0\n", "line 2: 0 songs"),
        ("styles,speed\njazz,9\n", 'unknown column "speed"'),
        ("styles,loop\njazz,perhaps\n", "expected yes or no"),
        ("", "no orders found"),
        ("songs\n3\n", 'missing "styles"'),
        ("styles,also\njazz,wax\n", 'unknown format "wax"'),
        ("styles\nChill, Dubstep\n", "in quotes"),
        ('[{"styles": "jazz"}, 3]', "order 2"),
        ('[{"styles": "jazz",]', "line 1"),
        ('{"styles": [5]}', "expected text"),
        ("[" * 9999, "deep"),
        ('{"styles": "jazz", "songs": 1.5}', "expected a whole number"),
        ('styles,songs\njazz,"1,000"\n', 'line 2: invalid value "1,000": expected a whole number'),
        ("styles;songs\njazz;1.000\n", "expected a whole number"),
        ("Styles,songs,styles\njazz,1,folk\n", 'line 1: duplicate column "styles"'),
        ("styles,songs,number\njazz,1,2\n", "songs and number mean the same"),
        ("\n\n\nstyles,songs\njazz,none\n", "line 5"),
    ],
)
def test_a_mistake_in_a_job_file_is_reported_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UsageError, match=r"a\.csv") as caught:
        read_order_file(
            tmp_path / "a.csv", replace(DEFAULTS, request=SongRequest("", "1")), INTERPRETER
        )
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_job_file_may_be_written_loosely(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        'sep=;\n\nStyles;Number;Tempo\n\njazz | "x" folk;3.0;92,5\n'.replace('"x" ', "")
    )
    one, two = read_orders(tmp_path / "a.csv")
    assert [o.request.styles for o in (one, two)] == ["jazz", "folk"]
    assert one.songs == two.songs == 3
    assert one.request.tempo == two.request.tempo == 92.5
    assert two.seed == one.seed + 3


def test_a_job_file_may_ask_for_songs_without_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        'styles,songs\n"jazz, keep going until I stop",\npop,endless\n'
        'rock until 23:30,\n"pop, endless",2\n'
    )
    orders = read_orders(tmp_path / "a.csv")
    assert [order.endless for order in orders] == [True, True, True, False]
    assert [bool(order.until) for order in orders] == [False, False, True, False]
    assert orders[3].songs == 2


def test_what_is_said_of_a_job_file_is_how_it_is_understood(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("styles,key\nreggaeton,H-Dur\n")
    (plan,) = read_order_file(tmp_path / "a.csv", DEFAULTS, INTERPRETER)
    assert plan.order.request.key == "B major"
    assert plan.understood
    assert plan.understood.notes == ("reggaeton: nearest is cumbia",)


@settings(max_examples=200)
@given(
    st.binary(max_size=120)
    | st.text(max_size=120).map(str.encode)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=6),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(
                st.sampled_from(["styles", "songs", "tempo", "also", "loop", "seed", "x"]), x
            )
        ),
        max_leaves=8,
    ).map(lambda v: json.dumps(v).encode())
)
def test_any_job_file_is_read_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("j") / "a.csv"
    path.write_bytes(data)
    try:
        assert all(isinstance(o, Order) for o in read_orders(path))
    except UsageError as error:
        assert "\n" not in str(error)


# -- recipes ---------------------------------------------------------------------------------


def recipe(sheet: LeadSheet, **options: object) -> Recipe:
    composition = Composition(sheet, "Model", 3, 0.5, 100, 1.5, "rules", ("verse", "chorus"))
    return Recipe(SongRequest("Folk", "0.2", key="E minor"), 7, 0.75, composition, **options)


def test_a_recipe_survives_a_json_round_trip(tune: LeadSheet, styles: dict[str, Style]) -> None:
    original = recipe(replace(tune, title='A "Tune" | \\ ♪', tempo=90.0), order="x", number=3)
    loaded = recipe_from_json(json.loads(json.dumps(recipe_to_json(original))), styles)
    assert loaded.composition
    assert original.composition
    assert loaded.request == original.request
    assert loaded.composition.sheet.parts == tune.parts
    assert loaded.order == "x"
    assert loaded.number == 3
    assert loaded.composition.sheet.title == original.composition.sheet.title
    assert recipe_to_json(recipe_from_json(recipe_to_json(loaded), styles)) == recipe_to_json(
        loaded
    )


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=6),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "wishes",
                        "seed",
                        "temperature",
                        "written",
                        "styles",
                        "file",
                        "form",
                        "sheet",
                        "title",
                        "number",
                    ]
                ),
                x,
            )
        ),
        max_leaves=12,
    )
)
def test_any_recipe_is_read_or_rejected(styles: dict[str, Style], data: object) -> None:
    whole = recipe_to_json(recipe(read_abc(TUNE)))
    for broken in (
        data,
        {**whole, **data} if isinstance(data, dict) else data,
        {**whole, "written": {**whole["written"], **data}} if isinstance(data, dict) else data,
    ):
        try:
            recipe_from_json(broken, styles)
        except MusicGenError as error:
            assert "\n" not in str(error)


def test_a_song_is_reproduced_from_its_recipe(run: Run, home: Path) -> None:
    """Without a model, and sample for sample."""
    assert run("generate", "Folk", *SHORT, "--songs", "2").returncode == 0
    (home / "models" / "starter.gguf").unlink()
    first = sorted((home / "output").glob("*.mp3"))[0]
    done = run("render", str(first.with_suffix(".json")), "--out", str(home / "again"))
    assert done.returncode == 0, done.stderr
    (again,) = (home / "again").glob("*.mp3")
    assert again.name == first.name
    assert read_mp3_frames(again) == read_mp3_frames(first)


def read_mp3_frames(mp3: Path) -> bytes:
    """Return the MP3 frames after the ID3 tag."""
    data = mp3.read_bytes()
    size = sum((b & 127) << shift for b, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    return data[10 + size :]


def test_a_json_file_without_a_recipe_is_rejected(run: Run, home: Path) -> None:
    (home / "a.json").write_text('{"title": "x"}')
    done = run("render", str(home / "a.json"))
    assert done.returncode == 1
    assert "no recipe" in done.stderr
    with pytest.raises(StorageError):
        read_recipe(home / "none.json", {})
    with pytest.raises(NotationError):
        read_recipe(home / "a.json", {})


# -- similarity ------------------------------------------------------------------------------


def test_a_transposed_song_is_similar_and_another_melody_is_not(tune: LeadSheet) -> None:
    original = fingerprint(tune)
    assert fingerprint(transpose(tune, 5)) == original
    backwards = replace(
        tune,
        parts=tuple(
            tuple(replace(b, notes=b.notes[::-1]) for b in part[::-1]) for part in tune.parts
        ),
    )
    assert similarity(original.ngrams, fingerprint(backwards).ngrams) < SIMILARITY_THRESHOLD
    first_part = fingerprint(replace(tune, parts=tune.parts[:1]))
    assert similarity(first_part.ngrams, original.ngrams) > SIMILARITY_THRESHOLD


def test_songs_of_one_order_are_not_similar(run: Run, home: Path) -> None:
    """At temperature 0 the model alone would write the same song three times."""
    done = run(
        "generate",
        "Folk",
        "--songs",
        "3",
        "--temperature",
        "0",
        "--key",
        "D major",
        "--chords",
        "D G A D",
        *SHORT,
    )
    assert done.returncode == 0, done.stderr
    sheets = [read_abc(p.read_text(encoding="utf-8")) for p in (home / "output").glob("*.abc")]
    assert len(sheets) == 3
    assert len({s.title for s in sheets}) == 3
    ngrams = [fingerprint(s).ngrams for s in sheets]
    assert all(
        similarity(a, b) < SIMILARITY_THRESHOLD for n, a in enumerate(ngrams) for b in ngrams[:n]
    )


# -- the order store -------------------------------------------------------------------------


def test_orders_are_stored_unchanged(tmp_path: Path) -> None:
    original = Order(
        SongRequest(
            "Chill, Dubstep",
            "4-6",
            "F minor",
            140.0,
            "7/8",
            432.0,
            "intro verse",
            "Fm Db",
            6.0,
            True,
            "C4 E4",
        ),
        50,
        9,
        "ruby",
        1.1,
        Path("/music"),
        320,
        ("wav", "stems"),
        Path("/x.mid"),
    )
    store = OrderStore(tmp_path / "jobs.db")
    order_id = store.add(original).id
    store.close()
    assert OrderStore(tmp_path / "jobs.db").get(order_id).order == original
    with pytest.raises(UsageError):
        order_from_json({"songs": "many"})


def test_orders_can_be_paused_moved_first_cancelled_and_retried(tmp_path: Path) -> None:
    store = OrderStore(tmp_path / "jobs.db")
    one, two, three = (store.add(order(songs=2)).id for _ in range(3))
    store.move_to_front(three)
    assert [j.id for j in store.orders()] == [three, one, two]
    store.set_state(three, OrderState.PAUSED)
    assert [j.id for j in store.orders((OrderState.OPEN,))] == [one, two]
    store.save_failed(two, 1, "the model died")
    store.save_done(two, 2, "Rain")
    store.close_if_done(two)
    assert store.get(two).state == OrderState.DONE
    assert store.failures(two) == [(1, "the model died")]
    assert store.retry_failed(two) == 1
    assert store.get(two).state == OrderState.OPEN
    assert store.get(two).remaining == 1
    assert store.next_song(two, 2) == (1, 1)  # with another seed than the first time
    store.set_state(one, OrderState.CANCELLED)
    store.set_state(one, OrderState.OPEN)
    assert store.get(one).state == OrderState.CANCELLED
    with pytest.raises(UsageError, match="cancelled"):
        store.retry_failed(one)
    with pytest.raises(UsageError, match="no such order: 99"):
        store.get(99)


def test_the_next_song_is_the_first_that_is_not_composed_done_or_failed(tmp_path: Path) -> None:
    store = OrderStore(tmp_path / "jobs.db")
    order_id = store.add(order(songs=3)).id
    store.save_done(order_id, 1, "a")
    store.save_failed(order_id, 3, "x")
    assert store.next_song(order_id, 3) == (2, 0)
    store.save_composed(order_id, 2, "b", {"seed": 1}, None)
    assert store.next_song(order_id, 3) is None
    assert store.composed_songs(order_id) == [(2, {"seed": 1})]


def test_a_damaged_store_is_set_aside_with_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    OrderStore(path).close()
    path.write_bytes(b"SQLite format 3\0" + b"rubbish" * 500)
    store = OrderStore(path)
    assert "was damaged; it was set aside" in store.notice
    assert store.add(order()).id == 1
    assert list(tmp_path.glob("jobs.db.broken-*"))


def test_a_store_with_damaged_pages_is_set_aside_with_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    store = OrderStore(path)
    for _ in range(200):
        store.add(order())
    store.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(bytes(data))
    store = OrderStore(path)
    assert "set aside" in store.notice
    assert store.orders() == []


def test_a_locked_store_is_reported_after_a_timeout(tmp_path: Path) -> None:
    store = OrderStore(tmp_path / "jobs.db", 0.1)
    other = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match="locked by another program"):
        store.add(order())
    other.execute("ROLLBACK")
    assert store.add(order()).id == 1


# -- remote and foreign files ----------------------------------------------------------------


def test_remote_files_cannot_be_saved_outside_their_folder(tmp_path: Path) -> None:
    path = save_remote_files(
        {".mp3": b"music", ".json": b"{}", "/../../x.mp3": b"no", ".exe": b"no"},
        "../Rain",
        tmp_path / "songs",
    )
    assert {p.name for p in (tmp_path / "songs").iterdir()} == {
        ".. Rain.mp3",
        ".. Rain.json",
    } or Path(path).parent == tmp_path / "songs"
    assert not list(tmp_path.glob("*.mp3"))
    assert not list(tmp_path.rglob("*.exe"))
    with pytest.raises(StorageError):
        save_remote_files({".json": b"{}"}, "Rain", tmp_path / "songs")


@given(
    st.text(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.just("abc"),
        lambda x: st.dictionaries(st.sampled_from(["recipe", "order", "number"]), x),
        max_leaves=6,
    ).map(json.dumps)
)
def test_any_json_file_in_the_folder_is_tolerated(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("songs")
    (folder / "a.json").write_text(text, encoding="utf-8")
    (folder / "a.mp3").write_bytes(b"")
    assert set(find_finished_songs(folder, "abc").values()) <= {folder / "a.mp3"}


# -- whole batches ---------------------------------------------------------------------------


def test_several_styles_are_made_in_one_batch(run: Run, home: Path) -> None:
    done = run("generate", "Folk", "--styles", "Jazz", "--songs", "2", *SHORT, "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    songs = [e for e in events if e["event"] == "song"]
    assert Counter(e["order"] for e in songs) == {1: 2, 2: 2}
    assert len({e["title"] for e in songs}) == 4
    assert has_only_complete_songs(home / "output")
    listed = run("jobs", "list", "--json")
    assert [json.loads(x)["state"] for x in listed.stdout.splitlines()] == ["done", "done"]


def test_rows_of_one_style_give_different_songs(run: Run, home: Path) -> None:
    (home / "plan.csv").write_text("styles,songs\njazz,2\njazz,2\n")
    done = run("generate", "--job-file", str(home / "plan.csv"), *SHORT)
    assert done.returncode == 0, done.stderr
    found = read_details(home / "output")
    assert len({d["seed"] for d in found}) == len({d["title"] for d in found}) == 4
    assert run("library", "duplicates").stdout == ""


def test_a_thousand_orders_need_few_open_files(run: Run, home: Path) -> None:
    """Few files are open at a time, and all orders are listed by one command."""
    rows = "".join(f"jazz,1,{n % 200 + 60}\n" for n in range(1000))
    (home / "plan.csv").write_text(f"styles,songs,tempo\n{rows}")
    process = start(home, "generate", "--job-file", str(home / "plan.csv"), *SHORT, "--json")
    read_until(process, '"event": "song"')
    assert len(psutil.Process(process.pid).open_files()) < 20
    process.kill()
    process.communicate()
    listed = run("jobs", "list", "--json").stdout.splitlines()
    assert len(listed) == 1000


def test_similarity_is_checked_across_the_batch(tmp_path: Path, tune: LeadSheet) -> None:
    store = OrderStore(tmp_path / "jobs.db")
    one, two, other = (store.add(order(), batch).id for batch in ("a", "a", "b"))
    tune_fingerprint = fingerprint(tune)
    store.save_composed(one, 1, "Rain", {}, tune_fingerprint)
    assert store.find_similar(two, tune_fingerprint) == 1
    assert store.has_title(two, "RAIN")
    assert store.find_similar(other, tune_fingerprint) is None
    assert not store.has_title(other, "Rain")
    for n in (1, 2, 3):
        store.save_done(one, n, "Rain")
    store.close_if_done(one)
    assert (
        store.find_similar(two, tune_fingerprint) == 1
    )  # other orders of its batch are still open


def test_fingerprints_are_stored_while_their_batch_can_continue(
    tmp_path: Path, tune: LeadSheet
) -> None:
    store = OrderStore(tmp_path / "jobs.db")
    tune_fingerprint = fingerprint(tune)
    failed = store.add(order(songs=2), "a").id
    store.save_composed(failed, 1, "Rain", {}, tune_fingerprint)
    store.save_done(failed, 1, "Rain")
    store.save_failed(failed, 2, "broken")
    store.close_if_done(failed)
    assert store.get(failed).state == OrderState.DONE
    assert store.retry_failed(failed) == 1
    assert (
        store.find_similar(failed, replace(tune_fingerprint, chords=tune_fingerprint.chords + 1))
        == 1
    )
    finished = [store.add(order(songs=1), "b").id for _ in range(140)]
    last = store.add(order(songs=1), "b").id
    store.save_composed(finished[0], 1, "Wind", {}, tune_fingerprint)
    for number in finished:
        store.save_done(number, 1, "Song")
        store.close_if_done(number)
    store.add(order())  # this deletes the oldest finished orders
    assert store.find_similar(last, tune_fingerprint) == 1
    assert store.get(finished[0]).state == OrderState.DONE
    store.save_done(last, 1, "Song")
    store.close_if_done(last)
    store.add(order())
    assert store.get(finished[0]).state == OrderState.DONE  # its batch has one of the last hundred
    for _ in range(101):
        number = store.add(order(songs=1)).id
        store.save_done(number, 1, "Song")
        store.close_if_done(number)
    store.add(order())
    with pytest.raises(UsageError):
        store.get(finished[0])


@pytest.mark.parametrize(
    ("row", "message"), [("jazz,1,H flat,", "H flat"), ("jazz,1,,nonesuch", "nonesuch")]
)
def test_an_invalid_row_is_reported_with_its_line_before_any_song_is_made(
    run: Run, home: Path, row: str, message: str
) -> None:
    (home / "plan.csv").write_text(f"styles,songs,key,model\nfolk,1,,\n{row}\n")
    done = run("generate", "--job-file", str(home / "plan.csv"))
    assert done.returncode == 2
    assert "plan.csv, line 3" in done.stderr
    assert message in done.stderr
    assert not (home / "output").exists()
    assert run("jobs", "list").stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--jobs", "0"],
        ["--jobs", "-1"],
        ["--jobs", "99"],
        ["--resume", "--jobs", "0"],
        ["--resume", "--styles", "folk"],
    ],
)
def test_invalid_options_are_rejected_before_an_order_is_stored(
    run: Run, arguments: list[str]
) -> None:
    done = run("generate", *([] if "--resume" in arguments else ["jazz"]), *arguments)
    assert done.returncode == 2
    assert "fault" not in done.stderr
    assert run("jobs", "list").stdout == ""


def test_an_order_claimed_by_another_process_is_left_alone(run: Run, home: Path) -> None:
    store = OrderStore(home / "data" / "jobs.db")
    stored = store.add(order(out=home / "output"))
    claim = claim_batch(store.path, stored.batch)
    assert claim
    done = run("generate", "--resume")
    assert done.returncode == 0
    assert "order 1 is being made by another program" in done.stderr
    assert store.get(stored.id).done == 0
    claim.release()
    store.close()


def test_every_row_of_a_job_file_is_made(run: Run, home: Path) -> None:
    (home / "plan.csv").write_text("styles,songs,key\nfolk,1,D major\njazz,1,C minor\n")
    done = run("generate", "--job-file", str(home / "plan.csv"), *SHORT)
    assert done.returncode == 0, done.stderr
    keys = {details["key"] for details in read_details(home / "output")}
    assert keys == {"D major", "C minor"}


@pytest.mark.parametrize("text", ['"event": "song"', '"stage": "render"'])
def test_a_killed_batch_resumes_where_it_stopped(run: Run, home: Path, text: str) -> None:
    process = start(home, "generate", "folk", "--songs", "5", *SHORT, "--json")
    read_until(process, text)
    children = descendants(process)
    process.kill()
    process.communicate()
    wait_until(
        lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in children)
    )
    before = len(list((home / "output").glob("*.mp3")))
    assert before < 5
    done = run("generate", "--resume", "--json")
    assert done.returncode == 0, done.stderr
    assert set(numbers(home / "output").values()) == {1}
    assert has_only_complete_songs(home / "output")
    assert {n for _, n in numbers(home / "output")} == {1, 2, 3, 4, 5}
    again = run("generate", "--resume")
    assert again.returncode == 2
    assert "no unfinished order" in again.stderr


def test_a_resumed_batch_makes_the_same_songs_as_an_uninterrupted_one(run: Run, home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "4", *SHORT, "--json")
    read_until(process, '"event": "song"')
    process.kill()
    process.communicate()
    run("generate", "--resume")
    whole = run("generate", "folk", "--songs", "4", *SHORT, "--out", str(home / "whole"))
    assert whole.returncode == 0
    assert {p.name: read_mp3_frames(p) for p in (home / "output").glob("*.mp3")} == {
        p.name: read_mp3_frames(p) for p in (home / "whole").glob("*.mp3")
    }


def test_a_rendering_process_that_dies_costs_no_song(home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "4", "--jobs", "2", *SHORT, "--json")
    read_until(process, '"stage": "render"')
    renderers = [p for p in descendants(process) if "spawn_main" in command_line(p)]
    assert renderers, "no rendering process found"
    renderers[0].kill()
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert '"note"' in stdout
    assert "its songs are rendered again" in stdout
    assert set(numbers(home / "output").values()) == {1}
    assert len(numbers(home / "output")) == 4


def test_a_killed_batch_leaves_no_process(home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "4", "--length", "3", "--json")
    read_until(process, '"stage": "render"')
    children = descendants(process)
    assert len(children) >= 3  # a model process and two rendering processes
    process.kill()
    process.communicate()
    wait_until(
        lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in children), 20
    )


def test_a_failing_order_is_stopped_and_the_others_continue(run: Run, home: Path) -> None:
    store = OrderStore(home / "data" / "jobs.db")
    bad = store.add(order(songs=9, model="gone", out=home / "output")).id
    good = store.add(order(songs=1, out=home / "output")).id
    done = run("generate", "--resume")
    assert done.returncode == 1
    assert 'no model "gone"' in done.stderr
    assert store.get(bad).state == OrderState.STOPPED
    assert store.get(bad).failed == 3
    assert store.get(good).state == OrderState.DONE
    listed = run("jobs", "list")
    assert "song 3 failed" in listed.stdout
    store.close()


def test_an_order_is_paused_and_cancelled_from_another_console(run: Run, home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "40", *SHORT, "--json")
    read_until(process, '"event": "song"')
    assert run("jobs", "pause", "1").returncode == 0
    store = OrderStore(home / "data" / "jobs.db")
    wait_until(lambda: store.get(1).state == OrderState.PAUSED and process.poll() is None)
    assert run("jobs", "cancel", "1").returncode == 0
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert 0 < store.get(1).done < 40
    assert store.orders(UNFINISHED_STATES) == []
    assert has_only_complete_songs(home / "output")
    store.close()


def test_two_programs_make_songs_in_one_folder(home: Path) -> None:
    both = [start(home, "generate", "folk", "--songs", "2", *SHORT) for _ in range(2)]
    for process in both:
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr
    assert len(numbers(home / "output")) == 4
    assert has_only_complete_songs(home / "output")


def test_ctrl_c_in_a_batch_leaves_complete_songs_and_says_how_to_resume(home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "6", *SHORT, "--json")
    read_until(process, '"event": "song"')
    interrupt(process)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert "--resume" in stderr
    assert has_only_complete_songs(home / "output")
    store = OrderStore(home / "data" / "jobs.db")
    assert store.get(1).state == OrderState.PAUSED  # so that no other process resumes it
    store.close()


def test_a_model_loaded_in_advance_serves_every_style(home: Path, styles: dict[str, Style]) -> None:
    with ComposingService(Settings()) as composing:
        composing.prepare("")
        loaded = [model.pid for model in composing._models]
        for name in sorted(styles)[::4]:
            spec = build_spec(SongRequest(name, length="3"), styles, 1)
            composing._composer_for("", spec)
        assert [model.pid for model in composing._models] == loaded


def test_a_model_that_cannot_be_loaded_in_advance_is_reported_by_its_order(home: Path) -> None:
    damaged = home / "models" / "damaged.gguf"
    data = bytearray(STARTER.read_bytes())
    damaged.write_bytes(data[: len(data) // 2])
    with ComposingService(Settings()) as composing:
        composing.prepare("damaged")
        assert not composing._models
        with pytest.raises(ModelError, match="damaged"):
            composing.check_order(
                Order(
                    SongRequest("pop"),
                    songs=1,
                    seed=1,
                    model="damaged",
                    temperature=0.75,
                    out=home,
                )
            )
