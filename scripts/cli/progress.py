"""Prints the progress of a batch: bars in a terminal, or JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from scripts.batch.executors.base import SongId
from scripts.batch.states import StoredOrder
from scripts.cli.console import StatusLine, print_error, print_json, print_message
from scripts.core.formatting import format_duration, percent_bar
from scripts.core.stages import overall_fraction, stage_fractions
from scripts.library.songs import Song
from scripts.request.request import ENDLESS

_REPORT_INTERVAL = 0.1  # seconds between reports of one stage
_MIN_FRACTION = 0.02  # done before the remaining time is estimated


class ProgressPrinter:
    """Prints the events of a batch; a :class:`scripts.batch.observer.BatchObserver`.

    Parameters
    ----------
    as_json : bool
    songs : int
        Number of songs to be made; 0 while unknown.
    """

    def __init__(self, as_json: bool, songs: int) -> None:
        self.as_json, self.songs = as_json, songs
        self._fractions: dict[SongId, float] = {}  # of the songs being made
        self._ended = 0
        self._started = time.monotonic()
        self._last: dict[SongId, tuple[str, int, float]] = {}  # stage, percent and time
        self._bar = StatusLine()

    def set_total(self, songs: int) -> None:
        self.songs = songs

    def progress(self, order: StoredOrder, number: int, stage: str, done: float, text: str) -> None:
        song, percent, now = SongId(order.id, number), int(done * 100), time.monotonic()
        last_stage, last_percent, last_time = self._last.get(song, ("", -1, 0.0))
        is_new = last_stage != stage
        if (last_stage, last_percent) == (stage, percent):
            return
        if not is_new and done < 1 and now - last_time < _REPORT_INTERVAL:
            return
        self._last[song] = stage, percent, now
        if self.as_json:
            print_json(
                event="progress",
                order=order.id,
                song=number,
                songs=ENDLESS if order.order.endless else order.order.songs,
                stage=stage,
                styles=order.order.request.label,
                done=round(done, 3),
                text=text,
            )
            return
        self._fractions[song] = overall_fraction(stage_fractions(stage, done))
        if is_new and self.songs == 1:
            self._print(
                {
                    "compose": f'Producing "{order.order.request.label}" themed song number '
                    f"{number}...",
                    "render": f"Rendering song number {number}...",
                    "convert": f"Converting song number {number} from Wav to Mp3...",
                }[stage]
            )
        self._bar.draw(percent_bar(done) if self.songs == 1 else self._total_bar())

    def playable(self, order: StoredOrder, number: int, live: Mapping[str, Any]) -> None:
        if self.as_json:
            print_json(event="live", order=order.id, song=number, **live)

    def notice(self, text: str, order: StoredOrder | None = None) -> None:
        if self.as_json:
            print_json(event="note", text=text, **({"order": order.id} if order else {}))
        else:
            self._print(text)

    def finished(self, order: StoredOrder, number: int, song: Song) -> None:
        self._end_song(order, number)
        if self.as_json:
            print_json(
                event="song",
                order=order.id,
                song=number,
                songs=ENDLESS if order.order.endless else order.order.songs,
                path=str(song.path),
                title=song.title,
                seconds=song.seconds,
                key=song.details.get("key"),
                tempo=song.details.get("tempo"),
                seed=song.details.get("seed"),
            )
            return
        if self.songs != 1:
            self._print(f"{_describe(order, number)} is done: {song.title}")
        self._bar.clear()
        print(song.path, flush=True)
        if self.songs != 1:
            self._bar.draw(self._total_bar())

    def failed(self, order: StoredOrder, number: int, reason: str) -> None:
        self._end_song(order, number)
        if self.as_json:
            print_json(event="failed", order=order.id, song=number, reason=reason)
        self._bar.clear()
        print_error(f"{_describe(order, number)} failed: {reason}")

    def close(self) -> None:
        """Remove the bar."""
        self._bar.clear()

    def _end_song(self, order: StoredOrder, number: int) -> None:
        self._ended += 1
        self._fractions.pop(SongId(order.id, number), None)
        self._last.pop(SongId(order.id, number), None)

    def _total_bar(self) -> str:
        """Progress bar of all songs; only counts while their number is unknown."""
        if not self.songs:
            return f"{self._ended} songs are done, {len(self._fractions)} are being made"
        fraction = min(1.0, (self._ended + sum(self._fractions.values())) / self.songs)
        left = ""
        if fraction > _MIN_FRACTION:
            seconds = (time.monotonic() - self._started) * (1 - fraction) / fraction
            left = f", about {format_duration(seconds)} left" if seconds else ""
        return f"{percent_bar(fraction)}, {self._ended} of {self.songs} songs{left}"

    def _print(self, line: str) -> None:
        self._bar.clear()
        print_message(line)


def _describe(order: StoredOrder, number: int) -> str:
    total = "" if order.order.endless else f" of {order.order.songs}"
    return f'song number {number}{total}, "{order.order.request.label}",'
