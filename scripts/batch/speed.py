"""How fast this computer makes songs: measured while it does, to estimate later orders."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from scripts.batch.executors.base import SongId
from scripts.batch.observer import BatchObserver
from scripts.batch.states import StoredOrder
from scripts.core import paths
from scripts.core.atomic_files import write_text
from scripts.core.errors import StorageError
from scripts.core.input_files import read_input
from scripts.core.json_fields import INVALID_DATA, format_json
from scripts.core.stages import STAGES
from scripts.library.songs import Song
from scripts.llm.registry import STARTER_FILE, find_model_file

_MAX_BYTES = 1 << 16
# A model that has not been measured, on two cores (docs/bench.md): seconds to compose a song, and
# bytes of its file for each further second.
_NEW_MODEL_SECONDS, _NEW_MODEL_SPEED = 15.0, 150e6
_NEW_SHARE = 0.3  # of a new measurement in the average


@dataclass(frozen=True)
class Speed:
    """Speed of one song at a time.

    Parameters
    ----------
    compose_seconds : float
        Seconds to compose a song with the starter, with the start of the model.
    render_ratio : float
        Seconds to render and encode a second of music.
    models : mapping of str to float
        Seconds to compose a song, by the name of the model's file.
    """

    compose_seconds: Annotated[float, Meta(gt=0, lt=1e5)] = 4.0
    render_ratio: Annotated[float, Meta(gt=0, lt=1e3)] = 0.05
    models: Mapping[str, Annotated[float, Meta(gt=0, lt=1e5)]] = field(default_factory=dict)

    def seconds_to_compose(self, model: str) -> float:
        """Seconds to compose a song with the model of this name; by its size if it is new."""
        path = find_model_file(model, paths.MODELS)
        if path is None or path.name == STARTER_FILE:
            return self.compose_seconds
        try:
            by_size = _NEW_MODEL_SECONDS + path.stat().st_size / _NEW_MODEL_SPEED
        except OSError:
            by_size = 0.0
        return self.models.get(path.name, max(self.compose_seconds, by_size))

    def estimate(self, model: str, songs: int, song_seconds: float, workers: int) -> float:
        """Estimate the seconds to make songs: composing and rendering overlap.

        Parameters
        ----------
        model : str
            Name of the model, as in an order.
        songs : int
        song_seconds : float
            Length of a song.
        workers : int
            Songs rendered at once.
        """
        render, compose = song_seconds * self.render_ratio, self.seconds_to_compose(model)
        each = max(compose, render / max(1, min(workers, songs)))
        return compose + render + (songs - 1) * each

    def with_song(self, model: str, compose_seconds: float, render_ratio: float) -> Speed:
        """Return the average with a newly measured song."""
        old = 1 - _NEW_SHARE
        ratio = old * self.render_ratio + _NEW_SHARE * render_ratio
        compose = old * self.seconds_to_compose(model) + _NEW_SHARE * compose_seconds
        path = find_model_file(model, paths.MODELS)
        name = STARTER_FILE if path is None else path.name
        if name == STARTER_FILE:
            return replace(self, compose_seconds=compose, render_ratio=ratio)
        return replace(self, render_ratio=ratio, models={**self.models, name: compose})


def load_speed(path: Path) -> Speed:
    """Read the measured speed; the defaults if there is none."""
    try:
        return msgspec.json.decode(read_input(path, _MAX_BYTES), type=Speed)
    except (OSError, ValueError, *INVALID_DATA):
        return Speed()


def save_speed(path: Path, speed: Speed) -> None:
    """Store the measured speed; a folder that cannot be written is no reason to stop."""
    try:
        write_text(path, format_json(asdict(speed)))
    except StorageError:
        pass


class SpeedMeter:
    """Observer that measures each song and passes all events on.

    Parameters
    ----------
    observer : BatchObserver
    path : Path
        Where the speed is stored.
    """

    def __init__(self, observer: BatchObserver, path: Path) -> None:
        self._observer, self._path = observer, path
        self._speed = load_speed(path)
        self._starts: dict[tuple[SongId, str], float] = {}  # by song and stage

    def set_total(self, songs: int) -> None:
        self._observer.set_total(songs)

    def notice(self, text: str, order: StoredOrder | None = None) -> None:
        self._observer.notice(text, order)

    def progress(self, order: StoredOrder, number: int, stage: str, done: float, text: str) -> None:
        self._starts.setdefault((SongId(order.id, number), stage), time.monotonic())
        self._observer.progress(order, number, stage, done, text)

    def playable(self, order: StoredOrder, number: int, live: Mapping[str, Any]) -> None:
        self._observer.playable(order, number, live)

    def finished(self, order: StoredOrder, number: int, song: Song) -> None:
        compose, render = self._take_starts(SongId(order.id, number))
        if compose and render and song.seconds > 0:
            seconds = time.monotonic() - render
            self._speed = self._speed.with_song(
                order.order.model, render - compose, seconds / song.seconds
            )
            save_speed(self._path, self._speed)
        self._observer.finished(order, number, song)

    def failed(self, order: StoredOrder, number: int, reason: str) -> None:
        self._take_starts(SongId(order.id, number))
        self._observer.failed(order, number, reason)

    def _take_starts(self, song: SongId) -> tuple[float | None, float | None]:
        """Forget a song; when composing and rendering it began."""
        found = {stage: self._starts.pop((song, stage), None) for stage in STAGES}
        return found["compose"], found["render"]
