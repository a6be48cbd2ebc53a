"""Feelings: what a sentence says about one, and the song, light and narration that answer it."""

from __future__ import annotations

import json
import random
import string
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import fastjsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.arranger.density import suit_arousal
from scripts.arranger.patterns import load_patterns
from scripts.batch.interpreter import Interpreter
from scripts.composer.narrations import choose_narration
from scripts.core import paths
from scripts.core.errors import SetupError
from scripts.lights.show_file import load_show
from scripts.llm.gguf_file import read_gguf
from scripts.llm.mood_adapter import _parse_head, format_head, load_head
from scripts.llm.reader import Reader, find_reader, open_reader
from scripts.llm.sentence_machine import SentenceMachine
from scripts.production.mood_reply import MoodReply, build_reply, reply_schema, usual_lighting
from scripts.request.affect import energy_of, follow_feeling
from scripts.request.build import build_spec
from scripts.request.feeling import Feeling
from scripts.request.interpret.mood_head import MoodHead
from scripts.request.mood_history import MoodHistory, load_history, save_history, tint
from scripts.request.request import SongRequest
from scripts.request.request_json import request_from_json, request_to_json
from scripts.score.keys import SCALES
from scripts.score.time_signature import parse_time_signature
from scripts.styles.moods import load_moods
from scripts.styles.style import Style
from tests.conftest import ROOT

MOODS = load_moods(paths.DATA / "moods.toml")
NARRATIONS = paths.DATA / "narrations"
LANGUAGES = ("en", "fr", "de", "es", "it", "pt")
_CHARACTERS = string.printable + "\u00e9\u00df\u0416\u6f22\u0000"
_WORDS = (
    *("I", "we", "nous", "ich", "yo", "feel", "lost", "won", "rain", "\u5b50", "\U0001f600"),
    *("\u200b\u202e", "{}", '";', "DROP", "--", "\x1b[31m", "../"),
)
DETAILS = {
    "title": "A",
    "styles": ["happy"],
    "key": "C major",
    "meter": "4/4",
    "tempo": 120.0,
    "length": 180.0,
    "seed": 1,
    "model": "m",
}


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    found = open_reader()
    assert found
    yield found
    found.close()


@pytest.fixture(scope="module")
def interpreter(styles: dict[str, Style]) -> Iterator[Interpreter]:
    with Interpreter(styles) as found:
        yield found


@pytest.mark.parametrize(
    ("sentence", "mood"),
    [
        ("Je me sens joyeux ce matin et je veux une ambiance solaire", "bonnehumeur"),
        ("I wonder how this old clock works, let's take it apart", "curiosite"),
        ("Feierabend, Badewanne, Kerzen, endlich Ruhe", "detente"),
        ("¡nos vamos de fiesta y no paro de saltar, qué subidón!", "euphorie"),
        ("sdraiato sul prato a guardare le stelle, la mente che vola via", "reverie"),
        ("ganhamos o campeonato, somos campeões!", "victoire"),
        ("my boss humiliated me in front of everyone, I could smash something", "colere"),
        ("j'attends les résultats du médecin et je n'en dors plus", "inquietude"),
        ("Omas alte Küche, der Geruch von damals, als wir Kinder waren", "nostalgie"),
        ("¡fuego, no encuentro la salida, no puedo respirar!", "panique"),
        ("passi nel corridoio buio, qualcuno gira piano la maniglia", "suspense"),
        ("ela foi embora e a casa ficou vazia", "tristesse"),
    ],
)
def test_a_sentence_is_read_as_its_mood(reader: Reader, sentence: str, mood: str) -> None:
    reading = reader.read_mood(sentence)
    assert reading
    assert reading.mood == mood
    assert (reading.valence > 0) == (MOODS[mood].valence > 0) or abs(MOODS[mood].valence) < 0.2


def test_probabilities_of_moods_add_up_to_one(reader: Reader) -> None:
    reading = reader.read_mood("a quiet evening")
    assert reading
    assert {name for name, _ in reading.ranked} == MOODS.keys()
    assert sum(p for _, p in reading.ranked) == pytest.approx(1)


def test_reading_a_mood_leaves_the_styles_as_they_are(reader: Reader) -> None:
    before = reader.rank("walking home in the rain")
    reader.read_mood("walking home in the rain")
    assert reader.rank("walking home in the rain") == before


def test_another_embedding_model_has_no_moods(tmp_path: Path) -> None:
    (tmp_path / "reader.gguf").symlink_to(ROOT / "models" / "reader.gguf")
    info = find_reader((tmp_path,))
    assert info
    assert Reader(info, paths.DATA / "meanings.toml").read_mood("a sad day") is None


def test_an_adapter_for_another_model_is_not_used(tmp_path: Path) -> None:
    for name in ("reader.gguf", "reader.moods"):
        (tmp_path / name).symlink_to(ROOT / "models" / name)
    info = read_gguf(tmp_path / "reader.gguf")
    assert load_head(info)
    assert load_head(replace(info, name="Other")) is None


@given(st.text(max_size=300) | st.binary(max_size=100).map(lambda b: b.decode("latin-1")))
def test_a_damaged_head_is_refused(text: str) -> None:
    with pytest.raises((ValueError, msgspec.MsgspecError)):
        _parse_head(text)


def test_a_head_is_read_as_it_was_written(reader: Reader) -> None:
    head = load_head(reader.info)
    assert head
    again = _parse_head(format_head(head))
    assert isinstance(again, MoodHead)
    assert (again.weights == head.weights).all()


# -- the request ----------------------------------------------------------------------------


def test_a_feeling_takes_its_way_by_itself(interpreter: Interpreter) -> None:
    found = interpreter.interpret("ich hab heute Liebeskummer", SongRequest(""))
    feeling = found.request.feeling
    assert feeling
    assert (feeling.mood, feeling.language) == ("tristesse", "de")
    assert feeling.valence < -0.3


def test_a_style_is_no_feeling(interpreter: Interpreter) -> None:
    assert interpreter.interpret("Chill, Dubstep", SongRequest("")).request.feeling is None
    assert interpreter.interpret("jazz in D minor", SongRequest("")).request.feeling is None


def test_mood_takes_any_sentence_as_a_feeling(interpreter: Interpreter) -> None:
    text = "jazz, my old dog died and the house is empty"
    found, reading = interpreter.interpret_mood(text, SongRequest(""))
    assert found.styles == ("jazz", "sad")
    assert found.request.feeling
    assert found.request.feeling.mood == reading.mood == "tristesse"


def test_a_mood_that_is_named_wins(interpreter: Interpreter) -> None:
    found, _ = interpreter.interpret_mood("happy music, we lost the final", SongRequest(""))
    assert found.request.feeling
    assert found.request.feeling.mood == "bonnehumeur"


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("I can't breathe, the walls are coming closer", "panique"),
        ("my heart is heavy since he left", "tristesse"),
        ("coffee shop on sunday morning", "bonnehumeur"),
    ],
)
def test_a_feeling_in_the_menu_is_understood_as_with_mood(
    interpreter: Interpreter, text: str, mood: str
) -> None:
    found = interpreter.interpret(text, SongRequest(""))
    told, _ = interpreter.interpret_mood(text, SongRequest(""))
    assert found.request.feeling == told.request.feeling
    assert found.request.feeling
    assert found.request.feeling.mood == mood
    assert found.styles == told.styles == (MOODS[mood].style,)


@pytest.mark.parametrize(
    ("text", "mood"), [("I am not sad at all", "tristesse"), ("I don't feel happy", "bonnehumeur")]
)
def test_a_mood_that_is_denied_is_not_taken(interpreter: Interpreter, text: str, mood: str) -> None:
    found, reading = interpreter.interpret_mood(text, SongRequest(""))
    assert found.denied_styles == (MOODS[mood].style,)
    assert found.request.feeling
    assert found.request.feeling.mood != mood
    assert sum(probability for _, probability in reading.ranked) == pytest.approx(1)


def test_moods_without_a_reader_say_what_is_missing(
    styles: dict[str, Style], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.batch.interpreter.open_reader", lambda name: None)
    with Interpreter(styles) as found, pytest.raises(SetupError, match=r"reader\.moods"):
        found.interpret_mood("a sad day", SongRequest(""))


def test_a_request_with_a_feeling_is_read_as_it_was_written() -> None:
    request = SongRequest("sad", feeling=Feeling("tristesse", -0.5, 0.2, "fr"))
    assert request_from_json(json.loads(json.dumps(request_to_json(request)))) == request


@given(st.floats(-1, 1), st.floats(0, 1), st.sampled_from(sorted(MOODS)))
def test_arousal_makes_faster_and_valence_brighter(
    valence: float, arousal: float, mood: str
) -> None:
    from scripts.styles.style import read_style

    style = read_style(paths.DATA / "styles" / f"{MOODS[mood].style}.toml")
    found = follow_feeling(style, Feeling(mood, valence, arousal))
    calm = follow_feeling(style, Feeling(mood, valence, 0.0))
    unpleasant = follow_feeling(style, Feeling(mood, -1.0, arousal))
    assert 20 <= calm.tempo[0] <= found.tempo[0] <= found.tempo[1] <= 300
    pairs = zip(unpleasant.mastering.spectrum, found.mastering.spectrum, strict=True)
    assert all(dark <= level for dark, level in pairs)
    assert _share_of_major(unpleasant) <= _share_of_major(found) + 1e-9
    assert abs(energy_of(Feeling(mood, valence, arousal))) <= 0.2


def _share_of_major(style: Style) -> float:
    major = sum(w for name, w in style.scales.items() if 4 in SCALES[name].intervals)
    return major / sum(style.scales.values())


@pytest.mark.parametrize("mood", sorted(set(MOODS) - {"colere"}))  # which repeats a riff
def test_calm_feelings_have_sparser_patterns_than_excited_ones(
    mood: str, styles: dict[str, Style]
) -> None:
    patterns, meter = load_patterns(paths.DATA / "grooves"), parse_time_signature("4/4")
    assert meter
    tracks = styles[MOODS[mood].style].tracks

    def strokes(arousal: float) -> float:
        chords = suit_arousal(tracks, patterns, meter, arousal)["chords"].patterns
        assert set(chords) <= set(tracks["chords"].patterns)
        bars = [bar for name in chords for bar in patterns.bars("chords", name, meter)]
        return sum(c not in ".-" for bar in bars for c in bar) / len(bars)

    assert strokes(0.1) <= strokes(0.5) <= strokes(0.9)
    assert strokes(0.1) < strokes(0.9)


def test_what_was_said_wins_over_the_feeling(styles: dict[str, Style]) -> None:
    feeling = Feeling("euphorie", 0.9, 1.0)
    request = SongRequest("euphoric", tempo=70.0, key="A minor", energy="low", feeling=feeling)
    spec = build_spec(request, styles, 1)
    assert (spec.tempo, str(spec.key)) == (70.0, "A minor")
    assert spec.energy < 0


# -- narrations -------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_mood_has_many_narrations(language: str) -> None:
    for mood in MOODS:
        found = {
            choose_narration(Feeling(mood, 0, 0.5, language), seed, NARRATIONS)
            for seed in range(20)
        }
        assert len(found) == 20
        assert all(10 < len(text) <= 160 for text in found)


def test_a_narration_never_comes_twice_in_a_row() -> None:
    feeling, before = Feeling("detente", 0.5, 0.2, "it"), ""
    for seed in [*range(150), *[7] * 10]:
        found = choose_narration(feeling, seed, NARRATIONS, before)
        assert found != before
        before = found


def test_other_languages_have_english_narrations() -> None:
    feeling = Feeling("detente", 0.5, 0.2, "pl")
    english = Feeling("detente", 0.5, 0.2, "en")
    assert choose_narration(feeling, 1, NARRATIONS) == choose_narration(english, 1, NARRATIONS)


def test_the_last_songs_are_remembered(tmp_path: Path) -> None:
    path, feeling = tmp_path / "moods.json", Feeling("detente", 0.5, 0.2)
    assert load_history(path) == MoodHistory()
    for n in range(9):
        save_history(path, load_history(path).with_song(f"Ambre {n}.", feeling))
    assert load_history(path).narration == "Ambre 8."
    assert len(load_history(path).feelings) == 5


@given(st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_a_damaged_history_counts_as_none(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scripts.request.mood_history.read_input", lambda path, limit: data)
        assert isinstance(load_history(Path("x")), MoodHistory)


def test_nights_are_calmer_summers_brighter_and_songs_like_those_before() -> None:
    feeling = Feeling("bonnehumeur", 0.6, 0.5)
    noon = tint(feeling, datetime(2026, 4, 1, 12), MoodHistory())
    assert noon == feeling
    assert tint(feeling, datetime(2026, 4, 1, 23), MoodHistory()).arousal < 0.5
    assert tint(feeling, datetime(2026, 7, 1, 12), MoodHistory()).valence > 0.6
    sad = MoodHistory("", ((-0.8, 0.1),) * 5)
    after = tint(feeling, datetime(2026, 4, 1, 12), sad)
    assert 0.35 < after.valence < 0.6
    assert after.arousal < 0.5


@given(st.randoms(use_true_random=False))
def test_a_sentence_of_a_model_can_always_go_on_or_end(rng: random.Random) -> None:
    machine = SentenceMachine(80)
    state = machine.start()
    while not machine.is_complete(state):
        allowed = [c for c in machine.possible_chars(state) if machine.step(state, c)]
        assert allowed, state.text
        found = machine.step(state, rng.choice(allowed))
        assert found
        state = found
    assert 30 <= len(state.text) <= 80
    assert state.text[0].isupper()
    assert "  " not in state.text


# -- the answer -------------------------------------------------------------------------------


def answer(text: str, reader: Reader) -> MoodReply:
    reading = reader.read_mood(text)
    assert reading
    feeling = Feeling(reading.mood, round(reading.valence, 3), round(reading.arousal, 3))
    return build_reply(
        feeling,
        reading.ranked,
        Path("/songs/a \u00e9.mp3"),
        {**DETAILS, "narration": choose_narration(feeling, 1, NARRATIONS)},
        usual_lighting(MOODS[reading.mood], reading.arousal),
    )


def test_the_schema_is_that_of_the_answer() -> None:
    stored = json.loads((paths.DATA / "mood.schema.json").read_text(encoding="utf-8"))
    assert stored == reply_schema()


def fuzzed_texts(count: int) -> Iterator[str]:
    rng = random.Random(17)
    for _ in range(count):
        letters = "".join(rng.choices(_CHARACTERS, k=rng.randrange(1, 40)))
        yield rng.choice((letters, " ".join(rng.choices(_WORDS, k=rng.randrange(1, 12)))))


def test_answers_to_fuzzed_texts_are_valid(reader: Reader) -> None:
    validate = fastjsonschema.compile(reply_schema())
    for text in fuzzed_texts(300):
        validate(json.loads(msgspec.json.encode(answer(text, reader))))


@pytest.mark.slow
def test_answers_to_ten_thousand_fuzzed_texts_are_valid(reader: Reader) -> None:
    for text in fuzzed_texts(10_000):
        msgspec.json.decode(msgspec.json.encode(answer(text, reader)), type=MoodReply)


@pytest.mark.slow
def test_mood_prints_one_object_and_makes_the_song(
    run: Callable[..., subprocess.CompletedProcess[str]], home: Path
) -> None:
    done = run("mood", "Je me sens joyeux ce matin", "--length", "0.3", "--json")
    assert done.returncode == 0, done.stderr
    reply = msgspec.json.decode(done.stdout, type=MoodReply)
    assert reply.track.mood_id == "bonnehumeur"
    (song,) = (home / "output").glob("*.mp3")
    assert reply.track.preview_uri == song.as_uri()
    show = load_show(song)
    assert show
    assert show.mood == "bonnehumeur"
    assert sum(step.duration for step in reply.lighting) == pytest.approx(18, abs=0.1)


@pytest.mark.slow
def test_two_songs_of_a_feeling_have_different_narrations(
    run: Callable[..., subprocess.CompletedProcess[str]], home: Path
) -> None:
    run("generate", "ich hab heute Liebeskummer", "--songs", "3", "--length", "0.2", "--seed", "5")
    songs = [path.with_suffix(".json") for path in (home / "output").glob("*.mp3")]
    details = sorted(
        (json.loads(p.read_text()) for p in songs), key=lambda d: d["recipe"]["number"]
    )
    assert len(details) == 3
    assert all(a["narration"] != b["narration"] for a, b in pairwise(details))


def _number(details: dict[str, dict[str, int]]) -> int:
    return details["recipe"]["number"]
