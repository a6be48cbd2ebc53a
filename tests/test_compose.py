"""Composing with the starter model: exact bars, in key, reproducible by seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.composer.compose import Composer, fix_ties
from scripts.composer.critic import cost, repetition_cost
from scripts.composer.titles import make_title
from scripts.composer.training_filter import TrainingFilter, extract_figures
from scripts.core import paths
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import DecodingPlan
from scripts.llm.gguf_file import read_language_model
from scripts.request.spec import SongSpec
from scripts.score.abc_reader import read_abc
from scripts.score.sheet import LeadSheet, scale_share, transpose
from scripts.styles.variants import form_variants
from tests.conftest import STARTER


def ignore_progress(done: float, text: str) -> None:
    """Ignore the progress."""


@pytest.fixture(scope="module")
def composer(starter: ModelProcess) -> Composer:
    return Composer(starter, read_language_model(STARTER), paths.DATA)


@pytest.mark.parametrize(
    ("style", "meter", "key"),
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
def test_the_starter_follows_the_spec(
    composer: Composer, spec: Callable[..., SongSpec], style: str, meter: str, key: str
) -> None:
    song_spec = spec(style, meter=meter, key=key)
    found = composer.compose(song_spec, 0.8, ignore_progress)
    sheet = found.sheet
    assert tuple(len(p) for p in sheet.parts) == song_spec.parts
    assert all(b.ticks == song_spec.meter.bar_ticks for b in sheet.bars)
    assert song_spec.style.melody.chromatic or scale_share(sheet) == 1.0
    assert sheet.key == song_spec.key
    assert found.words_by == "rules"
    if not song_spec.style.plan:
        assert sheet.pitches[-1] % 12 == song_spec.key.tonic_pc


def test_the_same_seed_writes_the_same_sheet(
    composer: Composer, spec: Callable[..., SongSpec]
) -> None:
    one, other, two = (
        composer.compose(spec("pop", seed=s), 0.8, ignore_progress) for s in (5, 6, 5)
    )
    assert one.sheet == two.sheet != other.sheet


def test_a_chat_model_writes_title_and_form(
    spec: Callable[..., SongSpec], random_model: Callable[[str], Path]
) -> None:
    path = random_model("phi-3")
    with ModelProcess(path, 8192, DecodingPlan.single(1)) as model:
        song_spec = spec("pop", length="0.3")
        found = Composer(model, read_language_model(path), paths.DATA).compose(
            song_spec, 0.8, ignore_progress
        )
    assert found.words_by == "phi-3"
    assert found.form in form_variants(song_spec.form)
    assert 4 <= len(found.sheet.title) <= 40


def test_the_critic_prefers_a_tune_to_repeated_notes(tune: LeadSheet) -> None:
    stutter = read_abc("X:1\nM:4/4\nL:1/8\nK:Em\n" + '"Em"e2e2e2e2|' * 15 + '"Em"e8|]\n')
    wild = read_abc("X:1\nM:4/4\nL:1/8\nK:Em\n" + '"Em"e2E2e\'2B,2|"C"c\'2C2g\'2D2|' * 8 + "|]\n")
    assert cost(tune) < 1.5 < min(cost(stutter), cost(wild))
    assert repetition_cost(tune.bars) == 0 < repetition_cost(stutter.bars)


def test_a_tie_to_another_pitch_is_dropped() -> None:
    sheet = fix_ties(read_abc("X:1\nM:4/4\nL:1/8\nK:C\nC8-|D8-|D8-|]\n"))
    assert [b.notes[-1].tied for b in sheet.bars] == [False, True, False]


def test_titles_by_rule_vary_and_repeat_with_the_seed(spec: Callable[..., SongSpec]) -> None:
    titles_file = paths.DATA / "titles.toml"
    titles = [make_title(spec("Chill, Dubstep", seed=s), titles_file) for s in range(60)]
    assert len(set(titles)) > 35
    assert titles[0] == make_title(spec("Chill, Dubstep", seed=0), titles_file)


def test_titles_need_no_file(spec: Callable[..., SongSpec], tmp_path: Path) -> None:
    assert make_title(spec("jazz"), tmp_path / "none.toml")


def test_a_copied_tune_is_recognized_in_any_key_and_costs_more(tune: LeadSheet) -> None:
    training_filter = TrainingFilter.from_figures(extract_figures(tune))
    for shift in (-5, 0, 4):
        assert training_filter.longest_run(transpose(tune, shift)) == len(tune.bars)
    assert cost(tune, training_filter=training_filter) > cost(tune) + 10
    other = read_abc("X:1\nM:4/4\nL:1/8\nK:C\nC2EGc2G2|A2cAG2E2|F2AFE2C2|D2B,2C4|]\n")
    assert training_filter.longest_run(other) == 0
    assert cost(other, training_filter=training_filter) == cost(other)


def test_a_model_without_figures_has_no_training_filter(tmp_path: Path) -> None:
    assert TrainingFilter.load_beside(tmp_path / "any.gguf") is None
    assert TrainingFilter.load_beside(STARTER) is not None
