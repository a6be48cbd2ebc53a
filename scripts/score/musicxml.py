"""Lead sheets as MusicXML, by music21."""

from __future__ import annotations

from scripts.errors import NotationError


def musicxml_of(abc: str) -> str:
    """The MusicXML text of one ABC tune.

    Raises
    ------
    NotationError
        When music21 cannot read or write it.
    """
    import music21  # half a second to import, so only when it is asked for
    from music21.musicxml.m21ToXml import GeneralObjectExporter
    try:
        score = music21.converter.parse(abc, format="abc")
        return str(GeneralObjectExporter(score).parse(), "utf-8")
    except music21.exceptions21.Music21Exception as error:
        raise NotationError(f"music21 cannot write this tune as MusicXML ({error})") from error
