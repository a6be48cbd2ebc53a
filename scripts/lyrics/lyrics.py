"""Lyrics: sections of lines to sing."""

from __future__ import annotations

from dataclasses import dataclass

SECTION_KINDS = ("intro", "verse", "pre-chorus", "chorus", "bridge", "outro")


@dataclass(frozen=True)
class LyricSection:
    """Stanza or chorus.

    Parameters
    ----------
    kind : str
        One of :data:`SECTION_KINDS`.
    lines : tuple of str
        Without blank lines.
    """

    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Lyrics:
    """Words of a song.

    Parameters
    ----------
    sections : tuple of LyricSection
        As they are sung: what is repeated is written out.
    title : str
        Empty if the text has none.
    """

    sections: tuple[LyricSection, ...]
    title: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines as they are sung."""
        return tuple(line for section in self.sections for line in section.lines)
