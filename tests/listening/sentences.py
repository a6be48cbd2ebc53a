"""``python -m tests.listening.sentences``: renders sentences and checks that they are heard.

Each song is checked on its exported MIDI file (key by its notes, meter, tempo, programs, no
excluded track) and by librosa's tempo tracker. It needs the extra ``listening``, in any Python;
``launcher.py`` generates the songs in the program's own environment.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import librosa
import mido
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SENTENCES = ROOT / "tests" / "fixtures" / "sentences"
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
}
_BLUE_NOTES = (3, 10)  # in semitones above the tonic of a blues: thirds and sevenths are lowered
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_LENGTH = "30s"  # of songs whose sentence does not say one, or a longer one than the next
_MAX_LENGTH = 120.0  # seconds
_MIN_IN_SCALE = 0.85  # share of the sounding time; jazz and dominants leave the scale
_TEMPO_TOLERANCE = 0.04
# Tempos that a tracker may follow, relative to the quarter note; in threes, also the dotted ones.
_FELT_TEMPOS = (1.0, 2.0, 0.5)
_FELT_IN_THREES = (3.0, 1 / 3, 1.5, 2 / 3)
_DRUM_CHANNEL = 9


@dataclass(frozen=True)
class Check:
    """One thing that was said, and whether it is heard."""

    field: str
    is_right: bool
    found: object
    expected: object
    text: str


def main() -> None:
    """Render the sentences and print what is not heard, and the shares."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--python", default=str(ROOT / ".venv" / "bin" / "python"))
    parser.add_argument("--count", type=int, default=60)
    args = parser.parse_args()
    files = args.files or sorted(SENTENCES.glob("*.jsonl"))
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    sentences = [item for item in map(json.loads, lines) if _says_something(item["expect"])]
    step = max(1, len(sentences) // args.count)
    chosen = sentences[::step][: args.count]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [
            pool.submit(check_sentence, item, args.out / f"{n:03}", n, args.python)
            for n, item in enumerate(chosen)
        ]
        checks = [check for job in jobs for check in job.result()]
    for check in checks:
        if not check.is_right:
            print(f"{check.field}: {check.found}, not {check.expected}\n    {check.text}")
    for field in sorted({check.field for check in checks}):
        results = [check.is_right for check in checks if check.field == field]
        print(f"{field:12} {sum(results):3} of {len(results):3}")
    print(f"{len(chosen)} sentences, {sum(c.is_right for c in checks)} of {len(checks)} heard")


def _says_something(expect: dict[str, Any]) -> bool:
    fields = ("key", "meter", "tempo", "instruments", "without")
    return sum(field in expect for field in fields) >= 2


def check_sentence(item: dict[str, Any], out: Path, seed: int, python: str) -> list[Check]:
    """Render one sentence and check the song."""
    expect, text = item["expect"], item["text"]
    is_short = expect.get("length", _MAX_LENGTH + 1) <= _MAX_LENGTH
    length = [] if is_short else ["--length", _LENGTH]
    options = ["--seed", str(seed), "--songs", "1", "--also", "mid", "--out", str(out), "--quiet"]
    done = subprocess.run(
        [python, str(ROOT / "launcher.py"), "generate", text, *options, *length],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    songs = sorted(out.glob("*.mp3"))
    if not songs:
        return [Check("song", False, done.stderr.strip(), "a song", text)]
    return list(check_song(songs[0], expect, text, is_short))


def check_song(song: Path, expect: dict[str, Any], text: str, check_length: bool) -> list[Check]:
    """Check a song against what its sentence says."""
    midi = mido.MidiFile(song.with_suffix(".mid"))
    facts = read_midi(midi)
    found = []

    def add(field: str, is_right: bool, value: object, wanted: object) -> None:
        found.append(Check(field, bool(is_right), value, wanted, text))

    if "key" in expect:
        is_blues = any("blues" in group for group in expect.get("groups", ()))
        share = share_in_key(facts.sounding, expect["key"], _BLUE_NOTES if is_blues else ())
        add("key", share >= _MIN_IN_SCALE, f"{share:.0%} in the scale", expect["key"])
    if "meter" in expect:
        add("meter", facts.meter == expect["meter"], facts.meter, expect["meter"])
    if "tempo" in expect:
        wanted = expect["tempo"]
        low, high = wanted if isinstance(wanted, list) else (wanted, wanted)
        add("tempo", low - 5.5 <= facts.tempo <= high + 5.5, round(facts.tempo, 1), wanted)
        tracked = track_tempo(song)
        is_in_threes = facts.meter.startswith(("3/", "6/", "9/", "12/"))
        felt_tempos = (*_FELT_TEMPOS, *(_FELT_IN_THREES if is_in_threes else ()))
        felt = min(abs(tracked / (facts.tempo * k) - 1) for k in felt_tempos)
        add("tempo heard", felt <= _TEMPO_TOLERANCE, round(tracked, 1), round(facts.tempo, 1))
    for name in expect.get("instruments", ()):
        programs = programs_of(name)
        is_drum = name in ("drums", "percussion")
        heard = facts.has_drums if is_drum else bool(programs & facts.programs)
        add("instruments", heard, sorted(facts.programs), name)
    for name in expect.get("without", ()):
        heard = is_heard(name, facts)
        add("without", not heard, sorted(facts.programs) + facts.tracks, name)
    if check_length and "length" in expect:
        seconds = librosa.get_duration(path=song)
        add("length", abs(seconds - expect["length"]) < 0.2, round(seconds, 2), expect["length"])
    return found


@dataclass
class MidiFacts:
    """What a MIDI file says and sounds like."""

    tempo: float
    meter: str
    programs: set[int]
    has_drums: bool
    tracks: list[str]
    sounding: np.ndarray  # ticks by pitch class, without drums


def read_midi(midi: mido.MidiFile) -> MidiFacts:
    """Read tempo, meter, programs, names of sounding tracks and time by pitch class."""
    facts = MidiFacts(0.0, "", set(), False, [], np.zeros(12))
    for track in midi.tracks:
        now, program, name, started = 0, 0, "", {}
        for message in track:
            now += message.time
            if message.type == "set_tempo":
                facts.tempo = mido.tempo2bpm(message.tempo)
            elif message.type == "time_signature":
                facts.meter = f"{message.numerator}/{message.denominator}"
            elif message.type == "track_name":
                name = message.name
            elif message.type == "program_change":
                program = message.program
            elif message.type == "note_on" and message.velocity:
                if name not in facts.tracks:
                    facts.tracks.append(name)
                if message.channel == _DRUM_CHANNEL:
                    facts.has_drums = True
                else:
                    facts.programs.add(program)
                    started[message.note] = now
            elif message.type in ("note_off", "note_on") and message.note in started:
                facts.sounding[message.note % 12] += now - started.pop(message.note)
    return facts


def share_in_key(sounding: np.ndarray, key: str, further: tuple[int, ...] = ()) -> float:
    """Share of the sounding time within the scale of a key and further steps above its tonic."""
    tonic, _, scale = key.partition(" ")
    root = _LETTERS[tonic[0]] + tonic.count("#") - tonic[1:].count("b")
    inside = [(root + step) % 12 for step in {*SCALES[scale], *further}]
    if "minor" in scale:
        inside += [(root + 9) % 12, (root + 11) % 12]  # the raised sixth and seventh
    return float(sounding[sorted(set(inside))].sum() / max(sounding.sum(), 1))


def programs_of(name: str) -> set[int]:
    """General MIDI programs that an instrument or ensemble may have."""
    tables = tomllib.loads((ROOT / "data" / "orchestration.toml").read_text("utf-8"))
    sounds = tomllib.loads((ROOT / "data" / "instruments" / "instruments.toml").read_text("utf-8"))
    if name in tables["ensemble"]:
        names = [sound for sound in tables["ensemble"][name].values() if sound in sounds]
    else:
        row = tables["instrument"][name]
        names = [*row["sounds"], *filter(None, (row.get("accompany"), row.get("bass")))]
    return {sounds[sound]["program"] for sound in names if sounds[sound]["engine"] != "drums"}


def is_heard(name: str, facts: MidiFacts) -> bool:
    """Whether an excluded instrument or role sounds."""
    if name == "drums":
        return facts.has_drums
    roles = ("melody", "chords", "bass", "percussion", "pad", "arp")
    if name in roles:
        return name in facts.tracks
    return bool(programs_of(name) & facts.programs)


def track_tempo(song: Path) -> float:
    """Tempo in beats per minute by librosa's beat tracker."""
    audio, rate = librosa.load(song, sr=22050, mono=True)
    tempo, _ = librosa.beat.beat_track(y=audio, sr=rate)
    return float(np.atleast_1d(tempo)[0])


if __name__ == "__main__":
    sys.exit(main())
