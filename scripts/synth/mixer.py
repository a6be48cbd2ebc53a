"""Mixer: channels, reverb and delay sends, side-chain ducking, and the mix bus."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from scripts.arranger.events import Arrangement
from scripts.core.audio_format import BINAURAL
from scripts.synth.additive import Mono
from scripts.synth.amplifier import Amplifier, AmplifierSettings
from scripts.synth.channel import Channel
from scripts.synth.effects import BinauralBeats, Delay, Planar, Reverb

_ROOM_SECONDS, _ROOM_SEED = 0.45, 11  # reverberation of the room in which a band plays
_EMPTY = np.empty((2, 0), np.float32)


class Mixer:
    """Mixer for one song.

    Parameters
    ----------
    arrangement : Arrangement
        Source of tracks, tempo and reverberation time.
    block_size : int
        Usual block size in samples.
    start : int
        Song position in samples of the first block.
    tones : BinauralBeats, optional
        Binaural beats to add to the mix.
    stems : bool
        Whether to return each track with its own reverb and delay, too.
    amplifiers : mapping of str to AmplifierSettings
        By role.
    """

    def __init__(
        self,
        arrangement: Arrangement,
        block_size: int,
        start: int = 0,
        tones: BinauralBeats | None = None,
        stems: bool = False,
        amplifiers: Mapping[str, AmplifierSettings] = MappingProxyType({}),
    ) -> None:
        self._tones = tones
        amps = {role: Amplifier(settings) for role, settings in amplifiers.items()}
        self.channels = {
            role: Channel(track, block_size * 3, start, amps.get(role))
            for role, track in arrangement.tracks.items()
        }
        names = list(self.channels) if stems else [""]
        self._effects = {r: _EffectsBus(arrangement) for r in names}
        self._stems = stems
        self._buffers: tuple[Planar, Planar, Planar] = (_EMPTY, _EMPTY, _EMPTY[0])

    def trigger_sidechain(self, at: int) -> None:
        """Duck the channels with a side-chain for a kick drum at song sample `at`."""
        for channel in self.channels.values():
            channel.duck(at)

    def mix(self, count: int) -> tuple[Planar, dict[str, Planar]]:
        """Mix the next block.

        Returns
        -------
        tuple of ((2, count) array, dict of str to (2, count) array)
            The mix, in a buffer that the next call reuses, and the stems by role; empty without
            stems.
        """
        total, channel_buffer, mono = (array[..., :count] for array in self._ensure_buffers(count))
        total[:] = 0
        sends = {name: np.zeros((3, count), np.float32) for name in self._effects}
        parts: dict[str, Planar] = {}
        for role, channel in self.channels.items():
            block = channel.read(count, None if self._stems else channel_buffer)
            if self._stems:
                parts[role] = np.zeros((2, count), np.float32) if block is None else block
            if block is None:
                continue
            total += block
            for level, send in zip(
                (channel.reverb_send, channel.delay_send, channel.ambience_send),
                sends[role if self._stems else ""],
                strict=True,
            ):
                if level:
                    np.add(block[0], block[1], out=mono)
                    np.multiply(mono, np.float32(0.5) * level, out=mono)
                    send += mono
        for name, effects_bus in self._effects.items():
            wet = effects_bus(*sends[name])
            total += wet
            if self._stems:
                parts[name] = parts[name] + wet
        if self._tones is not None:
            tones = self._tones(count)
            total += tones
            if self._stems:
                parts[BINAURAL] = tones
        return total, parts

    def _ensure_buffers(self, count: int) -> tuple[Planar, Planar, Planar]:
        """Reused buffers for the mix, one channel, and its mono sum."""
        if self._buffers[0].shape[1] < count:
            self._buffers = (
                np.empty((2, count), np.float32),
                np.empty((2, count), np.float32),
                np.empty(count, np.float32),
            )
        return self._buffers


class _EffectsBus:
    """Reverb, delay and room of the whole mix, or of one track when rendering stems."""

    def __init__(self, arrangement: Arrangement) -> None:
        self._reverb = Reverb(arrangement.room)
        self._delay = Delay(60 / arrangement.tempo * 0.75)
        self._room = Reverb(_ROOM_SECONDS, _ROOM_SEED)
        self._delay_active = self._room_active = False

    def __call__(self, reverb: Mono, delay: Mono, ambience: Mono) -> Planar:
        self._delay_active |= bool(delay.any())
        self._room_active |= bool(ambience.any())
        if self._delay_active:
            echo = self._delay(delay)
            wet = self._reverb(reverb + np.float32(0.15) * (echo[0] + echo[1])) + echo
        else:
            wet = self._reverb(reverb)
        return wet + self._room(ambience) if self._room_active else wet
