"""Recorded sounds: the table of a folder of recordings, and their audio.

A folder of ``data/instruments/recordings`` has sound files (OGG or FLAC) and ``zones.toml``, whose
``zones`` tell the key, velocity and loop of each file. A user adds an instrument with a folder and
a table in ``data/instruments/``.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE
from scripts.core.errors import UsageError
from scripts.core.input_files import read_input
from scripts.core.toml import read_tables
from scripts.synth.cache import LruCache

RECORDINGS_FOLDER = "recordings"  # beside the tables of instruments
_TABLE = "zones.toml"
_MAX_FILE_BYTES = 32 << 20
_CACHE_BYTES = 24 << 20
Samples = npt.NDArray[np.int16]  # (1 or 2, n)


@dataclass(frozen=True)
class Zone:
    """One recording: which keys and velocities it is for.

    Parameters
    ----------
    file : str
        Name of the sound file in the folder.
    key : int
        MIDI key of the recording; for a kit the General MIDI percussion key.
    velocity : float
        Highest velocity, 0 to 1, that it is for.
    loop : tuple of (int, int), optional
        First sample of the loop and the first one after it; None for a sound that decays.
    tune : float
        Cents that the recording is higher than its key.
    pan : float
        -1 left to 1 right; only for mono recordings of a kit.
    gain : float
        dB.
    """

    file: str
    key: int
    velocity: float = 1.0
    loop: tuple[int, int] | None = None
    tune: float = 0.0
    pan: float = 0.0
    gain: float = 0.0


class Recordings:
    """The recordings of one folder.

    Parameters
    ----------
    folder : Path
    zones : tuple of Zone
        Several with the same key and velocity are played in turn.
    """

    def __init__(self, folder: Path, zones: tuple[Zone, ...]) -> None:
        self.folder, self.zones = folder, zones
        takes: dict[int, dict[float, list[Zone]]] = defaultdict(lambda: defaultdict(list))
        for zone in zones:
            takes[zone.key][zone.velocity].append(zone)
        self._takes: Mapping[int, Mapping[float, list[Zone]]] = takes
        self.most_takes = max(len(found) for by in takes.values() for found in by.values())

    def has_key(self, key: int) -> bool:
        """Whether a key was recorded itself."""
        return key in self._takes

    def find(self, key: float, velocity: float, take: int) -> Zone:
        """Find the recording nearest to a key, in the layer of a velocity."""
        nearest = min(self._takes, key=lambda k: (abs(k - key), k))
        layers = self._takes[nearest]
        layer = min((v for v in layers if v >= velocity - 1e-9), default=max(layers))
        return layers[layer][take % len(layers[layer])]

    def load(self, zone: Zone) -> Samples:
        """Audio of a zone at 44,100 Hz, decoded when it is needed for the first time.

        Raises
        ------
        UsageError
            When the file is missing or damaged.
        """
        path = self.folder / zone.file
        with _LOCK:
            samples = _DECODED.get(path)
        if samples is None:
            samples = _decode(path)
            with _LOCK:
                _DECODED.put(path, samples, samples.nbytes)
        return samples


_LOCK = threading.Lock()
_DECODED: LruCache[Samples] = LruCache(_CACHE_BYTES)


@lru_cache(maxsize=128)
def load_recordings(folder: Path) -> Recordings:
    """Read the table of a folder of recordings.

    Raises
    ------
    UsageError
        If it is missing or invalid.
    """
    path = folder / _TABLE
    tables, _ = read_tables(path)
    try:
        zones = tuple(_parse_zone(row) for row in tables["zones"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path.parent.name}/{path.name}: {error}; correct the file") from error
    if not zones:
        raise UsageError(f"{path.parent.name}/{path.name}: no zones; correct the file")
    return Recordings(folder, zones)


def _parse_zone(row: Mapping[str, Any]) -> Zone:
    values = dict(row)
    if "loop" in values:
        first, end = values["loop"]
        if not 0 <= first < end:
            raise ValueError(f"{values.get('file')}: a loop needs its first sample and its end")
        values["loop"] = (int(first), int(end))
    zone = Zone(**values)
    if Path(zone.file).name != zone.file or not 0 <= zone.key <= 127:
        raise ValueError(f"{zone.file}: a zone needs a file of the folder and a key of 0 to 127")
    if not 0 < zone.velocity <= 1 or not all(map(math.isfinite, (zone.tune, zone.pan, zone.gain))):
        raise ValueError(
            f"{zone.file}: a velocity is above 0 and at most 1; tune, pan and gain numbers"
        )
    return zone


def _decode(path: Path) -> Samples:
    import miniaudio

    try:
        data = read_input(path, _MAX_FILE_BYTES)
        info = (
            miniaudio.flac_get_info(data)
            if path.suffix == ".flac"
            else miniaudio.vorbis_get_info(data)
        )
        channels = min(2, info.nchannels)
        decoded = miniaudio.decode(data, nchannels=channels, sample_rate=RATE)
    except (OSError, miniaudio.MiniaudioError) as error:
        raise UsageError(
            f"cannot read {path.parent.name}/{path.name}: missing or damaged; "
            "install the program again"
        ) from error
    samples = np.frombuffer(decoded.samples, np.int16).reshape(-1, channels)
    return np.ascontiguousarray(samples.T)
