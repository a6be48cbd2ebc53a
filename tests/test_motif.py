"""The user's own motif."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.errors import UsageError
from scripts.request.spec import SongSpec
from scripts.score.abc_reader import read_abc
from scripts.score.motif import (
    find_motif_key,
    fit_motif,
    format_pitch_name,
    parse_motif,
    with_motif,
)
from scripts.score.sheet import join_tied_notes
from tests.conftest import TUNE


def test_common_spellings_of_notes_are_parsed() -> None:
    assert parse_motif("C4 E4, g4 F#5 Bb3 c♯5") == (60, 64, 67, 78, 58, 73)
    assert format_pitch_name(60) == "C4"
    assert format_pitch_name(58) == "Bb3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has 0 notes"),
        ("C4 " * 17, "has 17 notes"),
        ("C4 H4", 'invalid note "H4"'),
        ("C", "invalid note"),
        ("C4E4", "invalid note"),
        ("C4 \x1b[2J", "invalid note"),
        ("C##10", "invalid note"),
    ],
)
def test_an_invalid_motif_is_rejected(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_motif(text)


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_rejected(text: str) -> None:
    with contextlib.suppress(UsageError):
        motif = parse_motif(text)
        assert all(48 <= p <= 84 for p in fit_motif(motif, 48, 84))


def test_a_motif_outside_the_range_is_moved_by_octaves_as_a_whole() -> None:
    assert fit_motif((24, 28, 31), 48, 84) == (48, 52, 55)
    assert fit_motif((96, 100), 60, 81) == (72, 76)
    assert fit_motif((60, 64), 48, 84) == (60, 64)


@given(st.lists(st.integers(0, 127), min_size=1, max_size=16), st.integers(30, 60))
def test_any_motif_keeps_its_note_names(pitches: list[int], low: int) -> None:
    moved = fit_motif(pitches, low, low + 14)
    assert all(low <= p <= low + 14 for p in moved)
    assert [p % 12 for p in moved] == [p % 12 for p in pitches]


def test_a_moved_motif_is_reported(spec: Callable[..., SongSpec]) -> None:
    found = spec("jazz", motif="C8 E8")
    assert any("the motif is moved" in warning for warning in found.warnings)
    assert not spec("jazz", motif="C5 E5").warnings


@given(st.lists(st.integers(48, 84), min_size=1, max_size=16))
def test_a_tune_starts_with_the_motif_and_returns_to_it(pitches: list[int]) -> None:
    tune = read_abc(TUNE)
    sheet = with_motif(tune, pitches)
    melody = [p for _, _, p in join_tied_notes(sheet.parts[0])]
    assert melody[: len(pitches)] == pitches
    assert [b.ticks for b in sheet.bars] == [b.ticks for b in tune.bars]
    assert sheet.parts[1:] == tune.parts[1:]
    # The part has 12 notes before its middle.
    if len(pitches) <= 12:
        middle = join_tied_notes(sheet.parts[0][4:])
        assert [p for _, _, p in middle][: len(pitches)] == pitches


def test_a_tied_note_stays_one_note() -> None:
    tied = TUNE.replace('"Em"e4B4|', '"Em"e4B4-|', 1)
    tune = read_abc(tied.replace('"Em"e2g2b2g2|"C"', '"Em"B2g2b2g2|"C"', 2))
    for pitches in ([60, 62, 64, 65], list(range(60, 76)), list(range(60, 74))):
        melody = [p for _, _, p in join_tied_notes(with_motif(tune, pitches).parts[0])]
        assert melody[: min(len(pitches), 14)] == pitches[:14]


def test_the_key_follows_the_motif_unless_one_is_requested(spec: Callable[..., SongSpec]) -> None:
    assert str(find_motif_key((62, 66, 69, 74), "major")) == "D major"
    found = spec("pop", motif="D4 F#4 A4 D5")
    assert found.motif == (62, 66, 69, 74)
    assert found.key.tonic == "D"
    assert str(spec("pop", motif="D4 F#4 A4", key="Ab minor").key) == "Ab minor"
