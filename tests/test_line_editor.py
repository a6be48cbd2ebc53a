"""Text fields edit as people expect, and remember what was typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.tui import keys
from scripts.tui.history import History
from scripts.tui.layout import clip_around_cursor, display_width
from scripts.tui.line_editor import MAX_INPUT_LENGTH, edit_line, split_at_cursor
from scripts.tui.state import Field

KEYS = ["left", "right", "home", "end", "delete", "ctrl-a", "ctrl-e", "ctrl-u", "ctrl-w"]


def type_keys(*pressed: str) -> Field:
    """A field after these keys."""
    field = Field("?", "styles")
    for key in pressed:
        assert edit_line(field, key)
    return field


@pytest.mark.parametrize(
    ("pressed", "before", "after"),
    [
        ([*"jazz", "left", "left", "x"], "jax", "zz"),
        ([*"jazz", "home", "a"], "a", "jazz"),
        ([*"jazz", "ctrl-a", "delete"], "", "azz"),
        ([*"jazz", "left", keys.BACKSPACE], "ja", "z"),
        ([*"jazz", "home", "right", keys.BACKSPACE], "", "azz"),
        ([*"sad jazz", "ctrl-w"], "sad ", ""),
        ([*"sad jazz  ", "ctrl-w"], "sad ", ""),
        ([*"sad jazz", "left", "ctrl-u"], "", "z"),
        ([*"jazz", "home", "ctrl-e", "y"], "jazzy", ""),
        ([*"jazz", "home", "end"], "jazz", ""),
        (["left", "right", "delete", keys.BACKSPACE, "ctrl-w"], "", ""),
        ([*"楽しい", "left", keys.BACKSPACE], "楽", "い"),
    ],
)
def test_a_key_edits_the_text(pressed: list[str], before: str, after: str) -> None:
    assert split_at_cursor(type_keys(*pressed)) == (before, after)


@given(st.lists(st.sampled_from([*KEYS, keys.BACKSPACE, "a", " ", "é", "楽"]), max_size=60))
def test_the_cursor_stays_in_the_text(pressed: list[str]) -> None:
    field = type_keys(*pressed)
    assert 0 <= field.after_cursor <= len(field.text)
    assert "".join(split_at_cursor(field)) == field.text


def test_a_text_has_a_greatest_length() -> None:
    assert len(type_keys(*"x" * (MAX_INPUT_LENGTH + 5)).text) == MAX_INPUT_LENGTH


@given(st.text(max_size=90), st.text(max_size=90), st.integers(20, 100))
def test_the_cursor_is_always_visible(before: str, after: str, columns: int) -> None:
    shown = clip_around_cursor(before, after, columns)
    assert "_" in shown
    assert display_width(shown) <= columns


def test_earlier_entries_are_kept_between_runs(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    history = History(path)
    for text in ("jazz", "folk", "jazz"):
        history.add("styles", text)
    history.add("search", "blue")
    again = History(path)
    assert again.step("styles", True, "") == "jazz"
    assert again.step("styles", True, "jazz") == "folk"
    assert again.step("styles", True, "folk") is None
    assert again.step("styles", False, "folk") == "jazz"
    assert again.step("styles", False, "jazz") == ""
    assert again.step("search", True, "") == "blue"


def test_an_edited_entry_begins_anew(tmp_path: Path) -> None:
    history = History(tmp_path / "history.json")
    for text in ("one", "two", "three"):
        history.add("styles", text)
    assert history.step("styles", True, "") == "three"
    assert history.step("styles", True, "three and more") == "three"


@given(st.binary(max_size=80))
def test_a_damaged_history_is_empty_or_read(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("history") / "history.json"
    path.write_bytes(data)
    entry = History(path).step("styles", True, "")
    assert entry is None or entry.isprintable()
