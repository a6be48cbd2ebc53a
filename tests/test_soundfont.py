"""Sampled instruments from a SoundFont of the user."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scripts.arranger.arrange import arrange
from scripts.arranger.events import NoteEvent
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.request.spec import SongSpec
from scripts.score.sheet import LeadSheet
from scripts.synth.fonts import find_soundfont
from scripts.synth.instruments import load_instruments
from scripts.synth.render import render
from scripts.synth.soundfont import SoundFontBank
from tests.support.soundfonts import RATE, build_small_soundfont

pytest.importorskip("tinysoundfont", reason="the SoundFont extra is not installed")
INSTRUMENTS = load_instruments(paths.DATA / "instruments")


@pytest.fixture
def font(tmp_path: Path) -> Path:
    path = tmp_path / "größe.sf2"
    path.write_bytes(build_small_soundfont())
    return path


def pitch_of(sound: np.ndarray) -> float:
    """Frequency of the strongest partial, in Hz."""
    x = sound[0, :RATE] * np.hanning(min(RATE, sound.shape[1]))[: sound.shape[1]]
    size = 1 << 20
    spectrum = np.abs(np.fft.rfft(x, size))
    return float(spectrum.argmax() * RATE / size)


@pytest.mark.parametrize(("key", "a4", "hertz"), [(69, 440.0, 440.0), (57, 432.0, 216.0)])
def test_samples_are_in_tune(font: Path, key: int, a4: float, hertz: float) -> None:
    bank = SoundFontBank(font, INSTRUMENTS, 120.0, a4)
    sound = bank.render_note("piano", NoteEvent(0, 48, key, 0.8), 1.5, 0)
    assert abs(1200 * np.log2(pitch_of(sound) / hertz)) < 2


def test_velocity_sets_loudness_and_a_missing_program_is_replaced(font: Path) -> None:
    bank = SoundFontBank(font, INSTRUMENTS, 120.0, 440.0)
    soft, firm = (
        np.abs(bank.render_note("violin", NoteEvent(0, 24, 69, v), 0.5, 0)).max()
        for v in (0.3, 0.9)
    )
    assert 0 < soft < firm / 2


def test_the_same_arrangement_renders_with_samples(
    font: Path, spec: Callable[..., SongSpec], tune: LeadSheet
) -> None:
    song = arrange(spec("rock", length="0.3", key="E minor"), tune, paths.DATA)
    synthesized = np.concatenate(list(render(song, INSTRUMENTS)))
    sampled = np.concatenate(list(render(song, INSTRUMENTS, font)))
    again = np.concatenate(list(render(song, INSTRUMENTS, font)))
    assert synthesized.shape == sampled.shape
    assert np.array_equal(sampled, again)
    assert np.abs(synthesized - sampled).max() > 0.1
    assert np.abs(sampled).max() < 1
    assert 0.5 < np.std(sampled) / np.std(synthesized) < 2


@pytest.mark.parametrize("data", [b"", b"no font at all", b"RIFF\4\0\0\0sfbk"])
def test_an_invalid_soundfont_is_rejected(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "none.sf2"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"none\.sf2: not a SoundFont"):
        SoundFontBank(path, INSTRUMENTS, 120.0, 440.0)


def test_the_first_soundfont_of_the_folder_is_used(tmp_path: Path) -> None:
    assert find_soundfont(tmp_path / "none") == (None, "")
    for name in ("b.sf2", "A.SF3", "readme.txt"):
        (tmp_path / name).touch()
    found, notice = find_soundfont(tmp_path)
    assert found == tmp_path / "A.SF3"
    assert "A.SF3" in notice


def test_an_invalid_soundfont_stops_a_song_with_a_message(
    run: Callable[..., object], home: Path
) -> None:
    folder = home / "data" / "soundfonts"
    folder.mkdir(parents=True)
    (folder / "bad.sf2").write_bytes(b"bad")
    done = run("generate", "folk", "--length", "0.2")
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.returncode == 1
    assert "bad.sf2: not a SoundFont" in done.stderr
    assert not list((home / "output").glob("*"))
