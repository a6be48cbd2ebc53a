"""The rhythm of a melody follows its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.composer.lyric_rhythm import is_strong, plan_line
from scripts.lyrics.syllables import split_line
from scripts.score.time_signature import TimeSignature, parse_time_signature
from tests.support.syllable_lines import LANGUAGES, load_lines

METERS = ("4/4", "3/4", "6/8", "2/4", "5/4", "7/8", "12/8")


def meter_of(text: str) -> TimeSignature:
    meter = parse_time_signature(text)
    assert meter
    return meter


@given(
    st.lists(st.booleans(), min_size=1, max_size=90),
    st.sampled_from(METERS),
    st.integers(0, 9),
)
def test_each_syllable_has_its_note_and_each_bar_is_full(
    stresses: list[bool], name: str, seed: int
) -> None:
    meter = meter_of(name)
    line = plan_line(stresses, meter, seed)
    text = "".join(line.bars)
    assert text.count("x") == len(line.starts) == len(stresses)
    assert [at * 6 for at, sign in enumerate(text) if sign == "x"] == list(line.starts)
    assert all(len(bar) * 6 == meter.bar_ticks for bar in line.bars)
    assert text.endswith("..")  # a breath
    assert ".-" not in text


@pytest.mark.parametrize("name", METERS)
def test_stressed_syllables_come_on_beats(name: str) -> None:
    meter, strong, total = meter_of(name), 0, 0
    for language in LANGUAGES:
        for line in load_lines(language)[::5]:
            stresses = [s.stressed for s in split_line(line.text, language)]
            starts = plan_line(stresses, meter, 1).starts
            places = zip(starts, stresses, strict=True)
            strong += sum(is_strong(at, meter) for at, stressed in places if stressed)
            total += sum(stresses)
    assert strong >= 0.9 * total


def test_lines_of_a_section_share_their_rhythm() -> None:
    meter, stresses = meter_of("4/4"), [False, True] * 4
    assert plan_line(stresses, meter, "verse") == plan_line(stresses, meter, "verse")
    found = {plan_line(stresses, meter, seed).bars for seed in range(20)}
    assert len(found) > 3
