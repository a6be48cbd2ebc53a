"""Analyzes lyrics: language, genre, mood, sections, syllables, rhymes and chords."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from scripts.composer.lyric_chords import SectionChords, SectionWords, choose_chords
from scripts.composer.progressions import load_progressions
from scripts.core import paths
from scripts.core.errors import SetupError
from scripts.llm.reader import Reader, open_reader
from scripts.lyrics.language import find_language
from scripts.lyrics.lyrics import Lyrics, LyricSection
from scripts.lyrics.rhymes import rhyme_scheme
from scripts.lyrics.syllables import Syllable, split_line
from scripts.request.interpret.mood_head import MoodReading
from scripts.score.keys import Key
from scripts.styles.lyric_genres import load_lyric_genres

_MINOR_BELOW = -0.05  # valence of the words under which the key is minor
_DIGITS = 3


class Chance(msgspec.Struct, frozen=True):
    """A genre or mood and its probability."""

    name: str
    probability: float


class AnalyzedLine(msgspec.Struct, frozen=True):
    """A line: its syllables, which of them are stressed, how pleasant it is (-1 to 1)."""

    text: str
    syllables: tuple[str, ...]
    stresses: tuple[bool, ...]
    valence: float


class AnalyzedSection(msgspec.Struct, frozen=True):
    """A section: its lines, which of them rhyme (``ABAB``), its chords and why these."""

    kind: str
    rhymes: str
    lines: tuple[AnalyzedLine, ...]
    chords: tuple[str, ...]
    reason: str


class LyricsAnalysis(msgspec.Struct, frozen=True):
    """What lyrics say of their song.

    Parameters
    ----------
    title : str
        Empty if the text has none.
    language : str
        Code.
    genres, moods : tuple of Chance
        The likeliest first.
    valence, arousal : float
        -1 to 1, and 0 to 1.
    styles : tuple of str
        Of the song.
    mode : str
        ``major`` or ``minor``; the chords are in it.
    sections : tuple of AnalyzedSection
    """

    title: str
    language: str
    genres: tuple[Chance, ...]
    moods: tuple[Chance, ...]
    valence: float
    arousal: float
    styles: tuple[str, ...]
    mode: str
    sections: tuple[AnalyzedSection, ...]


def analyze_lyrics(lyrics: Lyrics, seed: int, reader_name: str = "") -> LyricsAnalysis:
    """Analyze lyrics.

    Parameters
    ----------
    lyrics : Lyrics
    seed : int
        Of the chords.
    reader_name : str
        The setting ``reader``.

    Raises
    ------
    SetupError
        When there is no reader, or it was not taught genres and moods.
    """
    reader = open_reader(reader_name)
    if reader is None:
        raise SetupError("lyrics need reader.gguf in models/; copy it there")
    try:
        return _analyze(lyrics, seed, reader)
    finally:
        reader.close()


def _analyze(lyrics: Lyrics, seed: int, reader: Reader) -> LyricsAnalysis:
    language = find_language(lyrics.lines)
    genres = reader.rank_genres(lyrics, language)
    readings = _read_moods(lyrics, reader)
    heard = [reading for section in readings for reading in section]
    if not genres or not heard:
        raise SetupError("lyrics need reader.genres and reader.moods in models/; add them")
    valence = sum(reading.valence for reading in heard) / len(heard)
    arousal = sum(reading.arousal for reading in heard) / len(heard)
    genre = load_lyric_genres(paths.DATA / "lyrics" / "genres.toml")[genres[0][0]]
    key = Key("A", "minor") if valence < _MINOR_BELOW else Key("C")
    words = [
        SectionWords(section.kind, tuple(reading.valence for reading in found))
        for section, found in zip(lyrics.sections, readings, strict=True)
    ]
    family = load_progressions(paths.DATA / "progressions.toml")[genre.family]
    chords = choose_chords(words, key, family, seed)
    return LyricsAnalysis(
        lyrics.title,
        language,
        _chances(genres),
        _chances(_mean_moods(heard)),
        round(valence, _DIGITS),
        round(arousal, _DIGITS),
        genre.styles,
        "minor" if key.is_minor else "major",
        tuple(
            _analyze_section(section, language, found.valences, chosen)
            for section, found, chosen in zip(lyrics.sections, words, chords, strict=True)
        ),
    )


def _read_moods(lyrics: Lyrics, reader: Reader) -> list[list[MoodReading]]:
    """The mood of each line, section by section; empty lists if the reader was not taught moods."""
    known: dict[str, MoodReading | None] = {}
    found = []
    for section in lyrics.sections:
        texts = _contexts(section.lines)
        known |= {text: reader.read_mood(text) for text in texts if text not in known}
        found.append([reading for text in texts if (reading := known[text])])
    return found


def _analyze_section(
    section: LyricSection, language: str, valences: Sequence[float], chords: SectionChords
) -> AnalyzedSection:
    split = [split_line(line, language) for line in section.lines]
    lines = tuple(
        _analyze_line(line, syllables, valence)
        for line, syllables, valence in zip(section.lines, split, valences, strict=True)
    )
    return AnalyzedSection(
        section.kind, rhyme_scheme(split, language), lines, chords.numerals, chords.reason
    )


def _contexts(lines: Sequence[str]) -> list[str]:
    """Each line with its neighbor, which its mood is read from, too."""
    return [" / ".join(lines[max(0, min(i, len(lines) - 2)) :][:2]) for i in range(len(lines))]


def _mean_moods(readings: Sequence[MoodReading]) -> list[tuple[str, float]]:
    """Moods with their mean probabilities, the likeliest first."""
    totals: dict[str, float] = {}
    for reading in readings:
        for name, probability in reading.ranked:
            totals[name] = totals.get(name, 0.0) + probability / len(readings)
    return sorted(totals.items(), key=lambda item: -item[1])


def _analyze_line(line: str, syllables: tuple[Syllable, ...], valence: float) -> AnalyzedLine:
    return AnalyzedLine(
        line,
        tuple(s.text for s in syllables),
        tuple(s.stressed for s in syllables),
        round(valence, _DIGITS),
    )


def _chances(ranked: Sequence[tuple[str, float]]) -> tuple[Chance, ...]:
    return tuple(Chance(name, round(probability, _DIGITS)) for name, probability in ranked)
