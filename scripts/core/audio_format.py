"""The one audio format inside the program, and the names of stems that are not roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

RATE = 44_100  # samples per second
BINAURAL = "binaural"  # the stem with one tone for each ear
# Shape (n, 2), -1 to 1. Quoted so that the library can be listed without loading NumPy.
Stereo: TypeAlias = "npt.NDArray[np.float32]"
