"""Decoding several texts in parallel."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from scripts.composer.grammar import build_sheet_grammar
from scripts.composer.prompts import build_abc_header, build_starter_header
from scripts.core.errors import Cancelled, ModelError
from scripts.llm.decoder import Decoder
from scripts.llm.decoding_plan import DecodingPlan
from scripts.llm.reply import Reply
from scripts.llm.sampling import Sampling
from scripts.llm.sheet_machine import SheetMachine
from scripts.request.spec import SongSpec
from scripts.score.abc_reader import read_abc
from tests.conftest import STARTER

Write = Callable[..., Reply]


def in_one_batch(sequences: int) -> DecodingPlan:
    return DecodingPlan(1, 1, sequences, 1, 1)


@pytest.fixture
def write(spec: Callable[..., SongSpec]) -> Write:
    song_spec = spec("pop", key="C major", length="0.5")

    def write(
        decoder: Decoder,
        *seeds: int,
        report: Callable[[float, str], None] = print,
        cancelled: Callable[[], bool] = bool,
    ) -> Reply:
        prompt = decoder.tokenize(build_starter_header(song_spec), False, True)
        found = decoder.write(
            prompt,
            SheetMachine(build_sheet_grammar(song_spec)),
            "pop",
            [Sampling(0.9, seed=n) for n in seeds],
            report,
            cancelled,
        )
        for text in found.texts:
            assert (
                tuple(map(len, read_abc(build_abc_header(song_spec) + text).parts))
                == song_spec.parts
            )
        return found

    return write


def test_more_texts_than_sequences_are_written_in_turns(write: Write) -> None:
    progress: list[float] = []
    found = write(
        Decoder(STARTER, 2048, in_one_batch(3)),
        *range(7),
        report=lambda done, text: progress.append(done),
    )
    assert len(found.texts) == len({*found.texts}) == 7
    assert progress == sorted(progress)
    assert 0 < progress[0] < 0.4 < progress[-1] < 1
    assert found.tokens >= 7 * 30
    assert found.seconds > 0


def test_a_text_does_not_depend_on_earlier_texts(write: Write) -> None:
    decoder = Decoder(STARTER, 2048, in_one_batch(3))
    first = write(decoder, 1, 2, 3).texts
    write(decoder, 7, 8)
    assert write(decoder, 1, 2, 3).texts == first
    assert write(Decoder(STARTER, 2048, in_one_batch(3)), 1, 2, 3).texts == first


def test_parallel_sequences_do_not_affect_each_other(write: Write) -> None:
    """One after another and in parallel sequences, the texts are the same."""
    assert (
        write(Decoder(STARTER, 2048, in_one_batch(1)), 1, 2, 3).texts
        == write(Decoder(STARTER, 2048, in_one_batch(3)), 1, 2, 3).texts
    )


def test_a_context_that_is_too_small_is_reported(write: Write) -> None:
    with pytest.raises(ModelError, match="context of 60 tokens is full"):
        write(Decoder(STARTER, 60, in_one_batch(2)), 1, 2)
    with pytest.raises(ModelError, match="does not fit the model's context of 20"):
        write(Decoder(STARTER, 20, in_one_batch(2)), 1, 2)


def test_writing_can_be_cancelled(write: Write) -> None:
    with pytest.raises(Cancelled):
        write(Decoder(STARTER, 2048, in_one_batch(2)), 1, 2, cancelled=lambda: True)


def test_several_contexts_write_the_same_texts_as_one(write: Write) -> None:
    side_by_side = DecodingPlan(1, 2, 1, 1, 2)
    assert (
        write(Decoder(STARTER, 2048, side_by_side), 1, 2, 3).texts
        == write(Decoder(STARTER, 2048, in_one_batch(1)), 1, 2, 3).texts
    )


def test_logits_do_not_depend_on_the_number_of_threads(
    random_model: Callable[[str], Path],
) -> None:
    path, found = random_model("llama-spm"), []
    for threads in (1, 2, 3, 4):
        decoder = Decoder(path, 2048, DecodingPlan.single(threads))
        context = decoder._contexts[0]
        logits = [context.decode_prompt(range(100, 700)).copy()]
        logits += [context.decode({0: [token]})[0].copy() for token in range(200, 230)]
        found.append(np.array(logits))
    assert all(np.array_equal(found[0], other) for other in found[1:])


def test_threads_share_a_machine_that_is_new_to_all(spec: Callable[..., SongSpec]) -> None:
    """Many threads ask a machine for the same states at the same time, as contexts do."""
    grammar = build_sheet_grammar(spec("jazz", length="1"))
    alone = accepted_text(SheetMachine(grammar))
    for _ in range(10):
        machine = SheetMachine(grammar)
        with ThreadPoolExecutor(8) as pool:
            found = [*pool.map(accepted_text, [machine] * 8)]
        assert found == [alone] * 8


def accepted_text(machine: SheetMachine) -> str:
    """The text of the last character in each state's alphabet."""
    state, text = machine.start(), ""
    while not machine.is_complete(state):
        char = max(c for c in machine.possible_chars(state) if machine.step(state, c) is not None)
        after = machine.step(state, char)
        assert after is not None
        state, text = after, text + char
    return text
