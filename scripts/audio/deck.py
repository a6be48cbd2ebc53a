"""The deck: what sounds, sample by sample, whatever takes it to the loudspeakers.

One song plays; the next one may be laid ready and then joins without a gap, or fades in while the
first fades out. Nothing ever jumps: pause, volume, seeking and skipping are short ramps.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scripts.audio.streams import Stream
from scripts.core.audio_format import RATE, Stereo

Mono = npt.NDArray[np.float32]

RAMP = RATE * 15 // 1000  # samples
_HEARD = 4096  # samples that are kept for who looks at the sound


@dataclass
class _Voice:
    """A stream that sounds, and how its level moves.

    Parameters
    ----------
    stream : Stream
    gain : float
        That brings it to the level of the others.
    fade : float
        0 to 1; where it is now.
    step : float
        By which that changes with each sample.
    """

    stream: Stream
    gain: float
    fade: float = 1.0
    step: float = 0.0

    def read(self, count: int) -> Stereo:
        """The next frames at their level; fewer when it is over."""
        sound = self.stream.read(count) * np.float32(self.gain)
        if self.step or self.fade < 1:
            levels = np.clip(self.fade + self.step * np.arange(1, len(sound) + 1), 0, 1)
            sound *= np.sin(levels * (np.pi / 2)).astype(np.float32)[:, None]  # equal power
            if len(levels):
                self.fade = float(levels[-1])
                self.step = self.step if 0 < self.fade < 1 else 0.0
        return sound

    @property
    def over(self) -> bool:
        return self.stream.left <= 0 or (self.fade == 0.0 and self.step <= 0)


class Deck:
    """Reads the song that plays, in time with whoever asks for its samples.

    Parameters
    ----------
    volume : float
        0 to 1.
    crossfade : float
        Seconds that one song fades into the next; 0 joins them without a gap.
    """

    def __init__(self, volume: float, crossfade: float = 0.0) -> None:
        self.crossfade = crossfade
        self._lock = threading.RLock()
        self._volume, self._level = volume, 0.0
        self._paused = False
        self._now: _Voice | None = None
        self._next: _Voice | None = None
        self._leaving: list[_Voice] = []
        self._begun = 0
        self._heard = np.zeros(_HEARD, np.float32)

    # -- orders ------------------------------------------------------------------------------

    def play(self, stream: Stream, gain: float = 1.0, paused: bool = False) -> None:
        """Change to `stream` now, or hold it ready."""
        with self._lock:
            self.stop()
            voice = _Voice(stream, gain)
            if self._leaving or stream.position:
                voice.fade, voice.step = 0.0, 1 / RAMP
            self._now = voice
            self._paused = paused
            self._begun += 1

    def lay_ready(self, stream: Stream, gain: float = 1.0) -> None:
        """Have `stream` follow the one that plays."""
        with self._lock:
            self._drop_next()
            self._next = _Voice(stream, gain)

    def forget_next(self) -> None:
        """Have nothing follow after all."""
        with self._lock:
            self._drop_next()

    def stop(self) -> None:
        """Fall silent; what is fading out does so at once."""
        with self._lock:
            self._drop_next()
            for voice in self._leaving:
                voice.step = -1 / RAMP
            self._leave(RAMP)

    def pause(self, paused: bool) -> None:
        """Hold or go on."""
        with self._lock:
            self._paused = paused

    def set_volume(self, volume: float) -> None:
        """0 to 1."""
        with self._lock:
            self._volume = volume

    def close(self) -> None:
        """Let go of all files."""
        with self._lock:
            self._drop_next()
            for voice in [*self._leaving, *filter(None, [self._now])]:
                voice.stream.close()
            self._leaving, self._now = [], None

    # -- what is going on --------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def begun(self) -> int:
        """Counts the songs that began; it moves by itself when one follows another."""
        return self._begun

    @property
    def waiting(self) -> bool:
        """Whether a song is laid ready."""
        return self._next is not None

    @property
    def ended(self) -> bool:
        """True when nothing plays and nothing follows."""
        with self._lock:
            return self._now is None

    @property
    def silent(self) -> bool:
        """True when nothing is to be heard until somebody orders something."""
        with self._lock:
            return (self._paused and self._level == 0.0) or (
                self._now is None and not self._leaving
            )

    @property
    def gain(self) -> float:
        """Of the song that plays."""
        with self._lock:
            return self._now.gain if self._now else 1.0

    def place(self) -> tuple[float, float]:
        """Position in the song and its length, in seconds."""
        with self._lock:
            if self._now is None:
                return 0.0, 0.0
            return self._now.stream.position / RATE, self._now.stream.length / RATE

    def heard(self) -> Mono:
        """The last samples that were given out, both channels together, before the volume."""
        with self._lock:
            return self._heard.copy()

    # -- the sound ---------------------------------------------------------------------------

    def read(self, count: int) -> Stereo:
        """The next `count` frames, silence where nothing plays: (count, 2) float32, -1 to 1."""
        with self._lock:
            if self._paused and self._level == 0.0:
                return np.zeros((count, 2), np.float32)
            if self._paused:  # what follows the end of the ramp is not to be lost
                held = min(count, RAMP)
                out = np.zeros((count, 2), np.float32)
                out[:held] = self._ramped(self._mixed(held))
                return out
            return self._ramped(self._mixed(count))

    def _mixed(self, count: int) -> Stereo:
        out = np.zeros((count, 2), np.float32)
        at = 0
        while at < count:  # a song may follow in the middle
            n = count - at if self._now is None else self._play_on(out[at:])
            for voice in self._leaving:
                sound = voice.read(n)
                out[at : at + len(sound)] += sound
            at += n
        for voice in [v for v in self._leaving if v.over]:
            voice.stream.close()
            self._leaving.remove(voice)
        kept = out.mean(axis=1)[-_HEARD:]
        self._heard = np.concatenate((self._heard[len(kept) :], kept))
        return out

    def _play_on(self, out: Stereo) -> int:
        """Fill `out` from the song that plays as far as it goes; frames that were filled."""
        assert self._now is not None
        fade = round(self.crossfade * RATE)
        count = len(out)
        if self._next and fade and self._now.stream.left > fade:
            count = min(count, self._now.stream.left - fade)
        elif self._next and fade:
            self._follow(min(fade, self._now.stream.left))
            return 0
        sound = self._now.read(count)
        out[: len(sound)] = sound
        if len(sound) < count:
            self._now.stream.close()
            self._now = None
            if self._next:
                self._follow(0)
        return len(sound)

    def _follow(self, fade: int) -> None:
        """Begin the song that was laid ready, over `fade` samples."""
        assert self._next
        self._leave(fade)
        self._now, self._next = self._next, None
        if fade:
            self._now.fade, self._now.step = 0.0, 1 / fade
        self._begun += 1

    def _leave(self, fade: int) -> None:
        """Have the song that plays fade out."""
        if self._now is not None and fade:
            if self._level > 0 or not self._paused:
                self._now.step = -1 / fade
                self._leaving.append(self._now)
            else:
                self._now.stream.close()
        self._now = None

    def _drop_next(self) -> None:
        if self._next:
            self._next.stream.close()
        self._next = None

    def _ramped(self, sound: Stereo) -> Stereo:
        """At the volume, which is reached in a short time and not at once."""
        goal = 0.0 if self._paused else self._volume
        way = goal - self._level
        if not way:
            return np.asarray(np.clip(sound * np.float32(goal), -1, 1))
        steps = np.arange(1, len(sound) + 1, dtype=np.float32) / RAMP
        levels = self._level + np.sign(way) * np.minimum(steps, abs(way))
        if len(levels):
            self._level = float(levels[-1])
            if abs(self._level - goal) < 1e-6:
                self._level = goal
        return np.asarray(np.clip(sound * levels.astype(np.float32)[:, None], -1, 1))
