"""Phrases: exclusions, topics, times of day, totals, ranges, and what is impossible."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UsageError
from scripts.request.interpret.interpret import interpret
from scripts.request.interpret.interpretation import Interpretation
from scripts.request.interpret.lexicon import load_lexicon
from scripts.request.request import SongRequest
from scripts.styles.style import Style

Understand = Callable[..., Interpretation]


@pytest.fixture
def words(styles: dict[str, Style]) -> Understand:
    """Understands sentences by their words alone."""

    def understand(text: str, **options: Any) -> Interpretation:
        return interpret(text, styles, SongRequest("", length="", **options))

    return understand


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("jazz, leave the drums out", "drums"),
        ("rock, don't use drums", "drums"),
        ("rock, piano and drums left out", "drums, piano"),
        ("jazz with piano and without bass", "bass"),
        ("mit Klavier und ohne Bass Jazz", "bass"),
        ("Jazz, das Schlagzeug bitte weglassen", "drums"),
        ("un reggae, gli ottoni lasciali perdere", "brass"),
        ("tres boleros, la batería fuera", "drums"),
        ("techno, es soll niemand singen", "vocals"),
        ("jazz, ninguém cantando", "vocals"),
        ("techno, personne ne chante", "vocals"),
        ("no drums, bass and guitar only", "drums"),
    ],
)
def test_exclusions_are_read(words: Understand, text: str, excluded: str) -> None:
    assert words(text).request.without == excluded


def test_the_instruments_beside_an_exclusion_play(words: Understand) -> None:
    assert words("no drums, bass and guitar only").request.instruments == "only bass, guitar"
    assert words("metal but with piano instead of guitar").request.instruments == "piano"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a pop song about a drummer boy and his piano", ("pop",)),
        ("une chanson pop qui parle d'un piano", ("pop",)),
        ("ein Popsong über eine Gitarre im Regen", ("pop",)),
    ],
)
def test_what_a_song_is_about_does_not_play(
    words: Understand, text: str, names: tuple[str, ...]
) -> None:
    found = words(text)
    assert found.request.instruments is None
    assert found.styles == names


def test_an_instrument_after_the_topic_plays(words: Understand) -> None:
    assert words("a pop song about a girl, with piano").request.instruments == "piano"


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("play jazz until midnight", "00:00"),
        ("ambient, bis 23 Uhr 30", "23:30"),
        ("ambient until 8 pm", "20:00"),
        ("du jazz jusqu'à 22h30", "22:30"),
        ("jazz hasta las 9 de la noche", "21:00"),
    ],
)
def test_songs_go_on_until_the_time_that_is_said(words: Understand, text: str, until: str) -> None:
    found = words(text)
    assert (found.songs, found.until) == ("endless", until)
    assert not found.request.length


@pytest.mark.parametrize("text", ["I'm awake since 3:30, jazz", "Jazz, wir feiern ab 19:30 Uhr"])
def test_a_time_of_day_is_no_length(words: Understand, text: str) -> None:
    found = words(text)
    assert not found.request.length
    assert not found.songs


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("an hour of jazz in 20 songs", "3"),
        ("10 songs of jazz, one hour in total", "6"),
        ("zehn Lieder Jazz, insgesamt eine Stunde", "6"),
        ("between 3 and 4 minutes of jazz", "3-4"),
        ("de 3 à 4 minutes de jazz", "3-4"),
    ],
)
def test_totals_and_ranges_are_read(words: Understand, text: str, length: str) -> None:
    assert words(text).request.length == length


@pytest.mark.parametrize(("text", "tempo"), [("techno 120", 120), ("jazz at 90", 90)])
def test_a_bare_number_after_a_style_is_its_tempo(
    words: Understand, text: str, tempo: float
) -> None:
    assert words(text).request.tempo == tempo


@pytest.mark.parametrize("text", ["rock 80", "Reggae, ich fahre 130", "jazz for 90 people"])
def test_other_bare_numbers_are_no_tempo(words: Understand, text: str) -> None:
    assert words(text).request.tempo is None


@pytest.mark.parametrize("text", ["twelve-bar blues in E", "12 bar blues", "a three-part fugue"])
def test_numbers_of_bars_and_voices_are_no_numbers_of_songs(words: Understand, text: str) -> None:
    assert not words(text).songs


def test_all_night_is_endless_only_where_music_is_played(words: Understand) -> None:
    assert words("play jazz all night long").songs == "endless"
    assert not words("it has been raining all night long, jazz").songs


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("jazz 500 bpm", '"500 bpm" is left out: a tempo is 20 to 300 bpm'),
        ("jazz 100 hours", '"100 hours" is left out: a song lasts 10 seconds to 24 hours'),
        ("20000 songs of jazz", '"20000 songs" is left out: an order has 1 to 10,000 songs'),
        ("13/17 jazz", '"13/17" is left out: it is no possible meter'),
        ("not sad", "no style or mood was said; using chill"),
    ],
)
def test_what_is_impossible_is_noted(words: Understand, text: str, note: str) -> None:
    assert words(text).notes == (note,)


@pytest.mark.parametrize(
    ("text", "songs", "names"),
    [
        ("fünf Countrylieder mit Banjo", "5", ("country",)),
        ("etwas mit Reggaegitarre", "", ("reggae",)),
        ("vijf jazzliedjes", "5", ("jazz",)),
    ],
)
def test_compound_words_are_split(
    words: Understand, text: str, songs: str, names: tuple[str, ...]
) -> None:
    found = words(text)
    assert (found.songs, found.styles) == (songs, names)


def test_a_younger_daughter_is_no_key(words: Understand) -> None:
    assert words("Mi hija, la menor, quiere jazz").request.key is None
    assert words("jazz, la menor, piano").request.key == "A minor"


@pytest.mark.parametrize("styles_text", ["jazz", "jazz with strings"])
def test_options_are_read_in_every_language(words: Understand, styles_text: str) -> None:
    found = words(styles_text, key="d-Moll", instruments="nur Klavier", without="Schlagzeug, basse")
    request = found.request
    assert (request.key, request.instruments) == ("D minor", "only piano")
    assert request.without == "drums, bass"


def test_a_word_list_with_an_invalid_number_is_named(tmp_path: Path) -> None:
    (tmp_path / "xx.toml").write_text('[units]\nminute = ["minuto"]\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r'xx\.toml: "minute" in \[units\] is no number'):
        load_lexicon(tmp_path)
