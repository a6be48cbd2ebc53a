"""Reads lyrics as people write them: marked or unmarked sections, LRC files, chord sheets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.core.input_files import read_input
from scripts.core.text import clean_line
from scripts.core.toml import parse_tables
from scripts.lyrics.lyrics import Lyrics, LyricSection
from scripts.lyrics.structure import name_unmarked

MAX_LINES = 400
MAX_LINE_LENGTH = 200  # characters
MAX_BYTES = 1 << 20
_MAX_REPEATS = 8  # of a line or section that is marked "x4"
_STANZA_LINES = 4  # of a long text without blank lines
_LONGEST_STANZA = 12  # lines

_BRACKETED = re.compile(r"[\[(【]\s*([^\])】]*?)\s*[\])】]\s*(?:[x×*]\s*(\d+))?\s*:?")
_REPEATED = re.compile(r"\s*[(\[]?\s*(?:[x×]\s*(\d+)|(\d+)\s*[x×]|bis)\s*[)\]]?\s*$", re.IGNORECASE)
_LRC_TIME = re.compile(r"[\[<]\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?[\]>]")
_LRC_TAG = re.compile(
    r"\[(ar|al|ti|au|by|offset|length|re|ve|tool|id|la)\s*:\s*(.*?)\]", re.IGNORECASE
)
_CHORD = r"[A-G][#b♯♭]?(?:maj|min|m|M|sus|dim|aug|add|[0-9]|[+°ø()#b/-])*(?:/[A-G][#b]?)?"
_CHORD_LINE = re.compile(rf"(?:{_CHORD}|[|:%.-]|N\.?C\.?)(?:\s+(?:{_CHORD}|[|:%.-]|N\.?C\.?))*")
_INLINE_CHORD = re.compile(rf"\[{_CHORD}\]")
_MARK_NUMBER = re.compile(r"[\s#:.-]*(?:\d+|[ivx]+)?[\s.]*(?:[:(-].*)?")


def read_lyrics_file(path: Path) -> Lyrics:
    """Read a text file.

    Raises
    ------
    UsageError
        When it cannot be read, has no words or too many.
    """
    try:
        data = read_input(path, MAX_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read {path} ({error.strerror}); give a text file") from error
    return read_lyrics(decode(data), path.name)


def decode(data: bytes) -> str:
    """Decode text of any usual encoding: UTF-8, UTF-16 with a mark, else Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def read_lyrics(text: str, name: str = "the lyrics") -> Lyrics:
    """Read the text of lyrics.

    Sections are told by marks such as ``[Chorus]``, else by repetition. Times and tags of LRC
    files and chords are left out; ``x2`` after a line or mark repeats it; a mark without lines
    repeats the section of its name.

    Parameters
    ----------
    text : str
    name : str
        For messages.

    Raises
    ------
    UsageError
        When there are no words, more than 400 lines, or lines of over 200 characters.
    """
    title = ""
    stanzas = [_Stanza("")]
    for raw in text.split("\n"):
        for key, value in _LRC_TAG.findall(raw):
            title = clean_line(value) if key.lower() == "ti" else title
        timed = _LRC_TIME.sub("", _LRC_TAG.sub("", raw))
        line = clean_line(unicodedata.normalize("NFC", _INLINE_CHORD.sub("", timed)))
        mark = _read_mark(line)
        if mark:
            stanzas.append(_Stanza(*mark))
        elif not line:
            if stanzas[-1].lines:
                stanzas.append(_Stanza("", mark_above=stanzas[-1].kind or stanzas[-1].mark_above))
        elif not _is_chords(line):
            stanzas[-1].lines += _repeat(line)
        if sum(len(s.lines) for s in stanzas) > MAX_LINES:
            raise UsageError(f"{name} has more than {MAX_LINES} lines; shorten it")
    if any(len(line) > MAX_LINE_LENGTH for s in stanzas for line in s.lines):
        raise UsageError(f"{name} has a line of over {MAX_LINE_LENGTH} characters; break it")
    sections = tuple(_sing(stanzas))
    if not any(c.isalpha() for section in sections for line in section.lines for c in line):
        raise UsageError(f"{name} has no words to sing; write some lines of text")
    if sum(len(section.lines) for section in sections) > MAX_LINES:
        raise UsageError(f"{name} has more than {MAX_LINES} lines with repeats; shorten it")
    return Lyrics(sections, title)


@dataclass
class _Stanza:
    """Lines between marks or blank lines; kind is empty without a mark."""

    kind: str
    times: int = 1
    lines: list[str] = field(default_factory=list)
    mark_above: str = ""  # of the stanza before, when only a blank line separates them


def _read_mark(line: str) -> tuple[str, int] | None:
    """Kind of section and how often it is sung, if a line is a mark."""
    bracketed = _BRACKETED.fullmatch(line)
    words = bracketed[1] if bracketed else line
    repeated = _REPEATED.search(words)
    times = int(bracketed[2]) if bracketed and bracketed[2] else 1
    if repeated:
        times = _count(repeated)
        words = words[: repeated.start()]
    kind = _find_kind(words, is_certain=bool(bracketed) or line.endswith(":"))
    if kind is None:
        is_note = bracketed and line.startswith(("[", "【")) and not _is_chords(words)
        return ("verse", 1) if is_note else None
    return kind, min(_MAX_REPEATS, max(1, times))


def _find_kind(words: str, is_certain: bool) -> str | None:
    folded = "".join(
        c for c in unicodedata.normalize("NFD", words.casefold()) if not unicodedata.combining(c)
    ).strip(" :.-")
    for mark, kind in _load_marks(paths.DATA / "lyrics" / "marks.toml").items():
        if folded == mark and (is_certain or len(mark) > 4):
            return kind
        if is_certain and folded.startswith(mark) and _MARK_NUMBER.fullmatch(folded[len(mark) :]):
            return kind
        number = folded[len(mark) :].strip()
        if folded.startswith(mark) and len(mark) > 4 and number.isdigit():
            return kind
    return None


@lru_cache(maxsize=2)
def _load_marks(path: Path) -> Mapping[str, str]:
    """Marks, the longest first, and the kinds of their sections."""
    tables = parse_tables(path, lambda kind, row: tuple(map(str, row["words"])))
    found = {word: kind for kind, words in tables.items() for word in words}
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def _is_chords(line: str) -> bool:
    """Whether a line has only chords, as above the words of a chord sheet."""
    if not _CHORD_LINE.fullmatch(line):
        return False
    tokens = line.split()
    return len(tokens) > 1 or len(tokens[0]) > 1


def _repeat(line: str) -> list[str]:
    """Return a line as often as it is sung."""
    match = _REPEATED.search(line)
    if not match or not line[: match.start()].strip():
        return [line]
    return [line[: match.start()].strip()] * min(_MAX_REPEATS, max(1, _count(match)))


def _count(match: re.Match[str]) -> int:
    return int(match[1] or match[2] or 2)


def _sing(stanzas: Sequence[_Stanza]) -> Iterator[LyricSection]:
    """Write out repeats, and name the sections that are not marked."""
    known: dict[str, tuple[str, ...]] = {}
    blocks: list[LyricSection] = []
    for stanza in stanzas:
        lines = tuple(stanza.lines) or known.get(stanza.kind, ())
        if not lines:
            continue
        kind = stanza.kind or ("verse" if stanza.mark_above == "verse" else "")
        if stanza.kind:
            known.setdefault(stanza.kind, lines)
        for part in _split_long(lines) if not kind else [lines]:
            blocks += [LyricSection(kind, part)] * stanza.times
    yield from (
        replace(s, kind=kind) for s, kind in zip(blocks, name_unmarked(blocks), strict=True)
    )


def _split_long(lines: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Split a long text without blank lines into stanzas."""
    if len(lines) <= _LONGEST_STANZA:
        return [lines]
    return [lines[i : i + _STANZA_LINES] for i in range(0, len(lines), _STANZA_LINES)]
