"""What options, wishes and tables set beside a sentence, in the words of every language."""

from __future__ import annotations

from dataclasses import replace

from scripts.core.errors import UsageError
from scripts.request.instrument_names import parse_excluded, parse_instruments
from scripts.request.interpret.counts import read_pace
from scripts.request.interpret.interpretation import SAID, Source
from scripts.request.interpret.items import match_sentence, unread_words
from scripts.request.interpret.keys import read_key
from scripts.request.interpret.lexicon import Lexicon
from scripts.request.interpret.players import find_players, read_players
from scripts.request.pace import PACES
from scripts.request.parse import is_scale
from scripts.request.request import SongRequest
from scripts.score.keys import parse_key

# Fields of a request that a sentence can set, and that options set with precedence.
FIELDS = (
    *("key", "meter", "tempo", "length", "form", "instruments", "without", "tuning", "pace"),
    "energy",
)
_OPTION = "--"
_NOTHING_GIVEN = SongRequest("", length="")


def given_sources(given: SongRequest) -> dict[str, Source]:
    """Sources of the fields that are set."""
    found = {}
    for name in FIELDS:
        value = getattr(given, name)
        if value != getattr(_NOTHING_GIVEN, name):
            found["tempo" if name == "pace" else name] = Source(SAID, f"{_OPTION}{name} {value}")
    return found


def is_given(source: Source) -> bool:
    """Whether a field was set by an option or a wish, and not said in the text."""
    return source.words.startswith(_OPTION)


def is_in_english(given: SongRequest) -> bool:
    """Whether the key, the tempo, the instruments and the exclusions need no word list."""
    is_known_pace = not given.pace or given.pace in PACES
    return is_known_pace and (not given.key or _is_known_key(given.key)) and _has_known_names(given)


def translate(given: SongRequest, lexicon: Lexicon) -> SongRequest:
    """Translate "d-Moll", "Klavier" and the like; what is unknown is left for its error."""
    if given.key and not _is_known_key(given.key):
        sentence = match_sentence(given.key, lexicon)
        found = read_key(sentence)
        if found and not unread_words(sentence):
            given = replace(given, key=found.value)
    if given.pace and given.pace not in PACES:
        sentence = match_sentence(given.pace, lexicon)
        pace = read_pace(sentence)
        if pace and not unread_words(sentence):
            given = replace(given, pace=pace.value)
    if _has_known_names(given):
        return given
    if given.instruments:
        sentence = match_sentence(given.instruments, lexicon)
        players = read_players(sentence)
        if players.names and not unread_words(sentence):
            names = ", ".join(players.names)
            given = replace(given, instruments="only " * players.alone + names)
    if given.without:
        sentence = match_sentence(given.without, lexicon)
        excluded = find_players(sentence)
        if excluded and not unread_words(sentence):
            given = replace(given, without=", ".join(excluded))
    return given


def _is_known_key(text: str) -> bool:
    return parse_key(text) is not None or is_scale(text)


def _has_known_names(given: SongRequest) -> bool:
    try:
        if given.instruments:
            parse_instruments(given.instruments)
        if given.without:
            parse_excluded(given.without)
    except UsageError:
        return False
    return True
