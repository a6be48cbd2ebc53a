"""Splits an ABC file into the lines of its first tune: fields, directives and music.

Comments, stylesheet blocks and free text around the tune are read past, as in section 2 of the ABC
standard 2.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scripts.score.written_bars import Warn

DIRECTIVE = "%"  # value of AbcLine.field for a ``%%`` line and an ``I:`` field
_COMMENT = re.compile(r"(?<!\\)%.*")
_FIELD = re.compile(r"([A-Za-z+]):(?![|:])(.*)")  # "G:|" is a note and a repeat sign
# A line of free text has few bar lines, and letters that no note has.
_MUSIC = re.compile(r"(?=[^|]*\|)(?:\[[A-Za-z]:[^\]]*\]|\"[^\"]*\"|![^!]*!|[A-Ga-gxzZ\W\d_])+$")
_FILE_FIELDS = "ILMQU"  # fields of a file header that apply to every tune


@dataclass(frozen=True, slots=True)
class AbcLine:
    """A line that matters: its number in the file, its field letter ("" for music), its text."""

    number: int
    field: str
    text: str

    @property
    def continues(self) -> bool:
        """Whether the music continues on the next line (``\\`` at the end)."""
        return self.text.endswith("\\")


def read_first_tune(text: str, warn: Warn) -> tuple[list[AbcLine], int]:
    """Split the first tune of `text` into lines.

    Parameters
    ----------
    text : str
        A tune, or a tune book: a file header, tunes and free text.
    warn : callable
        Called for lines that look like music but are not part of the tune.

    Returns
    -------
    lines : list of AbcLine
    tunes : int
        Number of tunes in the file.
    """
    rows = list(enumerate(re.split(r"\r\n|\r|\n", text.lstrip("\ufeff")), 1))
    starts = [i for i, (_, row) in enumerate(rows) if row.startswith("X:")]
    first = starts[0] if starts else 0
    end = starts[1] if len(starts) > 1 else len(rows)
    header = [
        line
        for line in _classify(rows[:first], lambda *_: None)
        if line.field in (*_FILE_FIELDS, DIRECTIVE)
    ]
    return [*header, *_leave_out_free_text(rows[first:end], warn)], max(1, len(starts))


def _leave_out_free_text(rows: list[tuple[int, str]], warn: Warn) -> Iterator[AbcLine]:
    """Yield the lines of a tune; an empty line ends it unless music follows."""
    in_body = has_music = after_empty_line = False
    for line in _classify(rows, warn):
        if line.field == "" and not line.text:
            after_empty_line = has_music
        elif line.field == "" and not in_body:
            if _looks_like_music(line):
                warn(line.number, "this line is before the K: field and is left out")
        elif after_empty_line and not _continues_tune(line):
            continue
        else:
            if after_empty_line and line.field == "":
                warn(line.number, "an empty line should end a tune, but music follows it")
                after_empty_line = False
            in_body |= line.field == "K"
            has_music |= line.field == ""
            yield line


def _continues_tune(line: AbcLine) -> bool:
    return line.field in ("V", "P", DIRECTIVE) or _looks_like_music(line)


def _looks_like_music(line: AbcLine) -> bool:
    return line.field == "" and _MUSIC.match(line.text) is not None


def _classify(rows: list[tuple[int, str]], warn: Warn) -> Iterator[AbcLine]:
    """Yield fields, directives, music and empty lines; leave out comments and text blocks."""
    ends = {row.strip().lower(): number for number, row in rows if row.startswith("%%end")}
    closing = ""
    for number, row in rows:
        if closing:
            closing = "" if row.strip().lower() == closing else closing
            continue
        if row.startswith("%%"):
            text = _COMMENT.sub("", row[2:]).strip()
            block = re.match(r"begin(\w+)", text)
            closing = f"%%end{block[1].lower()}" if block else ""
            if closing and ends.get(closing, 0) < number:
                warn(number, f"%%{text[:20]} has no {closing[:20]}")
                closing = ""
            elif not closing:
                yield AbcLine(number, DIRECTIVE, text)
            continue
        line = _COMMENT.sub("", row).rstrip()
        if not line and row.strip():
            continue  # nothing but a comment
        field = _FIELD.match(line)
        if not field:
            yield AbcLine(number, "", line)
        elif field[1] == "I":
            yield AbcLine(number, DIRECTIVE, field[2].strip().replace("=", " ", 1))
        elif field[1] != "+":
            yield AbcLine(number, field[1], field[2].strip().replace("\\%", "%"))
