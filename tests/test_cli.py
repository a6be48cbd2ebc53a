"""The commands as a user types them, with the real starter model, synth and ffmpeg."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mido
import music21
import numpy as np
import pytest
from mutagen.id3 import ID3
from mutagen.mp3 import MP3

from tests.conftest import ROOT, VOCABS
from tests.support.processes import descendants, interrupt, read_until, start
from tests.support.waiting import wait_until

Run = Callable[..., subprocess.CompletedProcess[str]]


def single_error_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [x for x in done.stderr.splitlines() if x.startswith("llm-music-gen: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


def list_output(home: Path) -> list[str]:
    folder = home / "output"
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def test_generate_writes_complete_tagged_songs(run: Run, home: Path) -> None:
    done = run(
        "generate",
        "Chill, Dubstep",
        "--songs",
        "2",
        "--length",
        "0.2",
        "--seed",
        "4",
        "--json",
        "--also",
        "wav,musicxml",
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    songs = [e for e in events if e["event"] == "song"]
    assert len(songs) == 2
    assert songs[0]["title"] != songs[1]["title"]
    assert {e["stage"] for e in events if e["event"] == "progress"} == {
        "compose",
        "render",
        "convert",
    }
    for song in songs:
        mp3 = Path(song["path"])
        assert mp3.parent == home / "output"
        assert MP3(mp3).info.length == pytest.approx(12, abs=0.5)
        details = json.loads(mp3.with_suffix(".json").read_text())
        tags = ID3(mp3, translate=False)
        assert tags.version == (2, 3, 0)
        assert str(tags["TIT2"]) == details["title"] == song["title"]
        assert str(tags["TPE1"]) == "Llm-Music-Gen Starter"
        assert str(tags["TALB"]) == "Chill, Dubstep"
        assert str(tags["TBPM"]) == str(round(details["tempo"]))
        assert tags["TYER"]
        assert tags["TKEY"]
        assert "chill" in str(tags.getall("COMM")[0])
        assert str(tags["TCON"])
        assert details["summary"].startswith("Title: ")
        with wave.open(str(mp3.with_suffix(".wav"))) as wav:
            assert wav.getnframes() == 12 * 44_100
            assert wav.getnchannels() == 2
        score = music21.converter.parse(mp3.with_suffix(".abc").read_text(), format="abc")
        assert len(score.flatten().notes) > 4
        whole = music21.converter.parse(mp3.with_suffix(".musicxml"))
        assert {p.partName for p in whole.parts} >= {"melody", "chords", "bass", "drums"}
        assert whole.metadata.movementName == details["title"]
    assert not [n for n in list_output(home) if n.endswith((".lmg-part", ".lmg-lock"))]


def test_midi_and_stems_match_the_song(run: Run, home: Path) -> None:
    done = run(
        "generate", "funk", "--length", "0.3", "--seed", "4", "--json", "--also", "mid,stems,wav"
    )
    assert done.returncode == 0, done.stderr
    mp3 = Path(json.loads(done.stdout.splitlines()[-1])["path"])
    details = json.loads(mp3.with_suffix(".json").read_text())
    roles = set(details["tracks"])
    stems = {
        path.name.removesuffix(".wav").rsplit(".", 1)[1]: path
        for path in mp3.parent.glob("*.*.wav")
    }
    assert set(stems) == roles >= {"melody", "chords", "bass", "drums"}

    def samples(path: Path) -> np.ndarray:
        with wave.open(str(path)) as wav:
            return np.frombuffer(wav.readframes(wav.getnframes()), "<i2").astype(int)

    together = sum(samples(path) for path in stems.values())
    assert np.abs(together - samples(mp3.with_suffix(".wav"))).max() <= len(stems) + 2

    midi = mido.MidiFile(mp3.with_suffix(".mid"))
    assert abs(midi.length - details["seconds"]) < 1.0
    drums = [m for track in midi.tracks for m in track if m.type == "note_on" and m.channel == 9]
    assert {36, 38} <= {m.note for m in drums}
    tempo = next(m.tempo for m in midi.tracks[0] if m.type == "set_tempo")
    assert round(mido.tempo2bpm(tempo)) == round(details["tempo"])
    assert len(music21.converter.parse(mp3.with_suffix(".mid")).parts) >= 4


def test_the_same_seed_makes_the_same_wav(run: Run, home: Path, tmp_path: Path) -> None:
    sums = []
    for name in ("one", "two"):
        done = run(
            "generate",
            "jazz",
            "--length",
            "0.2",
            "--seed",
            "11",
            "--also",
            "wav",
            "--out",
            str(tmp_path / name),
        )
        assert done.returncode == 0, done.stderr
        (wav,) = (tmp_path / name).glob("*.wav")
        sums.append((wav.name, hashlib.sha256(wav.read_bytes()).hexdigest()))
    assert sums[0] == sums[1]


def test_compose_prints_only_the_sheet(run: Run) -> None:
    done = run("compose", "folk", "--key", "G major", "--meter", "6/8", "--seed", "2")
    assert done.returncode == 0
    assert done.stdout.startswith("X:1\nT:")
    assert "M:6/8\n" in done.stdout
    assert "K:G\n" in done.stdout
    assert done.stdout.rstrip().endswith("|]")


def test_compose_writes_the_sheets_of_every_part(run: Run) -> None:
    done = run("compose", "jazz | rock", "--seed", "5")
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("X:")] == ["X:1", "X:2"]


def test_a_number_of_songs_comes_before_a_time_that_was_said(run: Run) -> None:
    done = run("plan", "jazz until 23:30", "--songs", "3")
    assert "; 3 songs of" in done.stdout
    assert '"until 23:30" is left out: --songs sets how many songs are made' in done.stderr


def test_a_job_file_needs_a_number_of_songs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text("styles,songs,tempo\njazz,,lento\nrock,5,120 bpm\n")
    path = str(tmp_path / "jobs.csv")
    assert run("plan", "--job-file", path, "--songs", "0").returncode == 2
    lines = run("plan", "--job-file", path, "--songs", "endless").stdout.splitlines()
    assert "songs of 3:00, without end" in lines[0]
    assert "120 bpm; 5 songs of 3:00" in lines[1]


def test_compose_can_write_several_sheets_into_a_folder(run: Run, tmp_path: Path) -> None:
    done = run("compose", "pop", "--songs", "2", "--seed", "5", "--out", str(tmp_path / "sheets"))
    assert done.returncode == 0
    assert done.stdout == ""
    names = sorted(p.name for p in (tmp_path / "sheets").iterdir())
    assert {n.rsplit(" ", 1)[1] for n in names} == {"5.abc", "6.abc"}


def test_an_unknown_style_gives_a_song_and_a_warning(run: Run) -> None:
    done = run("compose", "Balkan brass", "--seed", "1")
    assert done.returncode == 0
    assert "Balkan: nearest is oriental" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["generate", "x" * 10_000], 2, "10,000 characters"),
        (["generate", "?!., ;"], 2, "no words"),
        (["generate", "jazz", "--length", "0"], 2, "out of range"),
        (["generate", "jazz", "--length", "9999"], 2, "out of range"),
        (["generate", "jazz", "--key", "X moll"], 2, "invalid key"),
        (["generate", "jazz", "--tempo", "5"], 2, "expected 20 to 300"),
        (["generate", "jazz", "--tempo", "hasty"], 2, "expected 20 to 300"),
        (["generate", "jazz", "--songs", "0"], 2, "out of range"),
        (["generate", "jazz", "--temperature", "9"], 2, "out of range"),
        (["generate", "jazz", "--chords", "H9#x"], 2, "invalid chord"),
        (["generate", "jazz", "--also", "wax"], 2, "unknown format"),
        (["generate"], 2, "no style given"),
        (["sing"], 2, "invalid choice"),
        (["generate", "jazz", "--model", "missing"], 1, "no model"),
        (["models", "check", "/no/such.gguf"], 1, "cannot read"),
        (["play", "/no/such.mp3"], 1, "no such file"),
        (["play"], 1, "no songs in"),
        (["menu"], 2, "needs a console"),
    ],
)
def test_invalid_arguments_give_one_error_line_and_a_status(
    run: Run, home: Path, arguments: list[str], status: int, message: str
) -> None:
    done = run(*arguments)
    assert done.returncode == status
    assert message in single_error_line(done)
    assert list_output(home) == []


def test_japanese_styles_are_accepted(run: Run) -> None:
    assert "R:jazz" in run("compose", "ジャズ", "--seed", "1").stdout
    assert run("compose", "静かな夜", "--seed", "1").returncode == 0


def test_invalid_models_give_one_error_line(run: Run, home: Path) -> None:
    starter = (ROOT / "models" / "starter.gguf").read_bytes()
    (home / "text.gguf").write_text("I am a poem, not a model. " * 5)
    (home / "cut.gguf").write_bytes(starter[: len(starter) // 2])
    for name, message in (("text.gguf", "not a GGUF"), ("cut.gguf", "truncated")):
        done = run("generate", "jazz", "--length", "0.2", "--model", str(home / name))
        assert done.returncode == 1
        assert message in single_error_line(done)
    done = run("generate", "jazz", "--model", str(VOCABS / "ggml-vocab-bert-bge.gguf"))
    assert done.returncode == 1
    assert "embedding" in single_error_line(done)
    assert list_output(home) == []


def test_a_model_that_llama_cannot_load_is_reported(
    run: Run, home: Path, random_model: Callable[[str], Path]
) -> None:
    data = bytearray(random_model("llama-spm").read_bytes())
    at = data.index(b"blk.1.attn_norm.weight")
    data[at : at + 22] = b"blk.1.attn_torn.weight"
    (home / "torn.gguf").write_bytes(bytes(data))
    done = run("generate", "jazz", "--model", str(home / "torn.gguf"))
    assert done.returncode == 1
    assert "cannot load" in single_error_line(done)


def test_a_missing_model_is_reported(run: Run, home: Path) -> None:
    (home / "models" / "starter.gguf").unlink()
    done = run("generate", "jazz")
    assert done.returncode == 1
    assert "put a .gguf file there" in single_error_line(done)


def test_broken_settings_are_set_aside(run: Run, home: Path) -> None:
    (home / "data").mkdir()
    (home / "data" / "persistent.json").write_text("not json {")
    done = run("compose", "jazz", "--seed", "1")
    assert done.returncode == 0
    assert "set aside" in single_error_line(done)


def test_a_folder_that_cannot_be_created_is_reported(run: Run, home: Path) -> None:
    (home / "file").write_text("")
    done = run("generate", "jazz", "--length", "0.2", "--out", str(home / "file" / "songs"))
    assert done.returncode == 1
    assert "file" in single_error_line(done)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on file size")
@pytest.mark.parametrize("formats", ["", "wav"])
def test_a_file_that_grows_too_large_leaves_no_files(run: Run, home: Path, formats: str) -> None:
    """A limit on file size simulates a full disk without root."""
    import resource

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    done = run("generate", "jazz", "--length", "0.3", "--also", formats, preexec_fn=limit)
    assert done.returncode == 1
    single_error_line(done)
    assert list_output(home) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot mount a tmpfs")
@pytest.mark.parametrize("formats", ["", "wav"])
def test_a_full_disk_is_reported_and_leaves_no_files(run: Run, home: Path, formats: str) -> None:
    disk = home / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small disk can only be mounted by root")
    try:
        done = run("generate", "jazz", "--length", "0.3", "--also", formats, "--out", str(disk))
        assert done.returncode == 1
        assert "disk is full" in single_error_line(done)
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def wait_for_stage(process: subprocess.Popen[str], stage: str) -> None:
    read_until(process, f'"stage": "{stage}"')


@pytest.mark.parametrize("stage", ["compose", "render", "convert"])
def test_ctrl_c_at_any_stage_leaves_no_incomplete_song(home: Path, stage: str) -> None:
    process = start(home, "generate", "rock", "--length", "4", "--json", "--seed", "1")
    wait_for_stage(process, stage)
    interrupt(process)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    # The song may be complete before the signal arrives.
    assert {Path(n).suffix for n in list_output(home)} in (set(), {".mp3", ".json", ".abc"})


def start_long_song(home: Path, model: Path) -> subprocess.Popen[str]:
    """Start a song long enough to be interrupted while it is composed."""
    options = ("--length", "10", "--json", "--model", str(model))
    return start(home, "generate", "rock", *options)


def find_model_process(process: subprocess.Popen[str]) -> Any:
    """Return the model's process, once it has loaded the model."""
    wait_for_stage(process, "compose")
    return wait_until(lambda: [p for p in descendants(process) if "python" in p.name().lower()])[-1]


def test_a_killed_model_process_is_restarted_twice_and_then_reported(
    home: Path, random_model: Callable[[str], Path]
) -> None:
    process = start_long_song(home, random_model("llama-bpe"))
    find_model_process(process).kill()
    for _ in range(2):
        read_until(process, "it is tried again")
        find_model_process(process).kill()
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "process died" in stderr
    assert "Traceback" not in stderr
    assert list_output(home) == []


def test_a_killed_program_leaves_no_model_process(
    home: Path, random_model: Callable[[str], Path]
) -> None:
    process = start_long_song(home, random_model("llama-bpe"))
    model = find_model_process(process)
    process.kill()
    process.communicate()
    wait_until(lambda: not model.is_running(), 20)
    assert not list((home).glob("output/*.mp3"))


@pytest.mark.parametrize("args", [["doctor"], ["styles"], ["models", "list"], ["library", "list"]])
def test_read_only_commands_can_print_json(run: Run, args: list[str]) -> None:
    plain, rows = run(*args), run(*args, "--json")
    assert plain.returncode == rows.returncode == 0, plain.stderr + rows.stderr
    assert all(isinstance(json.loads(line), dict) for line in rows.stdout.splitlines())


def test_a_song_is_encoded_while_it_is_rendered(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scripts.cli import main as cli
    from scripts.production import produce as production

    monkeypatch.delattr(production, "write_wav")
    assert cli.main(["generate", "ambient", "--length", "0.2", "--seed", "1"]) == 0
    (song,) = (home / "output").glob("*.mp3")
    assert MP3(song).info.length == pytest.approx(12, abs=0.5)
    assert ID3(song)["TIT2"]
    assert {p.suffix for p in (home / "output").iterdir()} == {
        ".mp3",
        ".json",
        ".abc",
    }


def test_a_title_the_console_cannot_show_is_printed_with_question_marks(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    (home / "output").mkdir()
    (home / "output" / "歌 ♪ é.mp3").write_bytes(b"")
    done = run("library", "list")
    assert done.returncode == 0
    assert "1 song," in done.stderr
    assert "? ?" in done.stdout
    missing = run("play", "歌.mp3")
    assert missing.returncode == 1
    assert "no such file" in single_error_line(missing)
