"""Controller of the Generate Music screen: placing, following and steering orders."""

from __future__ import annotations

import random
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts.batch.claims import is_unclaimed
from scripts.batch.order import Order, split_styles
from scripts.batch.order_file import read_order_file
from scripts.batch.store import OrderState, OrderStore, StoredOrder
from scripts.core import paths
from scripts.core.atomic_files import check_folder
from scripts.core.errors import MusicGenError, StorageError, UsageError
from scripts.core.formatting import count_songs
from scripts.llm.registry import find_model
from scripts.request.spec import MOST_SONGS, Wishes, make_brief
from scripts.score.tuning import CONCERT
from scripts.styles.lookup import find_styles
from scripts.styles.style import Style, load_styles
from scripts.tui.screens.generate import QUESTIONS, WISHES, shown_job
from scripts.tui.state import Field, JobState, State
from scripts.tui.supervisor import Runner, Watch

_YES = ("yes", "y", "on", "1", "true")
_NO = ("no", "n", "off", "0", "false", "none")
_NUMBERS = ("tempo", "tuning", "binaural")
JOB_FILES = (".csv", ".json", '.csv"', '.json"')  # a file dropped on the window has quotes
_OFFERS = 8  # completions of a style
_LOOK = 1.0  # seconds between reads of the order store
_PATIENCE = 1.0  # seconds to wait while another process locks the store
_CRASHES = 3  # consecutive crashes of the child process before its orders are paused
_FAILED = 10  # latest orders with failed songs shown after a start


class Making:
    """Places orders, follows the child process that makes them, and updates the state.

    Parameters
    ----------
    state : State
    finished : callable
        Called with the path of each finished song.
    """

    def __init__(self, state: State, finished: Callable[[Path], None]) -> None:
        self.state, self._finished = state, finished
        self._kept: OrderStore | None = None
        self._runner: Runner | None = None
        self._watched: dict[int, Watch] = {}  # by order number
        self._looked = 0.0
        self._crashes = 0

    @property
    def _jobs(self) -> OrderStore:
        """Order store, opened on first use."""
        if self._kept is None:
            self._kept = OrderStore(paths.JOBS, _PATIENCE)
            self.state.message = self._kept.notice or self.state.message
        return self._kept

    @cached_property
    def styles(self) -> dict[str, Style]:
        """Styles of the data folder, by name."""
        return load_styles(paths.DATA / "styles")

    @cached_property
    def _words(self) -> list[str]:
        """All names and aliases of styles, sorted."""
        words = {*self.styles, *(w for s in self.styles.values() for w in s.words)}
        return sorted(w for w in words if w.isprintable())

    @property
    def busy(self) -> bool:
        """Whether songs are being made."""
        return self._runner is not None and any(
            job.going or not (job.done or job.paused) for job in self.state.jobs
        )

    @property
    def to_do(self) -> bool:
        """Whether there are orders that commands apply to."""
        return any(job.open for job in self.state.jobs)

    def begin(self) -> None:
        """Load unfinished orders of earlier sessions, paused until the user resumes them."""
        if not paths.JOBS.exists():
            return
        with self._told():
            for job in [job for job in self._jobs.orders((OrderState.DONE,)) if job.failed][
                -_FAILED:
            ]:
                self._watch(job).state.done = True
            for job in self._jobs.orders():
                if not is_unclaimed(paths.JOBS, job.batch):
                    continue
                watch = self._watch(job)
                self._jobs.set_state(job.id, OrderState.PAUSED, job.reason)
                watch.follow(self._jobs.get(job.id))
        self._show()

    def _finished_with_failures(self) -> list[StoredOrder]:
        """The latest finished orders whose failed songs can be made again."""
        done = self._jobs.orders((OrderState.DONE,))
        return [order for order in done if order.failed][-_FAILED:]

    def update(self) -> None:
        """Apply the events of the child process, and changes of the order store."""
        runner = self._runner
        if runner is not None:
            for message in runner.messages():
                self._hear(message)
            if runner.ended:
                self._end_of(runner)
        if time.monotonic() - self._looked > _LOOK and self._watched:
            self._follow()
        self._show()

    def close(self) -> None:
        """Stop the child process and wait for it; the orders stay in the store."""
        if self._runner:
            self._runner.end()
            self._runner = None
        if self._kept:
            self._kept.close()

    def _hear(self, message: dict[str, Any]) -> None:
        number = message.get("order")
        if isinstance(number, int) and number not in self._watched:
            with self._told():  # an order placed by another process and taken over
                self._watch(self._jobs.get(number))
            if message.get("event") == "song":  # already counted in the store
                self._finished(Path(str(message["path"])))
                return
        watch = self._watched.get(number) if isinstance(number, int) else None
        if message.get("event") == "note" and watch:
            watch.state.notes.append(str(message["text"]))
        elif message.get("event") == "note":
            self.state.message = str(message["text"])
        elif watch:
            watch.hear(message)
            if message.get("event") == "song":
                self._crashes = 0

    def _end_of(self, runner: Runner) -> None:
        """Handle the end of the child process: all done, a crash, or an error."""
        complaint, crashed = runner.complaint(), runner.crashed
        self._runner = None
        for watch in self._watched.values():
            watch.drop()
        self._follow()
        going = [w for w in self._watched.values() if not w.state.done and not w.state.paused]
        if not going:
            return
        self._crashes += crashed
        if crashed and self._crashes < _CRASHES:
            self.state.message = f"The composing process crashed ({complaint}); restarting it."
            self._run(again=True)
        elif complaint:
            for watch in going:
                watch.state.failures.append(complaint)
                with self._told():
                    self._jobs.set_state(watch.state.id, OrderState.PAUSED)
            self._follow()
        elif runner.spoke:
            self._run()  # an order was added while it was shutting down
        else:  # another process has locked them
            for watch in going:
                watch.state.notes.append("Another process is working on this order.")

    def _follow(self) -> None:
        """Read the orders' states from the store."""
        self._looked = time.monotonic()
        with self._told():
            states = self._jobs.states()
            for number, watch in [*self._watched.items()]:
                if not watch.state.done:
                    watch.follow(self._jobs.get(number))
                elif states.get(number) in (
                    OrderState.OPEN,
                    OrderState.PAUSED,
                ):
                    self._watch(self._jobs.get(number))

    def _watch(self, job: StoredOrder) -> Watch:
        failures = [f"song {number}: {why}" for number, why in self._jobs.failures(job.id)]
        state = JobState(
            job.order.wishes.styles,
            job.order.songs,
            id=job.id,
            before=job.done,
            going=0,
            failures=failures,
            failed=job.failed,
        )
        self._watched[job.id] = watch = Watch(state, self._finished)
        watch.follow(job)
        return watch

    def _run(self, again: bool = False) -> None:
        """Start the child process unless it runs; `again` after a crash keeps the crash count."""
        if not again:
            self._crashes = 0
        if self._runner is None:
            self._runner = Runner()

    def _show(self) -> None:
        self.state.jobs = [watch.state for watch in self._watched.values()]
        self.state.unfinished = (
            0
            if self.busy
            else sum(
                job.songs - job.before - len(job.made) - job.failed
                for job in self.state.jobs
                if not job.done
            )
        )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Show errors of the order store as the message."""
        try:
            yield
        except MusicGenError as error:
            self.state.message = str(error)

    # -- keys ------------------------------------------------------------------------------

    def ask_styles(self) -> None:
        self.state.answers = {}
        self.state.field = Field(QUESTIONS["styles"], "styles")

    def cancel(self) -> None:
        """Cancel the selected order, or else the latest unfinished one."""
        job = self._meant()
        if job:
            self._cancel(job)

    def cancel_all(self) -> None:
        for job in self.state.jobs:
            self._cancel(job)

    def pause_order(self) -> None:
        """Pause or resume the selected order."""
        job = self._meant()
        if job and job.paused:
            self._set(job, OrderState.OPEN)
            self._run()
        elif job:
            self._set(job, OrderState.PAUSED)

    def go_on(self) -> None:
        """Resume all unfinished orders."""
        left = [job for job in self.state.jobs if not job.done]
        for job in left:
            self._set(job, OrderState.OPEN)
        if left:
            self._run()
        else:
            self.state.message = "There are no unfinished orders."

    def first(self) -> None:
        """Move the selected order to the front of the queue."""
        self._put("front", OrderStore.put_first)

    def last(self) -> None:
        """Move the selected order to the back of the queue."""
        self._put("back", OrderStore.put_last)

    def _put(self, place: str, put: Callable[[OrderStore, int], None]) -> None:
        job = self._meant()
        if job:
            with self._told():
                put(self._jobs, job.id)
                self.state.message = f'Moved "{job.styles}" to the {place} of the queue.'

    def retry(self) -> None:
        """Retry the failed songs of the selected order."""
        job = shown_job(self.state)
        if job is None:
            return
        with self._told():
            count = self._jobs.retry_failed(job.id)
            if count:
                self._watch(self._jobs.get(job.id))
                self._run()
                self.state.message = f"Retrying {count_songs(count)}."
            else:
                self.state.message = "This order has no failed songs."

    def _meant(self) -> JobState | None:
        """The selected order; without a selection the one shown, or the latest unfinished one."""
        shown = shown_job(self.state)
        if shown and (not shown.done or self.state.shown >= 0):
            if shown.done:
                self.state.message = f'"{shown.styles}" has already ended.'
            return None if shown.done else shown
        return next((job for job in reversed(self.state.jobs) if not job.done), None)

    def _cancel(self, job: JobState) -> None:
        if not job.done:
            self._set(job, OrderState.CANCELLED)
            job.stopping = job.going > 0 and not job.done

    def _set(self, job: JobState, state: OrderState) -> None:
        with self._told():
            self._jobs.set_state(job.id, state)
            self._watched[job.id].follow(self._jobs.get(job.id))

    def look(self, by: int) -> None:
        """Select the order `by` places after the current one."""
        count = len(self.state.jobs)
        if count:
            here = self.state.shown if self.state.shown >= 0 else count - 1
            self.state.shown = min(max(here + by, 0), count - 1)

    def usual(self) -> None:
        """Clear all wishes."""
        self.state.wishes.clear()
        self.state.message = "All wishes cleared."

    def ask_wish(self, name: str) -> None:
        """Ask for the wish called `name`."""
        label, hint, usual = WISHES[name]
        self.state.field = Field(
            f"{label} ({hint}; empty: {usual}):", f"wish {name}", self.state.wishes.get(name, "")
        )

    # -- answers ---------------------------------------------------------------------------

    def typed(self, field: Field) -> None:
        """Suggest completions of the last style typed."""
        if field.name == "styles":
            word = re.split(r"[,|]", field.text)[-1].strip().casefold()
            field.offers = (
                tuple(w for w in self._words if w.startswith(word) and w != word)[:_OFFERS]
                if word
                else ()
            )

    def complete(self, field: Field) -> None:
        """Replace the last style typed by the first suggestion."""
        if field.name == "styles" and field.offers:
            before = field.text[: len(field.text) - len(re.split(r"[,|]", field.text)[-1])]
            field.text = (f"{before} " if before else "") + field.offers[0].title()
            field.offers = ()

    def answer(self, field: Field, text: str) -> None:
        """Apply an answer and ask the next question.

        Raises
        ------
        MusicGenError
            When the answer is invalid or the order cannot be placed; the question stays open.
        """
        if field.name == "styles" and text.lower().endswith(JOB_FILES):
            self._order_from_file(Path(text.strip('"')))
        elif field.name == "styles":
            for part in split_styles(text):
                find_styles(part, self.styles)
            self.state.answers["styles"] = text
            self.state.field = Field(QUESTIONS["songs"], "songs")
        elif field.name == "songs":
            if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_SONGS:
                raise UsageError(f"Please type a number from 1 to {MOST_SONGS:,}.")
            self.state.answers["songs"] = text
            self.state.field = None
            self._order_each(
                split_styles(self.state.answers["styles"]), int(text), self.state.wishes
            )
        else:
            self._wish(field.name.removeprefix("wish "), text)
            self.state.field = None

    def order(self, styles: str, songs: int, wishes: dict[str, str]) -> None:
        """Place an order and start making it.

        Parameters
        ----------
        styles : str
            Comma-separated styles.
        songs : int
        wishes : dict
            Wishes as typed, by name.

        Raises
        ------
        MusicGenError
            When a wish is invalid, there is no model, or the folder cannot be written.
        """
        self._order_each([styles], songs, wishes)

    def _order_each(self, each: Sequence[str], songs: int, wishes: dict[str, str]) -> None:
        """Place an order of `songs` songs for each entry of `each`."""
        length = self.state.settings.song_length
        self._place([self._order(asked_for(wishes, length, styles), songs) for styles in each])

    def _order_from_file(self, path: Path) -> None:
        """Place all orders of a job file, or none if one is invalid."""
        usual = self._order(asked_for(self.state.wishes, self.state.settings.song_length, ""), 1)
        orders = read_order_file(path.expanduser(), usual, self._check)
        self.state.field = None
        self._place(orders)
        self.state.message = f"{len(orders)} orders from {path.name}."

    def _order(self, asked: Wishes, songs: int) -> Order:
        settings = self.state.settings
        return Order(
            asked,
            songs,
            random.SystemRandom().randrange(1 << 31),
            settings.model,
            settings.temperature,
            paths.OUTPUT.absolute(),
            settings.bitrate,
        )

    def _check(self, order: Order) -> None:
        """Raise a MusicGenError if an order's styles, wishes or model are invalid."""
        make_brief(order.wishes, self.styles, order.seed)
        find_model(order.model, paths.MODELS)

    def _place(self, orders: Sequence[Order]) -> None:
        """Validate orders, add them to the store and start making them."""
        briefs = [make_brief(order.wishes, self.styles, order.seed) for order in orders]
        for model in {order.model for order in orders}:
            find_model(model, paths.MODELS)
        check_folder(paths.OUTPUT)
        self._watched = {n: w for n, w in self._watched.items() if w.state.open}
        if not self._jobs.is_persistent:
            raise StorageError(
                f"cannot save orders in {paths.JOBS.parent}: "
                "check the folder's permissions, or free some space"
            )
        batch = uuid.uuid4().hex
        for job, brief in zip(self._jobs.add_batch(orders, batch), briefs, strict=True):
            self._watch(job).state.notes += brief.notes
        self.state.shown = -1
        self._run()
        self._show()

    def _wish(self, name: str, text: str) -> None:
        wishes = {**self.state.wishes, name: text}
        if name == "loop" and text:
            if text.lower() not in (*_YES, *_NO):
                raise UsageError("Please type yes or no.")
            wishes[name] = "yes" if text.lower() in _YES else ""
        wishes = {k: v for k, v in wishes.items() if v}
        make_brief(
            asked_for(
                wishes, self.state.settings.song_length, self.state.answers.get("styles", "pop")
            ),
            self.styles,
            1,
        )
        self.state.wishes = wishes


def asked_for(wishes: dict[str, str], length: str, styles: str) -> Wishes:
    """Build a request from typed wishes.

    Parameters
    ----------
    wishes : dict
        Wishes as typed, by name.
    length : str
        Song length for when there is no such wish.
    styles : str
        Comma-separated styles.

    Raises
    ------
    UsageError
        When tempo, tuning or binaural is not a number.
    """
    numbers = {}
    for name in _NUMBERS:
        if name in wishes:
            try:
                numbers[name] = float(_bare(wishes[name]))
            except ValueError:
                raise UsageError(f'"{wishes[name][:20]}" is not a number') from None
    return Wishes(
        styles,
        wishes.get("length", length),
        wishes.get("key"),
        numbers.get("tempo"),
        wishes.get("meter"),
        numbers.get("tuning", CONCERT),
        wishes.get("form"),
        wishes.get("chords"),
        numbers.get("binaural", 0.0),
        "loop" in wishes,
        wishes.get("motif"),
    )


def _bare(number: str) -> str:
    """Remove the unit (Hz) from a number."""
    return number.casefold().removesuffix("hz").strip()
