"""Orders being made by child processes, so that the screen and the sound never wait."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scripts.batch.line import STAGES
from scripts.child import Child
from scripts.tui.state import JobState


class Job:
    """One ``generate`` command in a process of its own.

    Parameters
    ----------
    words : sequence of str
        Options for the command, after styles and number.
    finished : callable
        Called with the path of a song that is done.
    """

    def __init__(self, styles: str, songs: int, words: Sequence[str],
                 finished: Callable[[Path], None]) -> None:
        self.state = JobState(styles, songs)
        self._begun = time.monotonic()  # the song that is being made
        self._took: list[float] = []  # seconds of each song that is done
        self._finished = finished
        self._child = Child("scripts.cli", ["generate", "--songs", str(songs), "--json",
                                            "--watch-input", *words, "--", styles])

    def poll(self) -> bool:
        """Take in what the process has said; True when something changed."""
        changed = False
        while not self.state.done:
            try:
                message = self._child.receive(0.001)
            except queue.Empty:
                break
            changed = True
            if message is None:
                self._close()
            elif message.get("event") == "progress":
                number = int(message["song"])
                if number != self.state.number:
                    self.state.number, self.state.stages = number, {}
                if message["stage"] == "compose" and "render" in self.state.stages:
                    self.state.stages = {}
                stage = str(message["stage"])
                for earlier in STAGES[:STAGES.index(stage)]:
                    self.state.stages[earlier] = 1.0
                self.state.stages[stage] = float(message["done"])
                self.state.text = str(message.get("text") or self.state.text)
            elif message.get("event") == "song":
                self.state.made.append(str(message["title"]))
                self._took.append(time.monotonic() - self._begun)
                self._begun = time.monotonic()
                self._finished(Path(str(message["path"])))
            elif message.get("event") == "failed":
                self.state.failures.append(f"song {message['song']}: {message['reason']}")
            elif message.get("event") == "note":
                self.state.notes.append(str(message["text"]))
        self.state.left = seconds_left(self._took, time.monotonic() - self._begun,
                                       share_of(self.state.stages),
                                       self.state.songs - len(self.state.failures))
        return changed

    def cancel(self) -> None:
        """Ask it to stop; what is finished stays, what is not leaves nothing behind."""
        if not self.state.done and not self.state.stopping:
            self.state.stopping = True
            self._child.hang_up()

    def end(self) -> None:
        """Stop, and wait until it has."""
        if not self.state.done:
            self._child.stop(grace=8.0)
            self.state.done = True

    def _close(self) -> None:
        self.state.done = True
        status = self._child.stop()
        if self.state.stopping:
            self.state.failures.append("cancelled")
        elif status and not self.state.failures:
            said = [line for line in self._child.complaints if line.startswith("llm-music-gen: ")]
            words = said[-1].removeprefix("llm-music-gen: ") if said else self._child.exit_words()
            self.state.failures.append(words)


_SHARES = {"compose": 0.25, "render": 0.65, "convert": 0.1}  # of the time that a song takes
_TELLING = 0.3  # of a first song must be done before its length can be guessed


def share_of(stages: Mapping[str, float]) -> float:
    """How much of a song is done, 0 to 1, by its stages."""
    return sum(share * stages.get(stage, 0.0) for stage, share in _SHARES.items())


def seconds_left(took: Sequence[float], spent: float, share: float, songs: int) -> float | None:
    """How long the rest of an order will take, from what its songs took so far.

    Parameters
    ----------
    took : sequence of float
        Seconds of each song that is done.
    spent : float
        Seconds on the one that is being made.
    share : float
        How much of that one is done, 0 to 1.
    """
    if len(took) >= songs or (not took and share < _TELLING):
        return None
    usual = sorted(took)[len(took) // 2] if took else spent / share
    return usual * (songs - len(took) - 1) + max(0.0, usual - spent)
