"""Sentences are understood: what was said is in the request, in six languages and more."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.batch.interpreter import Interpreter
from scripts.core.errors import ModelError, UsageError
from scripts.request.build import build_spec
from scripts.request.interpret.interpret import MAX_TEXT_LENGTH, interpret
from scripts.request.interpret.interpretation import DEFAULT, SAID, UNDERSTOOD, Interpretation
from scripts.request.interpret.lexicon import load_lexicon
from scripts.request.interpret.plan import describe_plan, plan_to_json
from scripts.request.interpret.tokens import tokenize
from scripts.request.request import SongRequest
from scripts.styles.style import Style
from tests.support.sentences import SENTENCES, STYLES, score_sentences

SENTENCE_FILES = ("known.jsonl", "kept.jsonl", "later.jsonl", "unseen.jsonl")
Understand = Callable[..., Interpretation]
NOTHING_GIVEN = SongRequest("", length="")


@pytest.fixture(scope="module")
def interpreter(styles: dict[str, Style]) -> Iterator[Interpreter]:
    with Interpreter(styles) as found:
        yield found


@pytest.fixture
def words(styles: dict[str, Style]) -> Understand:
    """Understands sentences by their words alone."""

    def understand(text: str, **options: Any) -> Interpretation:
        return interpret(text, styles, SongRequest("", length="", **options))

    return understand


# -- the sentences ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", SENTENCE_FILES)
def test_98_percent_of_what_sentences_say_is_in_the_request(
    interpreter: Interpreter, name: str
) -> None:
    scores = score_sentences(SENTENCES / name, interpreter)
    said = [score.is_right for score in scores if score.field != STYLES]
    assert len(said) > 200
    assert sum(said) / len(said) >= 0.98


@pytest.mark.parametrize("name", SENTENCE_FILES)
def test_90_percent_of_sentences_get_an_acceptable_style(
    interpreter: Interpreter, name: str
) -> None:
    scores = score_sentences(SENTENCES / name, interpreter)
    chosen = [score.is_right for score in scores if score.field == STYLES]
    assert len(chosen) > 140
    assert sum(chosen) / len(chosen) >= 0.9


# -- keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("sad song in D minor", "D minor"),
        ("valse en ré mineur", "D minor"),
        ("Walzer in d-Moll", "D minor"),
        ("vals en re menor", "D minor"),
        ("valzer in re minore", "D minor"),
        ("valsa em ré menor", "D minor"),
        ("Walzer in H-Dur", "B major"),
        ("Walzer in B-Dur", "Bb major"),
        ("Lied in fis-Moll", "F# minor"),
        ("Es-Dur, Marsch", "Eb major"),
        ("swing in B-flat", "Bb major"),
        ("swing in Bb major", "Bb major"),
        ("a tune in E lydian", "E lydian"),
        ("jazz in F#m", "F# minor"),
        ("C# harmonic minor metal", "C# harmonic minor"),
        ("mi bémol majeur, harpe", "Eb major"),
        ("en fa dièse mineur", "F# minor"),
        ("sol sostenido menor", "G# minor"),
        ("do diesis minore", "C# minor"),
        ("lá bemol maior", "Ab major"),
        ("Jazz in F", "F major"),
        ("folk in a minor key", "minor"),
        ("modo dorico", "dorian"),
    ],
)
def test_a_key_is_read_in_every_naming(words: Understand, text: str, key: str) -> None:
    assert words(text).request.key == key


@pytest.mark.parametrize(
    "text",
    [
        "only a minor setback, we fight on",
        "it was a major event",
        "la mayor de mis hijas baila",
        "en la noche",
        "mi casa es tu casa",
        "il re è morto",
        "a song about the sea",
        "ich bin am Ende",
    ],
)
def test_an_article_is_no_key(words: Understand, text: str) -> None:
    assert words(text).request.key is None


# -- numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tempo"),
    [
        ("140 bpm techno", 140),
        ("one hundred and ten beats per minute", 110),
        ("à 96 à la noire", 96),
        ("tempo 72", 72),
        ("128 battiti al minuto", 128),
        ("techno mit hundertzwanzig bpm", 120),
    ],
)
def test_a_tempo_in_numbers_is_read(words: Understand, text: str, tempo: float) -> None:
    assert words(text).request.tempo == tempo


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("3:30 of jazz", "3.5"),
        ("jazz, 90 seconds", "1.5"),
        ("jazz for 1h30", "90"),
        ("01:30 of ambient", "90"),
        ("two and a half minutes of pop", "2.5"),
        ("une demi-heure de jazz", "30"),
        ("eine Viertelstunde Jazz", "15"),
        ("anderthalb Stunden Jazz", "90"),
        ("un minuto e mezzo di jazz", "1.5"),
        ("jazz, 2 min 35", "155s"),
        ("4-6 minutes of jazz", "4-6"),
    ],
)
def test_a_length_is_read(words: Understand, text: str, length: str) -> None:
    assert words(text).request.length == length


@pytest.mark.parametrize(
    "text",
    [
        "two years ago we met",
        "in an hour I have an exam",
        "pop from the 90s",
        "for my 3 kids",
        "tengo 40 años",
        "il y a deux heures",
    ],
)
def test_other_numbers_are_no_wish(words: Understand, text: str) -> None:
    found = words(text)
    assert not {"length", "tempo", "songs", "meter"} & found.sources.keys()


@pytest.mark.parametrize(
    ("text", "songs"),
    [
        ("five songs of jazz", "5"),
        ("a dozen love songs", "12"),
        ("une douzaine de morceaux", "12"),
        ("3 reggaeton tracks", "3"),
        ("zwanzig Lieder", "20"),
        ("keep going until I stop", "endless"),
        ("musique sans fin", "endless"),
        ("Endlosmusik zum Schlafen", "endless"),
        ("a song", ""),
    ],
)
def test_the_number_of_songs_is_read(words: Understand, text: str, songs: str) -> None:
    assert words(text).songs == songs


@pytest.mark.parametrize(
    ("text", "meter"),
    [
        ("6/8 jig", "6/8"),
        ("something in seven-eight time", "7/8"),
        ("à trois temps", "3/4"),
        ("im Fünfvierteltakt", "5/4"),
        ("compás de cinco por cuatro", "5/4"),
        ("in sei ottavi", "6/8"),
    ],
)
def test_a_meter_is_read(words: Understand, text: str, meter: str) -> None:
    assert words(text).request.meter == meter


@pytest.mark.parametrize(
    "text",
    [
        "treurige wals in d klein",
        "smutny walc w d-moll",
        "грустный вальс в ре миноре",
        "sorglig vals i d-moll",
    ],
)
def test_other_languages_are_understood_too(words: Understand, text: str) -> None:
    found = words(text)
    assert set(found.styles) == {"sad", "waltz"}
    assert found.request.key == "D minor"


def test_an_exclusion_may_follow_the_instrument(words: Understand) -> None:
    assert words("ピアノなしのジャズ").request.without == "piano"


@pytest.mark.parametrize("seed", range(12))
def test_a_sad_waltz_is_in_three(words: Understand, styles: dict[str, Style], seed: int) -> None:
    for text in ("sad waltz", "techno waltz", "valse triste"):
        request = replace(words(text).request, length="3")
        assert str(build_spec(request, styles, seed).meter) == "3/4"


# -- instruments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "instruments", "without"),
    [
        ("sad piano waltz", "piano", None),
        ("piano solo, no drums", "only piano", "drums"),
        ("just guitar and flute", "only guitar, flute", None),
        ("jazz without drums, bass or piano", None, "drums, bass, piano"),
        ("pop sans batterie ni basse, avec piano", "piano", "drums, bass"),
        ("Rock ohne Schlagzeug, mit Geige", "violin", "drums"),
        ("nur Klavier", "only piano", None),
        ("cuarteto de cuerdas", "string quartet", None),
        ("fanfara, senza batteria", "brass band", "drums"),
        ("rock with a guitar solo", "guitar", None),
        ("instrumental rock", None, "vocals"),
        ("acoustic gutar and clarnet", "acoustic guitar, clarinet", None),
        ("fit as a fiddle", None, None),
        ("me siento solo", None, None),
    ],
)
def test_instruments_and_exclusions_are_read(
    words: Understand, text: str, instruments: str | None, without: str | None
) -> None:
    request = words(text).request
    assert (request.instruments, request.without) == (instruments, without)


# -- styles and moods ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Chill, Dubstep", ("chill", "dubstep")),
        ("jazz", ("jazz",)),
        ("épique médiéval", ("film", "celtic")),
        ("not sad, jazz", ("jazz",)),
        ("regae", ("reggae",)),
        ("80s", ("synthwave",)),
        ("rock from the 80s", ("rock",)),
        ("string quartet", ("classical",)),
        ("ジャズ", ("jazz",)),
        ("fast", ("euphoric",)),
    ],
)
def test_styles_are_read(words: Understand, text: str, names: tuple[str, ...]) -> None:
    assert words(text).styles == names


def test_a_list_of_styles_stays_as_it_is_written(words: Understand) -> None:
    request = words("Chill, Dubstep").request
    assert request == SongRequest("Chill, Dubstep", length="")


def test_a_style_that_the_program_lacks_is_called_a_guess(words: Understand) -> None:
    found = words("reggaeton")
    assert found.styles == ("cumbia",)
    assert found.notes == ("reggaeton: nearest is cumbia",)


def test_a_feeling_is_understood(interpreter: Interpreter) -> None:
    found = interpreter.interpret("my grandmother died last night", NOTHING_GIVEN)
    assert found.styles[0] in ("sad", "nostalgic")
    source = found.sources["styles"]
    assert source.origin == UNDERSTOOD
    assert 0.15 <= source.confidence <= 1


def test_a_mood_is_understood_beside_a_style_that_is_said(interpreter: Interpreter) -> None:
    found = interpreter.interpret("jazz, my heart is broken and I cry", NOTHING_GIVEN)
    assert found.styles == ("jazz", "sad")
    assert found.sources["mood"].origin == UNDERSTOOD


@pytest.mark.parametrize("text", ["asdf qwer", "blorptang frobnicate", "xqzt 0x3f"])
def test_gibberish_is_said_to_be_unknown(interpreter: Interpreter, text: str) -> None:
    found = interpreter.interpret(text, NOTHING_GIVEN)
    assert found.sources["styles"].origin == DEFAULT
    assert found.unknown
    assert "not understood" in found.notes[0]


# -- precedence ------------------------------------------------------------------------------


def test_an_option_takes_precedence_over_the_sentence(words: Understand) -> None:
    found = words("jazz in D minor, 140 bpm", key="F major", pace="slow")
    assert (found.request.key, found.request.tempo, found.request.pace) == ("F major", None, "slow")
    assert found.sources["key"].origin == SAID


def test_without_an_embedding_model_words_are_still_understood(styles: dict[str, Style]) -> None:
    class BrokenReader:
        def rank(self, text: str) -> list[tuple[str, float]]:
            raise ModelError("x.gguf: it is broken")

        def known_words(self) -> frozenset[str]:
            return frozenset()

        def close(self) -> None:
            pass

    interpreter = Interpreter(styles)
    interpreter._reader = BrokenReader()  # type: ignore[assignment]
    found = interpreter.interpret("the cat sleeps, in D minor", NOTHING_GIVEN)
    assert found.request.key == "D minor"
    assert "broken" in interpreter.problem


# -- the plan --------------------------------------------------------------------------------


def test_the_plan_says_in_one_line_how_a_sentence_was_understood(
    interpreter: Interpreter, styles: dict[str, Style]
) -> None:
    found = interpreter.interpret("sad piano waltz in D minor, slow", NOTHING_GIVEN)
    spec = build_spec(found.request, styles, 1)
    line = describe_plan(found, spec, 1, 8)
    assert line.startswith(f"sad + waltz, D minor, 3/4, about {spec.tempo:.0f} bpm, piano lead; ")
    assert line.endswith("1 song of 3:00, about 8 s")


def test_the_plan_as_json_has_the_source_of_every_field(
    interpreter: Interpreter, styles: dict[str, Style]
) -> None:
    found = interpreter.interpret("sad piano waltz in D minor, slow", NOTHING_GIVEN)
    data = plan_to_json(found, build_spec(found.request, styles, 1), 1, 8)
    assert data["key"] == "D minor"
    assert data["meter"] == "3/4"
    assert data["mood"] == "tristesse"
    assert data["instruments"] == ["piano"]
    assert data["fields"]["key"] == {"from": "said", "words": "D minor", "confidence": 1.0}
    assert data["fields"]["length"]["from"] == "default"


# -- hostile texts ---------------------------------------------------------------------------

HOSTILE = st.one_of(
    st.text(max_size=600),
    st.text(alphabet="0123456789:/.,-h s min#b'\"", max_size=80),
    st.lists(
        st.sampled_from(
            ["no", "without", "in", "a", "A", "minor", "b", "flat", "only", "solo", "piano", "3",
             "120", "bpm", "hz", "432", "minutes", "and", "half", ",", "sans", "ohne", "senza",
             "la", "mayor", "7/8", "3:30", "1h30", "songs", "waltz", "or", "not", "d-Moll", "90s",
             "\x1b[31m", "\u202e", "😀", "جاز", "ジャズ", "endless", "intro", "verse", "--", "*"]
        ),
        max_size=30,
    ).map(" ".join),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(HOSTILE)
def test_any_text_is_understood_or_rejected_in_one_line(
    styles: dict[str, Style], text: str
) -> None:
    try:
        found = interpret(text, styles, NOTHING_GIVEN)
    except UsageError as error:
        assert str(error).isprintable()
        return
    assert 1 <= len(found.styles) <= 4
    shown = [found.request.text, found.request.styles, *found.unknown, *found.notes]
    assert all(line.isprintable() for line in shown)


def test_a_long_text_is_rejected_at_once(styles: dict[str, Style]) -> None:
    started = time.monotonic()
    with pytest.raises(UsageError, match="too long"):
        interpret("sad waltz " * 1000, styles, NOTHING_GIVEN)
    assert time.monotonic() - started < 1


def test_a_full_text_of_negations_takes_no_time(styles: dict[str, Style]) -> None:
    text = ("no drums, " * 60)[:MAX_TEXT_LENGTH]
    assert interpret(text, styles, NOTHING_GIVEN).request.without == "drums"


# -- the word lists --------------------------------------------------------------------------


def test_every_word_list_is_valid(styles: dict[str, Style]) -> None:
    lexicon = load_lexicon()
    assert {"de", "en", "es", "fr", "it", "pt"} <= set(lexicon.languages)
    for table in ("styles", "moods", "eras", "nearest"):
        values = {m.value for found in lexicon.phrases.values() for m in found if m.table == table}
        names = {name for value in values for name in value.split(", ")}
        assert names <= styles.keys()


def test_words_are_found_with_and_without_accents_and_case(words: Understand) -> None:
    for text in ("ÉPIQUE", "epique", "Épique"):
        assert words(text).styles == ("film",)


def test_umlauts_may_be_written_with_two_letters(words: Understand) -> None:
    assert words("Floete").request.instruments == words("Flöte").request.instruments == "flute"


def test_tokens_cover_the_text() -> None:
    rng = random.Random(4)
    for _ in range(200):
        text = "".join(rng.choice(string.printable + "éñ楽しい") for _ in range(30))
        for token in tokenize(text):
            assert 0 <= token.start < token.end <= len(text)
