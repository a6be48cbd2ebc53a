"""Song specs: the user's options are followed exactly."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.errors import UsageError
from scripts.request.parse import parse_length
from scripts.request.spec import SongSpec


@pytest.mark.parametrize(
    ("text", "seconds"), [("3", 180), ("0.5", 30), ("1:30", 5400), ("24:00", 86400), ("0:01", 60)]
)
def test_a_length_is_minutes_or_hours_and_minutes(text: str, seconds: float) -> None:
    assert parse_length(text) == seconds


def test_a_range_gives_a_length_inside_it() -> None:
    found = {parse_length("4-6", random.Random(n)) for n in range(50)}
    assert len(found) > 10
    assert all(240 <= s <= 360 for s in found)


@pytest.mark.parametrize("text", ["0", "9999", "-3", "abc", "1:99", "25:00", "", "3 min", "1e9"])
def test_invalid_lengths_are_rejected(text: str) -> None:
    with pytest.raises(UsageError):
        parse_length(text)


@given(st.text(max_size=40))
def test_any_length_text_is_parsed_or_rejected(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert 9 < parse_length(text) <= 86400


def test_the_users_options_are_used_unchanged(spec: Callable[..., SongSpec]) -> None:
    found = spec("jazz", key="F minor", tempo=97, meter="7/8", length="2", tuning=432)
    assert (str(found.key), found.tempo, str(found.meter), found.length, found.tuning.a4) == (
        "F minor",
        97,
        "7/8",
        120,
        432,
    )


@pytest.mark.parametrize(
    "options",
    [
        {"key": "H moll"},
        {"tempo": 5.0},
        {"tempo": 500.0},
        {"meter": "13"},
        {"tuning": 20.0},
        {"form": "verse kazoo"},
        {"chords": "H9#x"},
        {"chords": " "},
        {"meter": "0/4"},
    ],
)
def test_an_invalid_option_is_rejected_in_one_line(
    spec: Callable[..., SongSpec], options: dict[str, object]
) -> None:
    with pytest.raises(UsageError) as caught:
        spec("jazz", **options)
    assert "\n" not in str(caught.value)


@given(st.integers(0, 1 << 40))
def test_the_same_seed_gives_the_same_spec(seed: int) -> None:
    from scripts.core import paths
    from scripts.request.build import build_spec
    from scripts.request.request import SongRequest
    from scripts.styles.style import load_styles

    styles = load_styles(paths.DATA / "styles") if not CACHE else CACHE[0]
    CACHE[:] = [styles]
    request = SongRequest("Chill, Dubstep")
    assert build_spec(request, styles, seed) == build_spec(request, styles, seed)


CACHE: list = []


def test_the_last_chord_has_time_to_ring(spec: Callable[..., SongSpec]) -> None:
    for seed in range(40):
        for length in ("0.17", "0.5", "1", "3", "7.3"):
            found = spec("Chill, Dubstep", seed=seed, length=length)
            ring = found.length - found.bars * found.bar_seconds
            assert 0 < ring < 2.1 + found.bar_seconds


@pytest.mark.parametrize(
    ("chords", "key"),
    [
        ("Fm Db Ab Eb", "F minor"),
        ("C G Am F", "C major"),
        ("Am F C G", "A minor"),
        ("Dm7 G7 Cmaj7", "C major"),
        ("Dm7 G7 Cmaj7 A7", "C major"),
    ],
)
def test_without_a_key_the_chords_determine_it(
    spec: Callable[..., SongSpec], chords: str, key: str
) -> None:
    for seed in range(5):
        assert str(spec("chill", chords=chords, seed=seed).key) == key


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 12, 13, 16, 24, 32])
def test_every_requested_chord_is_played(spec: Callable[..., SongSpec], count: int) -> None:
    found = spec(
        "rock",
        chords=" ".join(["C", "Am", "F", "G"] * 8).rsplit(" ", 32 - count)[0]
        if count < 32
        else " ".join(["C", "Am", "F", "G"] * 8),
    )
    assert len(found.chords) == count
    assert all(part % count == 0 for part in found.parts)


def test_a_tempo_too_slow_for_the_length_is_rejected(spec: Callable[..., SongSpec]) -> None:
    with pytest.raises(UsageError, match="two bars"):
        spec("jazz", length="0.2", tempo=20.0, meter="4/2")
