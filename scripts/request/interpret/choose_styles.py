"""Chooses the styles of a sentence: named, understood by meaning, or by default."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from scripts.request.instrument_names import load_orchestration
from scripts.request.interpret.findings import Finding
from scripts.request.interpret.genres import Genres
from scripts.request.interpret.interpretation import DEFAULT, SAID, UNDERSTOOD, Source
from scripts.request.interpret.items import Sentence, unread_words
from scripts.request.interpret.lexicon import is_correct_word
from scripts.request.interpret.meaning import NOTHING, MeaningReader
from scripts.request.interpret.players import Players
from scripts.request.interpret.tokens import fold
from scripts.score.tuning import SOLFEGGIO_FREQUENCIES
from scripts.styles.lookup import FALLBACK_STYLE, MAX_STYLES, find_closest_style
from scripts.styles.style import Style

_HEALING_STYLE = "meditation"  # for a solfeggio frequency
_PACE_STYLES = {"fast": "euphoric", "very fast": "euphoric"}  # where only the tempo is said
_MIN_CONFIDENCE = 0.15  # of a style or mood that was understood; by chance it is 0.02
_MIN_NAME_CONFIDENCE = 0.3  # of a text that says nothing but names
_CAPITALIZING_LANGUAGE = "de"  # where every noun has a capital
_MIN_SECOND = 0.55  # of a second one, relative to the first
_MAX_NOTHING = 0.15  # probability that a text asks for no music: gibberish has 0.3 and more
_MIN_MOOD_SHARE = 0.45  # of a mood among all moods, beside a style that was said
_SPELLING_CONFIDENCE = 0.7  # of a style whose name was misspelled
_HINT_CONFIDENCE = 0.5  # of a style that an instrument suggests
_MIN_MISSPELLED_LENGTH = 5  # letters of a misspelled style in a sentence
_MAX_MISSPELLED_WORDS = 2  # in a longer sentence unknown words are seldom styles


@dataclass
class StyleChoice:
    """Styles of a sentence, and where each comes from.

    Parameters
    ----------
    sources : dict of str to Source
        By style.
    notes : list of str
        Guesses, a line each.
    is_default : bool
        Whether nothing in the sentence decides the style.
    """

    sources: dict[str, Source]
    notes: list[str] = field(default_factory=list)
    is_default: bool = False


def choose_styles(
    sentence: Sentence,
    said: Mapping[str, Finding],
    players: Players,
    genres: Genres,
    styles: Mapping[str, Style],
    reader: MeaningReader | None,
) -> StyleChoice:
    """Choose 1 to 4 styles: those that were named, else the nearest in meaning.

    Parameters
    ----------
    sentence : Sentence
    said : mapping of str to Finding
        Fields that were read.
    players : Players
    genres : Genres
    styles : mapping of str to Style
    reader : MeaningReader, optional
    """
    choice = StyleChoice({name: Source(SAID, words) for name, words in genres.names.items()})
    for words, names in genres.nearest.items():
        choice.notes.append(f"{words}: nearest is {names}")
    rest = unread_words(sentence)
    if not choice.sources:
        _guess_style(sentence, rest, said, players, genres, styles, reader, choice)
    elif reader and rest and not any(styles[name].kind == "mood" for name in choice.sources):
        _add_mood(sentence, genres, styles, reader, choice)
    if len(choice.sources) > MAX_STYLES:
        kept = list(choice.sources)[:MAX_STYLES]
        choice.notes.append(
            f"too many styles to blend ({len(choice.sources)}); using {', '.join(kept)}"
        )
        choice.sources = {name: choice.sources[name] for name in kept}
    return choice


def _add_mood(
    sentence: Sentence,
    genres: Genres,
    styles: Mapping[str, Style],
    reader: MeaningReader,
    choice: StyleChoice,
) -> None:
    """Add the mood of what is left of a sentence beside the styles that were named."""
    ranked = reader.rank(_unread_text(sentence) or sentence.text)
    if dict(ranked).get(NOTHING, 0.0) > _MAX_NOTHING:
        return
    possible = styles.keys() - genres.excluded
    moods = [(name, p) for name, p in ranked if name in possible and styles[name].kind == "mood"]
    total = sum(p for _, p in moods)
    if moods and moods[0][1] >= _MIN_MOOD_SHARE * total:
        confidence = round(moods[0][1] / total, 2)
        choice.sources[moods[0][0]] = Source(UNDERSTOOD, "", confidence)


def _guess_style(
    sentence: Sentence,
    rest: list[str],
    said: Mapping[str, Finding],
    players: Players,
    genres: Genres,
    styles: Mapping[str, Style],
    reader: MeaningReader | None,
    choice: StyleChoice,
) -> None:
    """Choose a style for a sentence that names none."""
    is_one_word = len(sentence.items) == 1  # which can be a misspelled style in any case
    known = reader.known_words() if reader and not is_one_word else frozenset()
    for word in rest if len(rest) <= _MAX_MISSPELLED_WORDS else ():
        is_long = is_one_word or len(word) >= _MIN_MISSPELLED_LENGTH
        is_known = is_correct_word(fold(word)) or fold(word) in known
        close = find_closest_style(word, styles) if is_long and not is_known else ""
        if close:
            choice.sources[close] = Source(UNDERSTOOD, word, _SPELLING_CONFIDENCE)
            choice.notes.append(f'unknown style "{word}"; using the closest, {close}')
            return
    hints = {hint: style.name for style in styles.values() for hint in style.hints}
    tuning = said["tuning"].value if "tuning" in said else ""
    pace = said["pace"].value if "pace" in said else ""
    if tuning in map(str, SOLFEGGIO_FREQUENCIES):
        hints[tuning] = _HEALING_STYLE
    alone = [f"only {name}" for name in players.names if players.alone]
    suggested = [name for name in (tuning, *alone, *players.names) if name in hints]
    is_instrument = suggested and suggested[0] in (*load_orchestration().instruments, *alone)
    if suggested and not (rest and is_instrument):
        choice.sources[hints[suggested[0]]] = Source(UNDERSTOOD, suggested[0], _HINT_CONFIDENCE)
        return
    text = _unread_text(sentence)
    is_about_fields = said or players.names or players.excluded or genres.excluded
    if reader and text and (rest or not (is_about_fields or sentence.notes)):
        is_name = bool(rest) and all(_may_be_name(word, sentence, reader) for word in rest)
        threshold = _MIN_NAME_CONFIDENCE if is_name else _MIN_CONFIDENCE
        _understand(reader.rank(text), styles.keys() - genres.excluded, threshold, choice)
    if not choice.sources and suggested:
        choice.sources[hints[suggested[0]]] = Source(UNDERSTOOD, suggested[0], _HINT_CONFIDENCE)
    if not choice.sources and not rest and pace in _PACE_STYLES:
        choice.sources[_PACE_STYLES[pace]] = Source(UNDERSTOOD, pace, _HINT_CONFIDENCE)
    if not choice.sources:
        choice.sources[FALLBACK_STYLE] = Source(DEFAULT, "", 0.0)
        choice.is_default = True
        words = " ".join(rest)[:60]
        reason = f'"{words}" is not understood' if rest else "no style or mood was said"
        choice.notes.append(f"{reason}; using {FALLBACK_STYLE}")


def _may_be_name(word: str, sentence: Sentence, reader: MeaningReader) -> bool:
    """Whether a word is a name that nobody knows."""
    is_capital = word[0].isupper() and sentence.language != _CAPITALIZING_LANGUAGE
    return is_capital and fold(word) not in reader.known_words()


def _understand(
    ranked: list[tuple[str, float]],
    styles: Collection[str],
    threshold: float,
    choice: StyleChoice,
) -> None:
    """Take the nearest style, and the second one where both are about as near."""
    if dict(ranked).get(NOTHING, 0.0) > _MAX_NOTHING:
        return
    near = [(name, p) for name, p in ranked if name in styles][:2]
    if not near or near[0][1] < threshold:
        return
    is_close = len(near) > 1 and near[0][1] < 0.5 and near[1][1] > _MIN_SECOND * near[0][1]
    for name, probability in near[: 2 if is_close else 1]:
        choice.sources[name] = Source(UNDERSTOOD, "", round(probability, 2))


def _unread_text(sentence: Sentence) -> str:
    """The sentence without the parts that fields were read from, and without "songs" or "music".

    Empty if nothing is left.
    """
    kept = [
        item
        for item in sentence.items
        if (not item.used or item.value("ignore"))
        and not (item.value("songs", "nouns") or item.value("songs", "music"))
    ]
    words = " ".join(sentence.text[item.start : item.end] for item in kept)
    return words if any(char.isalpha() for char in words) else ""
