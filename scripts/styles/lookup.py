"""Finds the styles that the words of a user mean."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.core.errors import UsageError
from scripts.styles.style import Style

MAX_PROMPT_LENGTH = 200  # characters of a style prompt
MAX_STYLES = 4  # styles that can be blended
FALLBACK_STYLE = "chill"
_MIN_MISSPELLED_LENGTH = 3  # letters
_SHORT, _SHORT_SIMILARITY, _SIMILARITY = 5, 0.85, 0.8  # short words resemble too many others
_FILLERS = ("a", "and", "beat", "music", "song", "songs", "style", "the", "tune", "tunes", "with")


@dataclass(frozen=True)
class StyleMatch:
    """Result of a style lookup.

    Parameters
    ----------
    names : tuple of str
        Names of 1 to 4 styles.
    warnings : tuple of str
        One line for each guess, for the user.
    """

    names: tuple[str, ...]
    warnings: tuple[str, ...]


def find_styles(prompt: str, styles: Mapping[str, Style]) -> StyleMatch:
    """Find the styles that a prompt means.

    Parameters
    ----------
    prompt : str
        Style names, other words for them or instruments, separated by commas. Unknown and
        misspelled words give the closest style or ``chill``.
    styles : mapping of str to Style
        The available styles by name.

    Raises
    ------
    UsageError
        If the prompt has no word or more than 200 characters.
    """
    if len(prompt) > MAX_PROMPT_LENGTH:
        raise UsageError(
            f"the styles are too long: {len(prompt):,} characters, at most {MAX_PROMPT_LENGTH} "
            'are possible; write a few, such as "Chill, Dubstep"'
        )
    if any("\ud800" <= c <= "\udfff" for c in prompt):  # bytes that Python could not decode
        raise UsageError("the styles are not valid UTF-8 text; check the encoding of your console")
    pieces = [_normalize(p) for p in prompt.replace(";", ",").replace("、", ",").split(",")]
    pieces = [p for p in pieces if any(c.isalnum() for c in p)]
    if not pieces:
        raise UsageError(
            f'no style in "{_printable_excerpt(prompt)}"; write words such as "Chill, Dubstep"'
        )
    names: list[str] = []
    warnings: list[str] = []
    for piece in pieces:
        found, note = _match_phrase(piece, styles)
        names += [n for n in found if n not in names]
        if note:
            warnings.append(note)
    if len(names) > MAX_STYLES:
        warnings.append(
            f"too many styles to blend ({len(names)}); using {', '.join(names[:MAX_STYLES])}"
        )
    return StyleMatch(tuple(names[:MAX_STYLES]), tuple(warnings))


def _normalize(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    cleaned = "".join(c if c.isalnum() or c in "&'-ー" else " " for c in text)
    return " ".join(cleaned.split()).strip("-'& ")


def _printable_excerpt(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:40]


def _match_phrase(piece: str, styles: Mapping[str, Style]) -> tuple[list[str], str]:
    index = _index_words(styles)
    if piece in index:
        return [index[piece]], ""
    piece = " ".join(w for w in piece.split() if w not in _FILLERS) or piece
    if piece in index:
        return [index[piece]], ""
    # Find the longest known phrases: "sad piano jazz" is sad and jazz.
    words = piece.split()
    found: list[str] = []
    unknown: list[str] = []
    i = 0
    while i < len(words):
        for size in range(min(3, len(words) - i), 0, -1):
            phrase = " ".join(words[i : i + size])
            if phrase in index:
                found.append(index[phrase])
                i += size
                break
        else:
            unknown.append(words[i])
            i += 1
    if not found:
        hints = {_normalize(h): s.name for s in styles.values() for h in s.hints}
        found = [hints[w] for w in words if w in hints]
        unknown = [w for w in unknown if w not in hints]
    if found:
        names = list(dict.fromkeys(found))
        note = ""
        if unknown:
            note = f'"{piece}": using {" and ".join(names)} (unknown: {", ".join(unknown)})'
        elif len(words) > 1:
            note = f'"{piece}": using {" and ".join(names)}'
        return names, note
    close = next(filter(None, (_find_closest(p, index) for p in (piece, *words))), "")
    if close:
        return [close], f'unknown style "{piece}"; using the closest, {close}'
    return [FALLBACK_STYLE], f'unknown style "{piece}"; using {FALLBACK_STYLE}'


def find_closest_style(word: str, styles: Mapping[str, Style]) -> str:
    """Style whose name or other word differs from `word` by a letter or two; empty if none."""
    return _find_closest(_normalize(word), _index_words(styles))


def _find_closest(word: str, index: Mapping[str, str]) -> str:
    if len(word) < _MIN_MISSPELLED_LENGTH:
        return ""
    cutoff = _SHORT_SIMILARITY if len(word) < _SHORT else _SIMILARITY
    close = difflib.get_close_matches(word, index, n=1, cutoff=cutoff)
    return index[close[0]] if close else ""


def _index_words(styles: Mapping[str, Style]) -> dict[str, str]:
    """Style by each of its words."""
    index: dict[str, str] = {}
    for style in styles.values():
        for word in (style.name, *style.words):
            index.setdefault(_normalize(word), style.name)
    return index
