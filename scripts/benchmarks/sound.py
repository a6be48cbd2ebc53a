"""Benchmarks of the synth: against FluidSynth with the same notes, and with long pieces.

``python -m scripts.benchmarks.sound SECONDS`` renders a piece of that duration, discards the audio,
and prints the seconds taken and the peak memory in MB as JSON.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from scripts.arranger.arrange import SongArrangement, arrange
from scripts.audio.wav import write_wav
from scripts.core import paths
from scripts.exports.midi import write_midi
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.score.abc_reader import read_abc
from scripts.styles.style import load_styles
from scripts.synth.instruments import load_instruments
from scripts.synth.render import render

ROUNDS = 3
SONG_REQUEST = SongRequest("pop", length="4", key="C major", tempo=120.0, meter="4/4")
_SOUNDFONT_FOLDERS = ("/usr/share/sounds/sf2", "/usr/share/soundfonts")
_DURATIONS = (600, 3600, 8 * 3600)
_TUNE = """X:1
M:4/4
L:1/8
K:C
"C"c2e2g2e2|"Am"c2e2a2e2|"F"f2a2c'2a2|"G"g4d4|"C"c2e2g2e2|"Am"c2e2a2e2|"F"f2a2g2f2|"C"e8||
"F"a2g2f2e2|"G"g2f2e2d2|"Em"e2g2b2g2|"Am"a4e4|"F"a2g2f2e2|"G"g2f2e2d2|"G"d2e2f2g2|"C"c8|]
"""


def arrange_bench_song(seconds: float = 240.0) -> SongArrangement:
    """Arrange a fixed song of `seconds`: five tracks, about twenty notes per second."""
    request = replace(SONG_REQUEST, length=str(seconds / 60))
    spec = build_spec(request, load_styles(paths.DATA / "styles"), 1)
    return arrange(spec, read_abc(_TUNE), paths.DATA)


def compare_with_fluidsynth() -> dict[str, float | str]:
    """Render one song to WAV files, alternating between this synth and FluidSynth."""
    program, font = shutil.which("fluidsynth"), find_system_soundfont()
    song, instruments = arrange_bench_song(), load_instruments(paths.DATA / "instruments")
    notes = sum(len(events) for s in song.sections() for events in s.tracks.values())
    rows: dict[str, float | str] = {"notes": notes, "tracks": len(song.tracks)}
    fluidsynth_seconds, synth_seconds = [], []
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder) / "song.mid", Path(folder) / "song.wav"
        write_midi(midi, song, instruments, "bench", song.sheet.key, song.sheet.meter)
        for _ in range(ROUNDS):
            if program and font:
                started = time.perf_counter()
                subprocess.run(
                    [
                        program,
                        "-ni",
                        "-q",
                        "-r",
                        "44100",
                        "-T",
                        "wav",
                        "-F",
                        str(wav),
                        str(font),
                        str(midi),
                    ],
                    check=True,
                    capture_output=True,
                )
                fluidsynth_seconds.append(time.perf_counter() - started)
            started = time.perf_counter()
            write_wav(wav, render(song, instruments), lambda done: None)
            synth_seconds.append(time.perf_counter() - started)
    rows["synth seconds"] = median(synth_seconds)
    if fluidsynth_seconds:
        rows["fluidsynth seconds"] = median(fluidsynth_seconds)
        rows["times faster than fluidsynth"] = median(fluidsynth_seconds) / median(synth_seconds)
    else:
        rows["fluidsynth"] = "not found; install fluidsynth and a General MIDI SoundFont"
    return rows


def find_system_soundfont() -> Path | None:
    """Find a General MIDI SoundFont of the system, preferably FluidR3; None without one."""
    found = [p for folder in _SOUNDFONT_FOLDERS for p in sorted(Path(folder).glob("*.sf2"))]
    return next((p for p in found if "FluidR3" in p.name), found[0] if found else None)


def measure_long_pieces() -> dict[str, float | str]:
    """Measure time and memory for 10 minutes, 1 hour and 8 hours, each in its own process."""
    times, memory = {}, {}
    for seconds in _DURATIONS:
        completed = subprocess.run(
            [sys.executable, "-m", "scripts.benchmarks.sound", str(seconds)],
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        result = json.loads(completed.stdout)
        times[seconds], memory[seconds] = result["seconds"], result["megabytes"]
    short, hour, eight = _DURATIONS
    return {
        "8 h to 1 h": times[eight] / times[hour],
        "MB held more by 8 h than by 10 min": memory[eight] - memory[short],
        "MB held by 10 min": memory[short],
        "8 h to real time": times[eight] / eight,
    }


def _peak_megabytes() -> float:
    """Return the peak memory of this process in MB; 0 on Windows."""
    if sys.platform == "win32":
        return 0.0
    import resource

    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    """Render a piece of ``sys.argv[1]`` seconds and print time and memory."""
    song = arrange_bench_song(float(sys.argv[1]))
    instruments = load_instruments(paths.DATA / "instruments")
    started = time.perf_counter()
    for _ in render(song, instruments):
        pass
    print(json.dumps({"seconds": time.perf_counter() - started, "megabytes": _peak_megabytes()}))


if __name__ == "__main__":
    main()
