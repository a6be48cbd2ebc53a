"""Players bend, slide, shake and strum as their instruments allow."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.arranger.arrange import arrange
from scripts.arranger.events import NoteEvent, collect_notes
from scripts.arranger.playing import PLAIN, Playing, load_playing, play_lead, strum
from scripts.arranger.voicing import power_chord
from scripts.core import paths
from scripts.core.audio_format import RATE
from scripts.core.errors import UsageError
from scripts.exports.midi import bend_messages, write_midi
from scripts.request.spec import SongSpec
from scripts.score.chords import Chord
from scripts.score.sheet import LeadSheet
from scripts.score.time_signature import TimeSignature
from scripts.synth.bends import bend_sound
from scripts.synth.instruments import load_instruments

PLAYING = load_playing(paths.DATA / "playing.toml")
INSTRUMENTS = load_instruments(paths.DATA / "instruments")


def pitch(sound: np.ndarray) -> float:
    """Frequency in Hz of a sine."""
    crossings = np.flatnonzero((sound[:-1] < 0) & (sound[1:] >= 0))
    return RATE * (len(crossings) - 1) / (crossings[-1] - crossings[0])


def test_the_table_names_only_instruments_that_exist() -> None:
    assert PLAYING.keys() <= INSTRUMENTS.keys()


def test_a_bend_changes_the_pitch_and_comes_to_rest() -> None:
    sine = np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE).astype(np.float32)[None, :]
    bent = bend_sound(sine, [(0.0, -2.0), (0.5, -2.0), (0.6, 0.0)], RATE)[0]
    assert pitch(bent[: RATE // 2]) == pytest.approx(440 / 2 ** (2 / 12), rel=0.002)
    assert pitch(bent[int(0.65 * RATE) :]) == pytest.approx(440, rel=0.002)


def test_a_bend_upwards_ends_where_the_sound_ends() -> None:
    sine = np.ones((2, RATE), np.float32)
    assert bend_sound(sine, [(0.0, 12.0)], RATE).shape == (2, RATE // 2)


@given(
    st.sampled_from(sorted(PLAYING)),
    st.lists(
        st.tuples(st.floats(0, 200), st.floats(1, 200), st.integers(40, 90)), min_size=1, max_size=9
    ),
    st.integers(0, 99),
)
def test_gestures_keep_the_notes(
    name: str, notes: list[tuple[float, float, int]], seed: int
) -> None:
    events = [NoteEvent(*note, 0.7) for note in sorted(notes)]
    played = play_lead(events, PLAYING[name], 100, random.Random(seed))
    assert sorted((e.start, e.ticks, e.pitch) for e in played) == sorted(
        (e.start, e.ticks, e.pitch) for e in events
    )
    for event in played:
        times = [at for at, _ in event.bend]
        assert times == sorted(times)
        longest = max(e.ticks for e in played if e.start == event.start)
        assert all(0 <= at <= longest + 1e-6 for at in times)
        assert all(abs(step) <= 7 for _, step in event.bend)


def test_a_saxophone_shakes_long_notes_and_a_piano_none() -> None:
    long_notes = [NoteEvent(96.0 * n, 90.0, 65, 0.7) for n in range(8)]
    assert all(e.bend for e in play_lead(long_notes, PLAYING["saxophone"], 100, random.Random(1)))
    assert play_lead(long_notes, PLAIN, 100, random.Random(1)) == long_notes


def test_a_strum_goes_down_on_the_beat_and_up_between_beats() -> None:
    def strummed(start: float) -> list[int]:
        chord = [NoteEvent(start, 12.0, pitch, 0.7) for pitch in (48, 55, 60)]
        played = strum(chord, Playing(strum=0.01), 120, TimeSignature(4, 4))
        return [e.pitch for e in sorted(played, key=lambda e: e.start)]

    assert strummed(24.0) == [48, 55, 60]
    assert strummed(36.0) == [60, 55, 48]
    compound = [NoteEvent(36.0, 12.0, pitch, 0.7) for pitch in (48, 55, 60)]
    played = strum(compound, Playing(strum=0.01), 120, TimeSignature(6, 8))
    assert min(played, key=lambda e: e.start).pitch == 48  # the second beat


def test_a_power_chord_is_root_fifth_and_octave_from_the_low_e() -> None:
    assert power_chord(Chord(4)) == (40, 47, 52)
    assert power_chord(Chord(2, "m7")) == (50, 57, 62)
    assert power_chord(Chord(11, "dim")) == (47, 53, 59)


@pytest.mark.parametrize("style", ["metal", "funk", "hip-hop", "pop", "jazz", "country"])
def test_chords_lie_below_the_tune(
    spec: Callable[..., SongSpec], tune: LeadSheet, style: str
) -> None:
    notes = collect_notes(arrange(spec(style), tune, paths.DATA))
    melody = sorted(event.pitch for event in notes["melody"])
    chords = [event.pitch for event in notes["chords"]]
    assert max(chords) <= melody[len(melody) // 2]
    assert min(chords) >= 32


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12), st.booleans()), max_size=12),
)
def test_the_wheel_rests_where_a_plain_note_begins_and_at_the_end(
    notes: list[tuple[int, int, bool]],
) -> None:
    fall = ((0.0, 0.0), (12.0, -4.0))
    events = [
        NoteEvent(24.0 * start, 12.0 * ticks, 60, 0.7, bend=fall if bent else ())
        for start, ticks, bent in {note[0]: note for note in notes}.values()
    ]
    messages = bend_messages(events, 0, 30_000)
    assert [tick for tick, _, _ in messages] == sorted(tick for tick, _, _ in messages)
    for event in events:
        at = round(event.start * 20)
        wheel = [message.pitch for tick, _, message in messages if tick <= at]
        assert not wheel or wheel[-1] == 0
    assert not messages or messages[-1][2].pitch == 0


def test_bends_are_exported_as_pitch_wheel(
    spec: Callable[..., SongSpec], tune: LeadSheet, tmp_path: Path
) -> None:
    song_spec = spec("rock", length="1")
    song = arrange(song_spec, tune, paths.DATA)
    write_midi(tmp_path / "a.mid", song, INSTRUMENTS, "A", song_spec.key, song_spec.meter)
    tracks = {t.name: t for t in mido.MidiFile(tmp_path / "a.mid").tracks}
    bends = [m.pitch for m in tracks["melody"] if m.type == "pitchwheel"]
    assert len(bends) > 20
    assert bends[-1] == 0
    assert not [m for m in tracks["bass"] if m.type == "pitchwheel"]


@pytest.mark.parametrize(
    "text",
    [
        "[piano]\nvibrato = [1]",
        "[piano]\nvibrato = [10, 0, 0.3]",
        "[piano]\nshake = 1",
        '[piano]\nstrum = "fast"',
        '[piano]\npower = "no"',
        "piano = 1",
    ],
)
def test_an_invalid_table_is_an_error_of_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "playing.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"playing\.toml: .*; correct the file"):
        load_playing(path)
