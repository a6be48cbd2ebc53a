"""Notes by frequency modulation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scripts.synth import RATE
from scripts.synth.instruments import Fm
from scripts.synth.stroke import SHORTEST, Sound, Stroke, ring_time


def play_fm(voice: Fm, stroke: Stroke) -> Sound:
    """Two operators (Chowning 1973); the index follows velocity and falls with time."""
    f = stroke.frequency
    ring = ring_time(voice.ring, f)
    t = np.arange(max(SHORTEST, round(min(stroke.seconds, ring) * RATE))) / RATE
    # Sidebands stay below the Nyquist frequency.
    ratio = min(voice.ratio, max(1.0, (15_000 / f - 1) / 2)) if voice.ratio != int(
        voice.ratio) else max(1, min(int(voice.ratio), int((15_000 / f - 1) / 2)))
    depth = voice.index * (0.25 + 0.95 * stroke.velocity) * np.exp(-t / voice.index_decay)
    turns = 2 * np.pi * f * t
    sound = np.sin(_turn(turns) + (depth * np.sin(_turn(turns * ratio))).astype(np.float32))
    if voice.body:
        soft = voice.body * (0.35 + 0.65 * stroke.velocity) * np.exp(-t / 0.7)
        soft = (soft * np.sin(_turn(turns))).astype(np.float32)
        sound = np.float32(0.5) * sound + np.float32(0.5) * np.sin(_turn(turns) + soft)
    sound = sound * np.exp(-6.9 * t / ring).astype(np.float32)
    depth_lr, speed = voice.tremolo
    if not depth_lr:
        return np.asarray(sound[None, :], dtype=np.float32)
    swing = (depth_lr * np.sin(2 * np.pi * speed * t)).astype(np.float32)
    return np.asarray(np.stack((sound * (1 + swing), sound * (1 - swing))), dtype=np.float32)


def _turn(radians: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return np.mod(radians, 2 * np.pi).astype(np.float32)
