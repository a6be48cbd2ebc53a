"""Turns a sentence into a song request."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from scripts.core.errors import UsageError
from scripts.core.text import is_unicode, strip_control_chars
from scripts.request.interpret.choose_styles import StyleChoice, choose_styles
from scripts.request.interpret.counts import (
    read_energy,
    read_form,
    read_pace,
    read_songs,
)
from scripts.request.interpret.findings import Finding
from scripts.request.interpret.genres import read_genres
from scripts.request.interpret.given import FIELDS, given_sources, is_in_english, translate
from scripts.request.interpret.interpretation import SAID, Interpretation, Source
from scripts.request.interpret.items import Item, Sentence, match_sentence, unread_words
from scripts.request.interpret.keys import read_key
from scripts.request.interpret.lexicon import ANY_LANGUAGE, Lexicon, load_lexicon
from scripts.request.interpret.meaning import MeaningReader
from scripts.request.interpret.negation import is_negated
from scripts.request.interpret.players import Players, read_players
from scripts.request.interpret.tempos import read_tempo, read_tuning
from scripts.request.interpret.times import read_length, read_meter, share_length
from scripts.request.interpret.tokens import fold
from scripts.request.interpret.until import read_until
from scripts.request.request import ENDLESS, SongRequest
from scripts.styles.blend import blend
from scripts.styles.lookup import MAX_PROMPT_LENGTH, MAX_STYLES, StyleMatch, find_styles
from scripts.styles.style import Style

MAX_TEXT_LENGTH = 500  # characters of a sentence
_COMMON_METER = "4/4"


def interpret(
    text: str,
    styles: Mapping[str, Style],
    given: SongRequest,
    reader: MeaningReader | None = None,
) -> Interpretation:
    """Understand a sentence.

    Parameters
    ----------
    text : str
        A sentence in any language of the lexicon, or styles with commas between them.
    styles : mapping of str to Style
        The available styles by name.
    given : SongRequest
        Fields that options set: they take precedence. Its styles are ignored; an empty length is
        not set.
    reader : MeaningReader, optional
        Understands sentences that name no style.

    Raises
    ------
    UsageError
        When the text is too long, is not valid Unicode, or has no letter or digit.
    """
    text = _checked(text)
    names = _plain_names(text, styles)
    if names and is_in_english(given):
        return _build_list(text, names, given, styles)
    lexicon = _lexicon(tuple((style.name, style.words) for style in styles.values()))
    known_words = reader.known_words if reader else frozenset
    given = translate(given, lexicon)
    sentence = match_sentence(text, lexicon, known_words)
    said = _read_fields(sentence, lexicon)
    genres = read_genres(sentence, styles)
    fields = said.fields | ({"songs": said.songs} if said.songs else {})
    choice = choose_styles(sentence, fields, said.players, genres, styles, reader)
    found = _build(sentence, said, choice, given, styles, known_words())
    return replace(found, denied_styles=tuple(sorted(genres.excluded & styles.keys())))


def _plain_names(text: str, styles: Mapping[str, Style]) -> tuple[str, ...]:
    """Styles of a text that is only a list of names, which needs no word lists; else none.

    Styles that are not simply in 4/4 are left to the word lists, which read their meter.
    """
    names = tuple(" ".join(part.lower().split()) for part in text.split(","))
    is_plain = all(n in styles and set(styles[n].meters) == {_COMMON_METER} for n in names)
    is_short = len(names) <= MAX_STYLES and len(set(names)) == len(names)
    return names if is_plain and is_short and len(text) <= MAX_PROMPT_LENGTH else ()


def _build_list(
    text: str, names: tuple[str, ...], given: SongRequest, styles: Mapping[str, Style]
) -> Interpretation:
    """Interpretation of a list of styles."""
    choice = StyleChoice({name: Source(SAID, name) for name in names})
    sources = given_sources(given) | _style_sources(choice, styles)
    return Interpretation(replace(given, styles=text), names, "", sources, said_styles=names)


@lru_cache(maxsize=2)
def _lexicon(style_words: tuple[tuple[str, tuple[str, ...]], ...]) -> Lexicon:
    return load_lexicon().with_styles(dict(style_words))


def _checked(text: str) -> str:
    if not is_unicode(text):
        raise UsageError("the text is not valid Unicode; check the encoding of your console")
    if len(text) > MAX_TEXT_LENGTH:
        raise UsageError(
            f"the text is too long: {len(text):,} characters, at most {MAX_TEXT_LENGTH} are "
            "possible; say it in a sentence or two"
        )
    text = strip_control_chars(text)
    if not any(char.isalnum() for char in text):
        raise UsageError(
            f'no words in "{text[:40].strip()}"; say what you want to hear, such as "calm jazz"'
        )
    return text


@dataclass
class _Said:
    """Fields that a sentence says."""

    fields: dict[str, Finding] = field(default_factory=dict)
    players: Players = field(default_factory=Players)
    songs: Finding | None = None
    until: Finding | None = None


def _read_fields(sentence: Sentence, lexicon: Lexicon) -> _Said:
    """Read all fields but the styles; what is read first keeps its words."""
    for item in sentence.items:
        item.used = item.value("ignore") is not None
    said = _Said(until=read_until(sentence))
    # The dances of a sentence keep their words, because they are styles as well.
    readers: dict[str, Any] = {
        "tuning": read_tuning,
        "tempo": read_tempo,
        "meter": read_meter,
        "length": read_length,
        "key": read_key,
        "form": read_form,
    }
    for name, read in readers.items():
        finding = read(sentence)
        while finding and finding.is_rejected:
            sentence.note(f'"not {finding.words}" is left out: say which {name} you want instead')
            finding = read(sentence)
        if finding:
            said.fields[name] = finding
    said.songs = read_songs(sentence, lexicon)
    if said.until and not said.songs:
        said.songs = Finding(ENDLESS, said.until.words)
    if said.songs and "length" in said.fields:
        said.fields["length"] = share_length(sentence, said.fields["length"], said.songs)
    said.players = read_players(sentence)
    pace = read_pace(sentence)
    if pace and "tempo" not in said.fields:
        said.fields["pace"] = pace
    energy = read_energy(sentence)
    if energy:
        said.fields["energy"] = energy
    if "meter" not in said.fields:
        for i, item in enumerate(sentence.items):
            meter = _meter_of_dance(item, sentence.language, lexicon)
            if meter and not is_negated(sentence, i):
                said.fields["meter"] = Finding(meter, sentence.quote(i, i))
                break
    return said


def _meter_of_dance(item: Item, language: str, lexicon: Lexicon) -> str | None:
    """Meter of a dance, also of one in a longer phrase such as "Irish jig"."""
    if meter := item.value("meters"):
        return meter
    if not item.value("styles"):
        return None
    for token in item.tokens:
        for meaning in lexicon.find((token.text,)):
            if meaning.table == "meters" and meaning.language in (language, ANY_LANGUAGE):
                return meaning.value
    return None


def _build(
    sentence: Sentence,
    said: _Said,
    choice: StyleChoice,
    given: SongRequest,
    styles: Mapping[str, Style],
    known_words: Collection[str],
) -> Interpretation:
    findings = said.fields | _player_findings(said.players)
    sources = given_sources(given)
    changes: dict[str, Any] = {}
    for name in FIELDS:
        public = "tempo" if name == "pace" else name
        if name in findings and public not in sources:
            value = findings[name].value
            changes[name] = float(value) if name in ("tempo", "tuning") else value
            sources[public] = Source(SAID, findings[name].words)
    names = tuple(choice.sources)
    sources |= _style_sources(choice, styles)
    if said.songs:
        sources["songs"] = Source(SAID, said.songs.words)
    # The styles' own meter needs no mention in the request.
    if "meter" in changes and set(blend([styles[n] for n in names]).meters) == {changes["meter"]}:
        del changes["meter"]
    is_list_of_styles = (
        not changes
        and not said.songs
        and sources["styles"].origin == SAID
        and len(sentence.text) <= MAX_PROMPT_LENGTH
        and find_styles(sentence.text, styles) == StyleMatch(names, ())
    )
    request = replace(
        given,
        styles=sentence.text if is_list_of_styles else ", ".join(names),
        text="" if is_list_of_styles else sentence.text,
        **changes,
    )
    unknown = [
        word
        for word in unread_words(sentence)
        if choice.is_default or fold(word) not in known_words
    ]
    songs = said.songs.value if said.songs else ""
    notes = (*choice.notes, *sentence.notes, *_notes_on_styles(sentence, unknown, choice))
    until = said.until.value if said.until else ""
    return Interpretation(
        request,
        names,
        songs,
        sources,
        tuple(unknown),
        notes,
        until,
        sentence.language,
        tuple(name for name, source in choice.sources.items() if source.origin == SAID),
    )


def _notes_on_styles(sentence: Sentence, unknown: list[str], choice: StyleChoice) -> list[str]:
    """Notes on words beside styles that were said, and on styles of songs of their own."""
    notes = []
    is_said = all(source.origin == SAID for source in choice.sources.values())
    if unknown and is_said:
        notes.append(f"not understood: {', '.join(unknown)}")
    items = sentence.items
    counted = [
        sentence.quote(i + 1, i + 1)
        for i in range(len(items) - 1)
        if items[i].value("numbers", "1") and items[i + 1].value("styles")
    ]
    if len(counted) > 1:
        notes.append(f'the styles are blended; "{" | ".join(counted)}" makes songs of each')
    return notes


def _player_findings(players: Players) -> dict[str, Finding]:
    findings = {}
    if players.names:
        names = ", ".join(players.names)
        value = f"only {names}" if players.alone else names
        findings["instruments"] = Finding(value, ", ".join(players.names.values()))
    if players.excluded:
        words = ", ".join(dict.fromkeys(players.excluded.values()))
        findings["without"] = Finding(", ".join(players.excluded), words)
    return findings


def _style_sources(choice: StyleChoice, styles: Mapping[str, Style]) -> dict[str, Source]:
    """Sources of the fields ``styles`` and ``mood``; the least certain style counts."""
    origins = list(choice.sources.values())
    weakest = min(origins, key=lambda source: source.confidence)
    words = ", ".join(dict.fromkeys(source.words for source in origins if source.words))
    found = {"styles": Source(weakest.origin, words, weakest.confidence)}
    moods = [source for name, source in choice.sources.items() if styles[name].kind == "mood"]
    return found | ({"mood": moods[0]} if moods else {})
