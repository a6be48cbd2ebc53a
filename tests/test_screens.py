"""Screens as text: state in, lines out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scripts.core.audio_format import RATE
from scripts.core.formatting import format_duration, percent_bar, time_bar
from scripts.core.settings import Settings
from scripts.core.theme import ASCII, THEMES
from scripts.jukebox.player import PlayerStatus
from scripts.library.songs import Song
from scripts.tui import keys
from scripts.tui.bindings import BINDINGS, help_lines
from scripts.tui.layout import clip, display_width, fit_blocks
from scripts.tui.line_styles import BAR, FOOTER, MESSAGE, RULE, SONG, TITLE, line_styles
from scripts.tui.screens.draw import draw
from scripts.tui.screens.shared import spectrum_lines
from scripts.tui.spectrum import BANDS, decay, spectrum
from scripts.tui.state import (
    CONFIRM,
    GENERATE,
    JUKEBOX,
    MENU,
    OPTIONS,
    WISHES,
    Field,
    OrderView,
    Overlay,
    State,
)

SCREENS = [MENU, GENERATE, CONFIRM, JUKEBOX, OPTIONS, WISHES]
SONG_ONE = Song(
    Path("/s/a.mp3"),
    "Amber Lagoon",
    185.0,
    {"asked": "Chill", "key": "D minor", "tempo": 84.0, "meter": "4/4", "model": "Starter"},
)
PLAYING = PlayerStatus(
    SONG_ONE,
    65.0,
    185.0,
    False,
    ("First", "Second"),
    ("One", "Two", "Three", "Four", "Five"),
    "fake",
    "",
)


def test_the_main_menu_looks_like_the_original() -> None:
    lines = draw(State(Settings(), model="starter.gguf", song_count=3, total_seconds=545), (80, 24))
    assert lines[0] == lines[2] == "=" * 80
    assert lines[1] == "    Llm-Music-Gen: Main Menu"
    assert lines[4:7] == [
        "    1. Generate Music",
        "    2. Output Jukebox",
        "    3. Configure Options",
    ]
    assert lines[-2] == "-" * 80
    assert lines[-1] == "Selection; Menu Option = 1-3, Refresh = R, Exit Program = X:"
    text = "\n".join(lines)
    assert "Song Length: 3:00" in text
    assert "Tuning: 440 Hz" in text
    assert "09:05 in all" in text


def test_the_jukebox_shows_the_song_and_the_next_five() -> None:
    lines = draw(State(Settings(), screen=JUKEBOX, playing=PLAYING, rating=4), (80, 24))
    assert "Playing song: Amber Lagoon  [****-]" in lines
    assert "[##########--------------------] 01:05/03:05" in lines
    assert "    Chill, D minor, 84 bpm, 4/4, Starter" in lines
    assert any(line.startswith("Next 5 Songs: One, Two, Three, Four, Five") for line in lines)
    assert "Volume 65%   Repeat all   Shuffle off   Sleep off" in lines
    assert lines[-1] == "Selection; Back to Main = B, Exit Program = X:"


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("overlay", [None, Overlay("Keys", ["a"] * 50)])
def test_every_screen_shows_the_song_now_playing(screen: str, overlay: Overlay | None) -> None:
    for field in (None, Field("Which?", "key")):
        state = State(Settings(), screen=screen, playing=PLAYING, overlay=overlay, field=field)
        for size in ((80, 24), (60, 16)):
            text = "\n".join(draw(state, size))
            assert "[##########--------------------] 01:05/03:05" in text
            assert "Amber Lag" in text


def test_generating_shows_the_progress_bars_of_the_original() -> None:
    order = OrderView(
        "Chill, Dubstep",
        3,
        current_song=2,
        stages={"compose": 1.0, "render": 0.34},
        finished_titles=("One",),
        finished_count=1,
        seconds_left=130.0,
    )
    lines = draw(State(Settings(), screen=GENERATE, orders=[order]), (80, 24))
    assert 'Llm-Music-Gen: Producing "Chill, Dubstep" themed song number 2...' in lines
    assert "[##########--------------------] 34% Complete" in lines
    assert "Llm-Music-Gen: Rendering song number 2..." in lines
    assert "Llm-Music-Gen: 1 of 3 songs are done, about 2 min left" in lines


def test_the_lead_sheet_scrolls_while_it_is_composed() -> None:
    rows = [f'"Am"a{n}' for n in range(40)]
    order = OrderView("Chill", 1, stages={"compose": 0.4}, sheet_text="\n".join(rows))
    lines = draw(State(Settings(), screen=GENERATE, orders=[order], playing=PLAYING), (80, 24))
    shown = [line.strip() for line in lines if line.strip() in rows]
    assert len(shown) >= 5
    assert shown == rows[-len(shown) :]


@pytest.mark.parametrize(
    "size", [(80, 24), (60, 16), (120, 40), (59, 20), (80, 15), (20, 5), (1, 1)]
)
def test_every_screen_fits_every_size(size: tuple[int, int]) -> None:
    long = Song(Path("/s/b.mp3"), "長い題名" * 30 + "\x1b[2J", 9.0, {"asked": "\x1b" * 90})
    playing = PlayerStatus(
        long, 1, 9, True, (long.title,) * 3, (long.title,) * 5, "null", "x" * 200
    )
    orders = [
        OrderView("s" * 300, 9, stages={"compose": 0.5}, sheet_text="abc|" * 50),
        OrderView("t" * 99, 2),
    ]
    for screen in SCREENS:
        for entry in (None, Field("q" * 200, "songs", "t" * 200, "p" * 200, ("o" * 90,) * 30, 17)):
            for overlay in (None, Overlay("o" * 100, ["l" * 300] * 90, 50)):
                state = State(
                    Settings(),
                    screen=screen,
                    playing=playing,
                    orders=orders,
                    field=entry,
                    latest_titles=(long.title,),
                    message="m" * 300,
                    overlay=overlay,
                    spectrum=(0.5,) * BANDS,
                    sleep_remaining=90.0,
                    rating=5,
                    wishes={"key": "F minor" * 30},
                )
                lines = draw(state, size)
                assert len(lines) == size[1]
                assert all(display_width(line) <= size[0] for line in lines)
                assert not any("\x1b" in line for line in lines)


def test_a_small_window_keeps_the_important_lines() -> None:
    state = State(
        Settings(), screen=JUKEBOX, playing=PLAYING, spectrum=(0.5,) * BANDS, message="Volume 70%"
    )
    text = "\n".join(draw(state, (60, 16)))
    for needed in (
        "Playing song: Amber Lagoon",
        "01:05/03:05",
        "Next 5 Songs: One",
        "Volume 70%",
        "Back to Main = B",
    ):
        assert needed in text
    options = "\n".join(draw(State(Settings(), screen=OPTIONS, playing=PLAYING), (60, 16)))
    assert "3. Volume: 65%" in options
    assert "0. Sound Device: the system's" in options
    for screen in (GENERATE, OPTIONS, WISHES):
        prompting = State(
            Settings(),
            screen=screen,
            playing=PLAYING,
            field=Field("What is it?", "key", "F mi", "that is none"),
            orders=[OrderView("Chill", 3, stages={"compose": 1, "render": 1, "convert": 0.5})],
        )
        text = "\n".join(draw(prompting, (60, 16)))
        assert "What is it?" in text
        assert "User Input: F mi_" in text
        assert "that is none" in text


def test_the_least_important_lines_are_dropped_first() -> None:
    parts = [(2, ["a", "b"]), (0, ["c"]), (1, ["d"]), (3, ["e"])]
    assert fit_blocks(parts, 9) == ["a", "b", "c", "d", "e"]
    assert fit_blocks(parts, 4) == ["a", "b", "c", "d"]
    assert fit_blocks(parts, 3) == ["c", "d"]
    assert fit_blocks(parts, 1) == ["c"]
    assert fit_blocks(parts, 0) == []


def test_wide_characters_are_clipped_by_display_width() -> None:
    assert display_width(clip("日本語の歌", 7)) <= 7
    assert percent_bar(2.0).endswith("100% Complete")
    assert time_bar(0, 0).endswith("00:00/00:00")


def test_the_unicode_theme_changes_only_rules_and_bars() -> None:
    plain = draw(State(Settings(theme="ascii"), screen=JUKEBOX, playing=PLAYING), (80, 24))
    drawn = draw(State(Settings(theme="unicode"), screen=JUKEBOX, playing=PLAYING), (80, 24))
    assert drawn[0] == "═" * 80
    assert drawn[-2] == "─" * 80
    assert "[██████████░░░░░░░░░░░░░░░░░░░░] 01:05/03:05" in drawn
    back = str.maketrans("═─█░", "=-#-")
    assert [line.translate(back) for line in drawn] == plain


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("theme", [name for name in THEMES if name.startswith("ascii")])
def test_the_ascii_themes_use_only_ascii(screen: str, theme: str) -> None:
    orders = [OrderView("Chill", 3, current_song=2, stages={"compose": 1.0, "render": 0.3})]
    lines = draw(
        State(
            Settings(theme=theme),
            screen=screen,
            playing=PLAYING,
            orders=orders,
            spectrum=(0.3, 0.9),
        ),
        (80, 24),
    )
    assert "\n".join(lines).isascii()


def test_colors_follow_the_kind_of_line() -> None:
    lines = draw(
        State(Settings(), screen=JUKEBOX, playing=PLAYING, spectrum=(0.9,) * BANDS), (80, 24)
    )
    found = line_styles(lines)
    assert found[:3] == [RULE, TITLE, RULE]
    assert found[-2:] == [RULE, FOOTER]
    assert found[lines.index("Playing song: Amber Lagoon")] == SONG
    assert found[lines.index("[##########--------------------] 01:05/03:05")] == BAR
    assert found.count(BAR) >= 4
    prompting = draw(State(Settings(), screen=GENERATE, field=Field("Which?", "styles")), (80, 24))
    assert line_styles(prompting)[prompting.index("Llm-Music-Gen: Which?")] == MESSAGE


def test_a_tone_appears_in_its_band() -> None:
    t = np.arange(4096) / RATE
    heights = [
        int(np.argmax(spectrum(np.sin(2 * np.pi * f * t).astype(np.float32))))
        for f in (60, 220, 900, 3500, 12_000)
    ]
    assert heights == sorted({*heights})
    assert heights[0] <= 2
    assert heights[-1] >= BANDS - 2
    assert spectrum(np.zeros(4096, np.float32)) == (0.0,) * BANDS
    assert decay((1.0, 0.2), (0.0, 0.9)) == (0.88, 0.9)
    rows = spectrum_lines((0.0, 0.5, 1.0), 2, ASCII)
    assert rows == ["          ##", "       ## ##"]


def test_durations_are_formatted_for_people() -> None:
    assert [format_duration(s) for s in (0.2, 44, 125, 5000, 9000)] == [
        "1 s",
        "44 s",
        "2 min",
        "83 min",
        "2.5 h",
    ]


def test_no_key_has_two_meanings_and_help_lists_every_key() -> None:
    for screen, bindings in BINDINGS.items():
        pressed = [key for binding in bindings for key in binding.keys]
        assert len(pressed) == len({*pressed})
        help_text = "\n".join(help_lines(screen))
        assert all(binding.description in help_text for binding in bindings)


@pytest.mark.parametrize(
    ("codes", "name"),
    [
        ((259, 450), "up"),
        ((258, 456), "down"),
        ((260, 452), "left"),
        ((261, 454), "right"),
        ((343, 459, 10, 13, "\n", "\r"), keys.ENTER),
        ((263, 8, 127, "\b", "\x7f"), keys.BACKSPACE),
        ((410, 546), keys.RESIZE),
        ((339, 451), "page up"),
        ((338, 457), "page down"),
        ((262, 449), "home"),
        ((360, 455, 358), "end"),
        ((465, "+"), "+"),
        ((464, "-"), "-"),
        ((27, "\x1b"), keys.ESCAPE),
        ((9, "\t"), keys.TAB),
        (("x",), "x"),
        ((9999,), ""),
    ],
)
def test_both_sets_of_key_codes_have_the_same_names(
    codes: tuple[int | str, ...], name: str
) -> None:
    assert {keys.key_name(code) for code in codes} == {name}
