"""Batches: many songs in one go, kept over kills and crashes, none lost and none made twice."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.batch.claims import claim_batch
from scripts.batch.order import Order, order_from_json
from scripts.batch.order_file import read_order_file
from scripts.batch.store import UNFINISHED, OrderState, OrderStore
from scripts.composer.compose import Composition
from scripts.core.errors import MusicGenError, NotationError, StorageError, UsageError
from scripts.production.recipe import Recipe, read_recipe, recipe_from_json
from scripts.production.render_job import find_finished_songs, save_remote_files
from scripts.request.spec import SongRequest
from scripts.score.abc_reader import read_abc
from scripts.score.fingerprint import SIMILARITY_THRESHOLD, fingerprint, similarity
from scripts.score.sheet import LeadSheet, transpose
from scripts.styles.style import Style
from tests.conftest import TUNE
from tests.faults.songs import made as numbers
from tests.support.processes import descendants, interrupt, read_until, start, words_of
from tests.support.waiting import until

Run = Callable[..., subprocess.CompletedProcess[str]]
SHORT = ("--length", "0.17", "--seed", "5")
USUAL = Order(SongRequest("pop", "0.2"), 2, 1, "", 0.75, Path("out"))


def order(styles: str = "jazz", songs: int = 3, **more: object) -> Order:
    return replace(USUAL, request=SongRequest(styles, "0.17"), songs=songs, **more)  # type: ignore


def only_whole_songs(folder: Path) -> bool:
    stems = Counter(p.stem for p in folder.iterdir())
    return set(stems.values()) <= {3}


# -- job files -------------------------------------------------------------------------------

CSV = 'styles,songs,length,key,tempo,loop\n"Chill, Dubstep",5,0.5,F minor,140,yes\njazz,2,,,,\n'


def test_a_csv_and_a_json_of_the_same_orders_are_the_same(tmp_path: Path) -> None:
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
    first, second = read_order_file(tmp_path / "a.csv", USUAL)
    assert (first.request.styles, first.songs, first.request.key) == (
        "Chill, Dubstep",
        5,
        "F minor",
    )
    assert first.request.tempo == 140
    assert first.request.loop
    assert second.request.length == "0.2"
    assert read_order_file(tmp_path / "c.json", USUAL) == [first, second]
    assert read_order_file(tmp_path / "b.csv", USUAL) == [first, second]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("styles,songs\njazz,none\n", 'line 2: invalid value "none": expected a number'),
        ("styles,songs\njazz,0\n", "line 2: 0 songs"),
        ("styles,speed\njazz,9\n", 'unknown column "speed"'),
        ("styles,loop\njazz,perhaps\n", "expected yes or no"),
        ("", "no orders found"),
        ("songs\n3\n", "no styles"),
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
def test_a_mistake_in_a_job_file_is_told_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UsageError, match=r"a\.csv") as told:
        read_order_file(tmp_path / "a.csv", replace(USUAL, request=SongRequest("", "1")))
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_a_job_file_as_spreadsheets_and_people_write_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        'sep=;\n\nStyles;Number;Tempo\n\njazz | "x" folk;3.0;92,5\n'.replace('"x" ', "")
    )
    one, two = read_order_file(tmp_path / "a.csv", USUAL)
    assert [o.request.styles for o in (one, two)] == ["jazz", "folk"]
    assert one.songs == two.songs == 3
    assert one.request.tempo == two.request.tempo == 92.5
    assert two.seed == one.seed + 3


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
def test_any_job_file_is_survived(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("j") / "a.csv"
    path.write_bytes(data)
    try:
        assert all(isinstance(o, Order) for o in read_order_file(path, USUAL))
    except UsageError as error:
        assert "\n" not in str(error)


# -- recipes ---------------------------------------------------------------------------------


def recipe(sheet: LeadSheet, **more: object) -> Recipe:
    written = Composition(sheet, "Model", 3, 0.5, 100, 1.5, "rules", ("verse", "chorus"))
    return Recipe(SongRequest("Folk", "0.2", key="E minor"), 7, 0.75, written, **more)  # type: ignore


def test_a_recipe_comes_back_from_its_json(tune: LeadSheet, styles: dict[str, Style]) -> None:
    made = recipe(replace(tune, title='A "Tune" | \\ ♪', tempo=90.0), order="x", number=3)
    again = recipe_from_json(json.loads(json.dumps(made.to_json())), styles)
    assert again.composition
    assert made.composition
    assert again.request == made.request
    assert again.composition.sheet.parts == tune.parts
    assert again.order == "x"
    assert again.number == 3
    assert again.composition.sheet.title == made.composition.sheet.title
    assert again.to_json() == recipe_from_json(again.to_json(), styles).to_json()


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
def test_any_recipe_is_survived(styles: dict[str, Style], data: object) -> None:
    whole = recipe(read_abc(TUNE)).to_json()
    for broken in (
        data,
        {**whole, **data} if isinstance(data, dict) else data,
        {**whole, "written": {**whole["written"], **data}} if isinstance(data, dict) else data,
    ):
        try:
            recipe_from_json(broken, styles)
        except MusicGenError as error:
            assert "\n" not in str(error)


def test_a_song_is_made_again_from_its_json(run: Run, home: Path) -> None:
    """On a computer without any model, and to the very samples."""
    assert run("generate", "Folk", *SHORT, "--songs", "2").returncode == 0
    (home / "models" / "starter.gguf").unlink()
    first = sorted((home / "output").glob("*.mp3"))[0]
    done = run("render", str(first.with_suffix(".json")), "--out", str(home / "again"))
    assert done.returncode == 0, done.stderr
    (again,) = (home / "again").glob("*.mp3")
    assert again.name == first.name
    assert sound_of(again) == sound_of(first)


def sound_of(mp3: Path) -> bytes:
    """The frames behind the tag."""
    data = mp3.read_bytes()
    size = sum((b & 127) << shift for b, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    return data[10 + size :]


def test_a_json_without_a_recipe_is_told(run: Run, home: Path) -> None:
    (home / "a.json").write_text('{"title": "x"}')
    done = run("render", str(home / "a.json"))
    assert done.returncode == 1
    assert "no recipe" in done.stderr
    with pytest.raises(StorageError):
        read_recipe(home / "none.json", {})
    with pytest.raises(NotationError):
        read_recipe(home / "a.json", {})


# -- likeness --------------------------------------------------------------------------------


def test_a_song_in_another_key_is_alike_and_another_melody_is_not(tune: LeadSheet) -> None:
    marks = fingerprint(tune)
    assert fingerprint(transpose(tune, 5)) == marks
    backwards = replace(
        tune,
        parts=tuple(
            tuple(replace(b, notes=b.notes[::-1]) for b in part[::-1]) for part in tune.parts
        ),
    )
    assert similarity(marks.ngrams, fingerprint(backwards).ngrams) < SIMILARITY_THRESHOLD
    first_part = fingerprint(replace(tune, parts=tune.parts[:1]))
    assert similarity(first_part.ngrams, marks.ngrams) > SIMILARITY_THRESHOLD


def test_songs_of_one_wish_are_not_alike(run: Run, home: Path) -> None:
    """Without chance: the model alone would write the same song three times."""
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
    turns = [fingerprint(s).ngrams for s in sheets]
    assert all(
        similarity(a, b) < SIMILARITY_THRESHOLD for n, a in enumerate(turns) for b in turns[:n]
    )


# -- the list of orders ----------------------------------------------------------------------


def test_orders_are_kept_as_they_were(tmp_path: Path) -> None:
    asked = Order(
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
    jobs = OrderStore(tmp_path / "jobs.db")
    number = jobs.add(asked).id
    jobs.close()
    assert OrderStore(tmp_path / "jobs.db").get(number).order == asked
    with pytest.raises(UsageError):
        order_from_json({"songs": "many"})


def test_an_order_is_paused_put_first_cancelled_and_retried(tmp_path: Path) -> None:
    jobs = OrderStore(tmp_path / "jobs.db")
    one, two, three = (jobs.add(order(songs=2)).id for _ in range(3))
    jobs.put_first(three)
    assert [j.id for j in jobs.orders()] == [three, one, two]
    jobs.set_state(three, OrderState.PAUSED)
    assert [j.id for j in jobs.orders((OrderState.OPEN,))] == [one, two]
    jobs.save_failed(two, 1, "the model died")
    jobs.save_done(two, 2, "Rain")
    jobs.close_if_done(two)
    assert jobs.get(two).state == OrderState.DONE
    assert jobs.failures(two) == [(1, "the model died")]
    assert jobs.retry_failed(two) == 1
    assert jobs.get(two).state == OrderState.OPEN
    assert jobs.get(two).remaining == 1
    assert jobs.next_song(two, 2) == (1, 1)  # with another seed than the first time
    jobs.set_state(one, OrderState.CANCELLED)
    jobs.set_state(one, OrderState.OPEN)
    assert jobs.get(one).state == OrderState.CANCELLED
    with pytest.raises(UsageError, match="cancelled"):
        jobs.retry_failed(one)
    with pytest.raises(UsageError, match="no such order: 99"):
        jobs.get(99)


def test_the_next_song_is_the_first_that_nothing_has_become_of(tmp_path: Path) -> None:
    jobs = OrderStore(tmp_path / "jobs.db")
    job = jobs.add(order(songs=3)).id
    jobs.save_done(job, 1, "a")
    jobs.save_failed(job, 3, "x")
    assert jobs.next_song(job, 3) == (2, 0)
    jobs.save_composed(job, 2, "b", {"seed": 1}, None)
    assert jobs.next_song(job, 3) is None
    assert jobs.composed_songs(job) == [(2, {"seed": 1})]


def test_a_damaged_list_is_set_aside_and_told(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    OrderStore(path).close()
    path.write_bytes(b"SQLite format 3\0" + b"rubbish" * 500)
    jobs = OrderStore(path)
    assert "was damaged; it was set aside" in jobs.notice
    assert jobs.add(order()).id == 1
    assert list(tmp_path.glob("jobs.db.broken-*"))


def test_a_list_that_is_damaged_meanwhile_is_told(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    jobs = OrderStore(path)
    for _ in range(200):
        jobs.add(order())
    jobs.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(bytes(data))
    jobs = OrderStore(path)
    assert "set aside" in jobs.notice
    assert jobs.orders() == []


def test_a_locked_list_is_told_and_not_waited_for_for_ever(tmp_path: Path) -> None:
    jobs = OrderStore(tmp_path / "jobs.db", 0.1)
    other = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match="locked by another program"):
        jobs.add(order())
    other.execute("ROLLBACK")
    assert jobs.add(order()).id == 1


# -- songs from elsewhere --------------------------------------------------------------------


def test_files_that_another_computer_sends_cannot_leave_their_folder(tmp_path: Path) -> None:
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
def test_any_json_in_the_folder_is_survived(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("songs")
    (folder / "a.json").write_text(text, encoding="utf-8")
    (folder / "a.mp3").write_bytes(b"")
    assert set(find_finished_songs(folder, "abc").values()) <= {folder / "a.mp3"}


# -- whole batches ---------------------------------------------------------------------------


def test_several_styles_in_one_go(run: Run, home: Path) -> None:
    done = run("generate", "Folk", "--styles", "Jazz", "--songs", "2", *SHORT, "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    songs = [e for e in events if e["event"] == "song"]
    assert Counter(e["order"] for e in songs) == {1: 2, 2: 2}
    assert len({e["title"] for e in songs}) == 4
    assert only_whole_songs(home / "output")
    listed = run("jobs", "list", "--json")
    assert [json.loads(x)["state"] for x in listed.stdout.splitlines()] == ["done", "done"]


def test_rows_of_one_style_are_no_twins(run: Run, home: Path) -> None:
    (home / "plan.csv").write_text("styles,songs\njazz,2\njazz,2\n")
    done = run("generate", "--job-file", str(home / "plan.csv"), *SHORT)
    assert done.returncode == 0, done.stderr
    found = [json.loads(p.read_text(encoding="utf-8")) for p in (home / "output").glob("*.json")]
    assert len({d["seed"] for d in found}) == len({d["title"] for d in found}) == 4
    assert run("library", "duplicates").stdout == ""


def test_a_thousand_orders_are_looked_through_quickly(run: Run, home: Path) -> None:
    """No more files are open than a system lets a program have, and the list is read at once."""
    rows = "".join(f"jazz,1,{n % 200 + 60}\n" for n in range(1000))
    (home / "plan.csv").write_text(f"styles,songs,tempo\n{rows}")
    process = start(home, "generate", "--job-file", str(home / "plan.csv"), *SHORT, "--json")
    read_until(process, '"event": "song"')
    assert len(psutil.Process(process.pid).open_files()) < 20
    process.kill()
    process.communicate()
    listed = run("jobs", "list", "--json").stdout.splitlines()
    assert len(listed) == 1000


def test_likeness_is_looked_for_in_the_whole_batch(tmp_path: Path, tune: LeadSheet) -> None:
    jobs = OrderStore(tmp_path / "jobs.db")
    one, two, other = (jobs.add(order(), batch).id for batch in ("a", "a", "b"))
    marks = fingerprint(tune)
    jobs.save_composed(one, 1, "Rain", {}, marks)
    assert jobs.find_similar(two, marks) == 1
    assert jobs.has_title(two, "RAIN")
    assert jobs.find_similar(other, marks) is None
    assert not jobs.has_title(other, "Rain")
    for n in (1, 2, 3):
        jobs.save_done(one, n, "Rain")
    jobs.close_if_done(one)
    assert jobs.find_similar(two, marks) == 1  # the others of its batch still go on


def test_likeness_is_known_as_long_as_a_song_of_the_batch_can_come(
    tmp_path: Path, tune: LeadSheet
) -> None:
    jobs = OrderStore(tmp_path / "jobs.db")
    marks = fingerprint(tune)
    failed = jobs.add(order(songs=2), "a").id
    jobs.save_composed(failed, 1, "Rain", {}, marks)
    jobs.save_done(failed, 1, "Rain")
    jobs.save_failed(failed, 2, "broken")
    jobs.close_if_done(failed)
    assert jobs.get(failed).state == OrderState.DONE
    assert jobs.retry_failed(failed) == 1
    assert jobs.find_similar(failed, replace(marks, chords=marks.chords + 1)) == 1
    over = [jobs.add(order(songs=1), "b").id for _ in range(140)]
    last = jobs.add(order(songs=1), "b").id
    jobs.save_composed(over[0], 1, "Wind", {}, marks)
    for number in over:
        jobs.save_done(number, 1, "Song")
        jobs.close_if_done(number)
    jobs.add(order())  # the oldest that are over are forgotten now
    assert jobs.find_similar(last, marks) == 1
    assert jobs.get(over[0]).state == OrderState.DONE
    jobs.save_done(last, 1, "Song")
    jobs.close_if_done(last)
    jobs.add(order())
    assert jobs.get(over[0]).state == OrderState.DONE  # one of its batch is among the last hundred
    for _ in range(101):
        number = jobs.add(order(songs=1)).id
        jobs.save_done(number, 1, "Song")
        jobs.close_if_done(number)
    jobs.add(order())
    with pytest.raises(UsageError):
        jobs.get(over[0])


@pytest.mark.parametrize(
    ("row", "said"), [("jazz,1,H flat,", "H flat"), ("jazz,1,,nonesuch", "nonesuch")]
)
def test_what_cannot_be_met_is_told_with_its_line_before_anything_is_made(
    run: Run, home: Path, row: str, said: str
) -> None:
    (home / "plan.csv").write_text(f"styles,songs,key,model\nfolk,1,,\n{row}\n")
    done = run("generate", "--job-file", str(home / "plan.csv"))
    assert done.returncode == 2
    assert "plan.csv, line 3" in done.stderr
    assert said in done.stderr
    assert not (home / "output").exists()
    assert run("jobs", "list").stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        ["--jobs", "0"],
        ["--jobs", "-1"],
        ["--jobs", "99"],
        ["--resume", "--jobs", "0"],
        ["--resume", "--styles", "folk"],
    ],
)
def test_words_that_cannot_be_are_told_before_an_order_is_kept(run: Run, words: list[str]) -> None:
    done = run("generate", *([] if "--resume" in words else ["jazz"]), *words)
    assert done.returncode == 2
    assert "fault" not in done.stderr
    assert run("jobs", "list").stdout == ""


def test_an_order_that_another_program_makes_is_left_to_it(run: Run, home: Path) -> None:
    jobs = OrderStore(home / "data" / "jobs.db")
    job = jobs.add(order(out=home / "output"))
    held = claim_batch(jobs.path, job.batch)
    assert held
    done = run("generate", "--resume")
    assert done.returncode == 0
    assert "order 1 is being made by another program" in done.stderr
    assert jobs.get(job.id).done == 0
    held.release()
    jobs.close()


def test_a_job_file_in_songs_out(run: Run, home: Path) -> None:
    (home / "plan.csv").write_text("styles,songs,key\nfolk,1,D major\njazz,1,C minor\n")
    done = run("generate", "--job-file", str(home / "plan.csv"), *SHORT)
    assert done.returncode == 0, done.stderr
    keys = {
        json.loads(p.read_text(encoding="utf-8"))["key"] for p in (home / "output").glob("*.json")
    }
    assert keys == {"D major", "C minor"}


@pytest.mark.parametrize("signs", ['"event": "song"', '"stage": "render"'])
def test_a_killed_batch_goes_on_where_it_stopped(run: Run, home: Path, signs: str) -> None:
    process = start(home, "generate", "folk", "--songs", "5", *SHORT, "--json")
    read_until(process, signs)
    family = descendants(process)
    process.kill()
    process.communicate()
    until(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family))
    before = len(list((home / "output").glob("*.mp3")))
    assert before < 5
    done = run("generate", "--resume", "--json")
    assert done.returncode == 0, done.stderr
    assert set(numbers(home / "output").values()) == {1}
    assert only_whole_songs(home / "output")
    assert {n for _, n in numbers(home / "output")} == {1, 2, 3, 4, 5}
    again = run("generate", "--resume")
    assert again.returncode == 2
    assert "no unfinished order" in again.stderr


def test_the_songs_of_a_killed_batch_are_those_of_one_that_was_not(run: Run, home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "4", *SHORT, "--json")
    read_until(process, '"event": "song"')
    process.kill()
    process.communicate()
    run("generate", "--resume")
    whole = run("generate", "folk", "--songs", "4", *SHORT, "--out", str(home / "whole"))
    assert whole.returncode == 0
    assert {p.name: sound_of(p) for p in (home / "output").glob("*.mp3")} == {
        p.name: sound_of(p) for p in (home / "whole").glob("*.mp3")
    }


def test_a_process_that_dies_at_a_song_costs_no_song(home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "4", "--jobs", "2", *SHORT, "--json")
    read_until(process, '"stage": "render"')
    players = [p for p in descendants(process) if "spawn_main" in words_of(p)]
    assert players, "no process plays"
    players[0].kill()
    out, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert '"note"' in out
    assert "made again" in out
    assert set(numbers(home / "output").values()) == {1}
    assert len(numbers(home / "output")) == 4


def test_a_killed_batch_leaves_no_process(home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "4", "--length", "3", "--json")
    read_until(process, '"stage": "render"')
    family = descendants(process)
    assert len(family) >= 3  # a model, and two that play
    process.kill()
    process.communicate()
    until(
        lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family), 20
    )


def test_an_order_that_fails_and_fails_is_stopped_and_the_others_go_on(
    run: Run, home: Path
) -> None:
    jobs = OrderStore(home / "data" / "jobs.db")
    bad = jobs.add(order(songs=9, model="gone", out=home / "output")).id
    good = jobs.add(order(songs=1, out=home / "output")).id
    done = run("generate", "--resume")
    assert done.returncode == 1
    assert 'no model "gone"' in done.stderr
    assert jobs.get(bad).state == OrderState.STOPPED
    assert jobs.get(bad).failed == 3
    assert jobs.get(good).state == OrderState.DONE
    listed = run("jobs", "list")
    assert "song 3 failed" in listed.stdout
    jobs.close()


def test_an_order_is_steered_from_another_console(run: Run, home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "40", *SHORT, "--json")
    read_until(process, '"event": "song"')
    assert run("jobs", "pause", "1").returncode == 0
    jobs = OrderStore(home / "data" / "jobs.db")
    until(lambda: jobs.get(1).state == OrderState.PAUSED and process.poll() is None)
    assert run("jobs", "cancel", "1").returncode == 0
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert 0 < jobs.get(1).done < 40
    assert jobs.orders(UNFINISHED) == []
    assert only_whole_songs(home / "output")
    jobs.close()


def test_two_programs_make_songs_in_one_folder(home: Path) -> None:
    both = [start(home, "generate", "folk", "--songs", "2", *SHORT) for _ in range(2)]
    for process in both:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert len(numbers(home / "output")) == 4
    assert only_whole_songs(home / "output")


def test_ctrl_c_in_a_batch_leaves_whole_songs_and_says_how_to_go_on(home: Path) -> None:
    process = start(home, "generate", "folk", "--songs", "6", *SHORT, "--json")
    read_until(process, '"event": "song"')
    interrupt(process)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "--resume" in said
    assert only_whole_songs(home / "output")
    jobs = OrderStore(home / "data" / "jobs.db")
    assert jobs.get(1).state == OrderState.PAUSED  # no other program that goes on takes it over
    jobs.close()
