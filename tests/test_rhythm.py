"""Planned rhythms: phrases with breath, kept exactly by whatever a model writes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.composer.compose import Composer
from scripts.composer.grammar import build_sheet_grammar
from scripts.composer.prompts import build_abc_header
from scripts.composer.rhythm import RhythmTable, find_table, load_rhythms, plan_rhythm
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.llm.client import ModelProcess
from scripts.llm.registry import read_language_model
from scripts.llm.sheet_machine import SheetGrammar, SheetMachine, max_sheet_length
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec
from scripts.score.abc_reader import read_abc
from scripts.score.sheet import Bar
from scripts.styles.style import load_styles
from tests.conftest import STARTER
from tests.test_grammar import generate_text

TABLES = load_rhythms(paths.DATA / "rhythms.toml")
ALL_TABLES = [table for meters in TABLES.values() for table in meters.values()]
SONG = TABLES["song"]["4/4"]
STYLES = load_styles(paths.DATA / "styles")
SUNG = sorted(name for name, style in STYLES.items() if style.melody.rhythm)
BAR = 96  # ticks


def lengths(bar: Bar) -> list[int]:
    """Lengths of a bar's notes, negative for rests; rests that follow each other are one."""
    found: list[int] = []
    for note in bar.notes:
        if note.pitch is None and found and found[-1] < 0:
            found[-1] -= note.ticks
        else:
            found.append(note.ticks if note.pitch is not None else -note.ticks)
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(ALL_TABLES),
    st.lists(st.integers(1, 12), min_size=1, max_size=3),
    st.integers(0, 10_000),
)
def test_a_plan_fills_every_bar_and_ends_on_a_whole_note(
    table: RhythmTable, parts: list[int], seed: int
) -> None:
    plan = plan_rhythm(parts, table, seed)
    bar_ticks = table.bar * 6
    assert len(plan) == sum(parts)
    assert all(sum(map(abs, bar)) == bar_ticks for bar in plan)
    assert all(0 not in bar[1:] for bar in plan)
    assert plan[-1] == (bar_ticks,)
    assert plan == plan_rhythm(parts, table, seed)
    for before, bar in itertools.pairwise(plan):
        assert bar[0] != 0 or before[-1] > 0  # only a note can be held over a bar line


def test_phrases_have_breath() -> None:
    plans = [plan_rhythm((8, 8), SONG, seed) for seed in range(20)]
    silence = [-sum(t for bar in plan for t in bar if t < 0) / (16 * BAR) for plan in plans]
    assert 0.2 < mean(silence) < 0.5
    assert len({plan[:8] for plan in plans}) == 20  # no two songs alike


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SUNG), st.sampled_from(["4/4", "3/4", "2/4", "6/8"]), st.integers(0, 10_000))
def test_whatever_a_model_writes_has_the_planned_rhythm(style: str, meter: str, seed: int) -> None:
    spec = build_spec(SongRequest(style, meter=meter), STYLES, seed)
    table = find_table(TABLES, (spec.style.melody.rhythm, "lied"), meter)
    assert table
    plan = plan_rhythm(spec.parts, table, seed)
    grammar = build_sheet_grammar(spec, (), plan)
    assert SheetGrammar.from_json(grammar.to_json()) == grammar
    text = generate_text(SheetMachine(grammar), random.Random(seed), max_sheet_length(grammar))
    sheet = read_abc(build_abc_header(spec) + text)
    assert [lengths(bar) for bar in sheet.bars] == [[t for t in bar if t] for bar in plan]
    for bar, following in zip(sheet.bars, plan[1:], strict=False):
        assert bar.notes[-1].tied == (following[0] == 0)


def test_a_style_that_is_sung_gets_a_tune_with_rests(
    starter: ModelProcess, spec: Callable[..., SongSpec]
) -> None:
    composer = Composer(starter, read_language_model(STARTER), paths.DATA)
    sheet = composer.compose(spec("pop", meter="4/4"), 0.8, lambda done, text: None).sheet
    rests = sum(n.ticks for bar in sheet.bars for n in bar.notes if n.pitch is None)
    assert 0.15 < rests / sum(bar.ticks for bar in sheet.bars) < 0.65


@pytest.mark.parametrize(
    "text",
    [
        '[a."4/4"]\nstart = { "x---" = 1 }',
        '[a."4/4"]\nstart = { "x---?---" = 1 }',
        '[a."4/4"]\nstart = { "x-------" = "often" }',
        '[a."4/4"]\nb = { "x-------" = 1 }',
        '[a."5/4"]\nstart = { "x-------" = 1 }',
        '[a]\n"4/4" = 3',
        "a = 3",
    ],
)
def test_an_invalid_table_is_an_error_of_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rhythms.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"rhythms\.toml: .*; correct the file"):
        load_rhythms(path)
