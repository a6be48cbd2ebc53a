"""Variants: songs of a style differ in line-up, form and ending, and the seed decides."""

from __future__ import annotations

import pytest

from scripts.core import paths
from scripts.styles.style import ENDINGS, load_styles
from scripts.styles.variants import choose_form, choose_line_up, form_variants

STYLES = load_styles(paths.DATA / "styles")
BANDS = ["rock", "pop", "jazz", "soul", "country", "funk", "blues", "reggae", "classical"]


def line_up(style: str, seed: int) -> tuple[str, ...]:
    return tuple(t.instrument for t in choose_line_up(STYLES[style], seed).tracks.values())


@pytest.mark.parametrize("style", BANDS)
def test_songs_of_a_style_have_several_line_ups_and_forms(style: str) -> None:
    assert len({line_up(style, seed) for seed in range(24)}) >= 3
    assert len({choose_form(STYLES[style].form, seed) for seed in range(24)}) >= 3


@pytest.mark.parametrize("style", sorted(STYLES))
def test_a_line_up_is_one_that_the_style_names_and_the_seed_repeats(style: str) -> None:
    for seed in range(8):
        chosen = choose_line_up(STYLES[style], seed)
        assert chosen == choose_line_up(STYLES[style], seed)
        assert chosen.ending in STYLES[style].endings
        assert set(chosen.endings) <= set(ENDINGS)
        for role, track in chosen.tracks.items():
            own = STYLES[style].tracks[role]
            assert track.instrument in (own.instrument, *own.alternatives)


def test_variants_of_a_form_keep_its_beginning_and_end() -> None:
    form = ("intro", "verse", "chorus", "verse", "chorus", "solo", "chorus", "outro")
    for variant in form_variants(form):
        assert (variant[0], variant[-1]) == ("intro", "outro")
        assert "chorus" in variant
