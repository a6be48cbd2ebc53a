"""Adds to an understood sentence how its writer feels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scripts.request.feeling import Feeling
from scripts.request.interpret.interpretation import UNDERSTOOD, Interpretation, Source
from scripts.request.interpret.mood_head import MoodReading
from scripts.styles.moods import Mood, mood_of_styles, moods_by_style


def add_feeling(
    understood: Interpretation, reading: MoodReading | None, moods: Mapping[str, Mood]
) -> Interpretation:
    """Add the feeling of a sentence whose mood is known.

    Valence and arousal are those of the sentence where the reader agrees on the mood, else the
    mood's usual ones.
    """
    name = mood_of_styles(understood.styles, moods)
    if not name:
        return understood
    feeling = _feeling(name, reading, moods[name], understood.language)
    return replace(understood, request=replace(understood.request, feeling=feeling))


def as_mood(
    understood: Interpretation, reading: MoodReading, moods: Mapping[str, Mood]
) -> Interpretation:
    """Take a sentence as a feeling, whatever it says.

    Its mood is the one that it names, else the likeliest that it does not deny; styles that it
    names come first.
    """
    by_style = moods_by_style(moods)
    reading = reading.without([by_style[s] for s in understood.denied_styles if s in by_style])
    named = understood.said_styles
    said = mood_of_styles(named, moods)
    name = said or reading.mood
    style = moods[name].style
    others = tuple(s for s in named if s not in by_style)
    sources = dict(understood.sources)
    if not said:
        sources["mood"] = Source(UNDERSTOOD, "", round(dict(reading.ranked)[name], 2))
    if not named:
        sources["styles"] = sources["mood"]
    request = replace(
        understood.request,
        styles=", ".join((*others, style)),
        text=understood.request.label,
        feeling=_feeling(name, reading, moods[name], understood.language),
    )
    notes = tuple(note for note in understood.notes if "; using " not in note)
    return replace(
        understood, request=request, styles=(*others, style), sources=sources, notes=notes
    )


def _feeling(name: str, reading: MoodReading | None, mood: Mood, language: str) -> Feeling:
    if reading is None or reading.mood != name:
        return Feeling(name, mood.valence, mood.arousal, language)
    return Feeling(name, round(reading.valence, 3), round(reading.arousal, 3), language)
