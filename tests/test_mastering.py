"""Mastering: each family of styles has its own loudness, width, dynamics and spectrum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from scripts.arranger.arrange import arrange
from scripts.arranger.dynamics import swell
from scripts.arranger.events import NoteEvent, Section
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.request.spec import SongSpec
from scripts.score.sheet import LeadSheet
from scripts.styles.mastering import USUAL_MASTERING, load_mastering
from scripts.styles.style import load_styles, read_style
from scripts.synth.effects import widen
from scripts.synth.instruments import load_instruments
from scripts.synth.render import render, render_stems

FAMILIES = load_mastering(paths.DATA / "mastering.toml")
INSTRUMENTS = load_instruments(paths.DATA / "instruments")


def sides(sound: np.ndarray) -> float:
    """Level of the sides relative to the middle in dB."""
    left, right = sound.T
    return float(10 * np.log10(((left - right) ** 2).mean() / ((left + right) ** 2).mean()))


def test_every_style_names_a_family_and_every_family_has_styles() -> None:
    styles = load_styles(paths.DATA / "styles").values()
    assert all(style.mastering is not USUAL_MASTERING for style in styles)
    assert {style.mastering for style in styles} == set(FAMILIES.values())


def test_metal_is_louder_than_rock_and_an_orchestra_is_the_softest() -> None:
    assert FAMILIES["loud"].loudness > FAMILIES["rock"].loudness > FAMILIES["orchestra"].loudness


def test_the_sides_are_raised_towards_the_width_of_the_family(
    spec: Callable[..., SongSpec], tune: LeadSheet
) -> None:
    def measure(width: float) -> float:
        made = spec("soul", length="0.4")
        mastering = msgspec.structs.replace(made.style.mastering, width=width)
        made = replace(made, style=replace(made.style, mastering=mastering))
        return sides(np.concatenate(list(render(arrange(made, tune, paths.DATA), INSTRUMENTS))))

    narrow = measure(-40.0)
    assert measure(narrow + 3) == pytest.approx(narrow + 3, abs=1.5)
    assert measure(narrow + 20) < narrow + 8


def test_stems_of_a_widened_song_add_up_to_the_mix(
    spec: Callable[..., SongSpec], tune: LeadSheet
) -> None:
    song = arrange(spec("chiptune", length="0.3"), tune, paths.DATA)
    for block in render_stems(song, INSTRUMENTS):
        assert np.allclose(sum(block.stems.values()), block.mix, atol=1e-4)


def test_widening_keeps_what_is_in_the_middle() -> None:
    sound = np.array([[1.0, 0.5], [1.0, -0.5]], np.float32)
    assert widen(sound.copy(), 2.0).tolist() == [[1.0, 1.0], [1.0, -1.0]]
    assert widen(sound.copy(), 1.0).tolist() == sound.tolist()


def test_louder_sections_and_the_middle_of_a_phrase_are_played_louder() -> None:
    def velocity(energy: float, bar: int) -> float:
        section = Section("verse", 0, 8, 0, 0, energy)
        tracks = {"melody": [NoteEvent(bar * 96.0, 24.0, 60, 0.6)]}
        return swell(section, 96, tracks, 10.0)["melody"][0].velocity

    assert velocity(0.9, 4) > velocity(0.4, 4) + 0.2
    assert velocity(0.6, 4) > velocity(0.6, 0)
    assert 0 < velocity(0.1, 0) < velocity(1.0, 4) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "[a]\nspectrum = [1, 2]",
        "[a]\nloudness = 3",
        "[a]\ncolor = 3",
        "[a]\ndynamics = -1",
        '[a]\nwidth = "wide"',
        '[a]\nspectrum = ["a", 0, 0, 0, 0, 0, 0, 0, 0, 0]',
        "a = 3",
    ],
)
def test_an_invalid_table_is_an_error_of_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mastering.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"mastering\.toml: .*; correct the file"):
        load_mastering(path)


def test_an_unknown_family_is_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "styles").mkdir()
    (tmp_path / "mastering.toml").write_text("[quiet]\nloudness = -18\n")
    path = tmp_path / "styles" / "mine.toml"
    text = (paths.DATA / "styles" / "rock.toml").read_text(encoding="utf-8")
    path.write_text(text.replace('mastering = "rock"', 'mastering = "huge"'))
    with pytest.raises(UsageError, match=r"mine\.toml, line \d+: mastering: unknown family 'huge'"):
        read_style(path)
