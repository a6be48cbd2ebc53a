"""Reads tempos and tunings from a sentence."""

from __future__ import annotations

from scripts.request.interpret.findings import Finding, use
from scripts.request.interpret.items import Item, Sentence, is_music_or_end, names_music
from scripts.request.interpret.numbers import Number, format_number, read_number
from scripts.score.tuning import SOLFEGGIO_FREQUENCIES

_MIN_TEMPO, _MAX_TEMPO = 20, 300
_BARE_TEMPOS = range(50, 221)  # of numbers without a unit
_DECADES = range(10, 100, 10)  # "rock 80" is of the eighties
_MIN_A4, _MAX_A4 = 400, 480
_MAX_GAP = 2  # everyday words between a word such as "tempo" and its number


def read_tuning(sentence: Sentence) -> Finding | None:
    """Frequency of A4, or a solfeggio frequency, in Hz."""
    for i in range(len(sentence.items)):
        number = read_number(sentence, i)
        if number is None or not (
            _MIN_A4 <= number.value <= _MAX_A4 or number.value in SOLFEGGIO_FREQUENCIES
        ):
            continue
        unit = sentence.at(number.last + 1)
        before = sentence.at(i - 1)
        is_named = before is not None and before.value("tuning", "before") is not None
        is_concert_pitch = number.value not in SOLFEGGIO_FREQUENCIES
        if before and is_concert_pitch and ("A", sentence.language) in before.values("key.notes"):
            is_named = True  # la 432
        if unit and unit.value("tuning", "after"):
            return use(sentence, i, number.last + 1, format_number(number.value))
        if is_named:
            return use(sentence, i - 1, number.last, format_number(number.value))
        healing = any(item.value("tuning", "healing") for item in sentence.items)
        if healing and number.value in SOLFEGGIO_FREQUENCIES:
            return use(sentence, i, number.last, format_number(number.value))
    return None


def read_tempo(sentence: Sentence) -> Finding | None:
    """Number of quarter notes per minute."""
    for i in range(len(sentence.items)):
        number = read_number(sentence, i)
        if number is None:
            continue
        is_possible = _MIN_TEMPO <= number.value <= _MAX_TEMPO
        after = sentence.at(number.last + 1)
        second = _read_tens(sentence, number)
        if second:
            value = 100 * number.value + second.value
            return use(sentence, i, second.last + 1, format_number(value))
        if after and after.value("bpm", "after"):
            if is_possible:
                return use(sentence, i, number.last + 1, format_number(number.value))
            sentence.note(
                f'"{sentence.quote(i, number.last + 1)}" is left out: a tempo is '
                f"{_MIN_TEMPO} to {_MAX_TEMPO} bpm"
            )
        start = _find_before(sentence, i)
        if start is not None and is_possible and not (after and after.value("units")):
            return use(sentence, start, number.last, format_number(number.value))
    return _read_bare_tempo(sentence)


def _read_tens(sentence: Sentence, number: Number) -> Number | None:
    """Read the "twenty" of "one twenty bpm"."""
    second = read_number(sentence, number.last + 1)
    after = sentence.at(second.last + 1) if second else None
    if second is None or after is None or not after.value("bpm", "after"):
        return None
    is_spoken = number.value in (1, 2) and 10 <= second.value < 100
    both = (sentence.items[number.last], sentence.items[second.last])
    return second if is_spoken and all(item.kind == "word" for item in both) else None


def _read_bare_tempo(sentence: Sentence) -> Finding | None:
    """Number without a unit that musicians mean as a tempo: techno 120, jazz at 90."""
    for i in range(1, len(sentence.items)):
        number = read_number(sentence, i)
        after = sentence.at(number.last + 1) if number else None
        if number is None or number.value not in _BARE_TEMPOS or not is_music_or_end(after):
            continue
        before, earlier = sentence.items[i - 1], sentence.at(i - 2)
        is_at = before.value("bpm", "perhaps") is not None or before.text == "@"
        is_after_at = is_at and earlier is not None and _may_have_tempo(earlier)
        if is_after_at or (names_music(before) and number.value not in _DECADES):
            return use(sentence, i, number.last, format_number(number.value))
    return None


def _may_have_tempo(item: Item) -> bool:
    """Whether "at 140" after an item is a tempo: techno at 140, a song at 72, E minor at 90."""
    is_key = any(item.value(table) for table in ("modes", "key", "key.notes"))
    return names_music(item) or is_key or item.value("songs", "nouns") is not None


def _find_before(sentence: Sentence, first: int) -> int | None:
    """Index of a word such as "tempo" before a number, everyday words between them set aside."""
    for at in range(first - 1, max(-1, first - 2 - _MAX_GAP), -1):
        if sentence.items[at].value("bpm", "before"):
            return at
        if not sentence.items[at].is_ordinary:
            return None
    return None
