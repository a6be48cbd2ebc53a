"""Phrases: exclusions, topics, times of day, totals, ranges, and what is impossible."""

from __future__ import annotations

import re
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
        ("no drums, piano and flute", "drums"),
        ("everything but drums: techno", "drums"),
        ("techno, tout sauf la batterie", "drums"),
        ("piano-less jazz", "piano"),
        ("weniger Schlagzeug, Rock", "drums"),
        ("swap the piano for a violin", "piano"),
        ("no drums or percussion or bass and add a flute", "drums, percussion, bass"),
        ("piano, not guitar", "guitar"),
        ("not piano but guitar", "piano"),
        ("Klavier, nicht Gitarre", "guitar"),
        ("violon, pas violoncelle", "cello"),
        ("guitarra pero no piano", "piano"),
        ("pianoforte, non chitarra", "guitar"),
        ("piano e não guitarra", "guitar"),
        ("gitaar, niet piano", "piano"),
        ("gitarr, inte piano", "piano"),
        ("gitara, nie fortepian", "piano"),
        ("гитара, не фортепиано", "piano"),
        ("gitar, piyano değil", "piano"),
        ("ピアノじゃない", "piano"),
    ],
)
def test_exclusions_are_read(words: Understand, text: str, excluded: str) -> None:
    assert words(text).request.without == excluded


def test_the_instruments_beside_an_exclusion_play(words: Understand) -> None:
    assert words("no drums, bass and guitar only").request.instruments == "only bass, guitar"
    assert words("metal but with piano instead of guitar").request.instruments == "piano"
    assert words("not only piano but guitar").request.instruments == "piano, guitar"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("not jazz but techno", ("techno",)),
        ("nicht Jazz sondern Techno", ("techno",)),
        ("no jazz sino techno", ("techno",)),
        ("inte jazz utan techno", ("techno",)),
        ("kein Walzer, sondern ein Tango", ("tango",)),
        ("üzgün olmayan caz", ("jazz",)),
    ],
)
def test_a_negation_ends_where_what_is_wished_begins(
    words: Understand, text: str, names: tuple[str, ...]
) -> None:
    found = words(text)
    assert found.styles == names
    assert found.request.meter is None


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("jazz, not in D minor", '"not D minor" is left out: say which key you want instead'),
        ("jazz, not in 3/4", '"not 3/4" is left out: say which meter you want instead'),
        ("jazz, not 120 bpm", '"not 120 bpm" is left out: say which tempo you want instead'),
    ],
)
def test_what_is_rejected_is_not_made(words: Understand, text: str, note: str) -> None:
    found = words(text)
    assert found.notes == (note,)
    assert not {"key", "meter", "tempo"} & found.sources.keys()


def test_all_instruments_but_one_are_excluded(words: Understand) -> None:
    assert words("no instruments other than harp").request.instruments == "only harp"
    assert words("without any instruments except piano").request.instruments == "only piano"


@pytest.mark.parametrize("text", ["no fast jazz", "keine schnellen Lieder", "nothing fast"])
def test_a_tempo_that_is_not_wanted_is_not_played(words: Understand, text: str) -> None:
    assert words(text).request.pace is None
    assert "say which tempo you want instead" in words(text).notes[-1]


def test_words_that_nothing_is_known_about_are_named(words: Understand) -> None:
    assert words("jazz like Zorbulon Krax").notes == ("not understood: Zorbulon, Krax",)


def test_styles_that_are_counted_one_by_one_are_said_to_be_blended(words: Understand) -> None:
    note = 'the styles are blended; "jazz | techno" makes songs of each'
    assert words("one jazz, one techno").notes == (note,)


def test_what_is_said_after_a_rejection_counts(words: Understand) -> None:
    assert words("jazz, not in 3/4 but in 5/4").request.meter == "5/4"


class _SadReader:
    """Takes everything for sad, and next for anxious."""

    def rank(self, text: str) -> list[tuple[str, float]]:
        return [("sad", 0.6), ("anxious", 0.4)]

    def known_words(self) -> frozenset[str]:
        return frozenset()


def test_a_mood_that_is_not_wanted_does_not_come_back(styles: dict[str, Style]) -> None:
    given = SongRequest("", length="")
    found = interpret("not sad, my cat sleeps", styles, given, _SadReader())
    assert found.styles == ("anxious",)
    assert interpret("nothing sad please", styles, given, _SadReader()).styles == ("chill",)


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
        ("13/17 jazz", '"13/17" is left out: no bar is that short or that long'),
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


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[units]\nminute = ["minuto"]', '[units] needs a number, not "minute"'),
        ('[tempo]\nsnail = ["slow"]', "[tempo] needs one of largo"),
        ('[meters]\nthree = ["waltz"]', "[meters] needs a time signature such as 3/4"),
        ('[instruments]\npiano = "klavier"', '"piano" in [instruments] needs a list of phrases'),
    ],
)
def test_an_invalid_row_of_a_word_list_is_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "xx.toml").write_text(text + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(f"xx.toml: {problem}")):
        load_lexicon(tmp_path)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("5 minutes in C major", "5"),
        ("5 Minuten in d-Moll", "5"),
        ("5 minutos en la menor", "5"),
        ("sad song in C minor, 2 minutes in length", "2"),
        ("8 hours of sleep music", "480"),
        ("jazz for the next 2 hours", "120"),
        ("1/2 hour jazz", "30"),
        ("3/4 of an hour of jazz", "45"),
        ("½ hour of jazz", "30"),
        ("一時間半のジャズ", "90"),
        ("punk, 30s", "0.5"),
        ("an hour of jazz", "60"),
    ],
)
def test_durations_are_lengths(words: Understand, text: str, length: str) -> None:
    found = words(text)
    assert found.request.length == length
    assert "meter" not in found.sources


@pytest.mark.parametrize(
    "text", ["2010s pop", "1910s ragtime", "early 1800s waltz", "I have been awake for 20 hours"]
)
def test_decades_and_times_past_are_no_lengths(words: Understand, text: str) -> None:
    assert words(text).request.length == ""


@pytest.mark.parametrize(
    ("text", "tempo"),
    [
        ("du techno à 120 bpm de 5 minutes", 120),
        ("120 bpm de techno", 120),
        ("120 bpm a ritmo di rock", 120),
        ("techno, one twenty bpm", 120),
        ("90 bpm'de vals", 90),
        ("techno @ 140", 140),
        ("jazz en si bemol a 160", 160),
        ("a song at 72", 72),
        ("jazz ♩=100", 100),
    ],
)
def test_words_after_bpm_do_not_hide_the_tempo(words: Understand, text: str, tempo: int) -> None:
    found = words(text)
    assert (found.request.tempo, found.songs) == (tempo, "")


@pytest.mark.parametrize(
    ("text", "songs"),
    [
        ("two elf songs in D minor", "2"),
        ("once again some love songs", ""),
        ("romantic sex songs", ""),
        ("two thousand jazz songs", "2000"),
        ("三曲のジャズ", "3"),
        ("十曲", "10"),
        ("three 20-second jingles", "3"),
        ("a dozen 30 second jingles", "12"),
    ],
)
def test_songs_are_counted_in_the_language_of_the_text(
    words: Understand, text: str, songs: str
) -> None:
    assert words(text).songs == songs


@pytest.mark.parametrize(
    "text", ["kick back and relax", "let it hang loose, funk", "jazz for coding in Java"]
)
def test_everyday_words_are_no_instruments_or_dances(words: Understand, text: str) -> None:
    found = words(text)
    assert found.request.instruments is None
    assert "meter" not in found.sources


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Em blues", "E minor"),
        ("jazz Bb", "Bb major"),
        ("f sharp", "F# major"),
        ("Lied in a", "A minor"),
        ("polonez w gis-moll", "G# minor"),
        ("変ト長調", "Gb major"),
    ],
)
def test_short_keys_are_read(words: Understand, text: str, key: str) -> None:
    assert words(text).request.key == key


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("jazz until 9", "09:00"),
        ("jazz fino alle 23", "23:00"),
        ("jazz hasta las 10", "10:00"),
        ("jazz until noon", "12:00"),
        ("Jazz, mach Schluss um 22:15 Uhr", "22:15"),
        ("джаз до полуночи", "00:00"),
    ],
)
def test_an_hour_without_a_unit_is_a_time(words: Understand, text: str, until: str) -> None:
    assert words(text).until == until


def test_a_french_chanson_is_only_a_song(words: Understand) -> None:
    assert words("une chanson rock en do majeur").styles == ("rock",)
    assert words("une chanson triste").styles == ("sad",)


def test_a_year_is_of_its_decade(words: Understand) -> None:
    assert words("a song in 1985 style").styles == ("synthwave",)


def test_a_tempo_option_is_read_in_every_language(words: Understand) -> None:
    assert words("jazz", pace="schnell").request.pace == "fast"
    assert words("jazz", pace="lento").request.pace == "slow"
