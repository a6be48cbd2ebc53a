"""Speed and memory of the synth: against FluidSynth on the same notes, and over long pieces.

``python -m scripts.benchmarks.sound SECONDS`` renders a piece to nowhere, in a process of its own,
and prints the seconds it took and the most memory it held.
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
from scripts.request.spec import SongRequest, build_spec
from scripts.score.abc_reader import read_abc
from scripts.styles.style import load_styles
from scripts.synth.instruments import load_instruments
from scripts.synth.render import render

ROUNDS = 3
SONG = SongRequest("pop", length="4", key="C major", tempo=120.0, meter="4/4")
_SOUND_FONTS = ("/usr/share/sounds/sf2", "/usr/share/soundfonts")
_LONG = (600, 3600, 8 * 3600)
_TUNE = """X:1
M:4/4
L:1/8
K:C
"C"c2e2g2e2|"Am"c2e2a2e2|"F"f2a2c'2a2|"G"g4d4|"C"c2e2g2e2|"Am"c2e2a2e2|"F"f2a2g2f2|"C"e8||
"F"a2g2f2e2|"G"g2f2e2d2|"Em"e2g2b2g2|"Am"a4e4|"F"a2g2f2e2|"G"g2f2e2d2|"G"d2e2f2g2|"C"c8|]
"""


def bench_song(seconds: float = 240.0) -> SongArrangement:
    """The same song each time: five tracks, about twenty notes a second."""
    wishes = replace(SONG, length=str(seconds / 60))
    spec = build_spec(wishes, load_styles(paths.DATA / "styles"), 1)
    return arrange(spec, read_abc(_TUNE), paths.DATA)


def against_fluidsynth() -> dict[str, float | str]:
    """Render one song by turns with FluidSynth and with the program, to files."""
    program, font = shutil.which("fluidsynth"), sound_font()
    song, instruments = bench_song(), load_instruments(paths.DATA / "instruments")
    notes = sum(len(events) for s in song.sections() for events in s.tracks.values())
    rows: dict[str, float | str] = {"notes": notes, "tracks": len(song.tracks)}
    theirs, ours = [], []
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
                theirs.append(time.perf_counter() - started)
            started = time.perf_counter()
            write_wav(wav, render(song, instruments), lambda done: None)
            ours.append(time.perf_counter() - started)
    rows["synth seconds"] = median(ours)
    if theirs:
        rows["fluidsynth seconds"] = median(theirs)
        rows["times faster than fluidsynth"] = median(theirs) / median(ours)
    else:
        rows["fluidsynth"] = "not here: install fluidsynth and a General MIDI SoundFont"
    return rows


def sound_font() -> Path | None:
    """A General MIDI SoundFont of this system; FluidR3 if it is there."""
    found = [p for folder in _SOUND_FONTS for p in sorted(Path(folder).glob("*.sf2"))]
    return next((p for p in found if "FluidR3" in p.name), found[0] if found else None)


def long_pieces() -> dict[str, float | str]:
    """Time and memory of 10 minutes, an hour and eight hours; each in its own process."""
    took, held = {}, {}
    for seconds in _LONG:
        done = subprocess.run(
            [sys.executable, "-m", "scripts.benchmarks.sound", str(seconds)],
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout)
        took[seconds], held[seconds] = found["seconds"], found["megabytes"]
    short, hour, eight = _LONG
    return {
        "8 h to 1 h": took[eight] / took[hour],
        "MB held more by 8 h than by 10 min": held[eight] - held[short],
        "MB held by 10 min": held[short],
        "8 h to real time": took[eight] / eight,
    }


def _megabytes() -> float:
    """The most memory this process has held; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0.0
    import resource

    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    song = bench_song(float(sys.argv[1]))
    instruments = load_instruments(paths.DATA / "instruments")
    started = time.perf_counter()
    for _ in render(song, instruments):
        pass
    print(json.dumps({"seconds": time.perf_counter() - started, "megabytes": _megabytes()}))


if __name__ == "__main__":
    main()
