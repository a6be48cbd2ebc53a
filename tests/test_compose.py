"""The starter model composes: exact, in key, and the same again for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.composer.compose import Composer, fix_ties
from scripts.composer.critic import cost, repetition_cost
from scripts.composer.titles import make_title
from scripts.composer.training_filter import TrainingFilter, extract_figures
from scripts.composer.writer import form_variants
from scripts.core import paths
from scripts.llm.client import ModelProcess
from scripts.llm.gguf_file import read_language_model
from scripts.request.spec import SongSpec
from scripts.score.abc_reader import read_abc
from scripts.score.sheet import LeadSheet, scale_share, transpose
from tests.conftest import STARTER


def nothing(done: float, text: str) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="module")
def composer(starter: ModelProcess) -> Composer:
    return Composer(starter, read_language_model(STARTER), paths.DATA)


@pytest.mark.parametrize(
    ("words", "meter", "key"),
    [
        ("chill", "4/4", "D dorian"),
        ("folk", "6/8", "G major"),
        ("jazz", "4/4", "F major"),
        ("classical", "3/4", "A harmonic minor"),
        ("rock", "7/8", "E minor"),
        ("sad", "5/4", "Bb minor"),
        ("blues", "4/4", "A blues"),
        ("Chill, Dubstep", "2/4", "F# phrygian"),
    ],
)
def test_the_starter_writes_what_was_asked(
    composer: Composer, spec: Callable[..., SongSpec], words: str, meter: str, key: str
) -> None:
    asked = spec(words, meter=meter, key=key)
    found = composer.compose(asked, 0.8, nothing)
    sheet = found.sheet
    assert tuple(len(p) for p in sheet.parts) == asked.parts
    assert all(b.ticks == asked.meter.bar_ticks for b in sheet.bars)
    assert asked.style.melody.chromatic or scale_share(sheet) == 1.0
    assert sheet.key == asked.key
    assert found.words_by == "rules"
    if not asked.style.plan:
        assert sheet.pitches[-1] % 12 == asked.key.tonic_pc


def test_the_same_seed_writes_the_same_sheet(
    composer: Composer, spec: Callable[..., SongSpec]
) -> None:
    one, other, two = (composer.compose(spec("pop", seed=s), 0.8, nothing) for s in (5, 6, 5))
    assert one.sheet == two.sheet != other.sheet


def test_a_chat_model_writes_title_and_form(
    spec: Callable[..., SongSpec], twin: Callable[[str], Path]
) -> None:
    path = twin("phi-3")
    with ModelProcess(path, 8192, 1) as model:
        asked = spec("pop", length="0.3")
        found = Composer(model, read_language_model(path), paths.DATA).compose(asked, 0.8, nothing)
    assert found.words_by == "phi-3"
    assert found.form in form_variants(asked)
    assert 4 <= len(found.sheet.title) <= 32


def test_the_critic_prefers_a_tune_to_a_stutter(tune: LeadSheet) -> None:
    stutter = read_abc("X:1\nM:4/4\nL:1/8\nK:Em\n" + '"Em"e2e2e2e2|' * 15 + '"Em"e8|]\n')
    wild = read_abc("X:1\nM:4/4\nL:1/8\nK:Em\n" + '"Em"e2E2e\'2B,2|"C"c\'2C2g\'2D2|' * 8 + "|]\n")
    assert cost(tune) < 1.5 < min(cost(stutter), cost(wild))
    assert repetition_cost(tune.bars) == 0 < repetition_cost(stutter.bars)


def test_a_tie_to_another_pitch_is_dropped() -> None:
    sheet = fix_ties(read_abc("X:1\nM:4/4\nL:1/8\nK:C\nC8-|D8-|D8-|]\n"))
    assert [b.notes[-1].tied for b in sheet.bars] == [False, True, False]


def test_titles_by_rule_vary_and_repeat_with_the_seed(spec: Callable[..., SongSpec]) -> None:
    words = paths.DATA / "titles.toml"
    titles = [make_title(spec("Chill, Dubstep", seed=s), words) for s in range(60)]
    assert len(set(titles)) > 35
    assert titles[0] == make_title(spec("Chill, Dubstep", seed=0), words)


def test_titles_need_no_file(spec: Callable[..., SongSpec], tmp_path: Path) -> None:
    assert make_title(spec("jazz"), tmp_path / "none.toml")


def test_a_copied_tune_is_known_in_any_key_and_costs(tune: LeadSheet) -> None:
    familiar = TrainingFilter.from_figures(extract_figures(tune))
    for shift in (-5, 0, 4):
        assert familiar.longest_run(transpose(tune, shift)) == len(tune.bars)
    assert cost(tune, training_filter=familiar) > cost(tune) + 10
    other = read_abc("X:1\nM:4/4\nL:1/8\nK:C\nC2EGc2G2|A2cAG2E2|F2AFE2C2|D2B,2C4|]\n")
    assert familiar.longest_run(other) == 0
    assert cost(other, training_filter=familiar) == cost(other)


def test_a_model_without_figures_is_judged_without_them(tmp_path: Path) -> None:
    assert TrainingFilter.load_beside(tmp_path / "any.gguf") is None
    assert TrainingFilter.load_beside(STARTER) is not None
