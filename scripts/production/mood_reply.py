"""What the program answers to a feeling: one JSON object, as ``data/mood.schema.json`` has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from scripts.core.json_fields import INVALID_DATA
from scripts.lights.show import LightShow
from scripts.request.feeling import Feeling
from scripts.styles.moods import Mood

MoodId = Literal[
    "bonnehumeur",
    "curiosite",
    "detente",
    "euphorie",
    "reverie",
    "victoire",
    "colere",
    "inquietude",
    "nostalgie",
    "panique",
    "suspense",
    "tristesse",
]
_RUNNERS_UP = 3
_MAX_STEPS = 200  # of the lighting; a song of hours has more scenes
_Byte = Annotated[int, Meta(ge=0, le=255)]
_Share = Annotated[float, Meta(ge=0, le=1)]


class Track(msgspec.Struct, forbid_unknown_fields=True):
    """The song: its mood, and the file's URI."""

    mood_id: MoodId
    preview_uri: Annotated[str, Meta(pattern="^file://")]


class LightingStep(msgspec.Struct, forbid_unknown_fields=True):
    """A color, its seconds and its intensity."""

    rgb: Annotated[tuple[_Byte, ...], Meta(min_length=3, max_length=3, description="0 to 255 each")]
    duration: Annotated[float, Meta(gt=0, description="seconds")]
    intensity: _Share


class Diagnostics(msgspec.Struct, forbid_unknown_fields=True):
    """Valence and arousal."""

    valence_hint: Annotated[float, Meta(ge=-1, le=1)]
    arousal_hint: _Share


class RunnerUp(msgspec.Struct, forbid_unknown_fields=True):
    """Another mood that the text may mean."""

    mood_id: MoodId
    probability: _Share


class SongPlan(msgspec.Struct, forbid_unknown_fields=True):
    """What was composed."""

    title: str
    styles: tuple[str, ...]
    key: str
    meter: str
    tempo: Annotated[float, Meta(ge=20, le=300)]
    length: Annotated[float, Meta(gt=0, description="seconds")]
    seed: Annotated[int, Meta(ge=0)]
    model: str


class MoodReply(msgspec.Struct, forbid_unknown_fields=True):
    """The answer to a feeling.

    Parameters
    ----------
    track : Track
    lighting : tuple of LightingStep
    narration : str
        In the language of the text.
    diagnostics : Diagnostics
    probability : float
        Of the mood.
    runners_up : tuple of RunnerUp
        The likeliest first.
    plan : SongPlan
    """

    track: Track
    lighting: Annotated[tuple[LightingStep, ...], Meta(min_length=1, max_length=_MAX_STEPS)]
    narration: Annotated[str, Meta(min_length=1, max_length=200)]
    diagnostics: Diagnostics
    probability: _Share
    runners_up: Annotated[tuple[RunnerUp, ...], Meta(max_length=_RUNNERS_UP)]
    plan: SongPlan


def build_reply(
    feeling: Feeling,
    ranked: Sequence[tuple[str, float]],
    song: Path,
    details: Mapping[str, Any],
    lighting: Sequence[LightingStep],
) -> MoodReply:
    """Build the answer.

    Parameters
    ----------
    feeling : Feeling
    ranked : sequence of (str, float)
        All moods with their probabilities.
    song : Path
        The MP3.
    details : mapping
        Content of the ``.json`` beside it.
    lighting : sequence of LightingStep

    Raises
    ------
    ValueError
        When the answer would not be valid.
    """
    known = dict(ranked)
    others = [(name, p) for name, p in ranked if name != feeling.mood][:_RUNNERS_UP]
    data = {
        "track": {"mood_id": feeling.mood, "preview_uri": song.absolute().as_uri()},
        "lighting": [msgspec.to_builtins(step) for step in lighting[:_MAX_STEPS]],
        "narration": details["narration"] or feeling.mood,  # where the phrases lack the mood
        "diagnostics": {"valence_hint": feeling.valence, "arousal_hint": feeling.arousal},
        "probability": round(known.get(feeling.mood, 1.0), 3),
        "runners_up": [{"mood_id": name, "probability": round(p, 3)} for name, p in others],
        "plan": {
            name: details[name]
            for name in ("title", "styles", "key", "meter", "tempo", "length", "seed", "model")
        },
    }
    try:
        return msgspec.convert(data, MoodReply)
    except INVALID_DATA as error:
        raise ValueError(str(error)) from error


def lighting_of_show(show: LightShow) -> tuple[LightingStep, ...]:
    """The scenes of a light show as steps."""
    return tuple(
        LightingStep(scene.rgb, max(0.001, scene.seconds), scene.intensity) for scene in show.scenes
    )


def usual_lighting(mood: Mood, arousal: float) -> tuple[LightingStep, ...]:
    """Steps of a mood's light without a song: its first three colors, brighter with arousal."""
    low, high = mood.intensity
    intensity = round(low + (high - low) * arousal, 2)
    return tuple(LightingStep(rgb, round(mood.drift, 1), intensity) for rgb in mood.colors[:3])


def reply_schema() -> dict[str, Any]:
    """JSON Schema of the answer: the content of ``data/mood.schema.json``."""
    schema = msgspec.json.schema(MoodReply)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
