"""Form, voicing, patterns and the arrangement."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scripts.arranger.arrange import arrange
from scripts.arranger.dynamics import choose_entrance
from scripts.arranger.endings import last_chord
from scripts.arranger.events import NoteEvent
from scripts.arranger.form import lay_out, lay_out_exactly
from scripts.arranger.patterns import fit_bar, parse_steps
from scripts.arranger.voicing import bass_note, voice_chord
from scripts.core import paths
from scripts.request.parse import SECTIONS
from scripts.request.spec import SongSpec
from scripts.score.abc_reader import read_abc
from scripts.score.chords import Chord
from scripts.score.sheet import LeadSheet, transpose
from scripts.score.time_signature import parse_time_signature
from scripts.styles.style import ENDINGS
from scripts.synth.bank import NoteBank
from scripts.synth.instruments import load_instruments
from tests.conftest import TUNE


@given(
    st.lists(st.sampled_from(SECTIONS), min_size=1, max_size=9),
    st.sampled_from([(4,), (8,), (12,), (8, 8), (8, 8, 8)]),
    st.integers(2, 4000),
)
def test_a_form_fills_its_bars_without_gap(
    names: list[str], parts: tuple[int, ...], bars: int
) -> None:
    form = lay_out(names, parts, bars)
    assert sum(s.bars for s in form) == bars
    assert [s.start for s in form] == [sum(x.bars for x in form[:i]) for i in range(len(form))]
    assert all(0 < s.energy <= 1 and 0 <= s.part < len(parts) for s in form)


def test_a_song_begins_with_its_intro_and_ends_with_its_outro() -> None:
    form = lay_out(["intro", "verse", "chorus", "outro"], (8, 8), 90)
    assert (form[0].name, form[-1].name) == ("intro", "outro")


@pytest.mark.parametrize("meter", ["2/4", "3/4", "4/4", "6/8", "5/4", "7/8", "9/8", "12/8", "11/8"])
def test_a_pattern_fits_every_meter(meter: str) -> None:
    parsed = parse_time_signature(meter)
    assert parsed
    line = fit_bar(
        {"4/4": "X.x.x.x.X.x.x.x.", "3/4": "X.x.x.x.x.x.", "6/8": "X.x.x.X.x.x."}, parsed
    )
    assert len(line) * 6 == parsed.bar_ticks
    assert all(s.start + s.ticks <= parsed.bar_ticks for s in parse_steps(line))


@given(st.integers(0, 11), st.integers(0, 11), st.sampled_from(["", "m", "7", "m7", "maj9", "13"]))
def test_chords_move_little_and_stay_in_range(a: int, b: int, quality: str) -> None:
    first = voice_chord(Chord(a), ())
    second = voice_chord(Chord(b, quality), first)
    assert {p % 12 for p in second} <= set(Chord(b, quality).pitch_classes)
    assert min(second) >= 45
    assert max(second) <= 80
    assert abs(sum(second) / len(second) - sum(first) / len(first)) <= 5
    assert 28 <= bass_note(Chord(b)) <= 43


def test_the_same_spec_gives_the_same_arrangement(
    spec: Callable[..., SongSpec], tune: LeadSheet
) -> None:
    one = arrange(spec(key="E minor"), tune, paths.DATA)
    two = arrange(spec(key="E minor"), tune, paths.DATA)
    assert [s.tracks for s in one.sections()] == [s.tracks for s in two.sections()]


def test_a_song_has_melody_chords_bass_and_drums(
    spec: Callable[..., SongSpec], tune: LeadSheet
) -> None:
    found = arrange(spec(key="E minor"), tune, paths.DATA)
    roles = {role for s in found.sections() for role, events in s.tracks.items() if events}
    assert {"melody", "chords", "bass", "drums"} <= roles


def test_melody_notes_stay_in_the_key_even_when_varied(
    spec: Callable[..., SongSpec], tune: LeadSheet
) -> None:
    chosen = spec("pop", key="E minor", length="6")
    inside = set(tune.key.pitch_classes)
    for section in arrange(chosen, tune, paths.DATA).sections():
        assert all(e.pitch % 12 in inside for e in section.tracks.get("melody", ()))


def test_a_repeated_section_is_varied(spec: Callable[..., SongSpec], tune: LeadSheet) -> None:
    chosen = spec("rock", key="E minor", length="4")
    sections = [
        s for s in arrange(chosen, tune, paths.DATA).sections() if s.section.name == "verse"
    ]
    assert len(sections) >= 2
    first, second = (
        [(round(e.start) % 96, e.pitch) for e in s.tracks["melody"]] for s in sections[:2]
    )
    assert first != second


@pytest.mark.parametrize(
    "style",
    [
        "house",
        "trance",
        "classical",
        "ambient",
        "punk",
        "chiptune",
        "meditation",
        "waltz",
        "salsa",
        "lo-fi",
        "film",
        "techno",
    ],
)
def test_no_four_bars_of_a_song_are_identical(
    style: str, spec: Callable[..., SongSpec], tune: LeadSheet
) -> None:
    """Compares only pitches and sixteenths, from any bar on, all tracks together."""
    found = arrange(spec(style, key="E minor", length="3", meter="4/4"), tune, paths.DATA)
    bars: dict[int, set[tuple[str, int, int]]] = {}
    for section in found.sections():
        for role, events in section.tracks.items():
            for e in events:
                bar, tick = divmod(e.start + 3, found.bar_ticks)
                bars.setdefault(int(bar), set()).add((role, e.pitch, int(tick // 6)))
    passages = [
        tuple(frozenset(bars.get(b + i, ())) for i in range(4)) for b in range(found.spec.bars - 3)
    ]
    assert len(set(passages)) == len(passages) > 20


def test_the_bass_alternates_manners_that_sound_different(
    spec: Callable[..., SongSpec], tune: LeadSheet
) -> None:
    found = arrange(spec("dubstep", key="E minor", length="2"), tune, paths.DATA)
    manners = {e.manner for s in found.sections() for e in s.tracks.get("bass", ())}
    assert manners - {""} == set(found.tracks["bass"].manners)  # the last note has none
    assert len(manners) > 4
    bank = NoteBank(load_instruments(paths.DATA / "instruments"), 140, 440)
    slow, quick = (
        bank.render_note("wobble bass", NoteEvent(0, 48, 40, 0.8, m), 0.9, 0)
        for m in ("wobble1", "wobble4")
    )
    assert not np.allclose(slow, quick, atol=0.01)


def test_the_song_closes_on_its_tonic_chord(spec: Callable[..., SongSpec]) -> None:
    chosen = spec("sad", key="E minor", length="0.5")
    *_, last = arrange(chosen, read_abc(TUNE), paths.DATA).sections()
    at = chosen.bars * chosen.meter.bar_ticks
    final = {
        e.pitch % 12 for role in ("chords", "bass") for e in last.tracks[role] if e.start >= at - 5
    }
    assert final == {4, 7, 11}


def test_swing_delays_the_off_beats(spec: Callable[..., SongSpec], tune: LeadSheet) -> None:
    chosen = spec("jazz", key="E minor", meter="4/4")
    events = [
        e for s in arrange(chosen, tune, paths.DATA).sections() for e in s.tracks.get("drums", ())
    ]
    off = [e.start % 24 for e in events if 9 < e.start % 24 < 21]
    assert off
    assert 14.5 < sorted(off)[len(off) // 2] < 20.5


@example(["intro", "outro"], (4,), 2)
@given(
    st.lists(st.sampled_from(SECTIONS), min_size=1, max_size=9),
    st.sampled_from([(4,), (8,), (12,), (8, 8)]),
    st.integers(2, 4000),
)
def test_a_requested_form_keeps_its_order(
    names: list[str], parts: tuple[int, ...], bars: int
) -> None:
    form = lay_out_exactly(names, parts, bars)
    assert sum(s.bars for s in form) == bars
    assert all(s.bars > 0 for s in form)
    played = iter(s.name for s in form)
    assert all(name in played for name in names[:bars])


def test_a_long_piece_has_chapters_and_returns_to_the_first(
    spec: Callable[..., SongSpec], tune: LeadSheet
) -> None:
    song_spec = spec("ambient", length="60")
    assert song_spec.chapter_count == 4
    assert spec("ambient", length="3").chapter_count == 1
    parts = tuple(replace(transpose(tune, k), key=tune.key).parts for k in range(4))
    parts_per_chapter = len(tune.parts)
    song = arrange(
        song_spec, replace(tune, parts=tuple(p for found in parts for p in found)), paths.DATA
    )
    used = [s.part // parts_per_chapter for s in song.form]
    assert used[:-2] == sorted(used[:-2])
    assert set(used) == {0, 1, 2, 3}
    assert used[-1] == 0


def test_no_form_ends_with_a_bridge_or_a_build() -> None:
    for names in (
        ["verse", "chorus", "bridge"],
        ["intro", "build", "drop", "outro"],
        ["verse", "bridge", "verse", "chorus", "outro"],
    ):
        for bars in range(8, 90):
            form = [s.name for s in lay_out(names, (8, 8), bars) if s.name != "outro"]
            assert form[-1] not in ("bridge", "build"), (names, bars, form)


@pytest.mark.parametrize("kind", ENDINGS)
def test_every_ending_resolves_to_the_tonic(kind: str) -> None:
    tonic = Chord(9, "m")
    found = last_chord(kind, 960.0, 90.0, tonic, (64, 69, 72), False, random.Random(1))
    assert found["bass"][0].pitch % 12 == 9
    assert found["bass"][0].start == 960
    struck = {e.pitch % 12 for role in ("chords", "melody") for e in found.get(role, ())}
    assert set(tonic.pitch_classes) <= struck
    assert all(e.start >= 960 and 0 < e.ticks <= 100 for events in found.values() for e in events)


def test_endings_depend_on_the_style(spec: Callable[..., SongSpec], tune: LeadSheet) -> None:
    def last(style: str) -> dict[str, float]:
        song_spec = spec(style, length="1")
        song = arrange(song_spec, tune, paths.DATA)
        section = song.section(len(song.form) - 1)
        at = song_spec.bars * song_spec.meter.bar_ticks - 6
        return {
            role: max(e.ticks for e in events if e.start >= at)
            for role, events in section.tracks.items()
            if any(e.start >= at for e in events)
        }

    assert last("punk")["chords"] < 20 < last("folk")["chords"]
    assert "melody" not in last("techno")
    assert "drums" not in last("baroque")


def test_roles_enter_at_different_bars(spec: Callable[..., SongSpec], tune: LeadSheet) -> None:
    entrances = set()
    for seed in range(16):
        song_spec = spec("rock", seed=seed, length="2", form="intro verse chorus")
        song = arrange(song_spec, tune, paths.DATA)
        entrance = choose_entrance(song_spec.style, seed)
        entrances.add(entrance)
        first = song.section(0)
        starts = {
            role: events[0].start / song.bar_ticks
            for role, events in first.tracks.items()
            if events
        }
        assert min(starts.values()) < 0.1
        if entrance == "chords":
            assert starts.keys() == {"chords", "pad"}
        else:
            assert (max(starts.values()) < 0.1) == (entrance == "band")
    assert len(entrances) == 5
    quiet = {choose_entrance(spec("ambient").style, seed) for seed in range(16)}
    assert quiet == {"harmony", "chords", "band"}


def test_all_roles_fall_silent_before_a_drop(
    spec: Callable[..., SongSpec], tune: LeadSheet
) -> None:
    song = arrange(spec("dubstep", length="2"), tune, paths.DATA)
    index = next(i for i, s in enumerate(song.form) if s.name == "build")
    section = song.section(index)
    end = (section.section.start + section.section.bars) * song.bar_ticks
    for role in ("drums", "bass", "chords"):
        assert max(e.start + e.ticks for e in section.tracks[role]) <= end - song.bar_ticks / 2 + 6
    early = [e.velocity for e in section.tracks["drums"] if e.start < end - 3 * song.bar_ticks]
    late = [e.velocity for e in section.tracks["drums"] if e.start > end - 2 * song.bar_ticks]
    assert np.mean(late) > np.mean(early) + 0.1
    assert max(e.start + e.ticks for e in section.tracks["fx"]) >= end - 1


def test_a_fading_style_ends_softly(spec: Callable[..., SongSpec], tune: LeadSheet) -> None:
    song = arrange(spec("meditation", length="3"), tune, paths.DATA)
    outro = song.section(len(song.form) - 1)
    levels = [e.velocity for e in outro.tracks["chords"]]
    assert levels[-1] < 0.6 * levels[0]


@pytest.mark.parametrize("style", ["metal", "funk", "house"])
@pytest.mark.parametrize("without", ["drums", "bass", "drums, bass"])
def test_a_song_begins_at_once_whoever_is_left_out(
    spec: Callable[..., SongSpec], tune: LeadSheet, style: str, without: str
) -> None:
    for seed in range(8):
        song = arrange(spec(style, seed=seed, without=without), tune, paths.DATA)
        starts = [e.start for events in song.section(0).tracks.values() for e in events]
        assert min(starts) < song.bar_ticks


def test_some_bands_stop_before_a_chorus(spec: Callable[..., SongSpec], tune: LeadSheet) -> None:
    stopped = 0
    for seed in range(12):
        song_spec = spec("rock", seed=seed, form="verse chorus", length="1")
        song = arrange(song_spec, tune, paths.DATA)
        tracks = song.section(0).tracks
        end = song.form[1].start * song.bar_ticks
        sounds = [e for e in tracks["bass"] if e.start + e.ticks > end - song.bar_ticks / 4]
        stopped += not sounds
        assert any(e.start > end - song.bar_ticks / 2 for e in tracks["drums"])
    assert 1 <= stopped <= 8
