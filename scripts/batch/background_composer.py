"""Composition of one song at a time in the background, until it is stored."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue

from scripts.batch.composing import MAX_VARIANTS, ComposingService
from scripts.batch.executors.base import ProgressEvent, SongId
from scripts.batch.rendering import RenderQueue
from scripts.batch.results import BatchResults
from scripts.batch.states import StoredOrder
from scripts.core import paths
from scripts.core.errors import Cancelled, MusicGenError
from scripts.production.recipe import Recipe
from scripts.production.recipe_json import recipe_to_json
from scripts.request.mood_history import load_history, save_history
from scripts.score.fingerprint import fingerprint

_log = logging.getLogger(__name__)


class BackgroundComposer:
    """Composes songs one after another in a background thread.

    Parameters
    ----------
    composing : ComposingService
    results : BatchResults
    queue : RenderQueue
        Receives the composed songs.

    Attributes
    ----------
    future : Future or None
        The running composition.
    song : SongId or None
        The song that is being composed.
    """

    def __init__(
        self, composing: ComposingService, results: BatchResults, queue: RenderQueue
    ) -> None:
        self._composing, self._results, self._queue = composing, results, queue
        self._executor = ThreadPoolExecutor(1)
        self._events: SimpleQueue[ProgressEvent] = SimpleQueue()
        self._variant = 0  # number of the current composition attempt
        self.future: Future[Recipe] | None = None
        self.song: SongId | None = None

    def start(self, song: SongId, retries: int) -> None:
        """Start composing a song; each retry uses other seeds."""
        self._start(song, retries * MAX_VARIANTS)

    def _start(self, song: SongId, variant: int) -> None:
        def report(stage: str, done: float, text: str) -> None:
            self._events.put(ProgressEvent(song, stage, done, text))

        self._variant, self.song = variant, song
        self._composing.song_cancelled.clear()
        order = self._results.orders[song.order].order
        self.future = self._executor.submit(
            self._composing.compose_song, order, song.number, variant, report
        )

    def cancel(self) -> None:
        """Ask the model to stop composing soon."""
        self._composing.song_cancelled.set()

    def events(self) -> Iterator[ProgressEvent]:
        """Yield the events since the last call."""
        while not self._events.empty():
            yield self._events.get()

    def collect(self) -> None:
        """Store the composed song, or compose it again if it is similar to another."""
        future, song = self.future, self.song
        assert future and song
        self.future = self.song = None
        try:
            recipe = future.result()
        except Cancelled:
            self._results.raise_if_cancelled()
            return  # only its order was cancelled
        except MusicGenError as error:
            if self._results.may_retry(song, error):
                self._start(song, self._variant)
            else:
                self._results.record_failure(song, error)
            return
        except Exception as error:  # a bug; continue with the other songs
            _log.exception("order %d song %d: composing failed", *song)
            self._composing.close()
            self._results.record_failure(song, f"{type(error).__name__}: {str(error)[:200]}")
            return
        order = self._results.orders[song.order]
        self._store(song, order, replace(recipe, order=order.uid, number=song.number))

    def _store(self, song: SongId, order: StoredOrder, recipe: Recipe) -> None:
        store, song_fingerprint = self._results.store, None
        if recipe.composition is not None:
            song_fingerprint = fingerprint(recipe.composition.sheet)
            # All songs share chords that the user requested.
            compare_chords = self._variant % MAX_VARIANTS < 2 and not order.order.request.chords
            similar = store.find_similar(order.id, song_fingerprint, compare_chords)
            if similar is not None:
                self._reject(song, similar)
                return
            recipe = self._with_unique_title(recipe, order)
            _remember_feeling(recipe)
        data = recipe_to_json(recipe)
        title = recipe.composition.sheet.title if recipe.composition else ""
        store.save_composed(order.id, song.number, title, data, song_fingerprint)
        self._queue.add(song, data)
        self._results.observer.progress(order, song.number, "compose", 1.0, "")
        _log.info("order %d song %d: composed", *song)

    def _reject(self, song: SongId, similar: int) -> None:
        """Compose a song again, or record it as failed after too many attempts."""
        _log.info("order %d song %d: similar to song %d", *song, similar)
        if self._variant % MAX_VARIANTS + 1 < MAX_VARIANTS:
            self._start(song, self._variant + 1)
            return
        self._results.record_failure(
            song,
            f"too similar to song {similar} in each of {MAX_VARIANTS} attempts; order fewer songs, "
            "raise the temperature or leave out options such as --key",
        )

    def _with_unique_title(self, recipe: Recipe, order: StoredOrder) -> Recipe:
        """Return the recipe with a title that no other song of the batch has."""
        composition, n = recipe.composition, 0
        assert composition
        title = composition.sheet.title
        while self._results.store.has_title(order.id, title):
            n += 1
            title = self._composing.make_alternative_title(recipe, n)
        return replace(
            recipe, composition=replace(composition, sheet=replace(composition.sheet, title=title))
        )

    def shut_down(self) -> None:
        """Wait for the thread to end."""
        self._executor.shutdown(cancel_futures=True)


def _remember_feeling(recipe: Recipe) -> None:
    """Remember feeling and narration of a song for those after it."""
    feeling, composition = recipe.request.feeling, recipe.composition
    if feeling and composition:
        history = load_history(paths.MOOD_HISTORY).with_song(composition.narration, feeling)
        save_history(paths.MOOD_HISTORY, history)
