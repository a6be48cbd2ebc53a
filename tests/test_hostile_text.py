"""Text of strangers' files and models in everything that the program writes or shows."""

from __future__ import annotations

import json
import logging
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.arranger.arrange import SongArrangement, arrange
from scripts.audio.mp3 import Tags, write_tags
from scripts.audio.tags import read_tags
from scripts.cli import console
from scripts.composer.compose import Composition
from scripts.core import paths
from scripts.core.errors import NotationError, UsageError
from scripts.core.log import LOG_FILE_NAME, set_up_logging
from scripts.core.text import clean_line, shorten_message, strip_control_chars
from scripts.exports.midi import write_midi
from scripts.exports.musicxml import build_musicxml
from scripts.library.playlists import write_m3u8
from scripts.library.songs import build_song
from scripts.llm.gguf_file import read_gguf
from scripts.production.recipe import Recipe
from scripts.production.recipe_json import recipe_from_json, recipe_to_json
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec
from scripts.score.abc_piece import read_abc_piece
from scripts.score.abc_reader import read_abc
from scripts.score.abc_writer import write_abc
from scripts.score.sheet import LeadSheet
from scripts.score.xml_piece import read_xml_piece
from scripts.styles.style import Style
from scripts.synth.instruments import load_instruments

ATTACKS = [
    "\x1b]0;owned\x07", "\x1b]52;c;cm0gLXJm\x07", "\x1b[2J\x1b[1;1H", "\x9b31m", "\0",
    "\r\nX:2\nK:C", "\u202egnp.exe", "\u2066x\u2069", "\u2028", "\ud800", "\udcff",
    "\ufeff", "\x85", "100% K:C",
    "</movement-title>", "#EXTINF:1,x", '"]}', "\\n", "\ufffe", "\U000e0041", "\x7f",
    "T:T\nK:D\nCDEF|",
    "\n2026-01-01 00:00:00,000 INFO    1 x: y",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(ATTACKS) | st.text(max_size=12), min_size=1, max_size=5).map(
    " ".join
)
INSTRUMENTS = load_instruments(paths.DATA / "instruments")


def assert_harmless(text: str) -> None:
    assert text.isprintable()
    text.encode("utf-8")


@pytest.fixture
def arrangement(spec: Callable[..., SongSpec], tune: LeadSheet) -> SongArrangement:
    return arrange(spec("pop", length="0.3"), tune, paths.DATA)


@given(text=TEXTS)
def test_cleaned_text_is_printable_and_stays_so(text: str) -> None:
    assert_harmless(strip_control_chars(text))
    assert clean_line(clean_line(text)) == clean_line(text)
    assert "\n" not in clean_line(text)


@given(text=TEXTS, length=st.integers(0, 400))
def test_an_error_is_one_short_line(text: str, length: int) -> None:
    message = str(NotationError(f"{text * (1 + length)}; write another"))
    assert_harmless(message)
    assert len(message) <= 200
    assert message.endswith("; write another")


def test_a_long_message_keeps_what_to_do() -> None:
    assert shorten_message("short") == "short"
    path = "/home/somebody/" + "Documents and Settings/" * 20 + "tune.abc"
    shown = shorten_message(f"cannot read {path}: No such file or directory; check the path")
    assert shown.startswith("cannot read /home/somebody/")
    assert shown.endswith("/tune.abc: No such file or directory; check the path")


@given(title=TEXTS, origin=TEXTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_abc_that_is_written_has_only_its_own_fields(
    title: str, origin: str, tune: LeadSheet
) -> None:
    sheet = replace(tune, title=title, origin=origin)
    text = write_abc(sheet)
    plain = write_abc(replace(tune, title="A", origin="B"))
    assert len(text.splitlines()) >= len(plain.splitlines()) - 2  # an empty text is left out
    assert read_abc(text).bars == tune.bars
    assert read_abc(text).title == clean_line(title, 400)
    assert all(map(str.isprintable, text.split("\n")))
    assert read_abc_piece(text).title == clean_line(title, 400)


@given(text=TEXTS)
def test_text_of_abc_is_clean_when_it_is_read(text: str) -> None:
    lines = text.encode("utf-8", "replace").decode("utf-8")
    try:
        piece = read_abc_piece(
            f"X:1\nT:{lines}\nC:{lines}\nN:{lines}\nM:4/4\nL:1/8\nV:{lines}\nK:C\nC8 {lines}|\n"
        )
    except NotationError as error:
        assert_harmless(str(error))
        return
    for shown in (piece.title, piece.composer, *piece.warnings, *(v.name for v in piece.voices)):
        assert_harmless(shown)


@given(text=TEXTS)
@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_musicxml_and_midi_are_well_formed(
    text: str, arrangement: SongArrangement, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sheet = replace(arrangement.sheet, title=text, origin=text)
    changed = replace(arrangement, sheet=sheet)
    score = build_musicxml(changed, INSTRUMENTS)
    ElementTree.fromstring(score)
    piece = read_xml_piece(score.encode())
    assert_harmless(piece.title + piece.composer)
    file = tmp_path_factory.mktemp("midi") / "a.mid"
    write_midi(file, changed, INSTRUMENTS, sheet.title, sheet.key, sheet.meter)
    for track in mido.MidiFile(file, charset="utf-8").tracks:
        assert_harmless(track.name)


@given(text=TEXTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_json_of_a_song_and_a_printed_result_are_valid(
    text: str, tune: LeadSheet, styles: dict[str, Style]
) -> None:
    sheet = replace(tune, title=text, origin=text)
    composition = Composition(sheet, "m", 1, 0.0, 1, 1.0, text, ("verse",))
    data = recipe_to_json(Recipe(SongRequest("pop"), 1, 0.7, composition, order="x"))
    data["written"]["model"] = data["order"] = text.encode("utf-8", "replace").decode("utf-8")
    read = recipe_from_json(data, styles)
    assert read.composition
    assert_harmless(read.order + read.composition.model + read.composition.words_by)
    assert_harmless(read.composition.sheet.title)
    imported = Recipe(SongRequest("pop"), 1, 0.7, file=Path(data["order"] or "a"), notes=b"X:1")
    for written in (recipe_to_json(read), recipe_to_json(imported)):
        lines = json.dumps(written, ensure_ascii=False, indent=1).split("\n")
        assert all(map(str.isprintable, lines))


@given(text=TEXTS)
def test_a_request_is_cleaned_or_refused(text: str) -> None:
    try:
        request = SongRequest(text, form=text)
    except UsageError as error:
        assert "not valid Unicode" in str(error)
        assert any("\ud800" <= c <= "\udfff" for c in text)
        return
    assert_harmless(request.styles + str(request.form))


@given(text=TEXTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_playlist_has_one_line_for_a_title(text: str, tmp_path: Path) -> None:
    song = build_song(tmp_path / "a.mp3", {"title": text}, _NO_TAGS)
    write_m3u8(tmp_path / "list.m3u8", [song])
    lines = (tmp_path / "list.m3u8").read_text(encoding="utf-8").split("\n")
    assert len(lines) == 4
    assert all(map(str.isprintable, lines))


@given(text=TEXTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tags_that_are_read_are_clean(text: str, tmp_path: Path) -> None:
    song = tmp_path / "a.mp3"
    song.write_bytes((b"\xff\xfb\x90\x00" + bytes(413)) * 6)
    valid = text.encode("utf-8", "replace").decode("utf-8")
    write_tags(song, Tags(valid, valid, valid, "Pop", 90, "C", 2026, valid))
    for tag in read_tags(song).texts.values():
        assert_harmless(tag)


@given(text=TEXTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_name_in_a_model_file_is_clean(text: str, tmp_path: Path) -> None:
    info = read_gguf(_write_header(tmp_path / "a.gguf", text))
    assert_harmless(info.name + info.architecture)


@given(text=TEXTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_on_the_console_are_printable(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console.print_line(text)
    console.print_notice(text)
    console.print_message(text)
    console.print_json(text=text)
    shown = capsys.readouterr()
    for stream, count in ((shown.out, 2), (shown.err, 2)):
        assert len(stream.split("\n")) == count + 1
        assert all(map(str.isprintable, stream.split("\n")))


@given(text=TEXTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_record_of_the_log_is_one_line(text: str, home: Path) -> None:
    set_up_logging()
    log = home / "data" / "log" / LOG_FILE_NAME
    log.unlink(missing_ok=True)
    logging.getLogger("scripts.tests").info("loaded %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("scripts.tests").exception("failed")
    lines = log.read_text(encoding="utf-8").split("\n")
    assert all(map(str.isprintable, lines))
    starts = [line for line in lines if re.match(r"\d{4}-\d\d-\d\d ", line)]
    assert len(starts) == 2, starts  # also where the exception's text looks like a record


_NO_TAGS = read_tags(Path("no file"))


def _write_header(path: Path, name: str) -> Path:
    """Write the header of a GGUF file without tensors."""

    def text(value: str) -> bytes:
        data = value.encode("utf-8", "surrogatepass")
        return struct.pack("<Q", len(data)) + data

    pairs = [("general.architecture", name or "llama"), ("general.name", name)]
    body = b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in pairs)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + body)
    return path
