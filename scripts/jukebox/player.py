"""Plays a queue of songs in the background, surviving bad files and lost sound devices."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.audio.deck import Deck
from scripts.audio.live_audio import MAX_LIVE_FRAMES, is_live
from scripts.audio.outputs import open_output
from scripts.audio.streams import open_stream
from scripts.audio.tags import read_tagged_loudness
from scripts.core.audio_format import RATE
from scripts.jukebox.devices import OutputOpener, OutputSupervisor
from scripts.jukebox.queue import Queue, RepeatMode
from scripts.library.songs import Song

TICK, _IDLE_TICK = 0.2, 1.0  # polling interval of deck and device while playing and idle, seconds
_PRELOAD_TIME = 20.0  # seconds before a song's end at which the next one is preloaded
_TARGET_LUFS = -14.0  # LUFS, target of loudness normalization
_MAX_BOOST = 6.0  # dB, largest boost of a quiet song
_NOTICE_TIME = 12.0  # seconds that a notice is shown
_READY_MARGIN = 1.0  # seconds before the end of what is rendered, where seeking stops
_RESTART_AFTER = 3.0  # seconds into a song after which "previous" restarts it


@dataclass(frozen=True)
class PlayerStatus:
    """Snapshot of the player for display.

    Parameters
    ----------
    song : Song or None
        The current song; None when nothing plays.
    position, duration : float
        Seconds.
    paused : bool
    played : tuple of str
        Titles played before, latest last.
    upcoming : tuple of str
        Titles of the next songs.
    output : str
        Name of the output in use.
    notice : str
        Recent message for the user; empty for none.
    number : int
        Number of songs started so far.
    repeat : str
        ``all``, ``one`` or ``off``.
    shuffle : bool
    ready : float
        Seconds of the song that can be played now; less than `duration` while it is rendered.
    """

    song: Song | None
    position: float
    duration: float
    paused: bool
    played: tuple[str, ...]
    upcoming: tuple[str, ...]
    output: str
    notice: str
    number: int = 0
    repeat: RepeatMode = "all"
    shuffle: bool = False
    ready: float = math.inf


class Player:
    """Thread-safe player of a queue, with its own background thread.

    Parameters
    ----------
    queue : Queue
        From now on used by the player only.
    output : str
        An output as for :func:`scripts.audio.outputs.open_output`.
    volume : float
        0 to 1.
    crossfade : float
        Seconds; 0 plays songs without a gap.
    opener : callable
        Opens the output; replaced in tests.
    """

    def __init__(
        self,
        queue: Queue,
        output: str,
        volume: float,
        crossfade: float = 0.0,
        opener: OutputOpener = open_output,
    ) -> None:
        self._queue = queue
        self._deck = Deck(volume, crossfade)
        self._lock = threading.RLock()
        self._active = self._was_audible = False  # a song loaded while paused has not been audible
        self._number = self._songs_started = 0
        self._preloaded: Song | None = None  # the song preloaded in the deck
        self._notice, self._notice_set_at = "", 0.0
        self._output = OutputSupervisor(self._deck, output, self._set_notice, opener)
        self._end, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # -- commands; each returns at once ----------------------------------------------------

    def start(self, song: Song | None = None, position: float = 0.0, paused: bool = False) -> None:
        """Play a song, or continue the queue when nothing plays.

        Parameters
        ----------
        song : Song, optional
            Without one, the next song of the queue is played unless one is playing.
        position : float
            Start position, seconds.
        paused : bool
            Load the song without playing it.
        """
        with self._synced():
            if song is not None:
                self._mark_current_played()
                self._queue.jump_to(song)
                if not self._open(song, position, paused=paused):
                    self._advance(self._queue.next)
            elif not self._active:
                self._advance(self._queue.next)
                if not self._active:
                    self._queue.rewind()
                    self._advance(self._queue.next)

    def next(self) -> None:
        """Skip to the next song."""
        with self._synced():
            self._mark_current_played()
            self._advance(self._queue.next)

    def previous(self) -> None:
        """Restart the song; within its first 3 seconds, go to the previous one."""
        with self._synced():
            if self._active and self._position() > _RESTART_AFTER:
                self.seek(0.0)
            else:
                self._mark_current_played()
                self._advance(self._queue.previous)

    def seek(self, position: float) -> None:
        """Seek to a position in seconds; past the end, skip to the next song."""
        with self._synced():
            now, length = self._deck.position_and_length()
            ready = self._ready_seconds()
            if self._active and position >= length <= ready:
                self.next()
            elif position > now and position > ready - _READY_MARGIN:
                self._reopen(max(now, ready - _READY_MARGIN))
            else:
                self._reopen(max(0.0, position))

    def seek_by(self, seconds: float) -> None:
        """Seek forward or backward by `seconds`."""
        with self._synced():
            self.seek(self._position() + seconds)

    def pause(self, paused: bool) -> None:
        """Pause or resume."""
        with self._synced():
            if self._active and paused != self._deck.paused:
                place = self._position()
                self._deck.pause(paused)
                self._reopen_if_buffered(place)
                self._wake_output()

    def toggle_pause(self) -> None:
        """Pause when playing, resume when paused."""
        with self._synced():
            self.pause(not self._deck.paused)

    def set_volume(self, volume: float) -> None:
        """Set the volume, 0 to 1."""
        with self._synced():
            place = self._position()
            self._deck.set_volume(volume)
            self._reopen_if_buffered(place)

    def set_crossfade(self, seconds: float) -> None:
        """Set the crossfade in seconds; 0 plays songs without a gap."""
        self._deck.crossfade = seconds

    def edit_queue(self, action: Callable[[Queue], Any]) -> None:
        """Apply `action` to the queue (shuffle, repeat, drop) and follow the change."""
        with self._synced():
            before = self._queue.current
            action(self._queue)
            after = self._queue.current
            if self._active and before is not None and (after is None or after.path != before.path):
                self._queue.mark_played(before)
                self._advance(self._queue.next)  # the current song was dropped
            self._drop_stale_preload()

    def refresh(self, songs: list[Song]) -> None:
        """Sync the queue with the library: add new songs, remove missing ones."""
        with self._synced():
            self._queue.remove_missing(s.path for s in songs)
            self._queue.add(songs)
            self._drop_stale_preload()

    def replace(self, path: Path, song: Song) -> None:
        """Let `song` take the place of the one at `path`; what is playing plays on.

        A song that is too long to be kept whole as live audio continues from its own file.
        """
        with self._synced():
            self._queue.replace(path, song)
            if self._queue.current == song and song.seconds > MAX_LIVE_FRAMES / RATE:
                self._reopen(self._position())

    @property
    def playing_path(self) -> Path | None:
        """File that is being played; not that of the song if it was played before it was done."""
        return self._deck.playing_path

    def set_output(self, choice: str) -> None:
        """Switch to another output without losing the position."""
        with self._synced():
            place = self._position()
            self._output.choose(choice)
            if self._position() != place:
                self._reopen(place)

    def close(self) -> None:
        """Stop playing, end the thread and close the device."""
        self._end.set()
        self._wake.set()
        self._thread.join(2.0)
        self._output.close()
        self._deck.close()

    # -- state -----------------------------------------------------------------------------

    def status(self) -> PlayerStatus:
        """Take a snapshot of the current state."""
        with self._lock:
            self._sync_with_deck()
            queue = self._queue
            song = queue.current if self._active else None
            length = self._deck.position_and_length()[1]
            notice = self._notice if time.monotonic() - self._notice_set_at < _NOTICE_TIME else ""
            return PlayerStatus(
                song,
                min(self._position(), length),
                length,
                self._deck.paused,
                tuple(queue.played),
                tuple(s.title for s in queue.upcoming()),
                self._output.name,
                notice,
                self._number,
                queue.repeat,
                queue.shuffle,
                self._ready_seconds(),
            )

    def heard(self) -> tuple[tuple[Path, float, float], ...]:
        """What is heard now: file, position in seconds and level (0 to 1) of each song."""
        with self._lock:
            unheard = 0.0 if self._deck.paused else self._output.unheard_seconds
            return tuple(
                (path, max(0.0, position - unheard), level)
                for path, position, level in self._deck.sounding()
            )

    @property
    def ended(self) -> bool:
        """Whether nothing is playing, such as at the end of a queue without repeat."""
        with self._lock:
            return not self._active

    def play_order(self) -> tuple[Path, ...]:
        """Files of the current round, in playing order."""
        with self._lock:
            return tuple(s.path for s in self._queue.play_order)

    def recent_samples(self) -> npt.NDArray[np.float32]:
        """The last samples played, mono, before volume."""
        return self._deck.recent_samples()

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        rests = False
        while not self._end.is_set():
            self._wake.wait(_IDLE_TICK if rests else TICK)
            self._wake.clear()
            with self._lock:
                rests = self._deck.silent and not self._output.buffered_seconds
                self._output.set_idle(rests)
                self._sync_with_deck()
                if self._active and self._deck.ended and not self._output.buffered_seconds:
                    self._mark_current_played()
                    self._advance(lambda: self._queue.next(song_ended=True))
                if self._active and not self._deck.paused and not self._deck.has_next:
                    position, length = self._deck.position_and_length()
                    if length - position < _PRELOAD_TIME + self._deck.crossfade:
                        self._preload_next()
                due = self._output.check()
            if due:
                self._output.reconnect(self._lock)

    @contextlib.contextmanager
    def _synced(self) -> Iterator[None]:
        """Lock and sync with the deck first, so that commands apply to the song now playing."""
        with self._lock:
            self._sync_with_deck()
            yield

    def _sync_with_deck(self) -> None:
        """Follow the deck when it has moved on to the preloaded song."""
        if self._deck.songs_started > self._songs_started:
            self._songs_started = self._deck.songs_started
            self._preloaded = None
            self._mark_current_played()
            self._was_audible = True
            self._queue.next(song_ended=True)
            self._number += 1

    def _mark_current_played(self) -> None:
        """Add the current song to the history when it was audible."""
        song = self._queue.current
        if self._active and self._was_audible and song is not None:
            self._queue.mark_played(song)

    def _advance(self, step: Callable[[], Song | None]) -> None:
        """Move to the next playable song by calling `step`; skip bad files with a notice each."""
        self._active = False
        for _ in range(len(self._queue.play_order) + 1):
            song = step()
            if song is None:
                break
            if self._open(song, 0.0):
                return
            if step != self._queue.previous or self._queue.index == 0:
                step = self._queue.next  # do not retry the same bad file
        self._deck.stop()
        self._output.discard_buffer()

    def _open(self, song: Song, at: float, reopening: bool = False, paused: bool = False) -> bool:
        """Play a song in the deck now; False when its file cannot be played."""
        try:
            stream = open_stream(song.path, at)
        except (OSError, ValueError):
            if not reopening:
                self._set_notice(f"Skipped {song.title}: the file cannot be played.")
            return False
        self._preloaded = None
        keep_gain = reopening and not self._deck.ended  # avoid reading tags on every seek
        self._deck.play(stream, self._deck.gain if keep_gain else normalization_gain(song), paused)
        self._songs_started = self._deck.songs_started
        self._number += not reopening
        self._active = True
        self._was_audible = self._was_audible and reopening
        self._output.discard_buffer()
        if not paused:
            self._wake_output()
        return True

    def _reopen(self, at: float) -> None:
        """Reopen the current song at a position, keeping it paused if it was."""
        song = self._queue.current
        if self._active and song is not None:
            self._open(song, at, reopening=True, paused=self._deck.paused)

    def _preload_next(self) -> None:
        """Preload the next song, so that it can follow without a gap."""
        song = self._queue.peek_next()
        if song is None:
            return
        try:
            self._deck.preload_next(open_stream(song.path), normalization_gain(song))
            self._preloaded = song
        except (OSError, ValueError):
            pass  # it is skipped when its turn comes

    def _drop_stale_preload(self) -> None:
        """Drop the preloaded song when a change of the queue put another one next."""
        following = self._queue.peek_next()
        if self._preloaded and (following is None or following.path != self._preloaded.path):
            self._deck.clear_next()
            self._preloaded = None

    def _wake_output(self) -> None:
        """Wake the device and the thread, because there is something to play."""
        self._was_audible = True
        self._output.set_idle(False)
        self._wake.set()

    def _set_notice(self, notice: str) -> None:
        """Show a notice for a while, joined to one set within the last second."""
        recent = time.monotonic() - self._notice_set_at < 1.0 and self._notice
        self._notice = f"{self._notice} {notice}"[:300] if recent else notice
        self._notice_set_at = time.monotonic()

    def _ready_seconds(self) -> float:
        """How much of the current song can be played now, in seconds from its start."""
        song = self._queue.current
        return self._deck.ready_seconds() if song and is_live(song.path) else math.inf

    def _position(self) -> float:
        return max(0.0, self._deck.position_and_length()[0] - self._output.buffered_seconds)

    def _reopen_if_buffered(self, place: float) -> None:
        """Reopen at `place` when the output has buffered audio, so that a change is audible now."""
        if self._output.buffered_seconds:
            self._reopen(place)


def normalization_gain(song: Song) -> float:
    """Loudness normalization factor of a song, by its details or ReplayGain tag.

    Songs are brought to -14 LUFS, boosted by 6 dB at most; 1.0 when the loudness is unknown.
    """
    loudness = song.details.get(
        "loudness", None if song.details else read_tagged_loudness(song.path)
    )
    if not isinstance(loudness, (int, float)) or not -70 < loudness < 0:
        return 1.0
    return float(10 ** (min(_MAX_BOOST, _TARGET_LUFS - loudness) / 20))
