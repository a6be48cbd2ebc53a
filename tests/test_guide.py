"""A model that knows music guides one that does not, character by character."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scripts.composer.compose import ACCEPTABLE_COST, Composer, Composition
from scripts.composer.prompts import build_starter_header
from scripts.core import paths
from scripts.llm.character_model import CharacterModel, CharacterVocabulary
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import SMALL, TINY, DecodingPlan, plan_decoding
from scripts.llm.gguf_file import read_language_model
from scripts.llm.gpu import ALL_LAYERS, AUTO, count_layers, find_gpus_elsewhere, fitting_layers
from scripts.llm.guide import Guide
from scripts.llm.thread_tuner import ThreadTuner
from scripts.request.spec import SongSpec
from tests.conftest import STARTER

PIECES = [b"", b"a", b"ab", b"abc", b"b", b"c", b"\xc3"]


@pytest.fixture(scope="module")
def character_model() -> CharacterModel:
    return Guide(STARTER, 1024).open()


def test_tokens_that_share_a_beginning_add_up_to_characters() -> None:
    vocabulary = CharacterVocabulary(PIECES)
    tokens = np.array([0.1, 0.2, 0.3, 0.1, 0.2, 0.1, 0.0])
    chars, end = vocabulary.next_chars("", tokens)
    assert end == 0
    assert chars[[*b"abc"]] == pytest.approx([0.6 / 0.9, 0.2 / 0.9, 0.1 / 0.9])
    chars, end = vocabulary.next_chars("a", tokens)
    assert (chars[ord("b")], end) == pytest.approx((0.4 / 0.6, 0.2 / 0.6))
    assert vocabulary.next_chars("abc", tokens)[1] == 1
    assert vocabulary.next_chars("zz", tokens)[1] == 1


def test_the_probabilities_of_the_next_character_add_up(
    character_model: CharacterModel, spec: Callable[..., SongSpec]
) -> None:
    character_model.begin(build_starter_header(spec("folk", key="D major")))
    for text in ("", '"', '"D', '"D"', '"D"d', '"D"d2', '"D"d2f2'):
        chars = character_model.next_chars(text)
        assert chars.sum() == pytest.approx(1, abs=1e-3)
    assert character_model.next_chars('"D')[ord('"')] > 0.3
    assert character_model.next_chars("")[ord('"')] > 0.9


def test_probabilities_do_not_depend_on_what_was_asked_before(
    character_model: CharacterModel, spec: Callable[..., SongSpec]
) -> None:
    header = build_starter_header(spec("folk"))
    character_model.begin(header)
    first = character_model.next_chars('"C"c2e')
    character_model.next_chars('"C"c2G2|"F"A')
    character_model.begin(header)
    assert character_model.next_chars('"C"c2e') == pytest.approx(first, abs=1e-6)


def test_a_tune_needs_fewer_bits_than_noise(
    character_model: CharacterModel, spec: Callable[..., SongSpec]
) -> None:
    character_model.begin(build_starter_header(spec("folk", key="D major", meter="4/4")))
    tune = '"D"d2A2F2A2|"G"B2d2"D"A4|"A7"e2c2A2c2|"D"d8|'
    noise = '"A7"D,2b2C2g2|"Bm"^a2=f2_e4|"Em"^G2c2^D2a2|"G"_b8|'
    assert character_model.bits(tune) < 2.0 < 2.5 < character_model.bits(noise)


def compose(path: Path, spec: SongSpec, guide: float | None) -> Composition:
    plan = replace(DecodingPlan.single(1), candidates=2)
    with ModelProcess(path, 4096, plan, STARTER) as model:
        composer = Composer(model, read_language_model(path), paths.DATA, guide=guide)
        return composer.compose(spec, 0.75, lambda done, text: None)


@pytest.mark.slow
def test_guidance_makes_tunes_of_a_model_with_random_weights(
    random_model: Callable[[str], Path], spec: Callable[..., SongSpec]
) -> None:
    path = random_model("llama-spm")
    songs = [spec(style, length="0.5", seed=n) for n, style in enumerate(("folk", "pop", "rock"))]
    alone = [compose(path, song, 0.0) for song in songs]
    guided = [compose(path, song, 0.9) for song in songs]
    for one, other in zip(alone, guided, strict=True):
        assert other.cost < one.cost
        assert other.bits < one.bits - 0.5
    assert min(c.cost for c in guided) < ACCEPTABLE_COST < min(c.cost for c in alone)


def test_a_guided_sheet_is_the_same_with_the_same_seed(
    random_model: Callable[[str], Path], spec: Callable[..., SongSpec]
) -> None:
    path, song = random_model("llama-spm"), spec("folk", length="0.3")
    assert compose(path, song, 0.5).sheet == compose(path, song, 0.5).sheet


@pytest.mark.parametrize("threads", [1, 2, 3, 4, 16])
def test_small_models_write_their_candidates_side_by_side(threads: int) -> None:
    plan = plan_decoding(SMALL - 1, threads)
    assert plan.contexts == min(threads, 4)
    assert plan.candidates == 4  # so that songs do not depend on the number of threads
    assert (plan.threads, plan.sequences) == (1, 1)
    assert plan_decoding(TINY - 1, threads).threads == 1
    assert plan_decoding(SMALL, threads) == DecodingPlan.single(threads)


@pytest.mark.parametrize("most", [2, 4, 16])
def test_threads_that_hinder_each_other_from_the_start_are_given_up(most: int) -> None:
    tuner = ThreadTuner(most)
    counts = []
    for _ in range(400):
        tuner.add(1 / 37 if tuner.threads == 1 else 1 / 9)
        counts.append(tuner.threads)
    assert counts[100:].count(1) > 0.9 * len(counts[100:])


def test_threads_are_given_up_when_they_hinder_each_other_and_taken_back_later() -> None:
    tuner = ThreadTuner(4)

    def decode(seconds_by_threads: dict[int, float], steps: int) -> None:
        for _ in range(steps):
            tuner.add(seconds_by_threads[tuner.threads])

    idle = {1: 0.4, 2: 0.2, 4: 0.1}
    busy = {1: 0.8, 2: 1.0, 4: 4.0}
    decode(idle, 60)
    assert tuner.threads == 4
    decode(busy, 60)
    assert tuner.threads == 1
    decode(idle, 420)
    assert tuner.threads == 4


@pytest.mark.parametrize(
    ("free", "layers"), [(0, 0), (5_000_000_000, 14), (9_000_000_000, 25), (24_000_000_000, 9999)]
)
def test_as_many_layers_as_fit_run_on_graphics_processors(free: int, layers: int) -> None:
    assert fitting_layers(free, 8_000_000_000, 30) == layers


def test_a_number_of_layers_in_the_settings_is_taken_as_it_is() -> None:
    assert count_layers(STARTER, 7) == 7


def test_graphics_processors_are_listed_in_a_process_of_its_own() -> None:
    gpus = find_gpus_elsewhere()
    assert gpus is not None
    assert count_layers(STARTER, AUTO) == (ALL_LAYERS if gpus else 0)
