"""The light over the whole console: its colors, and its words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.settings import Settings
from scripts.jukebox.player import PlayerStatus
from scripts.library.songs import Song
from scripts.lights.show import Light
from scripts.tui.color_depth import ColorDepth, background, find_color_depth
from scripts.tui.layout import display_width
from scripts.tui.light_canvas import encode, paint, shade
from scripts.tui.screens.light import light_texts
from scripts.tui.state import LIGHT, State

COLORS = st.tuples(*[st.integers(0, 255)] * 3)
NARRATION = "Brown water light creeps along the skirting, one finger higher than before."


def playing(**changes: object) -> PlayerStatus:
    song = Song(Path("a.mp3"), "Early Garden", 30.0, {"narration": NARRATION})
    values = {
        "song": song,
        "position": 3.0,
        "duration": 30.0,
        "paused": False,
        "played": (),
        "upcoming": (),
        "output": "null",
        "notice": "",
        "number": 1,
        "repeat": "all",
        "shuffle": False,
    }
    return PlayerStatus(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("environ", "colors", "depth"),
    [
        ({"COLORTERM": "truecolor"}, 256, ColorDepth.TRUE),
        ({"COLORTERM": "24bit"}, 8, ColorDepth.TRUE),
        ({}, 256, ColorDepth.INDEXED),
        ({}, 16, ColorDepth.BASIC),
        ({}, 8, ColorDepth.BASIC),
        ({}, 0, ColorDepth.NONE),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, 256, ColorDepth.NONE),
    ],
)
def test_the_depth_is_what_the_console_says(
    environ: dict[str, str], colors: int, depth: ColorDepth
) -> None:
    assert find_color_depth(environ, colors, has_vt=False) == depth


@pytest.mark.parametrize(
    ("rgb", "depth", "sequence"),
    [
        ((1, 2, 3), ColorDepth.TRUE, "\x1b[48;2;1;2;3m"),
        ((255, 0, 0), ColorDepth.INDEXED, "\x1b[48;5;196m"),
        ((128, 128, 128), ColorDepth.INDEXED, "\x1b[48;5;244m"),
        ((255, 10, 10), ColorDepth.BASIC, "\x1b[101m"),
        ((0, 0, 120), ColorDepth.BASIC, "\x1b[44m"),
        ((10, 10, 10), ColorDepth.BASIC, "\x1b[40m"),
    ],
)
def test_colors_become_the_nearest_of_the_console(
    rgb: tuple[int, int, int], depth: ColorDepth, sequence: str
) -> None:
    assert background(rgb, depth) == sequence


@given(COLORS, st.floats(0, 1), st.integers(20, 200), st.integers(8, 60))
def test_every_line_is_painted_within_the_console(
    rgb: tuple[int, int, int], level: float, columns: int, lines: int
) -> None:
    light = Light((rgb[0] / 255, rgb[1] / 255, rgb[2] / 255), level)
    rows = paint(light, (columns, lines), {1: "x" * 300})
    assert len(rows) == lines
    assert all(display_width(row.text) < columns for row in rows)
    assert encode(rows, ColorDepth.TRUE).count("\x1b[K") == lines
    assert all(display_width(line) <= columns + 2 for line in shade(rows, columns))


def test_the_middle_is_brighter_than_the_edges() -> None:
    rows = paint(Light((1.0, 0.0, 0.0), 0.8), (80, 24), {})
    assert rows[12].level > rows[0].level > 0


def test_words_are_dark_on_bright_light_and_bright_on_dark() -> None:
    for level, ink in ((1.0, "38;2;0;0;0"), (0.1, "38;2;255;255;255")):
        rows = paint(Light((1.0, 1.0, 1.0), level), (80, 24), {12: "words"})
        assert ink in encode(rows, ColorDepth.TRUE)


def test_without_colors_shades_of_characters_stand_for_brightness() -> None:
    dark, bright = (
        shade(paint(Light((1.0, 1.0, 1.0), level), (40, 9), {}), 40)[4] for level in (0.0, 1.0)
    )
    assert (dark, bright) == (" " * 40, "@" * 40)


def test_title_narration_bar_and_keys_are_on_the_light() -> None:
    state = State(Settings())
    state.screen, state.playing = LIGHT, playing()
    texts = "\n".join(light_texts(state, (80, 24)).values())
    assert "Early Garden" in texts
    assert " ".join(texts.split()).count(NARRATION) == 1
    assert "00:03/00:30" in texts
    assert "Back to Jukebox = B" in texts
