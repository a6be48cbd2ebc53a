"""Lengths as people write them, and as they are stored."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.durations import parse_duration
from scripts.core.errors import UsageError
from scripts.request.parse import (
    describe_length,
    format_stored_length,
    parse_length,
    read_length,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 180),
        ("0.5", 30),
        ("0,5", 30),
        ("3:30", 210),
        ("24:00", 1440),
        ("1:30:00", 5400),
        ("1h30", 5400),
        ("1h", 3600),
        ("2 h", 7200),
        ("01:30", 5400),
        ("00:45", 2700),
        ("90s", 90),
        ("2m", 120),
        ("2 min", 120),
        ("2m30", 150),
        ("2m30s", 150),
    ],
)
def test_a_length_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert parse_length(read_length(text)) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "-3", "abc", "1:99", "25h", "0:05", "5s", "1:2:3", "4-", "9999", "1e3"]
)
def test_an_invalid_length_is_rejected(text: str) -> None:
    with pytest.raises(UsageError):
        read_length(text)


def test_a_range_stays_a_range() -> None:
    assert read_length("4 - 6") == "4 - 6"
    assert describe_length("4-6") == "4-6 minutes"


def test_lengths_stored_by_earlier_versions_keep_their_meaning() -> None:
    assert parse_length("1:30") == 5400
    assert describe_length("1:30") == "1:30:00"


@given(st.floats(10, 86400))
def test_a_stored_length_is_exact(seconds: float) -> None:
    seconds = round(seconds)
    assert parse_length(format_stored_length(seconds)) == pytest.approx(seconds)


@given(st.text(alphabet="0123456789:.,-hms in", max_size=12))
def test_any_length_is_read_or_rejected(text: str) -> None:
    with contextlib.suppress(UsageError):
        stored = read_length(text)
        assert 9 < parse_length(stored) <= 86400
        assert describe_length(stored)
