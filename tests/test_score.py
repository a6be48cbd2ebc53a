"""Keys, time signatures, chords and ABC notation."""

from __future__ import annotations

import contextlib

import music21
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.core.errors import NotationError
from scripts.score.abc_reader import read_abc
from scripts.score.abc_writer import write_abc
from scripts.score.chords import Chord, parse_chord, parse_roman_numeral
from scripts.score.harmonize import harmonize
from scripts.score.keys import SCALES, Key, key_from_pc, parse_key
from scripts.score.sheet import Bar, LeadSheet, Note, scale_share, transpose
from scripts.score.time_signature import TimeSignature, parse_time_signature


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("F minor", Key("F", "minor")),
        ("Fm", Key("F", "minor")),
        ("c# dorian", Key("C#", "dorian")),
        ("Bb", Key("Bb")),
        ("B flat major", Key("Bb")),
        ("E harmonic minor", Key("E", "harmonic minor")),
        ("G# major", Key("Ab")),
        ("D mix", Key("D", "mixolydian")),
    ],
)
def test_common_names_of_keys_are_parsed(text: str, key: Key) -> None:
    assert parse_key(text) == key


@pytest.mark.parametrize("text", ["", "H", "X minor", "F majestic", "minor", "F# # minor", "12"])
def test_an_invalid_key_is_none(text: str) -> None:
    assert parse_key(text) is None


def test_d_dorian_has_no_sharps_and_a_major_has_three() -> None:
    assert Key("D", "dorian").fifths == 0
    assert Key("A").signature == {**dict.fromkeys("DEAB", 0), "F": 1, "C": 1, "G": 1}


@given(st.integers(0, 11), st.sampled_from(sorted(SCALES)))
def test_every_pitch_class_is_spelled_at_its_pitch(pc: int, scale: str) -> None:
    key = key_from_pc(pc, scale)
    from scripts.score.keys import LETTER_PC

    for note in range(12):
        letter, alter = key.spell(note)
        assert (LETTER_PC[letter] + alter) % 12 == note


@pytest.mark.parametrize(
    ("meter", "ticks"),
    [("2/4", 48), ("3/4", 72), ("4/4", 96), ("6/8", 72), ("5/4", 120), ("7/8", 84)],
)
def test_a_bar_lasts_its_beats(meter: str, ticks: int) -> None:
    parsed = parse_time_signature(meter)
    assert parsed
    assert parsed.bar_ticks == ticks == sum(parsed.groups)


def test_seven_eight_is_felt_as_two_two_three() -> None:
    assert TimeSignature(7, 8).beat_starts == (0, 24, 48)


@pytest.mark.parametrize(
    ("text", "classes"),
    [("Am7", {9, 0, 4, 7}), ("Bb/D", {10, 2, 5}), ("F#m7b5", {6, 9, 0, 4}), ("Gsus4", {7, 0, 2})],
)
def test_a_chord_symbol_has_its_notes(text: str, classes: set[int]) -> None:
    chord = parse_chord(text)
    assert chord
    assert set(chord.pitch_classes) == classes


def test_an_invalid_chord_is_none() -> None:
    assert parse_chord("H9#x") is None
    assert parse_roman_numeral("ix", Key("C")) is None


def test_roman_numerals_follow_the_mode() -> None:
    assert parse_roman_numeral("VI", Key("A", "minor")) == Chord(5)
    assert parse_roman_numeral("vi", Key("C")) == Chord(9, "m")
    assert parse_roman_numeral("bVII", Key("C")) == Chord(10)


notes = st.lists(
    st.tuples(st.integers(55, 84), st.sampled_from([6, 12, 18, 24, 36])), min_size=1, max_size=8
)


def make_bar(content: list[tuple[int, int]], full: int) -> Bar:
    out, remaining = [], full
    for pitch, ticks in content:
        ticks = min(ticks, remaining)
        if ticks:
            out.append(Note(pitch, ticks))
            remaining -= ticks
    if remaining:
        out.append(Note(None, remaining))
    return Bar(tuple(out), ((0, Chord(0)),))


@settings(max_examples=150)
@given(
    st.lists(notes, min_size=1, max_size=4),
    st.integers(0, 11),
    st.sampled_from(sorted(SCALES)),
    st.sampled_from(["2/4", "3/4", "4/4", "6/8", "5/4", "7/8"]),
)
def test_a_sheet_written_and_read_again_is_the_same(
    bars: list[list[tuple[int, int]]], pc: int, scale: str, meter: str
) -> None:
    parsed = parse_time_signature(meter)
    assert parsed
    sheet = LeadSheet(
        key_from_pc(pc, scale), parsed, (tuple(make_bar(b, parsed.bar_ticks) for b in bars),)
    )
    again = read_abc(write_abc(sheet))
    assert [b.notes for b in again.bars] == [b.notes for b in sheet.bars]


@settings(max_examples=25)
@given(
    st.lists(notes, min_size=2, max_size=3),
    st.integers(0, 11),
    st.sampled_from(["major", "minor", "dorian", "blues"]),
)
def test_music21_reads_the_same_pitches(
    bars: list[list[tuple[int, int]]], pc: int, scale: str
) -> None:
    sheet = LeadSheet(
        key_from_pc(pc, scale), TimeSignature(4, 4), (tuple(make_bar(b, 96) for b in bars),)
    )
    elements = music21.converter.parse(write_abc(sheet), format="abc").flatten().notes
    pitches = [n.pitch.midi for n in elements if not isinstance(n, music21.harmony.ChordSymbol)]
    assert pitches == list(sheet.pitches)


@settings(max_examples=400)
@given(st.text(alphabet="abcdefgABCz|:[]\"()^_=,'/0123456789-<> \nKML%", max_size=120))
def test_any_tune_body_is_read_or_rejected(body: str) -> None:
    with contextlib.suppress(NotationError):
        read_abc("X:1\nM:4/4\nL:1/8\nK:C\n" + body)


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_any_text_is_read_or_rejected(text: str) -> None:
    with contextlib.suppress(NotationError):
        read_abc(text)


def test_a_bar_of_the_wrong_length_is_rejected_with_its_line() -> None:
    with pytest.raises(NotationError, match="line 5"):
        read_abc("X:1\nM:4/4\nL:1/8\nK:C\nC2D2E2F2|C2D2E2|C8|C8|]\n")


def test_repeats_pickups_and_endings_are_read() -> None:
    sheet = read_abc("X:1\nM:4/4\nL:1/8\nK:D\nAG|:FDDD FAAA|1 E2 E4 AG:|2 E6 z2|]\n")
    assert [len(p) for p in sheet.parts] == [2]
    assert sheet.parts[0][1].notes[0].pitch == 64


def test_transposing_keeps_the_tune_in_its_scale(tune: LeadSheet) -> None:
    for shift in range(-6, 7):
        moved = transpose(tune, shift)
        assert scale_share(moved) == scale_share(tune) == 1.0
        assert moved.pitches == tuple(p + shift for p in tune.pitches)


def test_harmonizing_finds_tonic_and_dominant() -> None:
    sheet = harmonize(read_abc("X:1\nM:4/4\nL:1/8\nK:C\nC2E2G2E2|B2d2g2d2|C2E2G2c2|c8|]\n"))
    roots = [bar.chords[0][1].root for bar in sheet.bars]
    assert roots == [0, 7, 0, 0]
