"""Matches a sentence with the lexicon: its tokens become items with meanings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from scripts.request.interpret.compounds import split_compounds
from scripts.request.interpret.lexicon import (
    ANY_LANGUAGE,
    Lexicon,
    Meaning,
    is_correct_word,
    load_correct_words,
)
from scripts.request.interpret.tokens import Token, tokenize

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_STYLE_TABLES = ("styles", "nearest", "style_words")
_MISSPELLED_LENGTHS = range(4, 25)  # letters of a word that is corrected
_DEFAULT_LANGUAGE = "en"  # where nothing tells the language
_NUMBER_SHARE = 0.1  # of what other words count: six is sex in Swedish
_ACCENTED_SHARE = 0.8  # of what its words count in a text with letters beyond ASCII
# Tables that only count in the sentence's own language.
_OWN_TABLES = frozenset(
    (
        *("not", "without", "only", "topic", "ranges", "time", "ignore"),
        *("numbers", "units", "lengths"),
    )
)


@dataclass
class Item:
    """A phrase of the lexicon, or one token that it does not have.

    Parameters
    ----------
    tokens : tuple of Token
    meanings : tuple of Meaning
    used : bool
        Whether a field was read from it.
    """

    tokens: tuple[Token, ...]
    meanings: tuple[Meaning, ...] = ()
    used: bool = False

    @property
    def kind(self) -> str:
        """Kind of its token; ``word`` for a phrase."""
        return self.tokens[0].kind if len(self.tokens) == 1 else "word"

    @property
    def text(self) -> str:
        """Folded text."""
        return " ".join(token.text for token in self.tokens)

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end

    @property
    def is_stop(self) -> bool:
        """Whether it is punctuation."""
        return self.kind == "stop"

    @property
    def is_ordinary(self) -> bool:
        """Whether it is an everyday word of some language."""
        return any(m.table == "ordinary" for m in self.meanings)

    @property
    def is_quantity(self) -> bool:
        """Whether it is a number or a duration."""
        tables = ("numbers", "lengths", "units")
        return self.kind in ("number", "clock") or any(m.table in tables for m in self.meanings)

    def value(self, table: str, name: str = "") -> str | None:
        """Value in a table, or None; with a `name` only that value counts."""
        for meaning in self.meanings:
            if meaning.table == table and (not name or meaning.value == name):
                return meaning.value
        return None

    def values(self, table: str) -> list[tuple[str, str]]:
        """All values in a table, with their languages."""
        return [(m.value, m.language) for m in self.meanings if m.table == table]


@dataclass(frozen=True)
class Sentence:
    """A sentence that was matched with the lexicon.

    Parameters
    ----------
    text : str
    language : str
        The likeliest language.
    items : list of Item
    notes : list of str
        What cannot be done as it is said, a line each.
    """

    text: str
    language: str
    items: list[Item]
    notes: list[str] = field(default_factory=list)

    def quote(self, first: int, last: int) -> str:
        """The user's own words from item `first` to item `last`."""
        return self.text[self.items[first].start : self.items[last].end]

    def note(self, text: str) -> None:
        """Add a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def at(self, index: int) -> Item | None:
        """Item at `index`, or None outside the sentence."""
        return self.items[index] if 0 <= index < len(self.items) else None

    def part_around(self, index: int) -> list[Item]:
        """Items of the part between punctuation that contains item `index`."""
        first, last = index, index
        while first > 0 and not self.items[first - 1].is_stop:
            first -= 1
        while last + 1 < len(self.items) and not self.items[last + 1].is_stop:
            last += 1
        return self.items[first : last + 1]

    def is_topic(self, index: int) -> bool:
        """Whether item `index` tells what a song is about: "a song about a drummer"."""
        for at in range(index - 1, -1, -1):
            item = self.items[at]
            if item.is_stop or item.value("topic", "end"):
                return False
            if item.value("topic", "before"):
                return not self.items[at + 1].is_quantity
        return False


def names_music(item: Item | None) -> bool:
    """Whether an item names a style."""
    return item is not None and any(item.value(table) for table in _STYLE_TABLES)


def is_music_or_end(item: Item | None) -> bool:
    """Whether a part of the sentence, or music, comes next."""
    return item is None or item.is_stop or names_music(item)


def match_sentence(
    text: str, lexicon: Lexicon, known_words: Callable[[], Collection[str]] = tuple
) -> Sentence:
    """Match a sentence with the lexicon; the longest phrase wins at each place.

    Parameters
    ----------
    text : str
    lexicon : Lexicon
    known_words : callable
        Returns correctly spelled words of any language, folded: those are not corrected.
    """
    tokens = tokenize(text)
    language = _detect_language(text, _find_phrases(tokens, lexicon), lexicon)
    tokens = split_compounds(tokens, lexicon, language)
    tokens = _correct(tokens, lexicon, language, known_words)
    spans = _find_phrases(tokens, lexicon, language)
    items = [Item(part, _preferred(part, found, lexicon, language)) for part, found in spans]
    return Sentence(text, language, items)


def unread_words(sentence: Sentence) -> list[str]:
    """Words that no field was read from, everyday words set aside."""
    return [
        sentence.text[item.start : item.end]
        for item in sentence.items
        if item.kind == "word" and not item.used and not item.is_ordinary and not item.meanings
    ]


_Span = tuple[tuple[Token, ...], tuple[Meaning, ...]]


def _find_phrases(tokens: Sequence[Token], lexicon: Lexicon, language: str = "") -> list[_Span]:
    """Find the longest phrases from left to right, as far as the `language` allows them."""
    spans: list[_Span] = []
    at = 0
    while at < len(tokens):
        for size in range(min(lexicon.longest, len(tokens) - at), 0, -1):
            part = tuple(tokens[at : at + size])
            found = lexicon.find(tuple(t.text for t in part))
            if size == 1 or (found and _is_allowed(part, found, lexicon, language)):
                spans.append((part, found))
                at += size
                break
    return spans


def _is_allowed(
    part: Sequence[Token], found: Sequence[Meaning], lexicon: Lexicon, language: str
) -> bool:
    """Whether a phrase can stand in a sentence; one of another language has no everyday words."""
    if not language or any(m.language in (language, ANY_LANGUAGE) for m in found):
        return True
    return not any(
        m.table == "ordinary" and m.language == language
        for token in part
        for m in lexicon.find((token.text,))
    )


def _detect_language(text: str, spans: Sequence[_Span], lexicon: Lexicon) -> str:
    """Language with the most words; a word that several languages share counts less.

    English, which has no accents, comes after the others in a text that has some.
    """
    scores: dict[str, float] = defaultdict(float)
    for _, meanings in spans:
        languages = {m.language for m in meanings}
        share = _NUMBER_SHARE if all(m.table == "numbers" for m in meanings) else 1.0
        for language in languages if ANY_LANGUAGE not in languages else ():
            scores[language] += share / len(languages) ** 1.5
    if not scores:
        return _DEFAULT_LANGUAGE
    if not text.isascii() and _DEFAULT_LANGUAGE in scores:
        scores[_DEFAULT_LANGUAGE] *= _ACCENTED_SHARE
    return max(sorted(scores), key=lambda n: (scores[n], n == _DEFAULT_LANGUAGE))


def _preferred(
    part: Sequence[Token], meanings: tuple[Meaning, ...], lexicon: Lexicon, language: str
) -> tuple[Meaning, ...]:
    """Meanings in the sentence's language and in none; without any, those in other languages.

    A word of another language has to be exactly as it is listed, and not one of the sentence's.
    """
    own = tuple(m for m in meanings if m.language in (language, ANY_LANGUAGE))
    words = tuple(token.text for token in part)
    if own or (len(words) == 1 and words[0] in load_correct_words()[language]):
        return own
    return tuple(m for m in lexicon.phrases.get(words, ()) if m.table not in _OWN_TABLES)


def _correct(
    tokens: Sequence[Token],
    lexicon: Lexicon,
    language: str,
    known_words: Callable[[], Collection[str]],
) -> list[Token]:
    """Replace words that differ by one letter from a word of the language."""
    out = []
    for token in tokens:
        is_candidate = token.kind == "word" and len(token.text) in _MISSPELLED_LENGTHS
        if is_candidate and not lexicon.has_word(token.text, language):
            words = neighbors(token.text)
            near = {word for word in words if lexicon.is_correctable(word, language)}
            # The language of a few words is uncertain, so a correct one of any language counts.
            if near and not is_correct_word(token.text) and token.text not in known_words():
                best = min(near, key=lambda word: (abs(len(word) - len(token.text) - 1), word))
                token = Token(best, token.kind, token.start, token.end)
        out.append(token)
    return out


def neighbors(word: str) -> set[str]:
    """Find all words that differ by one letter: left out, added, replaced, or two swapped."""
    splits = [(word[:i], word[i:]) for i in range(1, len(word) + 1)]
    found = {a + b[1:] for a, b in splits if b}
    found |= {a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1}
    found |= {a + c + b[1:] for a, b in splits if b for c in _ALPHABET}
    found |= {a + c + b for a, b in splits for c in _ALPHABET}
    return found - {word}
