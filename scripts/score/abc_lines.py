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
_BESIDE_NOTES = re.compile(r'"[^"]*"|![^!\s]*!|\[[A-Za-z]:[^\]]*\]')
_LETTERS_OF_MUSIC = frozenset("ABCDEFGabcdefgxyzXZ")
_LETTERS_WITH_BARS = _LETTERS_OF_MUSIC | frozenset("HLMOPRSTuv")
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
    in_body = has_music = False
    held: list[AbcLine] | None = None  # fields after an empty line; None where there was none
    for line in _join_continued_fields(_classify(rows, warn)):
        is_music = line.field == ""
        if is_music and not line.text:
            held = [] if has_music and held is None else held
        elif is_music and not in_body:
            if _looks_like_music(line.text):
                warn(line.number, "this line is before the K: field and is left out")
        elif held is not None and not is_music:
            held.append(line)
        elif held is not None and not _looks_like_music(line.text):
            continue
        else:
            if held is not None:
                warn(line.number, "an empty line should end a tune, but music follows it")
                yield from held
                held = None
            in_body |= line.field == "K"
            has_music |= is_music
            yield line


def _join_continued_fields(lines: Iterator[AbcLine]) -> Iterator[AbcLine]:
    """Append the text of ``+:`` fields to the field before."""
    before: AbcLine | None = None
    for line in lines:
        if line.field == "+" and before is not None and before.field:
            before = AbcLine(before.number, before.field, f"{before.text} {line.text}")
            continue
        if before is not None:
            yield before
        before = line
    if before is not None:
        yield before


def _looks_like_music(text: str) -> bool:
    """Whether a line has only letters that notes have, and some notes or a bar line."""
    rest = _BESIDE_NOTES.sub("", text)
    letters = {c for c in rest if c.isalpha()}
    if not letters & _LETTERS_OF_MUSIC:
        return False
    return letters <= (_LETTERS_WITH_BARS if "|" in rest else _LETTERS_OF_MUSIC)


def _block_end(row: str) -> str:
    """The directive of a line without its comment, such as ``%%endtext``."""
    return "%%" + _COMMENT.sub("", row[2:]).strip().lower() if row.startswith("%%") else ""


def _classify(rows: list[tuple[int, str]], warn: Warn) -> Iterator[AbcLine]:
    """Yield fields, directives, music and empty lines; leave out comments and text blocks."""
    ends = {_block_end(row): number for number, row in rows if row.startswith("%%end")}
    closing = ""
    for number, row in rows:
        if closing:
            closing = "" if _block_end(row) == closing else closing
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
        else:
            yield AbcLine(number, field[1], field[2].strip().replace("\\%", "%"))
