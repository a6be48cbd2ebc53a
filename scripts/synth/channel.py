"""Mixer channel: a buffer of upcoming audio with gain, pan, sends and ducking."""

from __future__ import annotations

import math

import numpy as np

from scripts.core.audio_format import RATE
from scripts.styles.style import TrackStyle
from scripts.synth.additive import Mono
from scripts.synth.amplifier import Amplifier
from scripts.synth.effects import Planar

_DUCK_SECONDS = 0.32


class Channel:
    """Channel of one track: notes are added at any later position, blocks are read in order.

    Parameters
    ----------
    track : TrackStyle
        Gain, pan, send levels and ducking depth.
    capacity : int
        Initial buffer size in samples; it grows as needed.
    start : int
        Song position in samples of the first block.
    amplifier : Amplifier, optional
        That all notes go through, before gain and pan.
    """

    def __init__(
        self,
        track: TrackStyle,
        capacity: int,
        start: int = 0,
        amplifier: Amplifier | None = None,
    ) -> None:
        self._amplifier = amplifier
        self.position = start  # song position in samples of the next block
        self._buffer = np.zeros((2, capacity), np.float32)
        self._filled = 0  # samples at the front that may be nonzero
        gain = 10 ** (track.gain / 20)
        angle = (track.pan + 1) * math.pi / 4
        self._gains = tuple(
            np.float32(gain * g * math.sqrt(2)) for g in (math.cos(angle), math.sin(angle))
        )
        self.reverb_send = np.float32(gain * track.reverb)
        self.delay_send = np.float32(gain * track.delay)
        self.ambience_send = np.float32(gain * track.ambience)
        self._duck_depth = float(track.duck)
        self._kick_times: list[int] = []

    def add(self, at: int, sound: Planar) -> None:
        """Add (1 or 2, n) audio at song sample `at`; the part already read is cut."""
        offset = at - self.position
        if offset < 0:
            sound, offset = sound[:, -offset:], 0
        need = offset + sound.shape[1]
        if need > self._buffer.shape[1]:
            more = np.zeros((2, need + RATE - self._buffer.shape[1]), np.float32)
            self._buffer = np.concatenate((self._buffer, more), axis=1)
        self._buffer[:, offset:need] += sound
        self._filled = max(self._filled, need)

    def duck(self, at: int) -> None:
        """Duck this channel for a kick at sample `at`, if its style has side-chain ducking."""
        if self._duck_depth:
            self._kick_times.append(at)

    def read(self, count: int, out: Planar | None = None) -> Planar | None:
        """Read the next block with gain, pan and ducking applied.

        Parameters
        ----------
        count : int
            Number of samples.
        out : (2, count or more) array, optional
            Buffer to write to; reusing one is faster than allocating.

        Returns
        -------
        (2, count) float32 array, or None if the block is silent
        """
        start, self.position = self.position, self.position + count
        if not self._filled:
            self._kick_times = [d for d in self._kick_times if d > start + count - _DUCK_LENGTH]
            return None
        block = np.empty((2, count), np.float32) if out is None else out[:, :count]
        have = min(count, self._buffer.shape[1])
        raw = self._buffer[:, :have]
        if self._amplifier:
            raw = self._amplifier(raw)
        for side, gain in enumerate(self._gains):
            np.multiply(raw[side], gain, out=block[side, :have])
        block[:, have:] = 0
        left = max(0, self._filled - count)
        for at in range(0, left, count):  # in pieces, so that source and target never overlap
            part = min(count, left - at)
            self._buffer[:, at : at + part] = self._buffer[:, at + count : at + count + part]
        self._buffer[:, left : self._filled] = 0
        self._filled = left
        if self._kick_times:
            block *= self._ducking_gain(start, count)
        return block

    def _ducking_gain(self, start: int, count: int) -> Mono:
        """Ducking gain of `count` samples from song sample `start`."""
        gain = np.ones(count, np.float32)
        shape = 1 - np.float32(self._duck_depth) * _DUCK_CURVE
        for at in self._kick_times:
            low, high = max(at, start), min(at + _DUCK_LENGTH, start + count)
            if low < high:
                part = gain[low - start : high - start]
                np.minimum(part, shape[low - at : high - at], out=part)
        self._kick_times = [d for d in self._kick_times if d + _DUCK_LENGTH > start + count]
        return gain


_DUCK_LENGTH = int(_DUCK_SECONDS * RATE)
# Down within 6 ms, then a swell back, like a compressor keyed by the kick.
_DUCK_CURVE = (
    np.minimum(np.arange(_DUCK_LENGTH) / (0.006 * RATE), 1)
    * np.cos(np.linspace(0, np.pi / 2, _DUCK_LENGTH)) ** 1.5
).astype(np.float32)
