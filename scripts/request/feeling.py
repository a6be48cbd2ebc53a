"""What a sentence says about how somebody feels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta


@dataclass(frozen=True)
class Feeling:
    """A feeling.

    Parameters
    ----------
    mood : str
        Identifier of one of the twelve moods of ``data/moods.toml``.
    valence : float
        -1 (unpleasant) to 1.
    arousal : float
        0 (calm) to 1.
    language : str
        Of the sentence, two letters.
    """

    mood: Annotated[str, Meta(max_length=40)]
    valence: Annotated[float, Meta(ge=-1, le=1)]
    arousal: Annotated[float, Meta(ge=0, le=1)]
    language: Annotated[str, Meta(max_length=8)] = "en"
