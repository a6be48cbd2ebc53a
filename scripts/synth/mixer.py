"""Mixer: channels, reverb and delay sends, side-chain ducking, and the mix bus."""

from __future__ import annotations

import numpy as np

from scripts.arranger.events import Arrangement
from scripts.core.audio_format import BINAURAL
from scripts.synth.channel import Channel
from scripts.synth.effects import Binaural, Delay, Planar, Reverb

_NONE = np.empty((2, 0), np.float32)


class Mixer:
    """Mixer for one song.

    Parameters
    ----------
    arrangement : Arrangement
        Source of tracks, tempo and reverberation time.
    block : int
        Usual block size in samples.
    start : int
        Song position in samples of the first block.
    tones : Binaural, optional
        Binaural beats to add to the mix.
    stems : bool
        Whether to return each track with its own reverb and delay, too.
    """

    def __init__(
        self,
        arrangement: Arrangement,
        block: int,
        start: int = 0,
        tones: Binaural | None = None,
        stems: bool = False,
    ) -> None:
        self._tones = tones
        self.channels = {
            role: Channel(track, block * 3, start) for role, track in arrangement.tracks.items()
        }
        rooms = list(self.channels) if stems else [""]
        self._rooms = {r: _Room(arrangement) for r in rooms}
        self._stems = stems
        self._held: tuple[Planar, Planar, Planar] = (_NONE, _NONE, _NONE[0])

    def kick(self, at: int) -> None:
        """Duck the channels with a side-chain for a kick drum at song sample `at`."""
        for channel in self.channels.values():
            channel.dip(at)

    def mix(self, count: int) -> tuple[Planar, dict[str, Planar]]:
        """Mix the next block.

        Returns
        -------
        tuple of ((2, count) array, dict of str to (2, count) array)
            The mix, in a buffer that the next call reuses, and the stems by role; empty without
            stems.
        """
        total, taken, middle = (array[..., :count] for array in self._memory(count))
        total[:] = 0
        sends = {
            name: (np.zeros(count, np.float32), np.zeros(count, np.float32)) for name in self._rooms
        }
        parts: dict[str, Planar] = {}
        for role, channel in self.channels.items():
            block = channel.take(count, None if self._stems else taken)
            if self._stems:
                parts[role] = np.zeros((2, count), np.float32) if block is None else block
            if block is None:
                continue
            total += block
            for level, send in zip(
                (channel.reverb, channel.delay), sends[role if self._stems else ""], strict=True
            ):
                if level:
                    np.add(block[0], block[1], out=middle)
                    np.multiply(middle, np.float32(0.5) * level, out=middle)
                    send += middle
        for name, room in self._rooms.items():
            wet = room(*sends[name])
            total += wet
            if self._stems:
                parts[name] = parts[name] + wet
        if self._tones is not None:
            tones = self._tones(count)
            total += tones
            if self._stems:
                parts[BINAURAL] = tones
        return total, parts

    def _memory(self, count: int) -> tuple[Planar, Planar, Planar]:
        """Reused buffers for the mix, one channel, and its mono sum."""
        if self._held[0].shape[1] < count:
            self._held = (
                np.empty((2, count), np.float32),
                np.empty((2, count), np.float32),
                np.empty(count, np.float32),
            )
        return self._held


class _Room:
    """Reverb and delay of the whole mix, or of one track when rendering stems."""

    def __init__(self, arrangement: Arrangement) -> None:
        self._reverb = Reverb(arrangement.room)
        self._delay = Delay(60 / arrangement.tempo * 0.75)
        self._echoes = False

    def __call__(self, reverb: np.ndarray, delay: np.ndarray) -> Planar:
        if self._echoes or delay.any():
            self._echoes = True
            echo = self._delay(delay)
            reverb = reverb + np.float32(0.15) * (echo[0] + echo[1])
            return self._reverb(reverb) + echo
        return self._reverb(reverb)
