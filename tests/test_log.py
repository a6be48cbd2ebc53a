"""The log: rotated, shared by processes, without the user's wishes; and the report with it."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.cli.doctor import Check
from scripts.cli.report import redact_home, write_report
from scripts.core import paths
from scripts.core.errors import EncoderError, UsageError
from scripts.core.log import LOG_FILE_NAME, SharedRotatingHandler, loggable, set_up_logging
from scripts.core.settings import Settings
from tests.conftest import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]
LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|WARNING|ERROR|DEBUG) +\d+ [\w.]+: .+"
)


@pytest.fixture
def logger(home: Path) -> Iterator[logging.Logger]:
    """The program's logger, writing into an empty home."""
    set_up_logging()
    found = logging.getLogger("scripts")
    yield found
    for handler in [*found.handlers]:
        found.removeHandler(handler)


def read_log(home: Path) -> str:
    return (home / "data" / "log" / LOG_FILE_NAME).read_text(encoding="utf-8")


def test_a_record_has_time_level_process_and_module(logger: logging.Logger, home: Path) -> None:
    logger.getChild("batch.scheduler").warning("order %d song %d: tried again", 3, 5)
    (line,) = read_log(home).splitlines()
    assert LINE.fullmatch(line)
    assert line.endswith("scripts.batch.scheduler: order 3 song 5: tried again")


def test_debug_records_need_debug(logger: logging.Logger, home: Path) -> None:
    logger.debug("a wish")
    assert not (paths.LOG / LOG_FILE_NAME).exists()
    set_up_logging(debug=True)
    logger.debug("a wish")
    assert "a wish" in read_log(home)


def test_the_log_keeps_five_files_of_a_megabyte(tmp_path: Path) -> None:
    handler = SharedRotatingHandler(tmp_path / "x.log", max_bytes=1000, max_files=5)
    for n in range(200):
        handler.emit(logging.makeLogRecord({"msg": f"{n:>90}"}))
    files = sorted(p.name for p in tmp_path.glob("x.log*") if p.suffix != ".lmg-lock")
    assert files == ["x.log", "x.log.1", "x.log.2", "x.log.3", "x.log.4"]
    assert all((tmp_path / name).stat().st_size <= 1000 for name in files)
    assert (tmp_path / "x.log").read_text().split()[-1] == "199"


def test_processes_that_rotate_one_log_lose_no_record(tmp_path: Path) -> None:
    code = (
        "import logging, sys; from pathlib import Path\n"
        "from scripts.core.log import SharedRotatingHandler\n"
        "handler = SharedRotatingHandler(Path(sys.argv[1]), max_bytes=20_000, max_files=50)\n"
        "for n in range(400):\n"
        "    handler.emit(logging.makeLogRecord({'msg': f'{sys.argv[2]}-{n}' + '.' * 40}))"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "x.log")]
    running = [subprocess.Popen([*words, name], cwd=ROOT) for name in "abc"]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    text = "".join(p.read_text() for p in tmp_path.glob("x.log*") if p.suffix != ".lmg-lock")
    assert len(text.splitlines()) == 1200


def test_a_folder_that_cannot_be_written_costs_only_the_log(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    SharedRotatingHandler(tmp_path / "file" / "x.log").emit(logging.makeLogRecord({"msg": "x"}))
    assert (tmp_path / "file").is_file()


@pytest.mark.slow
def test_a_batch_is_logged_without_the_wishes(run: Run, home: Path) -> None:
    words = ["Chill, Dubstep", "--length", "0.17", "--songs", "2", "--chords", "Fm Db Ab Eb"]
    assert run("generate", *words, "--seed", "3").returncode == 0
    text = read_log(home)
    for expected in (
        "llm-music-gen 0.2.0: generate",
        "order 1: started",
        "starting model starter.gguf",
        "order 1 song 1: composed",
        "order 1 song 2: finished",
        "order 1: done",
    ):
        assert expected in text
    for private in ("Chill", "dubstep", "Db Ab"):
        assert private.lower() not in text.lower()


def test_a_mistake_of_the_user_is_logged_without_its_words(run: Run, home: Path) -> None:
    run("generate", "jazz", "--key", "my secret key")
    assert "ended with UsageError, status 2" in read_log(home)
    assert "secret" not in read_log(home)
    run("generate", "jazz", "--key", "my secret key", "--debug")
    assert "secret" in read_log(home)


@pytest.mark.slow
def test_a_report_has_all_that_a_bug_needs_and_no_home_folder(run: Run, home: Path) -> None:
    (home / "data").mkdir()
    settings = {"song_length": "4-6", "device": f"{Path.home()}/device"}
    (home / "data" / "persistent.json").write_text(json.dumps(settings))
    done = run("doctor", "--report")
    (report,) = home.glob("llm-music-gen-report-*.zip")
    assert f"Report: {report}" in done.stdout
    with zipfile.ZipFile(report) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(texts) == {"versions.txt", "checks.txt", "settings.json", f"log/{LOG_FILE_NAME}"}
    assert "llm-music-gen 0.2.0" in texts["versions.txt"]
    assert "numpy" in texts["versions.txt"]
    assert json.loads(texts["settings.json"])["song_length"] == "4-6"
    assert json.loads(texts["settings.json"])["device"] == "~/device"
    assert not any(str(Path.home()) in text for text in texts.values())


def test_a_report_redacts_a_linked_home_folder_and_odd_names(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.mkdir()
    link.symlink_to(target)
    monkeypatch.setenv("HOME", str(link))
    monkeypatch.setattr(paths, "HOME", tmp_path)
    report = write_report(Settings(), [Check("model", True, f"{target}/\udce9.gguf {link}/x")])
    with zipfile.ZipFile(report) as archive:
        assert archive.read("checks.txt") == b"model: True: ~/\\udce9.gguf ~/x\n"
    assert list(tmp_path.glob("*-part")) == []


def test_errors_that_quote_the_user_are_logged_without_their_message() -> None:
    assert loggable(UsageError('invalid key "my secret"')) == "UsageError"
    assert loggable(EncoderError("ffmpeg failed")) == "ffmpeg failed"


def test_the_home_folder_is_redacted_in_all_its_spellings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path(r"C:\Users\Jörg"))
    text = r'C:\Users\Jörg\x "C:\\Users\\Jörg\\y" C:/Users/Jörg/z'
    assert redact_home(text) == r'~\x "~\\y" ~/z'
