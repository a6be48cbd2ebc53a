"""The player: keeps the queue sounding, whatever happens to files and devices."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.audio.deck import Deck
from scripts.audio.outputs import NullOutput, Output, open_output
from scripts.audio.streams import Stream
from scripts.audio.tags import tagged_loudness
from scripts.core.audio_format import RATE
from scripts.jukebox.queue import Queue
from scripts.library.songs import Song

TICK, _REST = 0.2, 1.0  # seconds between looks at deck and device; and while nothing is heard
_READY = 20.0  # seconds before a song's end at which the next one is opened
_AGAIN = 5.0  # seconds between tries to find a lost device
_LEVEL = -14.0  # LUFS that songs are brought to
_LOUDER = 6.0  # dB that a quiet song is raised at most
_TOLD = 12.0  # seconds that a notice stands
_RESTART = 3.0  # seconds into a song after which "previous" begins it again


@dataclass(frozen=True)
class Playing:
    """What the screen shows; `number` counts the songs begun."""

    song: Song | None
    position: float
    duration: float
    paused: bool
    played: tuple[str, ...]
    upcoming: tuple[str, ...]
    output: str
    notice: str
    number: int = 0
    repeat: str = "all"
    shuffle: bool = False


class Player:
    """Plays a queue until told to stop.

    Parameters
    ----------
    queue : Queue
        Used by the player alone from here on.
    output : str
        A choice of :func:`scripts.audio.outputs.open_output`.
    volume : float
        0 to 1.
    crossfade : float
        Seconds.
    """

    def __init__(
        self,
        queue: Queue,
        output: str,
        volume: float,
        crossfade: float = 0.0,
        opener: Callable[[str], tuple[Output, str]] = open_output,
    ) -> None:
        self._queue, self._choice, self._opener = queue, output, opener
        self._deck = Deck(volume, crossfade)
        self._lock = threading.RLock()
        self._active = self._sounded = False  # a song held ready has not sounded
        self._number = self._begun = 0
        self._ready: Song | None = None  # what the deck has laid ready
        self._notice, self._noticed = "", 0.0
        self._tried = time.monotonic()
        self._output: Output
        self._take(*opener(output))
        self._end, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # -- orders; each returns at once ------------------------------------------------------

    def start(self, song: Song | None = None, at: float = 0.0, paused: bool = False) -> None:
        """Play `song` from `at` seconds; without one, go on where nothing plays."""
        with self._ordered():
            if song is not None:
                self._left()
                self._queue.jump(song)
                if not self._open(song, at, paused=paused):
                    self._advance(self._queue.next)
            elif not self._active:
                self._advance(self._queue.next)
                if not self._active:
                    self._queue.again()
                    self._advance(self._queue.next)

    def next(self) -> None:
        """Go on to the next song."""
        with self._ordered():
            self._left()
            self._advance(self._queue.next)

    def previous(self) -> None:
        """Begin the song again; at its beginning go back to the one before."""
        with self._ordered():
            if self._active and self._place() > _RESTART:
                self.seek(0.0)
            else:
                self._left()
                self._advance(self._queue.previous)

    def seek(self, to: float) -> None:
        """Go to a second of the song; past its end to the next one."""
        with self._ordered():
            if self._active and to >= self._deck.place()[1]:
                self.next()
            else:
                self._reopen(max(0.0, to))

    def seek_by(self, seconds: float) -> None:
        """Go forward or back in the song."""
        with self._ordered():
            self.seek(self._place() + seconds)

    def pause(self, paused: bool) -> None:
        """Hold, or go on."""
        with self._ordered():
            if self._active and paused != self._deck.paused:
                place = self._place()
                self._deck.pause(paused)
                self._recall(place)
                self._be_heard()

    def toggle_pause(self) -> None:
        """Hold when it plays, go on when it is held."""
        with self._ordered():
            self.pause(not self._deck.paused)

    def set_volume(self, volume: float) -> None:
        """0 to 1."""
        with self._ordered():
            place = self._place()
            self._deck.set_volume(volume)
            self._recall(place)

    def set_crossfade(self, seconds: float) -> None:
        """Seconds that a song fades into the next; 0 joins them."""
        self._deck.crossfade = seconds

    def change(self, order: Callable[[Queue], Any]) -> None:
        """Do something to the queue: shuffle, repeat, drop."""
        with self._ordered():
            before = self._queue.current
            order(self._queue)
            after = self._queue.current
            if self._active and before is not None and (after is None or after.path != before.path):
                self._queue.heard(before)
                self._advance(self._queue.next)  # the song that played was dropped
            self._follow_queue()

    def refresh(self, songs: list[Song]) -> None:
        """Follow what is on the disk: new songs join, vanished ones leave."""
        with self._ordered():
            self._queue.keep(s.path for s in songs)
            self._queue.add(songs)
            self._follow_queue()

    def set_output(self, choice: str) -> None:
        """Go on through another output."""
        with self._ordered():
            self._choice = choice
            place = self._place()
            found, notice = self._opener(choice)
            self._output.close()
            self._take(found, notice)
            if self._place() != place:
                self._reopen(place)

    def close(self) -> None:
        """Stop and end the thread."""
        self._end.set()
        self._wake.set()
        self._thread.join(2.0)
        self._output.close()
        self._deck.close()

    # -- what is going on ------------------------------------------------------------------

    def playing(self) -> Playing:
        """A picture of this moment."""
        with self._lock:
            self._notice_change()
            queue = self._queue
            song = queue.current if self._active else None
            length = self._deck.place()[1]
            notice = self._notice if time.monotonic() - self._noticed < _TOLD else ""
            return Playing(
                song,
                min(self._place(), length),
                length,
                self._deck.paused,
                tuple(queue.played),
                tuple(s.title for s in queue.ahead()),
                self._output.name,
                notice,
                self._number,
                queue.repeat,
                queue.shuffle,
            )

    @property
    def ended(self) -> bool:
        """True when a queue that does not loop is through."""
        with self._lock:
            return not self._active

    def order(self) -> tuple[Path, ...]:
        """The files of this round, in the order they are played."""
        with self._lock:
            return tuple(s.path for s in self._queue.order)

    def heard(self) -> npt.NDArray[np.float32]:
        """The last samples that were played, at their own level."""
        return self._deck.heard()

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        rests = False
        while not self._end.is_set():
            self._wake.wait(_REST if rests else TICK)
            self._wake.clear()
            with self._lock:
                rests = self._deck.silent and not self._output.ahead()
                self._hold(rests)
                self._notice_change()
                if self._active and self._deck.ended and not self._output.ahead():
                    self._left()
                    self._advance(lambda: self._queue.next(by_itself=True))
                if self._active and not self._deck.paused and not self._deck.waiting:
                    position, length = self._deck.place()
                    if length - position < _READY + self._deck.crossfade:
                        self._lay_ready()
                due = self._look_at_device()
            if due:
                self._find_device()

    @contextlib.contextmanager
    def _ordered(self) -> Iterator[None]:
        """An order means the song that is heard, whatever the deck has done since the last look."""
        with self._lock:
            self._notice_change()
            yield

    def _notice_change(self) -> None:
        """The deck may have gone on to the song that was laid ready."""
        if self._deck.begun > self._begun:
            self._begun = self._deck.begun
            self._ready = None
            self._left()
            self._sounded = True
            self._queue.next(by_itself=True)
            self._number += 1

    def _left(self) -> None:
        """The song that plays is over, or somebody wants another one."""
        song = self._queue.current
        if self._active and self._sounded and song is not None:
            self._queue.heard(song)

    def _advance(self, step: Callable[[], Song | None]) -> None:
        """Move to a song that can be played; bad ones are passed over with a line each."""
        self._active = False
        for _ in range(len(self._queue.order) + 1):
            song = step()
            if song is None:
                break
            if self._open(song, 0.0):
                return
            if step != self._queue.previous or self._queue.index == 0:
                step = self._queue.next  # one song is not repeated when it cannot be played
        self._deck.stop()
        self._output.recall()

    def _open(self, song: Song, at: float, again: bool = False, paused: bool = False) -> bool:
        """Have the deck play a song now; False when its file cannot be played."""
        try:
            stream = Stream(song.path, at)
        except (OSError, ValueError):
            if not again:
                self._tell(f"Skipped {song.title}: the file cannot be played.")
            return False
        self._ready = None
        known = again and not self._deck.ended  # tags need not be read for every seek
        self._deck.play(stream, self._deck.gain if known else gain_of(song), paused)
        self._begun = self._deck.begun
        self._number += not again
        self._active = True
        self._sounded = self._sounded and again
        self._output.recall()
        if not paused:
            self._be_heard()
        return True

    def _reopen(self, at: float) -> None:
        """Have the song that plays go on at a second, or be held there."""
        song = self._queue.current
        if self._active and song is not None:
            self._open(song, at, again=True, paused=self._deck.paused)

    def _lay_ready(self) -> None:
        """Open what follows, so that it can join without a gap."""
        song = self._queue.following()
        if song is None:
            return
        try:
            self._deck.lay_ready(Stream(song.path), gain_of(song))
            self._ready = song
        except (OSError, ValueError):
            pass  # it is passed over when its turn comes

    def _follow_queue(self) -> None:
        """After a change of the queue another song may be the next."""
        following = self._queue.following()
        if self._ready and (following is None or following.path != self._ready.path):
            self._deck.forget_next()
            self._ready = None

    def _be_heard(self) -> None:
        """There is something to play: neither device nor thread may rest."""
        self._sounded = True
        self._hold(False)
        self._wake.set()

    def _hold(self, held: bool) -> None:
        """Have the device rest or work; one that will not is taken for lost."""
        try:
            self._output.hold(held)
        except Exception:  # each library has its own ways to say so
            self._lose()

    def _tell(self, notice: str) -> None:
        """Something that the listener should know, for a while."""
        recent = time.monotonic() - self._noticed < 1.0 and self._notice
        self._notice = f"{self._notice} {notice}"[:300] if recent else notice
        self._noticed = time.monotonic()

    def _place(self) -> float:
        return max(0.0, self._deck.place()[0] - self._output.ahead() / RATE)

    def _recall(self, place: float) -> None:
        """Have an order be heard now, where the output is far ahead of `place`."""
        if self._output.ahead():
            self._reopen(place)

    def _look_at_device(self) -> bool:
        """Play on in silence when the device has gone; True when it is time to look for it."""
        if not self._output.alive():
            self._lose()
        silent = self._output.name == "null" and self._choice != "null"
        return silent and time.monotonic() - self._tried > _AGAIN

    def _find_device(self) -> None:
        """Take a device up again that has come back; nobody waits while it is looked for."""
        self._tried = time.monotonic()
        choice = self._choice
        found, _ = self._opener(choice)
        with self._lock:
            if found.name == "null" or self._output.name != "null" or self._choice != choice:
                found.close()
                return
            self._output.close()
            self._take(found, "The sound device is back.")

    def _lose(self) -> None:
        """Go on without the device."""
        self._tried = time.monotonic()
        with contextlib.suppress(Exception):
            self._output.close()
        self._take(NullOutput(), "The sound device is gone: playing silently until it is back.")

    def _take(self, output: Output, notice: str) -> None:
        """Play through `output` from now on."""
        self._output = output
        if notice:
            self._tell(notice)
        try:
            output.start(self._deck.read)
            output.hold(self._deck.silent)
        except Exception:  # as above; silence always starts
            if output.name != "null":
                self._lose()


def gain_of(song: Song) -> float:
    """Factor that brings a song to the level of the others."""
    loudness = song.details.get("loudness", None if song.details else tagged_loudness(song.path))
    if not isinstance(loudness, (int, float)) or not -70 < loudness < 0:
        return 1.0
    return float(10 ** (min(_LOUDER, _LEVEL - loudness) / 20))
