"""Audio format that all modules use, and the name of the stem without a role."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

RATE = 44_100  # samples per second
BINAURAL = "binaural"  # name of the stem with one tone per ear
# Shape (n, 2), -1 to 1. Quoted so that the library can be listed without loading NumPy.
Stereo: TypeAlias = "npt.NDArray[np.float32]"
