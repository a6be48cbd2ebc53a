"""Parses and checks the options of a song."""

from __future__ import annotations

import random
import re

from scripts.core.durations import parse_duration
from scripts.core.errors import UsageError
from scripts.core.formatting import format_short_clock
from scripts.score.chords import Chord, parse_chord
from scripts.score.keys import SCALES, Key, parse_key

MIN_LENGTH, MAX_LENGTH = 10.0, 24 * 3600.0
MAX_CHORDS = 32
SECTIONS = ("intro", "verse", "chorus", "bridge", "build", "drop", "solo", "outro")
ENERGIES = {"low": -0.25, "high": 0.25}  # added to the energy (0 to 1) of a section
_MAX_SECTIONS = 40
LENGTH_EXAMPLES = "minutes (3), minutes:seconds (3:30), hours (1h30) or a range of minutes (4-6)"
_RANGE = re.compile(r"(\d+(?:[.,]\d+)?)\s*-\s*(\d+(?:[.,]\d+)?)")
_UNIT_RANGE = re.compile(r"([^-]+)-([^-]+)")  # 90s-2m, 3:30-4:00


def read_length(text: str) -> str:
    """Read a length as a user writes it now, and return it as it is stored.

    Parameters
    ----------
    text : str
        See :func:`scripts.core.durations.parse_duration`; also a range (``4-6``).

    Returns
    -------
    str
        Minutes (``3.5``), a range of minutes or seconds (``95s``); see :func:`parse_length`.

    Raises
    ------
    UsageError
        If the text is no length or is outside 10 seconds to 24 hours.
    """
    text = " ".join(text.split())
    span = _RANGE.fullmatch(text)
    if span:
        parse_length(text.replace(",", "."))
        return text.replace(",", ".")
    ends = _UNIT_RANGE.fullmatch(text)
    low, high = (parse_duration(end) for end in ends.groups()) if ends else (None, None)
    if low is not None and high is not None:
        return f"{_check_length(low, text) / 60:g}-{_check_length(high, text) / 60:g}"
    seconds = parse_duration(text)
    if seconds is None:
        raise UsageError(f'invalid length "{text[:40]}": expected {LENGTH_EXAMPLES}')
    return format_stored_length(_check_length(seconds, text))


def format_stored_length(seconds: float) -> str:
    """Format seconds as a length is stored: minutes if they have a short decimal, else seconds."""
    minutes = seconds / 60
    return f"{minutes:g}" if abs(minutes * 10 - round(minutes * 10)) < 1e-9 else f"{seconds:g}s"


def longest_seconds(text: str) -> float:
    """Return the seconds of a stored length; of a range, those of its upper end."""
    span = _RANGE.fullmatch(text.strip())
    return max(float(span[1]), float(span[2])) * 60 if span else parse_length(text)


def describe_length(text: str) -> str:
    """Describe a stored length for people: ``3:30``, ``1:30:00``, or a range of minutes."""
    if _RANGE.fullmatch(text.strip()):
        return f"{text.strip()} minutes"
    return format_short_clock(parse_length(text))


def parse_length(text: str, rng: random.Random | None = None) -> float:
    """Parse a length as it is stored, also by earlier versions.

    Parameters
    ----------
    text : str
        Minutes (``3``), a range of minutes (``4-6``), seconds (``95s``), or hours and minutes
        (``1:30``), which only earlier versions wrote.
    rng : Random, optional
        Draws the length from a range.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    UsageError
        If the text has another form or is outside 10 seconds to 24 hours.
    """
    text = text.strip()
    clock = re.fullmatch(r"(\d{1,2}):([0-5]\d)", text)
    span = _RANGE.fullmatch(text)
    if clock:
        seconds = int(clock[1]) * 3600.0 + int(clock[2]) * 60
    elif span:
        low, high = float(span[1]) * 60, float(span[2]) * 60
        _check_length(low, text)
        _check_length(high, text)
        seconds = float(round((rng or random.Random(0)).uniform(min(low, high), max(low, high))))
    elif re.fullmatch(r"\d+(?:\.\d+)?", text):
        seconds = float(text) * 60
    elif re.fullmatch(r"\d+(?:\.\d+)?s", text):
        seconds = float(text[:-1])
    else:
        raise UsageError(f'invalid length "{text[:40]}": expected {LENGTH_EXAMPLES}')
    return _check_length(seconds, text)


def _check_length(seconds: float, text: str) -> float:
    if not MIN_LENGTH - 0.01 <= seconds <= MAX_LENGTH:
        raise UsageError(
            f'length "{text[:40]}" is out of range: expected 10 seconds (10s) to 24 hours (24h)'
        )
    return seconds


def is_scale(text: str) -> bool:
    """Whether a text names a scale without a tonic, such as ``minor`` or ``dorian``."""
    return text.strip().lower() in SCALES


def parse_requested_key(text: str) -> Key:
    """Parse a key that the user requested, such as ``F minor``.

    Raises
    ------
    UsageError
        If it is not a key.
    """
    key = parse_key(text)
    if key is None:
        raise UsageError(
            f'invalid key "{text[:20]}": expected one such as "F minor", "C# dorian" or "Bb"'
        )
    return key


def parse_energy(text: str | None) -> float:
    """Parse ``low`` or ``high``: what is added to the energy of each section.

    Raises
    ------
    UsageError
        If it is another word.
    """
    if text is None:
        return 0.0
    shift = ENERGIES.get(text.strip().lower())
    if shift is None:
        raise UsageError(f'invalid energy "{text[:20]}": expected {" or ".join(ENERGIES)}')
    return shift


def check_binaural(hertz: float) -> float:
    """Check the frequency difference between the ears, in Hz.

    Raises
    ------
    UsageError
        If it is neither 0 nor between 0.5 and 40.
    """
    if hertz and not 0.5 <= hertz <= 40:
        raise UsageError(f"binaural {hertz:g} is out of range: expected 0 or 0.5 to 40 Hz")
    return hertz


def parse_form(text: str) -> tuple[str, ...]:
    """Parse a form, such as ``intro verse chorus``.

    Raises
    ------
    UsageError
        If a section is unknown, or there are none or too many.
    """
    names = tuple(text.lower().replace(",", " ").split())
    unknown = [name for name in names if name not in SECTIONS]
    if unknown or not names:
        raise UsageError(
            f'invalid section "{(unknown or [""])[0][:20]}" in the form: expected '
            + ", ".join(SECTIONS)
        )
    if len(names) > _MAX_SECTIONS:
        raise UsageError(
            f"the form has {len(names)} sections: at most {_MAX_SECTIONS} are possible"
        )
    return names


def parse_chords(text: str) -> tuple[Chord, ...]:
    """Parse chord symbols, such as ``Fm Db Ab Eb``.

    Raises
    ------
    UsageError
        If a chord is unknown, or there are none or too many.
    """
    names = text.replace(",", " ").replace("|", " ").split()
    found = []
    if len(names) > MAX_CHORDS:
        raise UsageError(
            f"too many chords ({len(names)}): at most {MAX_CHORDS} are possible, one per bar"
        )
    for name in names:
        chord = parse_chord(name)
        if chord is None:
            raise UsageError(
                f'invalid chord "{name[:20]}": expected one such as Fm, Db, Abmaj7 or C7'
            )
        found.append(chord)
    if not found:
        raise UsageError('no chords given; write chords such as "Fm Db Ab Eb"')
    return tuple(found)
