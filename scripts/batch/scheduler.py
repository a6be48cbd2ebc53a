"""The line: a model writes songs while others that are written are being played to files."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

from scripts.batch.composing import TAKES, Studio
from scripts.batch.executors import Pool, Sign, Tag
from scripts.batch.store import CANCELLED, OPEN, PAUSED, STOPPED, Job, Jobs, take_hold
from scripts.core.errors import (
    Cancelled,
    CrashError,
    EncoderError,
    HeldError,
    MusicGenError,
    SetupError,
    StorageError,
)
from scripts.core.file_lock import Hold
from scripts.library.song_files import recover
from scripts.library.songs import Song, read_song
from scripts.production.recipe import Recipe
from scripts.production.render_job import Folders, Ticket, made_already, take_in
from scripts.score.fingerprint import marks_of

HOPELESS = 3  # failures in a row after which an order is given up
TRIES = 3  # of a song whose model, encoder or player died
_MOST_THREADS = 4  # that make the sounds of one song
_TICK = 0.1  # seconds between looks at what the processes tell
_REST = 0.5  # and between looks at orders that are paused


class Listener(Protocol):
    """Who hears how the orders come along. Songs are counted from 1."""

    def expect(self, songs: int) -> None:
        """So many songs are to be made, as far as is known."""

    def noted(self, note: str, job: Job | None = None) -> None:
        """Something that the user should know, of an order or of all: a guess, a second try."""

    def report(self, job: Job, number: int, stage: str, done: float, text: str) -> None:
        """A stage of :data:`scripts.core.stages.STAGES` has come to `done` (0 to 1)."""

    def finished(self, job: Job, number: int, song: Song) -> None:
        """A song has its final name."""

    def failed(self, job: Job, number: int, reason: str) -> None:
        """A song could not be made."""


@dataclass
class _Playing:
    """A song that is being played to files."""

    tag: Tag
    recipe: dict[str, Any]


class Line:
    """Works through orders until all are over, or the user stops it.

    Memory does not grow with the number of songs: no more than a few written songs wait, and the
    rest is in the file of `jobs`.

    Parameters
    ----------
    jobs : Jobs
    studio : Studio
    pool : Pool
    listener : Listener
    cancelled : callable
    stop : Event
        Set when the work is given up; the studio listens to it, too.
    only : str, optional
        The batch to work at; all orders that are open, new ones too, without it.
    lock : Hold, optional
        Of that batch.
    ours : sequence of int
        Orders that wait when the user stops the work, though nothing was done for them yet.
    """

    def __init__(
        self,
        jobs: Jobs,
        studio: Studio,
        pool: Pool,
        listener: Listener,
        cancelled: Callable[[], bool],
        stop: threading.Event,
        only: str = "",
        lock: Hold | None = None,
        ours: Sequence[int] = (),
    ) -> None:
        self.jobs, self.studio, self.pool = jobs, studio, pool
        self.listener, self.cancelled, self.stop, self.only = listener, cancelled, stop, only
        self._desk = ThreadPoolExecutor(1)  # where the model is waited for
        self._signs: SimpleQueue[Sign] = SimpleQueue()
        self._locks: dict[str, Hold] = {only: lock} if lock else {}  # by batch
        self._mine: set[int] = set()  # orders that are worked at
        self._ours = frozenset(ours)
        self._stamp: object = None  # of the list, when it was last looked at
        self._waits = ""  # what everything waits for, when that has been told
        self._elsewhere: set[str] = set()  # batches that another program is at
        self._known: dict[int, Job] = {}  # orders, also those that are over
        self._writing: tuple[Future[Recipe], Tag] | None = None
        self._take = 0
        self._waiting: deque[tuple[Tag, dict[str, Any]]] = deque()
        self._playing: dict[Future[Any], _Playing] = {}
        self._tries: dict[Tag, int] = {}
        self._suspects: set[Tag] = set()  # one of them may have killed its process
        self._held: list[tuple[Tag, str]] = []  # whole, but another program holds a file open
        self._in_a_row: dict[int, int] = {}
        self._open: list[Job] = []  # of the holds, the next one first
        self._trouble: StorageError | None = None
        self.failures = 0

    def run(self) -> int:
        """Make the songs.

        Returns
        -------
        int
            How many failed.

        Raises
        ------
        Cancelled
            When the user stopped it; ``--resume`` goes on.
        StorageError
            When the disk is full or cannot be written.
        """
        try:
            while self._step():
                pass
        except BaseException as error:
            self.stop.set()
            self.pool.cancel_all()
            if isinstance(error, (Cancelled, KeyboardInterrupt)):
                self._pause_all()  # or another program that goes on would take them over
            raise
        finally:
            with contextlib.suppress(StorageError):  # it has been told, or comes again
                self._finish()
        if self._trouble:
            raise type(self._trouble)(f"{self._trouble}; then 'generate --resume' goes on")
        return self.failures

    def _pause_all(self) -> None:
        """Have the orders wait until the user has them go on."""
        with contextlib.suppress(StorageError):
            for job in self.jobs.jobs((OPEN,)):
                if job.id in self._mine | self._ours:
                    self.jobs.set_state(job.id, PAUSED)

    def _step(self) -> bool:
        """Hand out what can be done, wait a moment, take in what is done; False at the end."""
        if self.cancelled():
            raise Cancelled("stopped")
        self._claim()
        self._write_next()
        self._play_next()
        going = [*self._playing, *([self._writing[0]] if self._writing else [])]
        if not going:
            states = self.jobs.states()
            paused = sorted(n for n in self._mine if states.get(n) == PAUSED)
            if paused:
                self._wait_for(
                    f"order {paused[0]} is paused; 'jobs continue {paused[0]}' has it go on"
                )
                time.sleep(_REST)
                return True
            if not self._waiting:
                return False
            time.sleep(_TICK)
            return True
        done, _ = wait(going, _TICK, FIRST_COMPLETED)
        self._wait_for(self.pool.lacks())
        self._tell()
        for future in done:
            if self._writing and future is self._writing[0]:
                self._take_sheet()
            elif future in self._playing:
                self._take_song(future)
        return True

    def _wait_for(self, what: str) -> None:
        """Tell what everything waits for, once."""
        if what and what != self._waits:
            self.listener.noted(what)
        self._waits = what

    # -- orders ----------------------------------------------------------------------------

    def _claim(self) -> None:
        """Hold the orders that nobody else is working at; take up what is left of them."""
        stamp = self.jobs.stamp()
        if stamp == self._stamp and not self._elsewhere:
            self._let_go()
            return
        self._stamp = stamp
        found = [
            job for job in self.jobs.jobs((OPEN, PAUSED)) if not self.only or job.batch == self.only
        ]
        folders = Folders(self.cancelled)
        for job in found:
            if not self._has(job):
                continue
            self._known[job.id] = job
            if job.id not in self._mine:
                self._take_up(job, folders)
            elif job.written > sum(tag[0] == job.id for tag in self._here()):
                # Failed songs that are to be played again.
                self._load_written(job.id)
        self._open = [job for job in found if job.id in self._mine and job.state == OPEN]
        self._let_go()

    def _has(self, job: Job) -> bool:
        """Whether this program may work at an order: its batch is held, or can be now."""
        if job.batch in self._locks:
            return True
        if job.state == PAUSED and not self.only:
            return False  # whoever has it go on says so
        held = take_hold(self.jobs.path, job.batch)
        if held is not None:
            self._locks[job.batch] = held
        elif job.batch not in self._elsewhere:
            self._elsewhere.add(job.batch)
            self.listener.noted(f"order {job.id} is being made by another program")
        return held is not None

    def _let_go(self) -> None:
        """Let go of orders that somebody cancelled or that were stopped."""
        at_work = {p.tag[0] for p in self._playing.values()} | (
            {self._writing[1][0]} if self._writing else set()
        )
        states = self.jobs.states()
        for number in list(self._mine):
            state = states.get(number, CANCELLED)
            if state == CANCELLED and number in at_work:
                self.pool.cancel(number)
                if self._writing and self._writing[1][0] == number:
                    self.studio.drop.set()
            elif state not in (OPEN, PAUSED) and number not in at_work:
                self._waiting = deque(w for w in self._waiting if w[0][0] != number)
                self._suspects = {tag for tag in self._suspects if tag[0] != number}
                self._mine.discard(number)
        needed = {self._known[number].batch for number in self._mine}
        for batch in [b for b in self._locks if b not in needed and b != self.only]:
            self._unlock(batch)

    def _unlock(self, batch: str) -> None:
        self._locks.pop(batch).remove()

    def _here(self) -> set[Tag]:
        """Songs that are written and known here."""
        return (
            {tag for tag, _ in self._waiting}
            | {p.tag for p in self._playing.values()}
            | {tag for tag, _ in self._held}
        )

    def _load_written(self, job: int) -> None:
        """Have the songs that are written wait to be played."""
        known = self._here()
        for number, recipe in self.jobs.written(job):
            if (job, number) not in known:
                self._waiting.append(((job, number), recipe))

    def _take_up(self, job: Job, folders: Folders) -> None:
        """Look at what there is of an order that was begun."""
        self._mine.add(job.id)
        self._in_a_row[job.id] = 0
        try:
            # A list that cannot be kept does not know what was made the last time.
            made = folders.made(job.order.out, job.uid, bool(job.begun) or not self.jobs.lasts)
        except StorageError as error:
            self._stop_at(job, error)
            return
        for number, path in made.items():  # files that were there before their line in the list
            self.jobs.keep_done(job.id, number, read_song(path).title)
        self._load_written(job.id)
        self.jobs.close_done(job.id)

    def _stop_at(self, job: Job, error: StorageError) -> None:
        """Stop the orders of a folder that cannot be written; the others go on."""
        self._trouble = self._trouble or error
        for other in [job, *self._known.values()]:
            if other.order.out == job.order.out:
                self.jobs.set_state(other.id, STOPPED, str(error))

    # -- writing ---------------------------------------------------------------------------

    def _write_next(self) -> None:
        """Have the model write the next song, unless enough of them wait."""
        going = {job.id for job in self._open}
        if self._writing or sum(t[0] in going for t, _ in self._waiting) > 2 * self.pool.jobs:
            return
        for job in self._open:
            found = self.jobs.next_number(job.id, job.order.songs)
            if found is not None:
                number, retries = found
                self._begin((job.id, number), retries * TAKES)
                return

    def _begin(self, tag: Tag, take: int) -> None:
        def report(stage: str, done: float, text: str) -> None:
            self._signs.put((tag, stage, done, text))

        self._take = take
        self.studio.drop.clear()
        self._writing = (
            self._desk.submit(self.studio.write, self._known[tag[0]].order, tag[1], take, report),
            tag,
        )

    def _take_sheet(self) -> None:
        """A song is written: keep it, unless it is like another one."""
        assert self._writing
        (future, tag), self._writing = self._writing, None
        try:
            recipe = future.result()
        except Cancelled:
            if self.cancelled():
                raise
            return  # its order was cancelled
        except MusicGenError as error:
            if self._again(tag, error):
                self._begin(tag, self._take)
            else:
                self._fail(tag, str(error))
            return
        job = self._known[tag[0]]
        recipe = replace(recipe, order=job.uid, number=tag[1])
        marks = None
        if recipe.written is not None:
            marks = marks_of(recipe.written.sheet)
            # Where the user gave the chords, all songs have them.
            strict = self._take % TAKES < 2 and not job.order.wishes.chords
            like = self.jobs.alike(job.id, marks, strict)
            if like is not None and self._take % TAKES + 1 < TAKES:
                self._begin(tag, self._take + 1)
                return
            if like is not None:
                self._fail(
                    tag,
                    f"it came out like song {like} {TAKES} times; ask for fewer songs, "
                    "a higher temperature or fewer wishes",
                )
                return
            recipe = self._with_own_title(recipe, job)
        data = recipe.to_json()
        title = recipe.written.sheet.title if recipe.written else ""
        self.jobs.keep_written(job.id, tag[1], title, data, marks)
        self._waiting.append((tag, data))
        self.listener.report(job, tag[1], "compose", 1.0, "")

    def _with_own_title(self, recipe: Recipe, job: Job) -> Recipe:
        """The recipe with a title that no other song of the order has."""
        written, n = recipe.written, 0
        assert written
        title = written.sheet.title
        while self.jobs.has_title(job.id, title):
            n += 1
            title = self.studio.title(recipe, n)
        return replace(recipe, written=replace(written, sheet=replace(written.sheet, title=title)))

    # -- playing ---------------------------------------------------------------------------

    def _play_next(self) -> None:
        """Give songs that are written to the pool."""
        for _ in range(len(self._waiting)):
            room = 1 if self._suspects else self.pool.jobs + (1 if self.pool.sends else 0)
            if len(self._playing) >= room:
                return
            tag, recipe = self._waiting.popleft()
            order, state = self._known[tag[0]].order, self.jobs.job(tag[0]).state
            if state == PAUSED:
                self._waiting.append((tag, recipe))
            if state != OPEN:
                self._suspects.discard(tag)
                continue
            alone = self.pool.jobs == 1 and not self.pool.sends  # then no other song wants a core
            threads = min(_MOST_THREADS, os.cpu_count() or 1) if alone else 1
            ticket = Ticket(
                recipe,
                "" if self.pool.sends else str(order.out),
                order.bitrate,
                order.also,
                threads,
            )
            try:
                future = self.pool.submit(ticket, tag)
            except BrokenProcessPool:
                self._waiting.appendleft((tag, recipe))
                self._mend()
                return
            self._playing[future] = _Playing(tag, recipe)

    def _take_song(self, future: Future[Any]) -> None:
        """A song is played, or failed."""
        playing = self._playing.pop(future)
        tag, job = playing.tag, self._known[playing.tag[0]]
        try:
            result = self._result(future)
            path = (
                take_in(result, str(playing.recipe["written"]["title"]), job.order.out)
                if self.pool.sends
                else str(result)
            )
            self._done(tag, read_song(Path(path)))
        except BrokenProcessPool:
            self._playing[future] = playing
            self._mend()
        except CancelledError as error:
            if self.jobs.job(tag[0]).state == CANCELLED:
                return
            raise SetupError(
                "the cluster does not answer any more; 'generate --resume' goes on, "
                "here or with --cluster"
            ) from error
        except HeldError as error:
            self._held.append((tag, str(error)))
        except MusicGenError as error:
            if self.cancelled():
                raise Cancelled("stopped") from error
            if isinstance(error, Cancelled):
                return  # its order was cancelled
            # A full disk is full for the next song too.
            if isinstance(error, StorageError) and not isinstance(error, EncoderError):
                self._stop_at(job, error)
            elif self._again(tag, error):
                self._waiting.appendleft((tag, playing.recipe))
            else:
                self._fail(tag, str(error))
        except Exception as error:  # a fault, or a cluster that gave up: the others go on
            self._fail(tag, f"{type(error).__name__}: {str(error)[:200]}")

    def _result(self, future: Future[Any]) -> Any:
        """What came back; a full disk of another computer is not ours."""
        try:
            return future.result()
        except StorageError as error:
            if self.pool.sends and not isinstance(error, HeldError):
                raise EncoderError(f"another computer could not make it: {error}") from error
            raise

    def _mend(self) -> None:
        """Go on after a process has died: the songs it may have been at are played one by one."""
        if self.cancelled():
            raise Cancelled("stopped")
        lost = [*self._playing.values()]
        wait([*self._playing], 30.0)
        self._playing.clear()
        self.pool.mend()
        alone = len(lost) == 1 and lost[0].tag in self._suspects
        for job in {self._known[p.tag[0]].id: self._known[p.tag[0]] for p in lost}.values():
            recover(job.order.out, time.time())
            made = made_already(job.order.out, job.uid)
            for playing in [p for p in lost if p.tag[0] == job.id]:
                if playing.tag[1] in made:
                    self._done(playing.tag, read_song(made[playing.tag[1]]))
                elif alone and self._count_try(playing.tag) >= TRIES:
                    self._fail(playing.tag, f"the process that played it died {TRIES} times")
                else:
                    self._suspects.add(playing.tag)
                    self._waiting.appendleft((playing.tag, playing.recipe))
        if not alone:
            self.listener.noted("A process died; what it was at is made again.")

    # -- what becomes of songs -------------------------------------------------------------

    def _again(self, tag: Tag, error: MusicGenError) -> bool:
        """Whether a song is tried once more; the user is told."""
        if self.cancelled():
            raise Cancelled("stopped") from error
        if not isinstance(error, (CrashError, EncoderError)) or self._count_try(tag) >= TRIES:
            return False
        self.listener.noted(
            f"song number {tag[1]}: {error}; it is tried again", self._known[tag[0]]
        )
        return True

    def _count_try(self, tag: Tag) -> int:
        """How often a song has been tried, this time included."""
        self._tries[tag] = self._tries.get(tag, 0) + 1
        return self._tries[tag]

    def _done(self, tag: Tag, song: Song) -> None:
        self.jobs.keep_done(tag[0], tag[1], song.title)
        self._over(tag)
        self._in_a_row[tag[0]] = 0
        self.listener.finished(self._known[tag[0]], tag[1], song)

    def _fail(self, tag: Tag, reason: str) -> None:
        self.jobs.keep_failed(tag[0], tag[1], reason)
        self._over(tag)
        self.failures += 1
        self._in_a_row[tag[0]] = self._in_a_row.get(tag[0], 0) + 1
        self.listener.failed(self._known[tag[0]], tag[1], reason)
        job = self.jobs.job(tag[0])
        if self._in_a_row[tag[0]] >= HOPELESS and job.state in (OPEN, PAUSED):
            self.jobs.set_state(job.id, STOPPED, reason)
            self.listener.noted(
                f'order {job.id} ("{job.order.wishes.styles}") is stopped after '
                f"{HOPELESS} failures in a row; 'generate --resume' goes on with "
                "it",
                job,
            )

    def _over(self, tag: Tag) -> None:
        self._tries.pop(tag, None)
        self._suspects.discard(tag)
        self.jobs.close_done(tag[0])

    def _tell(self) -> None:
        """Pass on what is reported."""
        while not self._signs.empty():
            self._tell_one(self._signs.get())
        for sign in self.pool.signs():
            self._tell_one(sign)

    def _tell_one(self, sign: Sign) -> None:
        (job, number), stage, done, text = sign
        if job in self._known:
            self.listener.report(self._known[job], number, stage, done, text)

    # -- the end ---------------------------------------------------------------------------

    def _finish(self) -> None:
        """Wait for what is going on, keep what is done, let everything go."""
        self._desk.shutdown(cancel_futures=True)
        wait([*self._playing], 30.0)
        for future, playing in [*self._playing.items()]:
            if (
                future.done()
                and not future.cancelled()
                and future.exception() is None
                and not self.pool.sends
            ):
                self._done(playing.tag, read_song(Path(future.result())))
        self._look_at_held()
        for batch in list(self._locks):
            self._unlock(batch)

    def _look_at_held(self) -> None:
        """What another program held open may have been let go."""
        for out in {self._known[tag[0]].order.out for tag, _ in self._held}:
            recover(out, time.time())
        for tag, reason in self._held:
            job = self._known[tag[0]]
            made = made_already(job.order.out, job.uid).get(tag[1])
            if made:
                self._done(tag, read_song(made))
            else:
                self._fail(tag, reason)
