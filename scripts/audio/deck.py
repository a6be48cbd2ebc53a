"""Mixes the playing song sample by sample, independent of the output device.

One song plays. A preloaded next song follows without a gap or crossfades in. Pause, volume, seeking
and skipping are short ramps, so the signal never jumps.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scripts.audio.streams import AudioStream
from scripts.core.audio_format import RATE, Stereo

Mono = npt.NDArray[np.float32]

RAMP_FRAMES = RATE * 15 // 1000  # frames of a fade that avoids clicks (15 ms)
_RECENT_FRAMES = 4096  # frames kept for the spectrum display


@dataclass
class _Voice:
    """A playing stream with its gain and fade.

    Parameters
    ----------
    stream : AudioStream
    gain : float
        Loudness normalization factor.
    fade : float
        Current position of the fade, 0 (silent) to 1 (full level).
    step : float
        Change of `fade` per frame.
    """

    stream: AudioStream
    gain: float
    fade: float = 1.0
    step: float = 0.0

    def read(self, count: int) -> Stereo:
        """Read up to `count` frames with gain and fade applied; fewer at the end."""
        sound = self.stream.read(count) * np.float32(self.gain)
        if self.step or self.fade < 1:
            levels = np.clip(self.fade + self.step * np.arange(1, len(sound) + 1), 0, 1)
            sound *= np.sin(levels * (np.pi / 2)).astype(np.float32)[:, None]  # equal power
            if len(levels):
                self.fade = float(levels[-1])
                self.step = self.step if 0 < self.fade < 1 else 0.0
        return sound

    @property
    def finished(self) -> bool:
        return self.stream.remaining <= 0 or (self.fade == 0.0 and self.step <= 0)


class Deck:
    """Thread-safe two-song mixer that an output pulls samples from.

    Parameters
    ----------
    volume : float
        0 to 1.
    crossfade : float
        Seconds of crossfade between songs; 0 plays them without a gap.
    """

    def __init__(self, volume: float, crossfade: float = 0.0) -> None:
        self.crossfade = crossfade
        self._lock = threading.RLock()
        self._volume, self._level = volume, 0.0
        self._paused = False
        self._now: _Voice | None = None
        self._next: _Voice | None = None
        self._fading_out: list[_Voice] = []
        self._songs_started = 0
        self._recent = np.zeros(_RECENT_FRAMES, np.float32)

    # -- commands ----------------------------------------------------------------------------

    def play(self, stream: AudioStream, gain: float = 1.0, paused: bool = False) -> None:
        """Switch to `stream` now.

        Parameters
        ----------
        stream : AudioStream
            Closed by the deck when it is over.
        gain : float
            Loudness normalization factor.
        paused : bool
            Load it without playing.
        """
        with self._lock:
            self.stop()
            voice = _Voice(stream, gain)
            if self._fading_out or stream.position:
                voice.fade, voice.step = 0.0, 1 / RAMP_FRAMES
            self._now = voice
            self._paused = paused
            self._songs_started += 1

    def preload_next(self, stream: AudioStream, gain: float = 1.0) -> None:
        """Set the song to play after the current one, replacing one set before."""
        with self._lock:
            self._drop_next()
            self._next = _Voice(stream, gain)

    def clear_next(self) -> None:
        """Remove and close the preloaded song."""
        with self._lock:
            self._drop_next()

    def stop(self) -> None:
        """Fade out everything within one short ramp."""
        with self._lock:
            self._drop_next()
            for voice in self._fading_out:
                voice.step = -1 / RAMP_FRAMES
            self._fade_out_current(RAMP_FRAMES)

    def pause(self, paused: bool) -> None:
        """Pause or resume."""
        with self._lock:
            self._paused = paused

    def set_volume(self, volume: float) -> None:
        """Set the volume, 0 to 1."""
        with self._lock:
            self._volume = volume

    def close(self) -> None:
        """Close all streams."""
        with self._lock:
            self._drop_next()
            for voice in [*self._fading_out, *filter(None, [self._now])]:
                voice.stream.close()
            self._fading_out, self._now = [], None

    # -- state -------------------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def songs_started(self) -> int:
        """Number of songs started so far, including those that followed another by themselves."""
        return self._songs_started

    @property
    def has_next(self) -> bool:
        """Whether a next song is preloaded."""
        return self._next is not None

    @property
    def ended(self) -> bool:
        """Whether there is no current song."""
        with self._lock:
            return self._now is None

    @property
    def silent(self) -> bool:
        """Whether the output stays silent until the next command (paused or ended)."""
        with self._lock:
            return (self._paused and self._level == 0.0) or (
                self._now is None and not self._fading_out
            )

    @property
    def gain(self) -> float:
        """Loudness normalization factor of the current song."""
        with self._lock:
            return self._now.gain if self._now else 1.0

    def position_and_length(self) -> tuple[float, float]:
        """Position in the current song and its length, in seconds; zeros without one."""
        with self._lock:
            if self._now is None:
                return 0.0, 0.0
            return self._now.stream.position / RATE, self._now.stream.length / RATE

    def ready_seconds(self) -> float:
        """How much of the current song can be played now, in seconds from its start."""
        with self._lock:
            return self._now.stream.ready / RATE if self._now else 0.0

    @property
    def playing_path(self) -> Path | None:
        """File that is being played."""
        with self._lock:
            return self._now.stream.path if self._now else None

    def sounding(self) -> tuple[tuple[Path, float, float], ...]:
        """What is mixed now: file, position in seconds and level (0 to 1) of each song."""
        with self._lock:
            voices = [*self._fading_out, *([self._now] if self._now else [])]
            return tuple((v.stream.path, v.stream.position / RATE, v.fade) for v in voices)

    def recent_samples(self) -> Mono:
        """The last 4096 mixed frames as mono, before volume."""
        with self._lock:
            return self._recent.copy()

    # -- samples -----------------------------------------------------------------------------

    def read(self, count: int) -> Stereo:
        """Read the next `count` frames, with silence where nothing plays.

        Returns
        -------
        ndarray
            Shape (count, 2), float32, -1 to 1.
        """
        with self._lock:
            if self._paused and self._level == 0.0:
                return np.zeros((count, 2), np.float32)
            if self._paused:  # read no further than the fade-out, so that no samples are lost
                ramp_frames = min(count, RAMP_FRAMES)
                out = np.zeros((count, 2), np.float32)
                out[:ramp_frames] = self._apply_volume(self._mix(ramp_frames))
                return out
            return self._apply_volume(self._mix(count))

    def _mix(self, count: int) -> Stereo:
        out = np.zeros((count, 2), np.float32)
        at = 0
        while at < count:  # the next song may start within the block
            n = count - at if self._now is None else self._read_current(out[at:])
            for voice in self._fading_out:
                sound = voice.read(n)
                out[at : at + len(sound)] += sound
            at += n
        for voice in [v for v in self._fading_out if v.finished]:
            voice.stream.close()
            self._fading_out.remove(voice)
        mono = out.mean(axis=1)[-_RECENT_FRAMES:]
        self._recent = np.concatenate((self._recent[len(mono) :], mono))
        return out

    def _read_current(self, out: Stereo) -> int:
        """Fill `out` from the current song; return the number of frames filled."""
        assert self._now is not None
        fade = round(self.crossfade * RATE)
        count = len(out)
        if self._next and fade and self._now.stream.remaining > fade:
            count = min(count, self._now.stream.remaining - fade)
        elif self._next and fade:
            self._start_next(min(fade, self._now.stream.remaining))
            return 0
        sound = self._now.read(count)
        out[: len(sound)] = sound
        if len(sound) < count:
            self._now.stream.close()
            self._now = None
            if self._next:
                self._start_next(0)
        return len(sound)

    def _start_next(self, fade: int) -> None:
        """Start the preloaded song, fading in over `fade` frames."""
        assert self._next
        self._fade_out_current(fade)
        self._now, self._next = self._next, None
        if fade:
            self._now.fade, self._now.step = 0.0, 1 / fade
        self._songs_started += 1

    def _fade_out_current(self, fade: int) -> None:
        """Fade out the current song over `fade` frames."""
        if self._now is not None and fade:
            if self._level > 0 or not self._paused:
                self._now.step = -1 / fade
                self._fading_out.append(self._now)
            else:
                self._now.stream.close()
        self._now = None

    def _drop_next(self) -> None:
        if self._next:
            self._next.stream.close()
        self._next = None

    def _apply_volume(self, sound: Stereo) -> Stereo:
        """Apply the volume, approaching it with a short ramp, and clip to -1 to 1."""
        target = 0.0 if self._paused else self._volume
        difference = target - self._level
        if not difference:
            return np.asarray(np.clip(sound * np.float32(target), -1, 1))
        steps = np.arange(1, len(sound) + 1, dtype=np.float32) / RAMP_FRAMES
        levels = self._level + np.sign(difference) * np.minimum(steps, abs(difference))
        if len(levels):
            self._level = float(levels[-1])
            if abs(self._level - target) < 1e-6:
                self._level = target
        return np.asarray(np.clip(sound * levels.astype(np.float32)[:, None], -1, 1))
