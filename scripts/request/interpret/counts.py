"""Reads the number of songs, words for tempo and energy, and the form from a sentence."""

from __future__ import annotations

from scripts.request.interpret.compounds import last_part
from scripts.request.interpret.findings import Finding, use
from scripts.request.interpret.items import Item, Sentence
from scripts.request.interpret.lexicon import ANY_LANGUAGE, Lexicon
from scripts.request.interpret.negation import is_negated
from scripts.request.interpret.numbers import format_number, read_number
from scripts.request.request import ENDLESS, MAX_SONGS

_MAX_BETWEEN = 3  # words between a number and "songs"
_MIN_SPLIT_PHRASE = 2  # words
_MIN_SECTIONS = 2  # names of sections that make a form


def read_songs(sentence: Sentence, lexicon: Lexicon) -> Finding | None:
    """Number of songs, or :data:`ENDLESS`."""
    for i, item in enumerate(sentence.items):
        is_endless = item.value("songs", "endless") or (
            item.value("songs", "all day") and _is_about_playing(sentence, i)
        )
        if is_endless and not item.used:
            return use(sentence, i, i, ENDLESS)
    if words := _find_split_phrase(sentence, lexicon):
        return Finding(ENDLESS, words)
    for i in range(len(sentence.items)):
        number = read_number(sentence, i)
        if number is None or number.value % 1 or _counts_bars(sentence, number.last + 1):
            continue
        for at in range(number.last + 1, number.last + 2 + _MAX_BETWEEN):
            following = sentence.at(at)
            if following is None or following.is_stop:
                break
            if following.used and (following.is_quantity or following.value("units")):
                continue  # three 20-second jingles
            if following.value("units") or read_number(sentence, at):
                break
            if following.kind not in ("word", "number"):
                break
            if _is_noun(following, sentence.language, lexicon):
                if not 1 <= number.value <= MAX_SONGS:
                    sentence.note(
                        f'"{sentence.quote(i, at)}" is left out: an order has 1 to '
                        f"{MAX_SONGS:,} songs"
                    )
                    return None
                finding = use(sentence, i, number.last, format_number(number.value))
                return Finding(finding.value, sentence.quote(i, at))
    return None


def _find_split_phrase(sentence: Sentence, lexicon: Lexicon) -> str:
    """Read an endless phrase with fillers in it: "hör bitte nie auf"; return the user's words."""
    tokens = [
        token
        for item in sentence.items
        if not item.used
        for token in item.tokens
        if not _is_filler(token.text, sentence.language, lexicon)
    ]
    for at in range(len(tokens)):
        for size in range(_MIN_SPLIT_PHRASE, min(lexicon.longest, len(tokens) - at) + 1):
            part = tokens[at : at + size]
            found = lexicon.find(tuple(token.text for token in part))
            if any((m.table, m.value) == ("songs", "endless") for m in found):
                for item in sentence.items:
                    item.used |= part[0].start <= item.start and item.end <= part[-1].end
                return sentence.text[part[0].start : part[-1].end]
    return ""


def _is_filler(word: str, language: str, lexicon: Lexicon) -> bool:
    found = lexicon.find((word,))
    return any(m.table == "fillers" and m.language == language for m in found)


def _is_about_playing(sentence: Sentence, index: int) -> bool:
    """Whether the part around "all night" speaks of music: it rained all night does not."""
    near = sentence.part_around(index)
    is_music = any(item.value("songs", "play") or item.value("styles") for item in near)
    return is_music or any(item.value("songs", "nouns") for item in near)


def _counts_bars(sentence: Sentence, index: int) -> bool:
    """Whether a number counts bars or voices: twelve-bar blues."""
    unit = sentence.at(index)
    return unit is not None and unit.value("songs", "bars") is not None


def _is_noun(item: Item, language: str, lexicon: Lexicon) -> bool:
    """Whether an item is "songs" or the like, or contains it: love songs, chansons pop."""
    words = [token.text for token in item.tokens]
    phrases = [tuple(words), *((word,) for word in words)]
    phrases += [(last_part(word, lexicon, language),) for word in words]
    found = [m for phrase in phrases for m in lexicon.find(phrase)]
    nouns = {m.language for m in found if m.table == "songs" and m.value == "nouns"}
    is_own = bool(nouns & {language, ANY_LANGUAGE})
    return bool(nouns) and (is_own or not item.value("styles"))


def read_pace(sentence: Sentence) -> Finding | None:
    """Word for the tempo, see :data:`scripts.request.pace.PACES`."""
    for i, item in enumerate(sentence.items):
        pace = item.value("tempo")
        if pace is None or item.used:
            continue
        is_own = any(language == sentence.language for _, language in item.values("tempo"))
        if item.value("alone") and not is_own and not _is_alone_in_part(sentence, i):
            continue
        if is_negated(sentence, i):
            item.used = True
            sentence.note(
                f'"not {sentence.quote(i, i)}" is left out: say which tempo you want instead'
            )
            continue
        return use(sentence, i, i, pace)
    return None


def _is_alone_in_part(sentence: Sentence, index: int) -> bool:
    """Whether nothing but musical terms, or a key, is in the same part of the sentence."""
    if any(item.value("modes") for item in sentence.part_around(index)):
        return True
    for step in (-1, 1):
        at = index + step
        while (item := sentence.at(at)) and not item.is_stop:
            is_term = any(m.table not in ("ordinary", "ignore") for m in item.meanings)
            if not is_term and item.kind not in ("number", "meter", "clock"):
                return False
            at += step
    return True


def read_energy(sentence: Sentence) -> Finding | None:
    """Word for energy or dynamics: ``low`` or ``high``."""
    for i, item in enumerate(sentence.items):
        energy = item.value("energy")
        if energy and not item.used and not is_negated(sentence, i):
            return use(sentence, i, i, energy)
    return None


def read_form(sentence: Sentence) -> Finding | None:
    """Names of two or more sections in a row, such as "intro verse chorus"."""
    items = sentence.items
    for i in range(len(items)):
        names, last, at = [], i, i
        while (item := sentence.at(at)) and (item.value("form") or item.text in (",", "-")):
            name = item.value("form")
            if name and not item.used:
                names.append(name)
                last = at
            at += 1
        if len(names) >= _MIN_SECTIONS:
            return use(sentence, i, last, " ".join(names))
    return None
