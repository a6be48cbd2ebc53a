"""A chat model suggests what a request leaves open, through a JSON grammar."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.batch.suggester import (
    Suggester,
    apply_suggestions,
    find_suggester,
    open_choices,
)
from scripts.core import paths
from scripts.core.settings import Settings
from scripts.llm.chat import ModelProfile
from scripts.llm.gguf_file import read_language_model
from scripts.llm.object_machine import ObjectMachine
from scripts.request.interpret.interpret import interpret
from scripts.request.interpret.interpretation import SAID, SUGGESTED, Interpretation
from scripts.request.interpret.mood_head import MoodReading
from scripts.request.request import SongRequest
from scripts.styles.moods import load_moods
from scripts.styles.style import Style
from tests.conftest import STARTER, VOCABS
from tests.support.random_models import write_random_model

Understand = Callable[[str], Interpretation]
CHAT_TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}<assistant>"


@pytest.fixture
def understand(styles: dict[str, Style]) -> Understand:
    return lambda text: interpret(text, styles, SongRequest("", length=""))


@pytest.fixture(scope="module")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("models") / "chatty.gguf"
    write_random_model(VOCABS / "ggml-vocab-llama-bpe.gguf", path, chat_template=CHAT_TEMPLATE)
    yield path


FIELDS = {"mood": ("sad", "happy"), "tempo": ("slow", 'a "quoted" word'), "lead": ("piano",)}


@given(st.randoms(use_true_random=False))
def test_whatever_a_model_writes_is_one_of_the_objects(rng) -> None:  # type: ignore[no-untyped-def]
    machine = ObjectMachine(FIELDS)
    state, text = machine.start(), ""
    while not machine.is_complete(state):
        char = rng.choice(sorted(machine.possible_chars(state)))
        following = machine.step(state, char)
        assert following is not None
        state, text = following, text + char
    found = json.loads(text)
    assert list(found) == list(FIELDS)
    assert all(found[name] in values for name, values in FIELDS.items())


def test_other_characters_are_refused() -> None:
    machine = ObjectMachine(FIELDS)
    assert machine.step(machine.start(), "x") is None
    assert machine.step(machine.start(), "{") is not None


def test_a_random_chat_model_fills_what_is_open(
    chat_model: Path, styles: dict[str, Style], understand: Understand
) -> None:
    info = read_language_model(chat_model)
    suggester = Suggester(info, ModelProfile(), 1, styles, paths.DATA)
    before = understand("xqzt blorptang in D minor")
    after = suggester.suggest(before)
    assert after.request.key == "D minor"
    assert after.sources["key"].origin == SAID
    assert after.sources["styles"].origin == SUGGESTED
    assert set(after.styles) <= styles.keys()


def test_what_was_said_is_not_asked(styles: dict[str, Style], understand: Understand) -> None:
    choices = open_choices(understand("blorptang, slow, tuba, loud"), styles)
    assert list(choices) == ["style"]
    assert open_choices(understand("Chill, Dubstep"), styles) == {}
    assert open_choices(understand("sad piano waltz, slow"), styles) == {}


def test_what_is_excluded_is_not_offered(styles: dict[str, Style], understand: Understand) -> None:
    choices = open_choices(understand("something for my garden party without piano"), styles)
    assert "flute" in choices["lead"]
    assert not {"piano", "electric piano"} & set(choices["lead"])


def test_notes_about_what_was_said_stay(understand: Understand) -> None:
    before = understand("blorptang at 999 bpm")
    after = apply_suggestions(before, {"style": "jazz"})
    assert after.notes == (
        '"999 bpm" is left out: a tempo is 20 to 300 bpm',
        "suggested: jazz",
    )


def test_suggestions_are_marked_and_can_leave_a_field_open(understand: Understand) -> None:
    before = understand("sad song for the train")
    answer = {"tempo": "slow", "energy": "any", "lead": "cello"}
    after = apply_suggestions(before, answer)
    assert (after.request.pace, after.request.energy) == ("slow", None)
    assert after.request.instruments == "cello"
    assert after.sources["tempo"].origin == SUGGESTED
    assert "energy" not in after.sources
    assert after.notes[-1] == "suggested: slow, cello"


def test_only_a_chat_model_of_the_users_own_is_asked(
    home: Path, chat_model: Path, styles: dict[str, Style]
) -> None:
    def find(settings: Settings, model: str = "") -> Suggester | None:
        return find_suggester(settings, model, styles, home / "models", paths.DATA)

    assert find(Settings()) is None
    assert find(Settings(model=STARTER.name)) is None
    (home / "models" / "chatty.gguf").symlink_to(chat_model)
    assert find(Settings(model="chatty.gguf"))
    assert find(Settings(writer="chatty.gguf"))
    assert find(Settings(), "chatty")
    assert find(Settings(model="chatty.gguf", suggestions=False)) is None
    assert find(replace(Settings(), model="missing.gguf")) is None


def test_a_chat_model_chooses_among_the_three_likeliest_moods(
    chat_model: Path, styles: dict[str, Style]
) -> None:
    moods = load_moods(paths.DATA / "moods.toml")
    ranked = tuple((name, 1 / 12) for name in moods)
    suggester = Suggester(read_language_model(chat_model), ModelProfile(), 1, styles, paths.DATA)
    reading = MoodReading(ranked, 0.0, 0.5)
    chosen = suggester.choose_mood('they said "well done"', reading, moods)
    assert chosen in [name for name, _ in ranked[:3]]
    first = reading.with_first(chosen)
    assert first.mood == chosen
    assert sorted(first.ranked) == sorted(ranked)
