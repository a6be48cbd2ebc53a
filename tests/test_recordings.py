"""Recorded instruments: their tables, their pitch and length, and what a guitar goes through."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.arranger.events import NoteEvent
from scripts.core import paths
from scripts.core.audio_format import RATE
from scripts.core.errors import UsageError
from scripts.synth.amplifier import Amplifier, AmplifierSettings
from scripts.synth.bank import NoteBank
from scripts.synth.instruments import Recorded, load_instruments
from scripts.synth.recorded import render_recorded, render_recorded_hit
from scripts.synth.recordings import Recordings, Zone, load_recordings
from scripts.synth.stroke import NoteParams

FOLDER = paths.DATA / "instruments" / "recordings"
INSTRUMENTS = load_instruments(paths.DATA / "instruments")
RECORDED = sorted(n for n, i in INSTRUMENTS.items() if isinstance(i.voice, Recorded))
_MAX_BYTES = 30_000_000


def note(key: float, velocity: float = 0.8, seconds: float = 1.0, take: int = 0) -> NoteParams:
    frequency = 440 * 2 ** ((key - 69) / 12)
    return NoteParams(frequency, velocity, seconds, 0.5, 1, key=round(key), take=take)


def test_the_recordings_fit_the_repository() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.*")) < _MAX_BYTES


@pytest.mark.parametrize("folder", sorted(p.name for p in FOLDER.iterdir()))
def test_each_file_is_in_its_table_and_can_be_read(folder: Path) -> None:
    found = load_recordings(FOLDER / folder)
    files = {p.name for p in (FOLDER / folder).glob("*.ogg")}
    assert {zone.file for zone in found.zones} == files
    for zone in found.zones[:: max(1, len(found.zones) // 4)]:
        samples = found.load(zone)
        assert 0 < np.abs(samples.astype(np.int32)).max() <= 32768
        assert zone.loop is None or zone.loop[1] <= samples.shape[1]


@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_instrument_plays(name: str) -> None:
    bank = NoteBank(INSTRUMENTS, 120, 440.0)
    pitch = 38 if INSTRUMENTS[name].is_kit else INSTRUMENTS[name].middle
    sound = bank.render_note(name, NoteEvent(0, 24, pitch, 0.8), 0.5, 0)
    assert np.isfinite(sound).all()
    assert 0.01 < np.abs(sound).max() < 4


def test_a_loop_sustains_for_as_long_as_the_note_lasts() -> None:
    violin = load_recordings(FOLDER / "violin")
    sound = render_recorded([violin], note(72, seconds=12.0))
    assert sound.shape[1] == 12 * RATE
    levels = np.sqrt((sound[0, : 12 * RATE].reshape(24, -1) ** 2).mean(axis=1))[1:]
    assert levels.min() > 0.25 * levels.max()
    steps = np.abs(np.diff(sound[0, RATE:]))
    assert steps.max() < 6 * np.percentile(steps, 99)  # no click where it repeats


def test_a_sound_does_not_depend_on_how_long_it_is_rendered() -> None:
    flute = load_recordings(FOLDER / "flute")
    short, long = (render_recorded([flute], note(75, 0.4, seconds)) for seconds in (0.7, 3.0))
    assert np.array_equal(short, long[:, : short.shape[1]])


def test_a_plucked_sound_ends_by_itself() -> None:
    guitar = load_recordings(FOLDER / "nylon guitar")
    sound = render_recorded([guitar], note(64, seconds=20.0))
    assert sound.shape[1] < 6 * RATE
    assert abs(sound[0, -1]) < 1e-3


def test_the_layer_follows_the_velocity_and_the_take_the_turn() -> None:
    zones = tuple(
        Zone(f"{velocity}-{take}.ogg", 60, velocity) for velocity in (0.5, 1.0) for take in (0, 1)
    )
    found = Recordings(Path(), zones)
    assert found.find(60, 0.3, 0).file == "0.5-0.ogg"
    assert found.find(60, 0.5, 1).file == "0.5-1.ogg"
    assert found.find(61, 0.9, 2).file == "1.0-0.ogg"
    assert found.find(48, 1.1, 0).file == "1.0-0.ogg"
    assert found.most_takes == 2


def test_repeated_drum_hits_differ() -> None:
    kit = load_recordings(FOLDER / "acoustic kit")
    hits = [render_recorded_hit([kit], note(38, take=take)) for take in range(3)]
    for first, second in ((0, 1), (1, 2), (0, 2)):
        a, b = hits[first], hits[second]
        assert a is not None and b is not None
        n = min(a.shape[1], b.shape[1])
        assert np.abs(a[:, :n] - b[:, :n]).max() > 0.05
    assert render_recorded_hit([kit], note(81)) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("zones = []", "no zones"),
        ("tones = 1", "'zones'"),
        ('zones = [{ file = "../a.ogg", key = 60 }]', "a zone needs a file of the folder"),
        ('zones = [{ file = "a.ogg", key = 200 }]', "a key of 0 to 127"),
        ('zones = [{ file = "a.ogg", key = 60, loop = [9, 3] }]', "a loop needs"),
        ('zones = [{ file = "a.ogg", key = 60, color = 3 }]', "color"),
        ('zones = [{ file = "a.ogg", key = 60, velocity = 0 }]', "a velocity is above 0"),
        ('zones = [{ file = "a.ogg", key = 60, gain = nan }]', "tune, pan and gain numbers"),
        ("zones = [{ file = 3, key = 60 }]", "zones.toml"),
        ("zones = 5", "zones.toml"),
    ],
)
def test_an_invalid_table_is_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "zones.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="correct the file") as caught:
        load_recordings(tmp_path)
    assert problem in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_a_damaged_table_or_sound_is_an_error_of_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("recordings")
    (folder / "zones.toml").write_bytes(data)
    with pytest.raises(UsageError):
        load_recordings(folder)
    (folder / "a.ogg").write_bytes(b"OggS" + data)
    zone = Zone("a.ogg", 60)
    with pytest.raises(UsageError, match="missing or damaged"):
        Recordings(folder, (zone,)).load(zone)


def test_a_user_adds_an_instrument_with_a_folder_and_a_table(tmp_path: Path) -> None:
    folder = tmp_path / "recordings" / "my flute"
    shutil.copytree(FOLDER / "flute", folder)
    (tmp_path / "mine.toml").write_text(
        '["my flute"]\nengine = "recorded"\nfolders = ["my flute"]\nprogram = 73\n'
    )
    bank = NoteBank(load_instruments(tmp_path), 120, 440.0)
    assert bank.render_note("my flute", NoteEvent(0, 24, 72, 0.8), 0.5, 0).any()


def test_the_notes_of_a_chord_intermodulate() -> None:
    t = np.arange(RATE) / RATE
    chord = np.stack([0.05 * (np.sin(2 * np.pi * 220 * t) + np.sin(2 * np.pi * 330 * t))] * 2)
    out = Amplifier(AmplifierSettings(drive=20))(chord.astype(np.float32))
    spectrum = np.abs(np.fft.rfft(out[0] * np.hanning(RATE)))
    assert spectrum[110] > 0.02 * spectrum[220]  # 330 - 220
    alone = Amplifier(AmplifierSettings(drive=20))(
        np.stack([0.1 * np.sin(2 * np.pi * 220 * t)] * 2).astype(np.float32)
    )
    assert np.abs(np.fft.rfft(alone[0] * np.hanning(RATE)))[110] < 0.001 * spectrum[220]


def test_an_amplifier_does_not_hear_where_blocks_end() -> None:
    rng = np.random.default_rng(1)
    sound = (rng.standard_normal((2, 30_000)) * 0.05).astype(np.float32)
    whole = np.array(Amplifier(AmplifierSettings(drive=12))(sound))
    amplifier, parts, at = Amplifier(AmplifierSettings(drive=12)), [], 0
    for size in (7000, 13_000, 10_000):
        parts.append(np.array(amplifier(sound[:, at : at + size])))
        at += size
    joined = np.concatenate(parts, axis=1)
    assert np.abs(joined - whole).max() < 0.02 * np.abs(whole).max()


def test_silence_stays_silent_in_an_amplifier() -> None:
    assert not Amplifier(AmplifierSettings(drive=30))(np.zeros((2, 4096), np.float32)).any()


def test_amplifiers_are_those_of_the_tracks() -> None:
    from scripts.styles.style import TrackStyle

    tracks = {"chords": TrackStyle("driven guitar"), "bass": TrackStyle("finger bass")}
    bank = NoteBank(INSTRUMENTS, 120, 440.0)
    assert set(bank.amplifiers(tracks)) == {"chords"}
    clean = {"driven guitar": replace(INSTRUMENTS["driven guitar"], amplifier=None)}
    assert not NoteBank({**INSTRUMENTS, **clean}, 120, 440.0).amplifiers(tracks)
