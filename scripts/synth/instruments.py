"""Instrument definitions, read from ``data/instruments/*.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

from scripts.core.toml import parse_tables
from scripts.synth.amplifier import AmplifierSettings
from scripts.synth.recordings import RECORDINGS_FOLDER, Recordings, load_recordings
from scripts.synth.spectra import WAVEFORMS

FormantPeaks = tuple[tuple[float, float, float], ...]  # (center in Hz, width in Hz, gain in dB)


@dataclass(frozen=True)
class Partials:
    """Additive synthesis with a moving low-pass filter: ``engine = "partials"``.

    Parameters
    ----------
    wave : str
        Levels of the harmonics: a name in :data:`scripts.synth.spectra.WAVEFORMS`.
    ratios, levels, rings : tuple of float
        Instead of a wave: frequency ratios to the first partial, levels, and decay times relative
        to the first partial; all of the same length.
    dark, bright : float
        Low-pass cutoff in Hz: the final one, and the highest one at full velocity.
    follow : float
        Key tracking of the cutoff: 0 none, 1 full (relative to C4).
    rise, fall : float
        Seconds from dark to bright and back.
    slope : float
        Number of poles of the low-pass.
    peak : float
        Resonance in dB at the cutoff.
    ring : float
        Seconds for the first partial of C4 to decay by 60 dB; 0 for a sustained tone.
    damp : float
        How much faster higher partials decay: 0 equally, 1 in proportion to their frequency.
    after : tuple of (share, times)
        Second, slower decay: its share of the level and how many times longer it lasts.
    stretch : float
        Inharmonicity of C4, as of stiff strings.
    unison : tuple of float
        Detuning of each unison voice in cents.
    formants : tuple of (Hz, width, dB)
        Resonances of the body.
    wobble : float
        Low-pass sweeps per quarter note; 0 for none.
    vibrato : tuple of (cents, Hz, seconds)
        Depth, rate and onset time.
    glide : tuple of (semitones, seconds)
        Initial pitch offset and time constant.
    drive : float
        Distortion: 0 for none; 3 is an overdriven amplifier.
    """

    wave: str = "saw"
    ratios: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()
    rings: tuple[float, ...] = ()
    dark: float = 800.0
    bright: float = 4000.0
    follow: float = 0.3
    rise: float = 0.0
    fall: float = 0.5
    slope: float = 2.0
    peak: float = 0.0
    ring: float = 0.0
    damp: float = 0.5
    after: tuple[float, float] = (0.0, 1.0)
    stretch: float = 0.0
    unison: tuple[float, ...] = (0.0,)
    formants: FormantPeaks = ()
    wobble: float = 0.0
    vibrato: tuple[float, float, float] = (0.0, 5.0, 0.3)
    glide: tuple[float, float] = (0.0, 0.05)
    drive: float = 0.0


@dataclass(frozen=True)
class Ensemble:
    """Ensemble of many players (PADsynth): ``engine = "ensemble"``.

    Parameters
    ----------
    wave, dark, bright, follow, slope, fall, formants
        As for :class:`Partials`; `fall` is the time constant of the change to `dark`.
    spread : float
        Detuning between the players in cents.
    """

    wave: str = "saw"
    dark: float = 800.0
    bright: float = 2500.0
    follow: float = 0.3
    slope: float = 2.0
    fall: float = 1.0
    spread: float = 14.0
    formants: FormantPeaks = ()


@dataclass(frozen=True)
class Fm:
    """Frequency modulation with two operators and a soft second pair: ``engine = "fm"``.

    Parameters
    ----------
    ratio, index, index_decay : float
        Modulator-to-carrier frequency ratio, modulation index in radians, and time constant of
        its decay in seconds.
    body : float
        Modulation index of the second pair, at ratio 1; 0 for none.
    ring : float
        Seconds for C4 to decay by 60 dB.
    tremolo : tuple of (depth, Hz)
        Stereo tremolo between left and right.
    """

    ratio: float = 1.0
    index: float = 1.0
    index_decay: float = 0.5
    body: float = 0.0
    ring: float = 6.0
    tremolo: tuple[float, float] = (0.0, 5.0)


@dataclass(frozen=True)
class Pluck:
    """Plucked string (Karplus-Strong): ``engine = "pluck"``.

    Parameters
    ----------
    damp : float
        Softness of the pluck: 0 a bright pick to 1 a soft thumb.
    place : float
        Plucking point as a fraction of the string's length.
    ring : float
        Seconds for C4 to decay by 60 dB.
    formants, drive
        As for :class:`Partials`.
    """

    damp: float = 0.5
    place: float = 0.2
    ring: float = 3.0
    formants: FormantPeaks = ()
    drive: float = 0.0


@dataclass(frozen=True)
class Kit:
    """Drum kit: ``engine = "drums"``.

    Parameters
    ----------
    kick : tuple of (Hz, seconds, punch)
    snare : tuple of (Hz, seconds, snap)
    bright : float
        Factor for the upper limit of all noise, 0.3 to 1.5.
    metal : str
        ``cymbals``, ``machine`` (drum machine), or ``orchestra`` (cymbals, and timpani as toms).
    brushes : bool
        Whether the snare is played with brushes.
    """

    kick: tuple[float, float, float] = (50.0, 0.25, 0.5)
    snare: tuple[float, float, float] = (190.0, 0.18, 0.6)
    bright: float = 1.0
    metal: str = "cymbals"
    brushes: bool = False


@dataclass(frozen=True)
class Texture:
    """Sound texture: ``engine = "texture"``.

    Parameters
    ----------
    kind : str
        ``vinyl``, ``rain``, ``wind``, ``waves``, or ``effects`` (transition effects by key).
    """

    kind: str = "rain"


@dataclass(frozen=True)
class Recorded:
    """Recorded sounds: ``engine = "recorded"``.

    Parameters
    ----------
    folders : tuple of str
        Folders of recordings; a kit takes each piece from the first that has it.
    kit : bool
        Whether the keys are the pieces of a drum kit.
    """

    folders: tuple[str, ...] = ()
    kit: bool = False


Voice = Partials | Ensemble | Fm | Pluck | Kit | Texture | Recorded
ENGINES: dict[str, type[Voice]] = {
    "partials": Partials,
    "ensemble": Ensemble,
    "fm": Fm,
    "pluck": Pluck,
    "drums": Kit,
    "texture": Texture,
    "recorded": Recorded,
}


@dataclass(frozen=True)
class Instrument:
    """Instrument: an engine's settings and what all engines have in common.

    Parameters
    ----------
    name : str
    voice : Voice
        Settings of the engine.
    program : int
        General MIDI program, 0 to 127.
    envelope : tuple of (attack, decay, sustain, release)
        Times in seconds; sustain is a level of 0 to 1. Sounds that decay by themselves need only
        attack and release.
    octave : int
        Octaves by which it sounds higher than written.
    low_cut, high_cut : float
        Cutoffs in Hz of a high-pass and a low-pass; 0 for none.
    breath : tuple of (level, low Hz, high Hz, decay seconds, level held)
        Noise of breath, bow, hammer or pick.
    width : float
        Stereo width: 0 mono to 1 full.
    trim : float
        Gain in dB after loudness normalization.
    middle : int
        MIDI key in the middle of its range, where its loudness is measured.
    amplifier : AmplifierSettings, optional
        What all its notes of a song go through together; in the file `drive` and `level`.
    recordings : tuple of Recordings
        Those of the folders of a :class:`Recorded` voice.
    """

    name: str
    voice: Voice
    program: int = 0
    envelope: tuple[float, float, float, float] = (0.005, 0.5, 1.0, 0.1)
    octave: int = 0
    low_cut: float = 0.0
    high_cut: float = 0.0
    breath: tuple[float, float, float, float, float] = (0.0, 500.0, 5000.0, 0.05, 0.0)
    width: float = 0.0
    trim: float = 0.0
    middle: int = 64
    amplifier: AmplifierSettings | None = None
    recordings: tuple[Recordings, ...] = ()

    @property
    def is_kit(self) -> bool:
        return isinstance(self.voice, Kit) or (isinstance(self.voice, Recorded) and self.voice.kit)

    @cached_property
    def takes(self) -> int:
        """Most recordings that a key and velocity has, which are played in turn; at least 1."""
        return max((found.most_takes for found in self.recordings), default=1)


_COMMON_FIELDS = {f.name for f in fields(Instrument)} - {"name", "voice", "recordings"}


@lru_cache(maxsize=4)
def load_instruments(folder: Path) -> Mapping[str, Instrument]:
    """Read all instruments of `folder`, by name.

    Raises
    ------
    UsageError
        If a file is invalid; the message names the file, the line and the problem.
    """
    found: dict[str, Instrument] = {}
    for path in sorted(folder.glob("*.toml")):
        found |= parse_tables(path, partial(_parse_instrument, folder=folder / RECORDINGS_FOLDER))
    return found


def _parse_instrument(name: str, row: dict[str, Any], folder: Path) -> Instrument:
    engine = ENGINES.get(row.get("engine", ""))
    if engine is None:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}")
    values = {k: _lists_to_tuples(v) for k, v in row.items() if k != "engine"}
    common = {k: values.pop(k) for k in list(values) if k in _COMMON_FIELDS}
    voice = engine(**values)
    if isinstance(voice, Partials | Ensemble) and voice.wave not in WAVEFORMS:
        raise ValueError(f"wave must be one of {', '.join(WAVEFORMS)}")
    if isinstance(voice, Partials) and not len(voice.ratios) == len(voice.levels) == len(
        voice.rings
    ):
        raise ValueError("ratios, levels and rings must have the same length")
    recordings: tuple[Recordings, ...] = ()
    if isinstance(voice, Recorded):
        if not voice.folders:
            raise ValueError("a recorded instrument needs folders")
        recordings = tuple(load_recordings(folder / part) for part in voice.folders)
    if "amplifier" in common:
        common["amplifier"] = AmplifierSettings(**common["amplifier"])
    instrument = Instrument(name=name, voice=voice, recordings=recordings, **common)
    if len(instrument.envelope) != 4 or not 0 <= instrument.program <= 127:
        raise ValueError("envelope must have 4 numbers, and program must be 0 to 127")
    return instrument


def _lists_to_tuples(value: Any) -> Any:
    """Convert lists to tuples, recursively."""
    return tuple(_lists_to_tuples(v) for v in value) if isinstance(value, list) else value
