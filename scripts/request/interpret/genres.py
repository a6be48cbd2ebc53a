"""Reads styles, moods and eras from a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.request.interpret.items import Item, Sentence
from scripts.request.interpret.negation import is_negated
from scripts.styles.style import Style

# In a few words, as in "sad piano jazz", the words of the style files count, too.
_PLAIN_WORDS = frozenset(
    ("a", "an", "and", "beat", "music", "song", "songs", "style", "the", "tune", "tunes", "with")
)
# Tables whose words are terms of music or belong to them.
_MUSIC_TABLES = frozenset(
    (
        *("styles", "moods", "eras", "nearest", "style_words", "instruments", "ensembles", "only"),
        *("without", "tempo", "bpm", "meter", "meters", "modes", "key", "tuning", "numbers"),
        *("units", "songs"),
    )
)


@dataclass
class Genres:
    """Styles that were named.

    Parameters
    ----------
    names : dict of str to str
        The user's words by style, in the order said.
    nearest : dict of str to str
        Style that stands for one that the program does not have, by the user's words.
    excluded : set of str
        Styles that the user does not want.
    """

    names: dict[str, str] = field(default_factory=dict)
    nearest: dict[str, str] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)


def read_genres(sentence: Sentence, styles: Mapping[str, Style]) -> Genres:
    """Read all styles and moods; an era, or what a song is about, only counts without them."""
    genres = Genres()
    eras: dict[str, str] = {}
    topics: dict[str, str] = {}
    for i, item in enumerate(sentence.items):
        if is_negated(sentence, i):
            unwanted = [item.value(table) for table in ("styles", "moods", "nearest")]
            item.used |= any(unwanted)
            genres.excluded |= {name for value in unwanted if value for name in value.split(", ")}
            continue
        words = sentence.quote(i, i)
        for table in ("nearest", "styles", "moods", "eras", "style_words"):
            value = item.value(table)
            is_weak = table == "style_words"  # counts in few words, unless it is an instrument
            if value is None or (is_weak and not _may_be_weak(sentence, item, i)):
                continue
            item.used = True
            for name in value.split(", "):
                if name not in styles:
                    continue
                is_topic = sentence.is_topic(i)
                names = eras if table == "eras" else topics if is_topic else genres.names
                names.setdefault(name, words)
                if table == "nearest":
                    genres.nearest[words] = value.replace(", ", " and ")
            break
    if not genres.names:
        genres.names = topics
    if not any(styles[name].kind == "style" for name in genres.names):
        for name, words in eras.items():
            genres.names.setdefault(name, words)
    return genres


def _may_be_weak(sentence: Sentence, item: Item, index: int) -> bool:
    """Whether a word of a style file counts here; "une chanson" is only a song."""
    nouns = (("nouns", sentence.language), ("music", sentence.language))
    is_noun = any(found in nouns for found in item.values("songs"))
    return not item.used and not is_noun and _is_terse(sentence, index)


def _is_terse(sentence: Sentence, index: int) -> bool:
    """Whether the part of the sentence around an item only lists words for music."""
    unknown = 0
    for item in sentence.part_around(index):
        if item.used or _MUSIC_TABLES & {m.table.split(".")[0] for m in item.meanings}:
            continue
        if item.is_ordinary and item.text not in _PLAIN_WORDS:
            return False
        unknown += not item.is_ordinary and item.kind == "word"
    return unknown <= 1
