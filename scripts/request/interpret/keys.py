"""Reads the key from a sentence, in the note names of every language."""

from __future__ import annotations

import re

from scripts.request.interpret.findings import Finding, use
from scripts.request.interpret.items import Item, Sentence
from scripts.score.keys import parse_key

_SIGNS = {"#": "#", "♯": "#", "♭": "b"}
_ENGLISH = "en"
# C#m, Bbm, F#: letters with a sign are keys wherever they stand; the mark for minor is a small m.
_SHORT_KEY = re.compile(r"([A-G])(b|#|♯|♭)?(m|min|maj)?")
_MAX_TERSE_ITEMS = 3  # "Em blues" is a key and a style, "Em ritmo de samba" is Portuguese
_ARTICLES = ("a", "la")  # that are notes as well
_ARTICLE_LETTERS = ("a", "e", "o")  # small letters that are words in some language


def read_key(sentence: Sentence) -> Finding | None:
    """Key such as ``D minor``, or only its scale such as ``minor``."""
    for i in range(len(sentence.items)):
        found = _read_full_key(sentence, i) or _read_mode_of_tonic(sentence, i)
        if found:
            return found
    for i in range(len(sentence.items)):
        found = _read_short_key(sentence, i) or _read_tonic_alone(sentence, i)
        if found:
            return found
    for i, item in enumerate(sentence.items):
        mode = item.value("modes")
        if mode and not item.used and _is_mode_context(sentence, i, mode):
            return use(sentence, i, i, mode)
    return None


def _read_tonic(sentence: Sentence, first: int, language: str) -> tuple[str, int] | None:
    """Read a note name with its accidental; return ``Bb`` and the index of its last item."""
    item = sentence.at(first)
    if item is None or item.used:
        return None
    notes = {lang: note for note, lang in item.values("key.notes")}
    tonic = notes.get(language) or (_letter_note(sentence, item) if language != _ENGLISH else None)
    if tonic is None:
        return None
    following = sentence.at(first + 1)
    if len(tonic) > 1 or following is None:
        return tonic, first
    sign = _SIGNS.get(following.text)
    for name, accidental in (("sharp", "#"), ("flat", "b")):
        if following.value("key", name):
            sign = accidental
    if following.text == "b" and len(item.text) > 1:  # la b majeur
        sign = "b"
    return (tonic + sign, first + 1) if sign else (tonic, first)


def _letter_note(sentence: Sentence, item: Item) -> str | None:
    """A capital letter C to G, A or B, as musicians write notes in every language."""
    raw = sentence.text[item.start : item.end]
    if re.fullmatch(r"[A-G]b?", raw):
        return raw
    return None


def _read_full_key(sentence: Sentence, first: int) -> Finding | None:
    """Read a note followed by a mode: D minor, ré mineur, d-Moll, B-flat major."""
    item = sentence.items[first]
    if item.used or _follows_person(sentence, first):
        return None
    for language in _languages_of_modes(sentence, first):
        tonic = _read_tonic(sentence, first, language) or _flat_letter(sentence, first)
        if tonic is None:
            continue
        name, last = tonic
        mode_item = sentence.at(last + 1)
        mode = mode_item.value("modes") if mode_item and not mode_item.used else None
        if mode is None or not _is_note_here(sentence, first, last + 1):
            continue
        key = parse_key(f"{name} {mode}")
        if key:
            return use(sentence, first, last + 1, str(key))
    return None


def _follows_person(sentence: Sentence, index: int) -> bool:
    """Whether "la menor" is the younger one, as in "mi hija, la menor"."""
    if sentence.items[index].text not in _ARTICLES:
        return False
    before = sentence.at(index - 1)
    if before and before.text == ",":
        before = sentence.at(index - 2)
    return before is not None and before.value("key", "people") is not None


def _languages_of_modes(sentence: Sentence, first: int) -> list[str]:
    """Languages of the mode within the next two items, the sentence's own first."""
    found: list[str] = []
    for at in (first + 1, first + 2):
        item = sentence.at(at)
        if item:
            found += [language for _, language in item.values("modes")]
    own = [sentence.language] if sentence.language in found else []
    return list(dict.fromkeys([*own, *found]))


def _flat_letter(sentence: Sentence, first: int) -> tuple[str, int] | None:
    """Read ``Bb`` or ``Eb`` written as one word, or a letter with a sign."""
    item = sentence.items[first]
    raw = sentence.text[item.start : item.end]
    if re.fullmatch(r"[A-Ga-g]b", raw):
        return raw[0].upper() + "b", first
    following = sentence.at(first + 1)
    if re.fullmatch(r"[A-Ga-g]", raw) and following and following.text in _SIGNS:
        return raw.upper() + _SIGNS[following.text], first + 1
    return None


def _is_note_here(sentence: Sentence, first: int, last: int) -> bool:
    """Whether a note name before a mode is one, and not an article: "a minor setback"."""
    item = sentence.items[first]
    raw = sentence.text[item.start : item.end]
    is_article = raw in _ARTICLE_LETTERS or item.is_ordinary
    if last - first > 1 or not is_article or raw in "ABCDEFGH":
        return True
    after, before = sentence.at(last + 1), sentence.at(first - 1)
    if after and after.value("key", "scale_words"):
        return False
    if before and before.value("key", "before"):
        return True
    if after is None or after.is_stop or after.kind in ("number", "meter", "clock"):
        return True
    return bool(after.meanings) and not after.is_ordinary


def _read_mode_of_tonic(sentence: Sentence, first: int) -> Finding | None:
    """Read a mode followed by its note: mode dorien de ré, dorisch auf D."""
    item = sentence.items[first]
    mode = item.value("modes")
    if mode is None or item.used or mode in ("major", "minor"):
        return None
    between = sentence.at(first + 1)
    at = first + 2 if between and between.is_ordinary and not between.values("key.notes") else 0
    if not at:
        return None
    for language in (sentence.language, _ENGLISH):
        tonic = _read_tonic(sentence, at, language)
        after = sentence.at(tonic[1] + 1) if tonic else None
        if tonic and (after is None or after.is_stop):
            key = parse_key(f"{tonic[0]} {mode}")
            if key:
                return use(sentence, first, tonic[1], str(key))
    return None


def _read_tonic_alone(sentence: Sentence, first: int) -> Finding | None:
    """Read "in F", "blues en mi": a note without a mode is major, a small German one minor."""
    before = sentence.at(first - 1)
    item = sentence.items[first]
    if item.used:
        return None
    tonic = _read_tonic(sentence, first, sentence.language) or _flat_letter(sentence, first)
    if tonic is None:
        return None
    name, last = tonic
    raw = sentence.text[item.start : item.end]
    after = sentence.at(last + 1)
    is_named = before is not None and before.value("key", "before") is not None
    if not is_named and not (last > first and _is_alone(before, after)):
        return None
    is_german = sentence.language == "de" and (after is None or after.is_stop)  # Lied in a
    if raw in _ARTICLE_LETTERS and last == first and not is_german:
        return None
    is_closed = after is None or after.is_stop or after.kind in ("number", "meter", "clock")
    is_closed = is_closed or bool(
        after and after.meanings and not after.is_ordinary and not item.is_ordinary
    )
    is_closed = is_closed or bool(raw.isupper() and len(raw) == 1 and sentence.language != "de")
    is_connected = after is not None and after.is_ordinary and len(name) > 1 and last > first
    if not is_closed and not is_connected and not (after and after.is_ordinary):
        return None
    is_played = after is not None and after.value("topic", "end") is not None
    is_played = is_played or (after is not None and after.value("without", "before") is not None)
    if not is_closed and not is_connected and not is_played and item.is_ordinary:
        return None  # "en la noche", "in sol"
    mode = "minor" if sentence.language == "de" and raw[:1].islower() else "major"
    key = parse_key(f"{name} {mode}")
    return use(sentence, first, last, str(key)) if key else None


def _is_alone(before: Item | None, after: Item | None) -> bool:
    """Whether "f sharp" is a part of its own, or stands beside a style."""
    return all(near is None or near.is_stop or near.value("styles") for near in (before, after))


def _read_short_key(sentence: Sentence, first: int) -> Finding | None:
    """Read F#m, Bbm, Dm: the words of musicians, with exactly these capitals."""
    item = sentence.items[first]
    if item.used or item.kind != "word":
        return None
    following = sentence.at(first + 1)
    last, raw = first, sentence.text[item.start : item.end]
    if following and following.text in _SIGNS and following.start == item.end:
        last = first + 1
        tail = sentence.at(first + 2)
        raw += _SIGNS[following.text]
        if tail and tail.text in ("m", "min", "maj") and tail.start == following.end:
            last, raw = first + 2, raw + tail.text
    match = _SHORT_KEY.fullmatch(raw)
    if not match or not (match[2] or match[3]):
        return None
    before = sentence.at(first - 1)
    is_named = before is not None and before.value("key", "before") is not None
    is_start, following = before is None or before.is_stop, sentence.at(last + 1)
    is_whole_end = following is None or following.is_stop
    is_of_style = following is not None and following.value("styles") is not None  # Bb jazz
    is_terse = is_of_style and len(sentence.items) <= _MAX_TERSE_ITEMS
    is_whole = is_start and (is_whole_end or is_terse or sentence.language == _ENGLISH)
    if raw in ("Am", "Em") and not (is_named or is_whole):
        return None  # German "am" and Portuguese "em" at the start of a sentence
    earlier_style = is_whole_end and before is not None and before.value("styles") is not None
    if match[2] and not match[3] and not (is_named or is_of_style or earlier_style):
        return None
    key = parse_key(
        match[1]
        + (match[2] or "").replace("♯", "#").replace("♭", "b")
        + " "
        + {"m": "minor", "min": "minor"}.get(match[3] or "", "major")
    )
    return use(sentence, first, last, str(key)) if key else None


def _is_mode_context(sentence: Sentence, at: int, mode: str) -> bool:
    """Whether a mode alone is meant as one: "in a minor key", "modo dorico"."""
    if mode not in ("major", "minor") or len(sentence.items[at].tokens) > 1:
        return True
    before, after = sentence.at(at - 1), sentence.at(at + 1)
    near = [item for item in (before, after, sentence.at(at - 2)) if item]
    if any(item.value("key", "scale_words") for item in near):
        return True
    is_closed = after is None or after.is_stop or after.is_ordinary
    return is_closed and bool(before is None or before.is_stop or before.value("key", "before"))
