"""Queue of composed songs, rendered by an executor and saved under their final names."""

from __future__ import annotations

import json
import logging
import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

from scripts.audio.live_audio import LIVE_SUFFIX
from scripts.batch.executors.base import RenderExecutor, SongId
from scripts.batch.results import BatchResults
from scripts.batch.retry import MAX_ATTEMPTS
from scripts.batch.states import OrderState, StoredOrder
from scripts.core.errors import (
    Cancelled,
    EncoderError,
    FileInUseError,
    MusicGenError,
    SetupError,
    StorageError,
)
from scripts.library.song_files import recover
from scripts.library.songs import Song, read_song
from scripts.production.render_job import RenderJob, find_finished_songs, save_remote_files

_MAX_THREADS = 4  # for preparing the sounds of one song
_SHUTDOWN_TIMEOUT = 30.0  # seconds to wait for running renders
_log = logging.getLogger(__name__)


class _Render(NamedTuple):
    """A composed song that is queued or being rendered."""

    song: SongId
    recipe: dict[str, Any]


class RenderQueue:
    """Renders composed songs as the executor has capacity.

    Parameters
    ----------
    executor : RenderExecutor
    results : BatchResults
    live : Path, optional
        Folder for the audio of the first song of each order while it is rendered.

    Attributes
    ----------
    running : dict of Future to _Render
        Songs being rendered.
    """

    def __init__(
        self, executor: RenderExecutor, results: BatchResults, live: Path | None = None
    ) -> None:
        self._executor, self._results = executor, results
        self._live = None if executor.returns_bytes else live
        self._live_orders: set[int] = set()  # whose first song has begun
        self._waiting: deque[_Render] = deque()
        self.running: dict[Future[Any], _Render] = {}
        self._unrenamed: list[tuple[SongId, str]] = []  # rendered; a file is open elsewhere

    def __iter__(self) -> Iterator[SongId]:
        """Iterate over all songs in the queue, whatever their state."""
        yield from (render.song for render in (*self._waiting, *self.running.values()))
        yield from (song for song, _ in self._unrenamed)

    def add(self, song: SongId, recipe: dict[str, Any]) -> None:
        """Append a composed song."""
        self._waiting.append(_Render(song, recipe))

    def count_waiting(self, orders: set[int]) -> int:
        """Count the waiting songs of these orders."""
        return sum(render.song.order in orders for render in self._waiting)

    def count_in_progress(self, order: int) -> int:
        """Count the songs of an order that wait or are being rendered."""
        return sum(r.song.order == order for r in (*self._waiting, *self.running.values()))

    @property
    def has_waiting(self) -> bool:
        """Whether any song is waiting to be rendered."""
        return bool(self._waiting)

    def running_orders(self) -> set[int]:
        """IDs of the orders whose songs are being rendered."""
        return {render.song.order for render in self.running.values()}

    def drop_order(self, order: int) -> None:
        """Remove the waiting songs of an order."""
        self._waiting = deque(r for r in self._waiting if r.song.order != order)
        self._results.retries.drop_order(order)

    def submit(self) -> None:
        """Submit waiting songs while the executor has capacity."""
        remote, suspects = self._executor.returns_bytes, self._results.retries.suspects
        for _ in range(len(self._waiting)):
            # Remote: one song more than workers, so that none idles while its next song is sent.
            capacity = 1 if suspects else self._executor.workers + remote
            if len(self.running) >= capacity:
                return
            render = self._waiting.popleft()
            state = self._results.order_state(render.song)
            if state == OrderState.PAUSED:
                self._waiting.append(render)
            if state != OrderState.OPEN:
                suspects.discard(render.song)
                continue
            try:
                future = self._executor.submit(self._build_job(render), render.song)
            except BrokenProcessPool:
                self._waiting.appendleft(render)
                self._recover_from_crash()
                return
            self.running[future] = render

    def _build_job(self, render: _Render) -> RenderJob:
        order = self._results.orders[render.song.order].order
        remote = self._executor.returns_bytes
        # A single local render may use the cores that no other one needs.
        is_alone = not remote and not self.running and not self._waiting
        threads = min(_MAX_THREADS, os.cpu_count() or 1) if is_alone else 1
        out = "" if remote else str(order.out)
        return RenderJob(
            render.recipe,
            out,
            order.bitrate,
            order.extra_formats,
            threads,
            self._live_path(render.song),
        )

    def _live_path(self, song: SongId) -> str:
        """File for the audio of a song while it is rendered; empty for all but the first."""
        if self._live is None or song.order in self._live_orders:
            return ""
        self._live_orders.add(song.order)
        uid = self._results.orders[song.order].uid
        return str(self._live / f"{uid}-{song.number}{LIVE_SUFFIX}")

    def collect(self, future: Future[Any]) -> None:
        """Record a rendered song, or handle its failure."""
        render = self.running.pop(future)
        song, order = render.song, self._results.orders[render.song.order]
        try:
            self._results.record_success(song, self._saved_song(future, render, order))
        except BrokenProcessPool:
            self.running[future] = render
            self._recover_from_crash()
        except CancelledError as error:
            if self._results.order_state(song) != OrderState.CANCELLED:
                raise SetupError(
                    "the connection to the cluster was lost; run 'generate --resume', with or "
                    "without --cluster"
                ) from error
        except FileInUseError as error:
            self._unrenamed.append((song, str(error)))
        except MusicGenError as error:
            self._handle_error(error, render, order)
        except Exception as error:  # a bug, or a cluster that gave up; continue with the others
            _log.exception("order %d song %d: rendering failed", *song)
            self._results.record_failure(song, f"{type(error).__name__}: {str(error)[:200]}")

    def _handle_error(self, error: MusicGenError, render: _Render, order: StoredOrder) -> None:
        if self._results.cancelled():
            raise Cancelled("stopped") from error
        if isinstance(error, Cancelled):
            return  # only its order was cancelled
        # A full disk is full for the next song, too.
        if isinstance(error, StorageError) and not isinstance(error, EncoderError):
            self._results.stop_folder_orders(order, error)
        elif self._results.may_retry(render.song, error):
            self._waiting.appendleft(render)
        else:
            self._results.record_failure(render.song, error)

    def _saved_song(self, future: Future[Any], render: _Render, order: StoredOrder) -> Song:
        """Return a rendered song; remote files are saved into the order's folder first."""
        if not self._executor.returns_bytes:
            return read_song(Path(future.result()))
        try:
            files = future.result()
        except FileInUseError:
            raise
        except StorageError as error:  # a full disk there says nothing about the local one
            raise EncoderError(f"rendering failed on another computer: {error}") from error
        return read_song(Path(save_remote_files(files, _title(files), order.order.out)))

    def _recover_from_crash(self) -> None:
        """Continue after a process crashed: render the songs that may have caused it one by one."""
        self._results.raise_if_cancelled()
        retries = self._results.retries
        lost = [*self.running.values()]
        wait([*self.running], _SHUTDOWN_TIMEOUT)
        self.running.clear()
        self._executor.restart()
        _log.warning("a rendering process crashed; rendering %d songs again", len(lost))
        is_culprit = retries.is_only_suspect(render.song for render in lost)
        for order_id in {render.song.order for render in lost}:
            order = self._results.orders[order_id]
            recover(order.order.out, time.time())
            finished = find_finished_songs(order.order.out, order.uid)
            for render in [r for r in lost if r.song.order == order_id]:
                if render.song.number in finished:
                    self._results.record_success(
                        render.song, read_song(finished[render.song.number])
                    )
                elif is_culprit and not retries.count_attempt(render.song):
                    self._results.record_failure(
                        render.song, f"the rendering process crashed {MAX_ATTEMPTS} times"
                    )
                else:
                    retries.suspects.add(render.song)
                    self._waiting.appendleft(render)
        if not is_culprit:
            self._results.observer.notice(
                "A rendering process crashed; its songs are rendered again."
            )

    def shut_down(self) -> None:
        """Wait for running renders and record the finished ones."""
        wait([*self.running], _SHUTDOWN_TIMEOUT)
        for future, render in [*self.running.items()]:
            is_done = future.done() and not future.cancelled() and future.exception() is None
            if is_done and not self._executor.returns_bytes:
                self._results.record_success(render.song, read_song(Path(future.result())))
        self._retry_renames()

    def _retry_renames(self) -> None:
        """Retry renaming the files that another program had open."""
        orders = self._results.orders
        for out in {orders[song.order].order.out for song, _ in self._unrenamed}:
            recover(out, time.time())
        for song, reason in self._unrenamed:
            order = orders[song.order]
            path = find_finished_songs(order.order.out, order.uid).get(song.number)
            if path:
                self._results.record_success(song, read_song(path))
            else:
                self._results.record_failure(song, reason)


def _title(files: dict[str, bytes]) -> str:
    """Title of a song from its ``.json``; files without one are refused when they are saved."""
    try:
        return str(json.loads(files[".json"])["title"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return ""
