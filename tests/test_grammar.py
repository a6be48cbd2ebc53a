"""The sheet grammar: every text that it allows is a sheet with exact bars, in its key."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.composer.grammar import build_sheet_grammar
from scripts.composer.prompts import build_abc_header
from scripts.core import paths
from scripts.llm.sheet_machine import SheetGrammar, SheetMachine, max_sheet_length
from scripts.llm.state_machines import ChoiceMachine, StateMachine, TitleMachine, TitleState
from scripts.llm.vocabulary import TokenMasks, Vocabulary
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec
from scripts.score.abc_reader import read_abc
from scripts.score.sheet import scale_share
from scripts.styles.style import load_styles

CHARACTERS = [chr(c) for c in range(32, 127)] + ["\n"]
STYLES = load_styles(paths.DATA / "styles")


def generate_text(machine: StateMachine, rng: random.Random, max_length: int) -> str:
    """Generate a random text that the state machine allows."""
    state, out = machine.start(), []
    while not machine.is_complete(state):
        choices = [c for c in CHARACTERS if machine.step(state, c) is not None]
        assert choices, f"dead end after {''.join(out)!r}"
        assert {*choices} <= {*machine.possible_chars(state)}
        char = rng.choice(choices)
        state = machine.step(state, char)
        out.append(char)
        assert len(out) <= max_length
    return "".join(out)


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(STYLES)),
    st.integers(0, 10_000),
    st.sampled_from(["2/4", "3/4", "4/4", "6/8", "5/4", "7/8", "9/8", "11/8"]),
    st.sampled_from(
        [
            None,
            "C major",
            "F# minor",
            "Bb dorian",
            "E phrygian",
            "A blues",
            "D harmonic minor",
            "Ab lydian",
            "C# mixolydian",
            "G minor pentatonic",
        ]
    ),
)
def test_random_text_under_the_grammar_is_a_valid_sheet(
    style: str, seed: int, meter: str, key: str | None
) -> None:
    spec = build_spec(SongRequest(style, key=key, meter=meter), STYLES, seed)
    grammar = build_sheet_grammar(spec)
    text = generate_text(SheetMachine(grammar), random.Random(seed), max_sheet_length(grammar))
    sheet = read_abc(build_abc_header(spec) + text)
    assert tuple(len(p) for p in sheet.parts) == spec.parts
    assert all(bar.ticks == spec.meter.bar_ticks for bar in sheet.bars)
    assert all(bar.chords and bar.chords[0][0] == 0 for bar in sheet.bars)
    if not spec.style.melody.chromatic:
        from dataclasses import replace

        assert scale_share(replace(sheet, key=spec.key)) == 1.0


def test_the_last_note_is_the_tonic_and_lasts_at_least_a_quarter(
    spec: Callable[..., SongSpec],
) -> None:
    chosen = spec("pop", key="G major")
    for seed in range(30):
        text = generate_text(SheetMachine(build_sheet_grammar(chosen)), random.Random(seed), 10_000)
        last = read_abc(build_abc_header(chosen) + text).bars[-1].notes[-1]
        assert last.pitch is not None
        assert last.pitch % 12 == 7
        assert last.ticks >= 24


def test_requested_chords_are_written(spec: Callable[..., SongSpec]) -> None:
    chosen = spec("rock", key="F minor", chords="Fm Db Ab Eb")
    text = generate_text(SheetMachine(build_sheet_grammar(chosen)), random.Random(1), 10_000)
    symbols = [
        b.chords[0][1].symbol(chosen.key) for b in read_abc(build_abc_header(chosen) + text).bars
    ]
    assert symbols == ["Fm", "Db", "Ab", "Eb"] * 4


def test_without_syncopation_no_note_starts_off_the_beat_and_crosses_it() -> None:
    grammar = SheetGrammar(
        (4, 4), (8,), ("C", "D", "E"), ("C",), (12, 24, 36, 48), ("C",), ("C",), syncopation=False
    )
    for seed in range(100):
        text = generate_text(SheetMachine(grammar), random.Random(seed), 5000)
        for bar in read_abc("X:1\nM:4/4\nL:1/8\nK:C\n" + text).bars:
            at = 0
            for note in bar.notes:
                if at % 24:
                    assert at + note.ticks <= (at // 24 + 1) * 24
                at += note.ticks


def test_a_grammar_survives_serialization_to_json(spec: Callable[..., SongSpec]) -> None:
    import json

    grammar = build_sheet_grammar(spec("jazz"))
    assert SheetGrammar.from_json(json.loads(json.dumps(grammar.to_json()))) == grammar


@pytest.mark.parametrize("seed", range(100))
def test_titles_are_plain_words(seed: int) -> None:
    title = generate_text(TitleMachine(40), random.Random(seed), 50)
    assert title.endswith("\n")
    assert 4 <= len(title.strip()) <= 40
    assert "  " not in title
    words = title.split()
    assert all(word[0].isupper() for word in words)
    assert words[-1] not in ("The", "Of", "In")


def write_title(text: str) -> bool:
    """Whether `text` is a whole title."""
    machine = TitleMachine(40)
    state: TitleState | None = machine.start()
    for char in text + "\n":
        state = machine.step(state, char) if state else None
    return state is not None and machine.is_complete(state)


@given(st.data())
def test_a_title_can_always_go_on_or_end(data: st.DataObject) -> None:
    machine = TitleMachine(40)
    state, words = machine.start(), ("You're ", "Jam ", "It's ", "The ", "Rain ", "Don't ", "A ")
    while not machine.is_complete(state):
        allowed = [c for c in machine.possible_chars(state) if machine.step(state, c)]
        assert allowed, state.text
        word = data.draw(st.sampled_from(words)) if state.text[-1:] in ("", " ") else ""
        for char in word or data.draw(st.sampled_from(sorted(allowed))):
            after = machine.step(state, char)
            if after is None:
                break
            state = after


@pytest.mark.parametrize("title", ["Blue Sky", "I Never Let Go", "Lover's Lane", "Out In The Rain"])
def test_titles_that_people_write_are_accepted(title: str) -> None:
    assert write_title(title)


@pytest.mark.parametrize(
    "title",
    [
        "blue Sky",
        "Blue  Sky",
        "Rain On The",
        "The Drummer's",
        "Jam Jam",
        "Joy",
        "X",
        "Its'way",
        "A1",
    ],
)
def test_unfinished_and_repeated_words_are_no_titles(title: str) -> None:
    assert not write_title(title)


def test_a_choice_is_one_of_the_list() -> None:
    text = generate_text(ChoiceMachine(("rock", "rocket")), random.Random(1), 10)
    assert text in ("rock\n", "rocket\n")


def test_only_tokens_that_fit_completely_are_allowed() -> None:
    machine = ChoiceMachine(("abc", "abd"))
    vocabulary = Vocabulary([b"a", b"ab", b"abc", b"abcd", b"b", b"abc\n", b"", b"\xff", b"abd"])
    assert list(vocabulary.allowed_tokens(machine, machine.start())) == [0, 1, 2, 5, 8]


def test_equal_cache_keys_allow_equal_tokens(spec: Callable[..., SongSpec]) -> None:
    """Masks are cached by key; an incomplete key would allow wrong tokens."""
    machine = SheetMachine(build_sheet_grammar(spec("jazz")))
    pieces = [c.encode() for c in CHARACTERS] + [
        b'"|',
        b"|\n",
        b"e2",
        b"e2e2",
        b'2|"',
        b"||\n",
        b'"E',
        b"|]",
        b'|\n"',
        b"(3",
        b"-|",
    ]
    vocabulary = Vocabulary(pieces)
    masks = TokenMasks(vocabulary, machine)
    for seed in range(6):
        rng, state = random.Random(seed), machine.start()
        while not machine.is_complete(state):
            allowed = vocabulary.allowed_tokens(machine, state)
            assert list(masks(state)) == list(allowed)
            for char in pieces[int(rng.choice(list(allowed)))].decode():
                state = machine.step(state, char)
