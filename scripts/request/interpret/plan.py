"""Describes how a sentence was understood, before any work: a line, and JSON data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scripts.core import paths
from scripts.core.formatting import format_duration, format_short_clock, format_song_count
from scripts.request.instrument_names import parse_excluded, parse_instruments
from scripts.request.interpret.given import is_given
from scripts.request.interpret.interpretation import DEFAULT, UNDERSTOOD, Interpretation, Source
from scripts.request.parse import describe_length, is_scale
from scripts.request.request import ENDLESS
from scripts.request.spec import SongSpec
from scripts.styles.moods import load_moods, mood_of_styles

_FIELDS = (
    *("styles", "mood", "key", "meter", "tempo", "length", "songs"),
    *("instruments", "without", "tuning", "form", "energy"),
)
_MIN_SURE = 0.5  # confidence from which what was understood is not called a guess
_DEFAULT = Source(DEFAULT, "", 0.0)


def describe_plan(
    understood: Interpretation, spec: SongSpec, songs: int | str, seconds: float
) -> str:
    """Describe in one line: ``sad + waltz, D minor, 3/4, about 72 bpm, piano lead; 1 song ...``.

    Parameters
    ----------
    understood : Interpretation
    spec : SongSpec
        Of the first song.
    songs : int or str
        Number of songs, or ``endless``.
    seconds : float
        Estimated time to make them, or the first one of an endless order.
    """
    request, sources = understood.request, understood.sources
    source = sources["styles"]
    is_guess = source.origin == UNDERSTOOD and source.confidence < _MIN_SURE
    parts = [" + ".join(spec.styles) + " (a guess)" * is_guess]
    if "key" in sources:
        is_open = request.key is not None and is_scale(request.key)
        parts.append(f"{spec.key.scale} key" if is_open else str(spec.key))
    parts.append(str(spec.meter))
    is_exact = request.tempo is not None
    parts.append(f"{spec.tempo:g} bpm" if is_exact else f"about {spec.tempo:.0f} bpm")
    parts += _describe_players(understood)
    if "tuning" in sources:
        parts.append(f"tuned to {request.tuning:g} Hz")
    if request.energy:
        parts.append(f"{request.energy} energy")
    if request.form:
        parts.append(f"form {request.form}")
    is_endless = songs == ENDLESS
    count = "songs" if is_endless else format_song_count(int(songs))
    length = describe_length(request.length) if request.length else format_short_clock(spec.length)
    end = f"until {understood.until}" if understood.until else "without end"
    first = f"{end}, the first after" if is_endless else "about"
    return f"{', '.join(parts)}; {count} of {length}, {first} {format_duration(seconds)}"


def plan_to_json(
    understood: Interpretation, spec: SongSpec, songs: int | str, seconds: float
) -> dict[str, Any]:
    """Convert to JSON data, see :func:`describe_plan`."""
    request = understood.request
    names, alone = parse_instruments(request.instruments) if request.instruments else ((), False)
    mood = mood_of_styles(understood.styles, load_moods(paths.DATA / "moods.toml"))
    return {
        "text": request.text or request.styles,
        "styles": list(understood.styles),
        "mood": mood or None,
        "key": str(spec.key),
        "meter": str(spec.meter),
        "tempo": round(spec.tempo, 2),
        "length": round(spec.length, 2),
        "songs": songs,
        "instruments": list(names),
        "solo": alone,
        "without": list(parse_excluded(request.without)) if request.without else [],
        "tuning": request.tuning,
        "form": list(spec.form) if request.form else [],
        "energy": request.energy,
        "fields": {name: _source(understood.sources, name) for name in _FIELDS},
        "unknown": list(understood.unknown),
        "notes": list(understood.notes),
        "seconds": round(seconds, 1),
    }


def said_wishes(understood: Interpretation) -> dict[str, str]:
    """What the text says, as options would say it, by field."""
    request = understood.request
    wishes: dict[str, str] = {}
    said = {name for name, source in understood.sources.items() if not is_given(source)}
    for name in ("key", "meter", "form", "energy", "instruments", "without"):
        value = getattr(request, name)
        if value and name in said:
            wishes[name] = str(value)
    if "tempo" in said:
        wishes["tempo"] = f"{request.tempo:g}" if request.tempo else str(request.pace)
    if "length" in said:
        wishes["length"] = describe_length(request.length).removesuffix(" minutes")
    if "tuning" in said:
        wishes["tuning"] = f"{request.tuning:g}"
    return wishes


def _source(sources: Mapping[str, Source], name: str) -> dict[str, Any]:
    source = sources.get(name, _DEFAULT)
    return {"from": source.origin, "words": source.words, "confidence": source.confidence}


def _describe_players(understood: Interpretation) -> list[str]:
    request = understood.request
    parts = []
    if request.instruments:
        names, alone = parse_instruments(request.instruments)
        if alone:
            parts.append(f"only {' and '.join(names)}")
        else:
            parts.append(f"{names[0]} lead")
            parts += [f"with {', '.join(names[1:])}"] * bool(names[1:])
    if request.without:
        parts.append(f"without {', '.join(parse_excluded(request.without))}")
    return parts
