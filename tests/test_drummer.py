"""Drum grooves that were learned from drummers."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.arranger.drummer import arrange_drum_groove
from scripts.arranger.events import DRUM_KEYS, NoteEvent, Section
from scripts.arranger.grooves import load_grooves
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.score.time_signature import TimeSignature, parse_time_signature

GROOVES = load_grooves(paths.DATA / "grooves" / "played.toml")
BEATS = sorted(n for n in GROOVES if "fill" not in n)
FOUR = TimeSignature(4, 4)


def play_groove(
    name: str,
    energy: float = 0.7,
    bars: int = 8,
    seed: int = 1,
    meter: TimeSignature = FOUR,
    section: str = "verse",
) -> list[NoteEvent]:
    drum_section = Section(section, 4, bars, 0, 0, energy)
    return arrange_drum_groove(
        drum_section, meter, GROOVES[name], GROOVES, 110.0, random.Random(seed)
    )


def test_each_family_has_at_least_four_grooves() -> None:
    families = Counter(n.split("-")[0] for n in BEATS)
    assert len(families) >= 18
    assert min(families.values()) >= 4


@pytest.mark.parametrize("name", BEATS)
@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "7/8", "5/4", "12/8", "2/4", "13/8"])
def test_a_groove_plays_in_every_meter(name: str, meter: str) -> None:
    parsed = parse_time_signature(meter)
    assert parsed
    notes = play_groove(name, meter=parsed)
    start, end = 4 * parsed.bar_ticks, 12 * parsed.bar_ticks
    assert notes
    assert all(start - 1 <= e.start < end and 0 < e.velocity <= 1 for e in notes)
    assert {e.pitch for e in notes} <= set(DRUM_KEYS.values())


def test_the_same_seed_plays_the_same() -> None:
    assert play_groove("funk-1") == play_groove("funk-1")
    assert play_groove("funk-1") != play_groove("funk-1", seed=2)


def test_the_backbeat_is_on_two_and_four() -> None:
    snares = Counter(
        round(e.start / 6) % 16
        for e in play_groove("rock-1", bars=16)
        if e.pitch == DRUM_KEYS["snare"] and e.velocity > 0.5
    )
    assert {step for step, n in snares.items() if n >= 12} == {4, 12}


def test_a_jazz_ride_swings() -> None:
    rides = [e.start % 24 for e in play_groove("swing-1", bars=32) if e.pitch == DRUM_KEYS["ride"]]
    off = sorted(t for t in rides if 10 < t < 21)
    assert len(off) > 20
    assert 14.5 < off[len(off) // 2] < 18


def test_most_bars_differ_from_each_other() -> None:
    """Compares only which drums are struck on which steps."""
    notes = play_groove("funk-2", bars=32, energy=0.8)
    bars = [
        frozenset((e.pitch, round(e.start % 96 / 6)) for e in notes if (e.start + 2) // 96 == b)
        for b in range(4, 36)
    ]
    assert len(set(bars)) > 24
    velocities = [e.velocity for e in notes]
    assert len(set(velocities)) > 0.9 * len(velocities)


def test_a_section_ends_with_a_fill_and_begins_with_a_crash() -> None:
    notes = play_groove("rock-2", energy=0.9)
    first = [e for e in notes if e.start < 4 * 96 + 3]
    assert DRUM_KEYS["crash"] in {e.pitch for e in first}
    last = [e for e in notes if e.start >= 12 * 96 - 48]
    toms = {DRUM_KEYS[t] for t in ("tom1", "tom2", "tom3")}
    assert any(
        e.pitch in toms
        for s in range(6)
        for e in play_groove("rock-2", 0.9, seed=s)
        if e.start >= 12 * 96 - 48
    )
    assert last


def test_low_energy_is_sparse_and_soft() -> None:
    quiet, loud = play_groove("rock-1", 0.3), play_groove("rock-1", 0.95)
    assert len(quiet) < len(loud)
    assert max(e.velocity for e in quiet) < max(e.velocity for e in loud)
    assert DRUM_KEYS["crash"] not in {e.pitch for e in quiet}


def test_timing_varies_by_at_most_twenty_milliseconds() -> None:
    most = 0.020 * 110 / 60 * 24
    for name in ("funk-1", "hiphop-1"):
        away = [e.start - round(e.start / 6) * 6 for e in play_groove(name, bars=32)]
        assert max(map(abs, away)) <= most + 0.01
        assert sum(a != 0 for a in away) > 0.9 * len(away)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\nsteps = 15\n", r"line 1: \[a\] steps must be 12 or 16"),
        ("[a]\nsteps = 16\n\n[b]\nsteps = 12\nspoon = []\n", r"line 4: \[b\] unknown drum piece"),
        ('[a]\nsteps = 12\nkick = ["1", "2", "m"]\n', "three strings of 12"),
        ('[a]\nsteps = 12\nkick = ["1...........", "............", "m..........."]\n', "a step is"),
        ("[a]\nkick = []\n", "steps"),
        ("a = 1\n", "line 1"),
        ("[a\n", "line 1"),
    ],
)
def test_a_broken_groove_is_rejected_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "played.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        load_grooves(path)


@given(
    st.dictionaries(
        st.sampled_from(["a", "b"]),
        st.dictionaries(
            st.sampled_from(["steps", "kick", "snare", "x"]),
            st.one_of(
                st.integers(0, 20),
                st.lists(st.text("0159.mzé", max_size=16), max_size=4),
                st.booleans(),
            ),
        ),
    )
)
def test_any_table_is_a_groove_or_rejected(tables: dict[str, dict[str, object]]) -> None:
    from scripts.arranger.grooves import _parse_groove

    for name, row in tables.items():
        try:
            groove = _parse_groove(name, row)
        except (TypeError, ValueError, KeyError, AttributeError):
            continue
        for piece in groove.pieces:
            groove.hits(piece, FOUR)
