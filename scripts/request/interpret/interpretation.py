"""How a sentence was understood: the request, and where each of its fields comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scripts.request.request import SongRequest

SAID, UNDERSTOOD, SUGGESTED, DEFAULT = "said", "understood", "suggested", "default"


@dataclass(frozen=True)
class Source:
    """Where a field comes from.

    Parameters
    ----------
    origin : str
        ``said`` in the sentence or by an option, ``understood`` by meaning, ``suggested`` by a
        language model, or the ``default`` of the style.
    words : str
        The user's own words, if it was said.
    confidence : float
        0 to 1.
    """

    origin: str
    words: str = ""
    confidence: float = 1.0


@dataclass(frozen=True)
class Interpretation:
    """A sentence as the program understands it.

    Parameters
    ----------
    request : SongRequest
    styles : tuple of str
        Names of styles and moods.
    songs : str
        Number of songs that was said, ``endless`` or empty.
    sources : mapping of str to Source
        By field.
    unknown : tuple of str
        Words that nothing is known about.
    notes : tuple of str
        Guesses and limits, a line each.
    until : str
        Time of day at which songs without end stop, such as ``23:30``; empty if none was said.
    language : str
        Of the sentence, two letters.
    said_styles : tuple of str
        Those of `styles` that the sentence names.
    denied_styles : tuple of str
        Those that it says it is not, as in "not sad".
    """

    request: SongRequest
    styles: tuple[str, ...]
    songs: str
    sources: Mapping[str, Source]
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    until: str = ""
    language: str = "en"
    said_styles: tuple[str, ...] = ()
    denied_styles: tuple[str, ...] = ()
