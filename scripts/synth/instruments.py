"""Instruments as data, from ``data/instruments/*.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from scripts.core.toml import read_each
from scripts.synth.spectra import WAVES

Peaks = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Partials:
    """A sum of partials under a low-pass filter that moves: ``engine = "partials"``.

    Parameters
    ----------
    wave : str
        Levels of the harmonics: a name in :data:`scripts.synth.spectra.WAVES`.
    ratios, levels, rings : tuple of float
        Instead of a wave: frequencies above the first partial, their levels, and how long each
        rings against the first.
    dark, bright : float
        Low-pass in Hz where it settles, and at its brightest with full velocity.
    follow : float
        How far the low-pass follows the pitch: 0 not at all, 1 wholly (from C4 on).
    rise, fall : float
        Seconds from dark to bright and back.
    slope : float
        Poles of the low-pass.
    peak : float
        Resonance in dB at the low-pass frequency.
    ring : float
        Seconds for the first partial of C4 to fall by 60 dB; 0 is a tone that holds.
    damp : float
        How much sooner higher partials die: 0 all alike, 1 in proportion to their frequency.
    after : tuple of (share, times)
        A second, slower decay: its share of the level and how many times longer it lasts.
    stretch : float
        Inharmonicity of C4, as of stiff strings.
    unison : tuple of float
        Copies, in cents.
    formants : tuple of (Hz, width, dB)
        Resonances of the body.
    wobble : float
        Sweeps of the low-pass in a quarter note; 0 for none.
    vibrato : tuple of (cents, Hz, seconds)
        With the time it takes to come.
    glide : tuple of (semitones, seconds)
        Where the pitch comes from, and how quickly.
    drive : float
        0 for none; 3 is an amplifier turned up.
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
    formants: Peaks = ()
    wobble: float = 0.0
    vibrato: tuple[float, float, float] = (0.0, 5.0, 0.3)
    glide: tuple[float, float] = (0.0, 0.05)
    drive: float = 0.0


@dataclass(frozen=True)
class Ensemble:
    """Many players of one tone at once: ``engine = "ensemble"``.

    Parameters
    ----------
    wave, dark, bright, follow, slope, fall, formants
        As for partials.
    spread : float
        Cents by which the players differ.
    """

    wave: str = "saw"
    dark: float = 800.0
    bright: float = 2500.0
    follow: float = 0.3
    slope: float = 2.0
    fall: float = 1.0
    spread: float = 14.0
    formants: Peaks = ()


@dataclass(frozen=True)
class Fm:
    """Two operators and a soft body: ``engine = "fm"``.

    Parameters
    ----------
    ratio, index, index_decay : float
        Modulator's frequency against the carrier's, depth in radians, and seconds of its fall.
    body : float
        Depth of a second pair at ratio 1.
    ring : float
        Seconds for C4 to fall by 60 dB.
    tremolo : tuple of (depth, Hz)
        Between left and right.
    """

    ratio: float = 1.0
    index: float = 1.0
    index_decay: float = 0.5
    body: float = 0.0
    ring: float = 6.0
    tremolo: tuple[float, float] = (0.0, 5.0)


@dataclass(frozen=True)
class Pluck:
    """A plucked string: ``engine = "pluck"``.

    Parameters
    ----------
    damp : float
        0 a bright pick to 1 a soft thumb.
    place : float
        Where it is plucked, as a share of the length.
    ring : float
        Seconds for C4 to fall by 60 dB.
    formants, drive
        As for partials.
    """

    damp: float = 0.5
    place: float = 0.2
    ring: float = 3.0
    formants: Peaks = ()
    drive: float = 0.0


@dataclass(frozen=True)
class Kit:
    """Drums: ``engine = "drums"``; each piece may be set by a table of its own.

    Parameters
    ----------
    kick : tuple of (Hz, seconds, punch)
    snare : tuple of (Hz, seconds, snap)
    bright : float
        0.3 to 1.5.
    metal : str
        ``cymbals``, ``machine``, or ``orchestra`` (with timpani for toms).
    brushes : bool
    """

    kick: tuple[float, float, float] = (50.0, 0.25, 0.5)
    snare: tuple[float, float, float] = (190.0, 0.18, 0.6)
    bright: float = 1.0
    metal: str = "cymbals"
    brushes: bool = False


@dataclass(frozen=True)
class Texture:
    """Noises that go on: ``engine = "texture"``, of a `kind`: vinyl, rain, wind, waves."""

    kind: str = "rain"


Voice = Partials | Ensemble | Fm | Pluck | Kit | Texture
ENGINES: dict[str, type[Voice]] = {
    "partials": Partials,
    "ensemble": Ensemble,
    "fm": Fm,
    "pluck": Pluck,
    "drums": Kit,
    "texture": Texture,
}


@dataclass(frozen=True)
class Instrument:
    """One instrument.

    Parameters
    ----------
    name : str
    voice : Voice
        The engine's own settings.
    program : int
        General MIDI program, 0 to 127.
    envelope : tuple of (attack, decay, sustain, release)
        Seconds, and a share for sustain. What rings by itself needs only attack and release.
    octave : int
        Played so many octaves higher than written.
    low_cut, high_cut : float
        Hz; 0 for none: a mixing engineer's first two knobs.
    breath : tuple of (level, low Hz, high Hz, decay seconds, level held)
        Noise of breath, bow, hammer or pick.
    width : float
        0 a point to 1 as wide as the speakers.
    trim : float
        dB, after all instruments have been made equally loud.
    middle : int
        A key in the middle of its range, where its loudness is measured.
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

    @property
    def is_kit(self) -> bool:
        return isinstance(self.voice, Kit)


_COMMON = {f.name for f in fields(Instrument)} - {"name", "voice"}


@lru_cache(maxsize=4)
def load_instruments(folder: Path) -> Mapping[str, Instrument]:
    """All instruments by name.

    Raises
    ------
    UsageError
        Naming the file, the line and what is wrong.
    """
    found: dict[str, Instrument] = {}
    for path in sorted(folder.glob("*.toml")):
        found |= read_each(path, _instrument)
    return found


def _instrument(name: str, row: dict[str, Any]) -> Instrument:
    engine = ENGINES.get(row.get("engine", ""))
    if engine is None:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}")
    values = {k: _frozen(v) for k, v in row.items() if k != "engine"}
    common = {k: values.pop(k) for k in list(values) if k in _COMMON}
    voice = engine(**values)
    if isinstance(voice, Partials | Ensemble) and voice.wave not in WAVES:
        raise ValueError(f"wave must be one of {', '.join(WAVES)}")
    if isinstance(voice, Partials) and not len(voice.ratios) == len(voice.levels) == len(
        voice.rings
    ):
        raise ValueError("ratios, levels and rings must be equally many")
    instrument = Instrument(name=name, voice=voice, **common)
    if len(instrument.envelope) != 4 or not 0 <= instrument.program <= 127:
        raise ValueError("envelope needs four numbers, and program is 0 to 127")
    return instrument


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
