"""Chord plans of songs, built from progressions that occur in real music."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.composer.grammar import build_sheet_grammar
from scripts.composer.progressions import load_progressions, plan_chords
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.request.spec import SongSpec
from scripts.score.chords import parse_roman_numeral
from scripts.score.keys import Key

PROGRESSIONS = load_progressions(paths.DATA / "progressions.toml")


@pytest.mark.parametrize("style", ["pop", "jazz", "celtic", "baroque", "techno", "metal"])
@pytest.mark.parametrize("key", ["C major", "F# minor", "D dorian", "Bb harmonic minor"])
def test_a_plan_fills_the_parts_and_ends_on_the_tonic(
    style: str, key: str, spec: Callable[..., SongSpec]
) -> None:
    song = spec(style, key=key)
    plan = plan_chords(song, PROGRESSIONS, 0)
    assert len(plan) == sum(song.parts)
    assert plan[0].root == plan[-1].root == song.key.tonic_pc
    scale = {*song.key.pitch_classes, (song.key.tonic_pc + 11) % 12}
    assert all(set(c.pitch_classes[:3]) <= scale for c in plan)
    assert len({c.root for c in plan}) >= 3


def test_plans_differ_by_variant_and_seed_and_are_fixed_by_the_grammar(
    spec: Callable[..., SongSpec],
) -> None:
    plans = {
        plan_chords(spec("pop", key="C major", seed=s), PROGRESSIONS, variant)
        for s in range(4)
        for variant in range(3)
    }
    assert len(plans) >= 10
    song = spec("pop", key="C major")
    plan = plan_chords(song, PROGRESSIONS, 0)
    assert build_sheet_grammar(song, plan).bar_chords == tuple(c.symbol(song.key) for c in plan)
    assert build_sheet_grammar(song).bar_chords == ()


def test_a_plan_uses_the_chords_of_its_style(spec: Callable[..., SongSpec]) -> None:
    jazz, punk = (plan_chords(spec(w, key="C major"), PROGRESSIONS, 0) for w in ("jazz", "punk"))
    assert sum(len(c.intervals) > 3 for c in jazz) > len(jazz) / 2
    assert all(len(c.intervals) <= 3 for c in punk)


def test_requested_chords_override_the_plan_and_a_style_may_have_none(
    spec: Callable[..., SongSpec],
) -> None:
    song = spec("pop", chords="Fm Db Ab Eb")
    fixed = build_sheet_grammar(song, plan_chords(song, PROGRESSIONS, 0)).bar_chords
    assert fixed[:4] == ("Fm", "Db", "Ab", "Eb")
    free = spec("pop")
    none = replace(free, style=replace(free.style, habit="none"))
    assert plan_chords(none, PROGRESSIONS, 0) == ()


def test_every_progression_can_be_parsed() -> None:
    for family in PROGRESSIONS.values():
        for key, rows in ((Key("C"), family.major), (Key("A", "minor"), family.minor)):
            assert rows
            assert all(parse_roman_numeral(n, key) for _, row in rows for n in row)


def test_an_invalid_progression_is_rejected_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "progressions.toml"
    path.write_text(
        '[pop]\nmajor = ["3 I IV V I"]\nminor = []\n[odd]\nmajor = ["3 I H9#x"]\nminor = []\n'
    )
    with pytest.raises(UsageError, match=r"progressions.toml, line 4: .*H9#x"):
        load_progressions(path)
