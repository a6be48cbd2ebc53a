"""The commands that make songs: generate, render, compose, jobs."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from scripts.batch.executors import MOST_JOBS, usual_jobs
from scripts.batch.order import AGAIN, MOST_SEED, Order, separate, words_also
from scripts.batch.order_file import read_job_file
from scripts.batch.store import CANCELLED, DONE, OPEN, PAUSED, UNFINISHED, Job, Jobs
from scripts.cli.console import print_json, print_line, print_notice
from scripts.core import paths
from scripts.core.child import Child
from scripts.core.errors import Cancelled, UsageError
from scripts.core.formatting import count_songs, format_duration, percent_bar
from scripts.core.settings import Settings
from scripts.core.stages import overall_fraction, stage_fractions
from scripts.core.text import strip_control_chars
from scripts.request.spec import Wishes
from scripts.score.tuning import CONCERT


def generate(args: argparse.Namespace, settings: Settings, worker: Child | None) -> int:
    """Make songs; status 1 when one failed.

    Parameters
    ----------
    worker : Child or None
        A model's process: it loads its library while this one loads its own.
    """
    if args.jobs is not None and not 1 <= args.jobs <= MOST_JOBS:
        raise UsageError(f"--jobs {args.jobs} is out of range; 1 to {MOST_JOBS} can be used")
    serves = getattr(args, "serve", False)
    resumes = getattr(args, "resume", False)
    if resumes:
        _check_resume(args)
    orders = None if serves or resumes else _orders(args, settings)
    from scripts.batch.service import go_on, make_songs

    if args.watch_input:
        # On Windows a library that looks at the input while a thread reads it waits for ever, as
        # SciPy's Fortran does when it is loaded; so it is loaded before.
        import scripts.production.produce  # noqa: F401
    stop = cancel_flag(args.watch_input)
    jobs = usual_jobs() if args.jobs is None else args.jobs
    shown = Progress(args.json, 0 if orders is None else sum(o.songs for o in orders))
    cluster = getattr(args, "cluster", "") or ""
    try:
        failures = (
            go_on(settings, shown, stop, jobs, worker, cluster, not serves)
            if orders is None
            else make_songs(orders, settings, shown, stop, jobs, worker, cluster)
        )
    except Cancelled as error:
        what = "the song" if shown.songs == 1 else "the songs that are left"
        raise Cancelled(f"cancelled; 'generate --resume' goes on with {what}") from error
    finally:
        shown.end()
    return 1 if failures and not serves else 0  # the menu has heard of them


# What a song can be asked for, and what it is when it is not.
_ASKED = {
    "length": None,
    "key": None,
    "tempo": None,
    "meter": None,
    "tuning": CONCERT,
    "binaural": 0.0,
    "loop": False,
    "seed": None,
    "model": "",
    "temperature": None,
    "form": None,
    "chords": None,
    "motif": None,
    "songs": 1,
    "out": None,
    "also": "",
}


def _asked(args: argparse.Namespace) -> list[str]:
    """The options of a song that a command has."""
    return [f"--{name}" for name, usual in _ASKED.items() if getattr(args, name) != usual]


def _check_resume(args: argparse.Namespace) -> None:
    """Refuse what an order that is kept would not heed."""
    asked = _asked(args)
    asked += ["--job-file"] * bool(args.job_file) + ["styles"] * bool(_styles(args))
    if asked:
        raise UsageError(
            "--resume goes on with what is kept, as it was ordered; leave out " + ", ".join(asked)
        )


def _orders(args: argparse.Namespace, settings: Settings) -> list[Order]:
    """What the words of the command order."""
    if args.command == "render":
        unheeded = [word for word in _asked(args) if word not in ("--out", "--also", "--songs")]
        if unheeded and args.file.suffix.lower() == AGAIN:
            raise UsageError(
                "a song is made again from its .json as it was; leave out " + ", ".join(unheeded)
            )
        return [order_of(args, settings, args.styles)]
    styles = _styles(args)
    if args.job_file:
        if styles:
            raise UsageError("--job-file brings its own styles; leave the others out")
        from scripts.batch.service import checker

        return read_job_file(args.job_file, order_of(args, settings, ""), checker(settings))
    if not styles:
        raise UsageError(
            'which styles? Such as generate "Chill, Dubstep", --styles once or more, '
            "--job-file FILE, or --resume"
        )
    orders = [order_of(args, settings, words) for text in styles for words in separate(text)]
    # The same seed for two orders of one style would make the same songs.
    return [
        replace(order, seed=(orders[0].seed + n * args.songs) % MOST_SEED)
        for n, order in enumerate(orders)
    ]


def _styles(args: argparse.Namespace) -> list[str]:
    """The styles that a command names, for an order each."""
    return [*([args.styles] if args.styles else []), *(args.more_styles or [])]


def order_of(args: argparse.Namespace, settings: Settings, styles: str) -> Order:
    """One order from the words of a command."""
    temperature = settings.temperature if args.temperature is None else args.temperature
    seed = random.SystemRandom().randrange(1 << 31) if args.seed is None else args.seed
    length = args.length or ("" if args.command == "render" else settings.song_length)
    wishes = Wishes(
        styles=styles,
        length=length,
        key=args.key,
        tempo=args.tempo,
        meter=args.meter,
        tuning=args.tuning,
        form=args.form,
        chords=args.chords,
        binaural=args.binaural,
        loop=args.loop,
        motif=args.motif,
    )
    return Order(
        wishes,
        args.songs,
        seed,
        args.model or settings.model,
        temperature,
        args.out or paths.OUTPUT,
        settings.bitrate,
        words_also(getattr(args, "also", "")),
        getattr(args, "file", None),
    )


class Progress:
    """Tells how the songs come along, as bars for people or JSON for programs.

    Parameters
    ----------
    as_json : bool
    songs : int
        That are to be made; 0 where that is not known yet.
    """

    def __init__(self, as_json: bool, songs: int) -> None:
        self.as_json, self.songs = as_json, songs
        self._shares: dict[tuple[int, int], float] = {}  # done, of the songs that are going on
        self._over = 0
        self._begun = time.monotonic()
        self._last: dict[tuple[int, int], tuple[str, int, float]] = {}
        self._bar = ""

    def report(self, job: Job, number: int, stage: str, done: float, text: str) -> None:
        tag, percent, now = (job.id, number), int(done * 100), time.monotonic()
        before = self._last.get(tag, ("", -1, 0.0))
        fresh = before[0] != stage
        if before[:2] == (stage, percent) or (not fresh and done < 1 and now - before[2] < 0.1):
            return
        self._last[tag] = stage, percent, now
        if self.as_json:
            print_json(
                event="progress",
                order=job.id,
                song=number,
                songs=job.order.songs,
                stage=stage,
                styles=job.order.wishes.styles,
                done=round(done, 3),
                text=text,
            )
            return
        self._shares[tag] = overall_fraction(stage_fractions(stage, done))
        if fresh and self.songs == 1:
            self._line(
                {
                    "compose": f'Producing "{job.order.wishes.styles}" themed song number '
                    f"{number}...",
                    "render": f"Rendering song number {number}...",
                    "convert": f"Converting song number {number} from Wav to Mp3...",
                }[stage]
            )
        self._draw(percent_bar(done) if self.songs == 1 else self._whole())

    def expect(self, songs: int) -> None:
        self.songs = songs

    def noted(self, note: str, job: Job | None = None) -> None:
        if self.as_json:
            print_json(event="note", text=note, **({"order": job.id} if job else {}))
        else:
            self._line(note)

    def finished(self, job: Job, number: int, song: Any) -> None:
        self._close(job, number)
        if self.as_json:
            print_json(
                event="song",
                order=job.id,
                song=number,
                songs=job.order.songs,
                path=str(song.path),
                title=song.title,
                seconds=song.seconds,
                key=song.details.get("key"),
                tempo=song.details.get("tempo"),
                seed=song.details.get("seed"),
            )
            return
        if self.songs != 1:
            self._line(f"{_song_words(job, number)} is done: {song.title}")
        self.end()
        print(song.path, flush=True)
        if self.songs != 1:
            self._draw(self._whole())

    def failed(self, job: Job, number: int, reason: str) -> None:
        self._close(job, number)
        if self.as_json:
            print_json(event="failed", order=job.id, song=number, reason=reason)
        self.end()
        print_notice(f"{_song_words(job, number)} failed: {reason}")

    def _close(self, job: Job, number: int) -> None:
        self._over += 1
        self._shares.pop((job.id, number), None)
        self._last.pop((job.id, number), None)

    def _whole(self) -> str:
        """The bar of all songs, where their number is known."""
        if not self.songs:
            return f"{self._over} songs are done, {len(self._shares)} are being made"
        share = min(1.0, (self._over + sum(self._shares.values())) / self.songs)
        left = (time.monotonic() - self._begun) * (1 - share) / share if share > 0.02 else 0.0
        words = f", about {format_duration(left)} left" if left else ""
        return f"{percent_bar(share)}, {self._over} of {self.songs} songs{words}"

    def _line(self, words: str) -> None:
        self.end()
        print(f"Llm-Music-Gen: {strip_control_chars(words)}", file=sys.stderr, flush=True)

    def _draw(self, bar: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{bar:<{len(self._bar)}}", end="", file=sys.stderr, flush=True)
            self._bar = bar

    def end(self) -> None:
        """Leave the line of the bar."""
        if self._bar:
            print(file=sys.stderr)
            self._bar = ""


def _song_words(job: Job, number: int) -> str:
    """Which song of which order."""
    return f'song number {number} of {job.order.songs}, "{job.order.wishes.styles}",'


def compose(args: argparse.Namespace, settings: Settings) -> int:
    """Write only the lead sheets."""
    from scripts.batch.composing import Studio
    from scripts.core.atomic_files import write_text
    from scripts.core.filenames import legal_name
    from scripts.score.abc_writer import write_abc

    order = order_of(args, settings, args.styles)
    with Studio(settings, cancel_flag(False)) as studio:
        for note in studio.check(order):
            if args.json:
                print_json(event="note", text=note)
            else:
                print(f"Llm-Music-Gen: {strip_control_chars(note)}", file=sys.stderr)
        for number in range(1, order.songs + 1):
            brief = studio.brief(order, number)
            composition = studio.compose(order, brief, order.temperature, lambda *told: None)
            text = write_abc(composition.sheet, number)
            title = composition.sheet.title
            if args.out:
                path = args.out / f"{legal_name(title)} {brief.seed}.abc"
                write_text(path, text)
                if args.json:
                    print_json(event="file", path=str(path))
                else:
                    print(f"Llm-Music-Gen: {path}", file=sys.stderr)
            elif args.json:
                print_json(
                    event="sheet",
                    abc=text,
                    title=title,
                    key=str(brief.key),
                    tempo=brief.tempo,
                    seed=brief.seed,
                    model=composition.model,
                )
            else:
                print(text, end="" if number == order.songs else "\n")
    return 0


def jobs(args: argparse.Namespace, settings: Settings) -> int:
    """List the orders, or change one; who works at them hears of it."""
    kept = Jobs(paths.JOBS)
    try:
        if kept.notice:
            print_notice(kept.notice)
        if args.action == "list":
            for job in kept.jobs((*UNFINISHED, DONE, CANCELLED)):
                _show(job, kept, args.json)
            return 0
        if args.id is None:
            raise UsageError(
                f"jobs {args.action} needs the number of an order; 'jobs list' shows them"
            )
        job = kept.job(args.id)
        if args.action == "retry":
            count = kept.retry(job.id)
            if args.json:
                print_json(order=job.id, again=count)
            else:
                print_notice(
                    f"{count_songs(count)} of order {job.id} will be made again by "
                    "'generate --resume'"
                )
            return 0
        if job.state not in UNFINISHED:
            raise UsageError(f"order {job.id} is {job.state}; it cannot be changed any more")
        if args.action == "first":
            kept.put_first(job.id)
        elif args.action == "last":
            kept.put_last(job.id)
        else:
            kept.set_state(
                job.id, {"pause": PAUSED, "continue": OPEN, "cancel": CANCELLED}[args.action]
            )
        _show(kept.job(job.id), kept, args.json)
    finally:
        kept.close()
    return 0


def _show(job: Job, kept: Jobs, as_json: bool) -> None:
    failures = kept.failures(job.id)
    if as_json:
        print_json(
            order=job.id,
            state=job.state,
            styles=job.order.wishes.styles,
            songs=job.order.songs,
            done=job.done,
            failed=job.failed,
            written=job.written,
            out=str(job.order.out),
            reason=job.reason,
            failures=[{"song": n, "reason": why} for n, why in failures],
        )
        return
    print_line(
        f"{job.id:>4}  {job.state:<9}  {job.done} of {job.order.songs} songs  "
        f'"{job.order.wishes.styles}"' + (f"  ({job.reason})" if job.reason else "")
    )
    for n, why in failures:
        print_line(f"        song {n} failed: {why}")


def cancel_flag(watch_input: bool) -> Callable[[], bool]:
    """A function that turns True on Ctrl+C, a polite kill, or (asked for) the input's end."""
    stopped = threading.Event()

    def stop(*_: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt  # a second Ctrl+C does not wait
        stopped.set()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and threading.current_thread() is threading.main_thread():
            signal.signal(number, stop)
    if watch_input:

        def watch() -> None:
            sys.stdin.read()
            stopped.set()

        threading.Thread(target=watch, daemon=True).start()
    return stopped.is_set
