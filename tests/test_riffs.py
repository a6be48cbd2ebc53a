"""Riffs: the model writes two bars, and the band plays them on every chord."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.arranger.arrange import arrange
from scripts.arranger.riff import move_to_chord
from scripts.composer.compose import Composer, Composition
from scripts.composer.rhythm import RhythmTable, load_rhythms, plan_riff
from scripts.composer.riffs import RIFF, RIFF_BARS
from scripts.core import paths
from scripts.llm.client import ModelProcess
from scripts.llm.registry import read_language_model
from scripts.production.recipe import Recipe
from scripts.production.recipe_json import recipe_from_json, recipe_to_json
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec
from scripts.score.keys import Key
from scripts.score.sheet import join_tied_notes
from scripts.styles.style import Style
from tests.conftest import STARTER

TABLES = [t for m in load_rhythms(paths.DATA / "rhythms.toml").values() for t in m.values()]


@pytest.fixture(scope="module")
def composer(starter: ModelProcess) -> Composer:
    return Composer(starter, read_language_model(STARTER), paths.DATA)


def compose(composer: Composer, spec: SongSpec) -> Composition:
    return composer.compose(spec, 0.8, lambda done, text: None)


@given(st.sampled_from(TABLES), st.integers(0, 1000), st.floats(1.0, 3.0))
def test_the_rhythm_of_a_riff_fills_its_bars_and_begins_on_the_beat(
    table: RhythmTable, seed: int, density: float
) -> None:
    plan = plan_riff(RIFF_BARS, table, seed, density)
    assert [sum(map(abs, bar)) for bar in plan] == [table.bar * 6] * RIFF_BARS
    assert plan[0][0] > 0
    assert plan == plan_riff(RIFF_BARS, table, seed, density)


@pytest.mark.parametrize("style", ["metal", "funk", "hip-hop", "house"])
def test_songs_of_a_riff_style_have_a_riff_of_their_own(
    composer: Composer, spec: Callable[..., SongSpec], style: str
) -> None:
    riffs = [compose(composer, spec(style, seed=seed)).riff for seed in (1, 2)]
    assert all(riff and len(riff.bars) == RIFF_BARS for riff in riffs)
    assert len({tuple(join_tied_notes(riff.bars)) for riff in riffs if riff}) == 2


def test_guitars_and_bass_of_metal_play_the_riff_in_unison(
    composer: Composer, spec: Callable[..., SongSpec]
) -> None:
    song_spec = spec("metal", form="verse chorus", length="1")
    written = compose(composer, song_spec)
    assert written.riff
    song = arrange(song_spec, written.sheet, paths.DATA, written.riff)
    tracks = song.section(0).tracks
    roots = {round(e.start / 6): e.pitch % 12 for e in tracks["bass"]}
    guitars: dict[int, int] = {}
    for event in sorted(tracks["chords"], key=lambda e: -e.pitch):
        guitars[round(event.start / 6)] = event.pitch % 12
    assert guitars == roots
    onsets = {start // 6 for start, _, _ in join_tied_notes(written.riff.bars)}
    full = RIFF_BARS * song.bar_ticks // 6
    assert {at % full for at in roots} <= onsets


def test_a_style_without_riff_and_an_older_recipe_have_none(
    composer: Composer, spec: Callable[..., SongSpec], styles: dict[str, Style]
) -> None:
    assert compose(composer, spec("folk")).riff is None
    song_spec = spec("metal")
    written = compose(composer, song_spec)
    recipe = Recipe(SongRequest("metal"), 3, 0.8, written, None, "", 1)
    data = recipe_to_json(recipe)
    read = recipe_from_json(data, styles).composition
    assert read
    assert read.riff
    assert written.riff
    assert join_tied_notes(read.riff.bars) == join_tied_notes(written.riff.bars)
    del data["written"]["riff"]
    older = recipe_from_json(data, styles).composition
    assert older
    assert older.riff is None
    song = arrange(song_spec, older.sheet, paths.DATA)
    assert RIFF in song.tracks["chords"].patterns
    assert song.section(1).tracks["chords"]


@given(st.sampled_from(["C", "Eb", "A"]), st.sampled_from(["major", "minor"]), st.integers(0, 11))
def test_a_moved_riff_stays_in_the_scale(tonic: str, scale: str, seed: int) -> None:
    key = Key(tonic, scale)
    rng = random.Random(seed)
    root, degree = (rng.choice(key.pitch_classes) for _ in range(2))
    pitch = 48 + degree
    moved = move_to_chord(pitch, key, root)
    assert moved % 12 in key.pitch_classes
    assert 0 <= moved - pitch <= 12
    assert move_to_chord(48 + key.tonic_pc, key, root) % 12 == root
