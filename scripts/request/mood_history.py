"""The moods of the last songs: so that narrations differ, and that new songs fit in."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from scripts.core.atomic_files import write_text
from scripts.core.errors import StorageError
from scripts.core.input_files import read_input
from scripts.core.json_fields import INVALID_DATA
from scripts.request.feeling import Feeling

_MAX_BYTES = 1 << 16
_SONGS = 5  # that are remembered
_HISTORY_SHARE = 0.12  # of a feeling, that comes from the last songs
_NIGHT = (*range(22, 24), *range(6))  # hours
_MORNING = range(6, 10)
_NIGHT_AROUSAL, _MORNING_AROUSAL = -0.06, 0.03
_SUMMER, _WINTER = (6, 7, 8), (12, 1, 2)  # months
_SEASON_VALENCE = 0.04
_Valence = Annotated[float, Meta(ge=-1, le=1)]
_Arousal = Annotated[float, Meta(ge=0, le=1)]


class MoodHistory(msgspec.Struct, frozen=True):
    """What is remembered of the last songs.

    Parameters
    ----------
    narration : str
        Of the last one.
    feelings : tuple of (float, float)
        Valence and arousal of the last ones, the newest last.
    """

    narration: Annotated[str, Meta(max_length=400)] = ""
    feelings: Annotated[tuple[tuple[_Valence, _Arousal], ...], Meta(max_length=_SONGS)] = ()

    def with_song(self, narration: str, feeling: Feeling) -> MoodHistory:
        """The history after one more song."""
        feelings = (*self.feelings, (feeling.valence, feeling.arousal))[-_SONGS:]
        return MoodHistory(narration, feelings)


def load_history(path: Path) -> MoodHistory:
    """Read the history; an empty one if the file is missing or damaged."""
    try:
        return msgspec.json.decode(read_input(path, _MAX_BYTES), type=MoodHistory)
    except (OSError, ValueError, *INVALID_DATA):
        return MoodHistory()


def save_history(path: Path, history: MoodHistory) -> None:
    """Write the history; without it, a narration may come twice."""
    with contextlib.suppress(StorageError):
        write_text(path, msgspec.json.encode(history).decode() + "\n")


def tint(feeling: Feeling, now: datetime, history: MoodHistory) -> Feeling:
    """Let the hour, the season and the last songs move a feeling a little.

    Nights are calmer, summers brighter (in the north), and a song is a little like those before.
    """
    valence, arousal = feeling.valence, feeling.arousal
    for index, (before_valence, before_arousal) in enumerate(history.feelings):
        share = _HISTORY_SHARE * (index + 1) / (_SONGS * (_SONGS + 1) / 2)
        valence += share * (before_valence - feeling.valence)
        arousal += share * (before_arousal - feeling.arousal)
    arousal += _NIGHT_AROUSAL * (now.hour in _NIGHT) + _MORNING_AROUSAL * (now.hour in _MORNING)
    valence += _SEASON_VALENCE * ((now.month in _SUMMER) - (now.month in _WINTER))
    return Feeling(
        feeling.mood,
        round(min(1.0, max(-1.0, valence)), 3),
        round(min(1.0, max(0.0, arousal)), 3),
        feeling.language,
    )
