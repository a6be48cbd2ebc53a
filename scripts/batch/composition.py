"""The one song that the model composes at a time, until it is stored."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue

from scripts.batch.composing import MAX_TAKES, ComposingService
from scripts.batch.executors.base import ProgressEvent, SongId
from scripts.batch.rendering import RenderQueue
from scripts.batch.results import BatchResults
from scripts.batch.store import StoredOrder
from scripts.core.errors import Cancelled, MusicGenError
from scripts.production.recipe import Recipe
from scripts.score.fingerprint import fingerprint

_log = logging.getLogger(__name__)


class Composition:
    """Composes songs one after the other in a thread of its own.

    Parameters
    ----------
    composing : ComposingService
    results : BatchResults
    queue : RenderQueue
        Takes the composed songs.

    Attributes
    ----------
    future : Future or None
        The composition that is running.
    song : SongId or None
        The song that is being composed.
    """

    def __init__(
        self, composing: ComposingService, results: BatchResults, queue: RenderQueue
    ) -> None:
        self._composing, self._results, self._queue = composing, results, queue
        self._thread = ThreadPoolExecutor(1)
        self._events: SimpleQueue[ProgressEvent] = SimpleQueue()
        self._take = 0  # attempt at a composition that is not similar to another
        self.future: Future[Recipe] | None = None
        self.song: SongId | None = None

    def start(self, song: SongId, retries: int) -> None:
        """Start composing a song; each retry has other seeds."""
        self._start(song, retries * MAX_TAKES)

    def _start(self, song: SongId, take: int) -> None:
        def report(stage: str, done: float, text: str) -> None:
            self._events.put(ProgressEvent(song, stage, done, text))

        self._take, self.song = take, song
        self._composing.give_up.clear()
        order = self._results.orders[song.order].order
        self.future = self._thread.submit(
            self._composing.compose_song, order, song.number, take, report
        )

    def cancel(self) -> None:
        """Ask the model to give up the song soon."""
        self._composing.give_up.set()

    def events(self) -> Iterator[ProgressEvent]:
        """Yield the events since the last call."""
        while not self._events.empty():
            yield self._events.get()

    def collect(self) -> None:
        """Store the composed song, unless it is similar to another one."""
        future, song = self.future, self.song
        assert future and song
        self.future = self.song = None
        try:
            recipe = future.result()
        except Cancelled:
            self._results.raise_if_cancelled()
            return  # its order was cancelled
        except MusicGenError as error:
            if self._results.retry(song, error):
                self._start(song, self._take)
            else:
                self._results.failure(song, str(error))
            return
        order = self._results.orders[song.order]
        self._store(song, order, replace(recipe, order=order.uid, number=song.number))

    def _store(self, song: SongId, order: StoredOrder, recipe: Recipe) -> None:
        store, marks = self._results.store, None
        if recipe.composition is not None:
            marks = fingerprint(recipe.composition.sheet)
            # Where the user gave the chords, all songs share them.
            compare_chords = self._take % MAX_TAKES < 2 and not order.order.request.chords
            similar = store.find_similar(order.id, marks, compare_chords)
            if similar is not None:
                self._reject(song, similar)
                return
            recipe = self._with_unique_title(recipe, order)
        data = recipe.to_json()
        title = recipe.composition.sheet.title if recipe.composition else ""
        store.save_composed(order.id, song.number, title, data, marks)
        self._queue.add(song, data)
        self._results.observer.progress(order, song.number, "compose", 1.0, "")
        _log.info("order %d song %d: composed", *song)

    def _reject(self, song: SongId, similar: int) -> None:
        """Compose a song again that is similar to another one, or let it fail."""
        _log.info("order %d song %d: similar to song %d", *song, similar)
        if self._take % MAX_TAKES + 1 < MAX_TAKES:
            self._start(song, self._take + 1)
            return
        self._results.failure(
            song,
            f"too similar to song {similar} in {MAX_TAKES} attempts; ask for fewer songs, a higher "
            "temperature or fewer wishes",
        )

    def _with_unique_title(self, recipe: Recipe, order: StoredOrder) -> Recipe:
        """Give a recipe a title that no other song of the batch has."""
        written, n = recipe.composition, 0
        assert written
        title = written.sheet.title
        while self._results.store.has_title(order.id, title):
            n += 1
            title = self._composing.title(recipe, n)
        return replace(
            recipe, composition=replace(written, sheet=replace(written.sheet, title=title))
        )

    def shut_down(self) -> None:
        """Wait for the thread to end."""
        self._thread.shutdown(cancel_futures=True)
