"""General MIDI percussion map: the synthesizer, pan and level of each key."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from scripts.synth import kit as k
from scripts.synth import percussion as p
from scripts.synth.additive import Mono
from scripts.synth.hits import DrumHit
from scripts.synth.instruments import Kit
from scripts.synth.noise import cut_lows

# Key -> (synthesizer, pan from the audience's view, level).
_PIECES: dict[int, tuple[Callable[[DrumHit], Mono], float, float]] = {
    35: (k.kick, 0.0, 0.95),
    36: (k.kick, 0.0, 1.0),
    37: (k.side_stick, 0.1, 0.55),
    38: (k.snare, 0.03, 0.8),
    39: (k.clap, 0.05, 0.75),
    40: (k.snare, 0.03, 0.85),
    41: (k.tom(82.0), -0.45, 0.8),
    42: (k.closed_hat, 0.28, 0.42),
    44: (k.pedal_hat, 0.28, 0.4),
    45: (k.tom(105.0), -0.25, 0.8),
    46: (k.open_hat, 0.28, 0.4),
    47: (k.tom(132.0), 0.0, 0.78),
    48: (k.tom(160.0), 0.2, 0.75),
    49: (k.crash, -0.4, 0.42),
    50: (k.tom(190.0), 0.35, 0.75),
    51: (k.ride, -0.32, 0.5),
    53: (k.ride_bell, -0.32, 0.5),
    54: (k.tambourine, 0.35, 0.45),
    55: (k.splash, 0.3, 0.4),
    56: (p.idiophone((562.0, 845.0, 1490.0), 0.09, 0.2), 0.3, 0.4),
    57: (k.crash, 0.45, 0.42),
    59: (k.ride, -0.32, 0.5),
    60: (p.hand_drum(392.0, 0.07, 0.5), 0.25, 0.5),
    61: (p.hand_drum(294.0, 0.09, 0.5), 0.35, 0.5),
    62: (p.hand_drum(262.0, 0.03, 0.8), -0.3, 0.5),
    63: (p.hand_drum(233.0, 0.16, 0.4), -0.3, 0.6),
    64: (p.hand_drum(175.0, 0.2, 0.35), -0.4, 0.65),
    65: (p.idiophone((410.0, 690.0), 0.08, 0.3), 0.3, 0.5),
    69: (k.shaker, 0.4, 0.5),
    70: (k.shaker, 0.4, 0.5),
    73: (p.guiro, -0.35, 0.5),
    75: (p.idiophone((2480.0, 2530.0), 0.03, 0.2), -0.25, 0.45),
    76: (p.idiophone((1180.0, 1900.0), 0.03, 0.25), 0.3, 0.45),
    77: (p.idiophone((820.0, 1350.0), 0.035, 0.25), 0.3, 0.45),
    81: (p.idiophone((4180.0, 6730.0, 9310.0), 0.5, 0.1), 0.4, 0.25),
    82: (k.shaker, 0.4, 0.5),
    85: (p.finger_snap, 0.15, 0.5),
    86: (p.hand_drum(72.0, 0.12, 0.2), 0.0, 0.8),
    87: (p.hand_drum(65.0, 0.4, 0.2), 0.0, 0.85),
}


_LOW_KEYS = (
    35,
    36,
    41,
    45,
    47,
    86,
    87,
)  # keys with possible energy below 28 Hz, which is filtered out


def render_drum(
    kit: Kit, key: int, velocity: float, seed: int, tonic_frequency: float = 0.0
) -> npt.NDArray[np.float32]:
    """Render one drum hit.

    Parameters
    ----------
    kit : Kit
    key : int
        General MIDI percussion key; keys without a synthesizer sound as a side stick (37).
    velocity : float
        0 to 1.
    seed : int
        Selects the noise, which varies between hits.
    tonic_frequency : float
        Tonic in Hz that the drums are tuned to; 0 leaves them untuned.

    Returns
    -------
    (2, n) float32 array, 44,100 Hz
    """
    make, pan, level = _PIECES.get(key, _PIECES[37])
    sound = make(DrumHit(kit, velocity, seed, tonic_frequency))
    if key in _LOW_KEYS:
        sound = cut_lows(sound, 28.0)
    edge = min(len(sound), 400)
    sound[-edge:] *= np.linspace(1, 0, edge, dtype=np.float32)
    sound[:16] *= np.linspace(0, 1, 16, dtype=np.float32)
    angle = (pan + 1) * np.pi / 4
    gains = np.array([[np.cos(angle)], [np.sin(angle)]]) * (level * 2**0.5)
    return np.asarray(sound * gains.astype(np.float32))
