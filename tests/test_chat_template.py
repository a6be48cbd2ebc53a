"""Chat templates of models: what they render, and what hostile ones cannot do."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.core.errors import ModelError
from scripts.core.system import process_memory
from scripts.llm.chat import ModelProfile, build_chat_prompt
from scripts.llm.chat_template import MAX_OUTPUT_BYTES, render_chat_template
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import DecodingPlan
from tests.conftest import VOCABS
from tests.support.random_models import write_random_model

CHAT = (
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<bot>{% endif %}"
)
HOSTILE = {
    "division by zero": ("{{ 1/0 }}", "ZeroDivisionError"),
    "a recursive macro": ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "RecursionError"),
    "a million rounds": (
        "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
        "takes longer than 2 s",
    ),
    "three gigabytes": ('{{ "a" * 3000000000 }}', "needs more than 128 MB"),
    "doubling": (
        "{% set n = namespace(s='aa') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}"
        "{% endfor %}",
        "needs more than 128 MB",
    ),
    "a wide field": ('{{ "%999999999d" % 1 }}', "needs more than 128 MB"),
    "long output": ("{% for a in range(90000) %}aaaaaaaa{% endfor %}", "writes more than 64 kB"),
    "a number that takes long": ("{{ 10 ** 200000000 }}", "takes longer than 2 s"),
    "half a character": ("{{ '\\ud800' }}", "writes text that is not valid Unicode"),
    "a long template": ("a" * 300_000, "longer than 262,144 characters"),
}  # fmt: skip

ModelWithTemplate = Callable[[str], Path]


@pytest.fixture
def model_with_template(tmp_path: Path) -> ModelWithTemplate:
    """Writes a model with small random weights and a chat template; returns its path."""

    def make(template: str) -> Path:
        path = tmp_path / "stranger.gguf"
        vocabulary = VOCABS / "ggml-vocab-llama-spm.gguf"
        write_random_model(vocabulary, path, chat_template=template)
        return path

    return make


def test_a_chat_template_of_the_file_is_used() -> None:
    rendered = render_chat_template(CHAT, "Hello", "<s>", "</s>")
    prompt = build_chat_prompt("Hello", "X:1\n", ModelProfile(), rendered, "<s>")
    assert prompt.text == "<s><user>Hello<bot>X:1\n"
    assert not prompt.bos
    assert prompt.special


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ raise_exception('no system message') }}",
        "{{ messages[1].content }}",
        "{% generation %}",
        "{{ messages + 1 }}",
    ],
)
def test_a_template_that_cannot_be_used_is_left_out(template: str) -> None:
    assert render_chat_template(template, "Hello", "", "") == ""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_one_line_that_names_the_model(
    name: str, model_with_template: ModelWithTemplate
) -> None:
    template, reason = HOSTILE[name]
    with ModelProcess(model_with_template(template), 256, DecodingPlan.single(1)) as model:
        model.context  # noqa: B018  # loads it
        before, started = process_memory(model.pid), time.monotonic()
        with pytest.raises(ModelError) as error:
            model.render_chat_template("Hello")
    assert str(error.value).startswith("stranger.gguf: ")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
    assert time.monotonic() - started < 15
    assert before < 300 << 20


def test_a_model_renders_its_template_in_its_own_process(
    model_with_template: ModelWithTemplate,
) -> None:
    with ModelProcess(model_with_template(CHAT), 256, DecodingPlan.single(1)) as model:
        assert model.render_chat_template("Hello") == "<s><user>Hello<bot>"
        assert len(model.render_chat_template("a" * 60_000)) < MAX_OUTPUT_BYTES


def test_a_hostile_model_fails_its_songs_and_the_other_orders_go_on(
    model_with_template: ModelWithTemplate,
    home: Path,
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    model_with_template("{{ 1/0 }}").rename(home / "models" / "stranger.gguf")
    jobs = home / "jobs.csv"
    jobs.write_text(
        "styles,songs,length,model\njazz,2,0.2,stranger\npop,1,0.2,starter\n", encoding="utf-8"
    )
    made = run("generate", "--job-file", str(jobs), "--json")
    assert made.returncode == 1
    events = [json.loads(line) for line in made.stdout.splitlines()]
    reasons = [e["reason"] for e in events if e["event"] == "failed"]
    assert (
        reasons
        == [
            "stranger.gguf: its chat template fails (ZeroDivisionError: division by zero); "
            "choose another model"
        ]
        * 2
    )
    assert len(list((home / "output").glob("*.mp3"))) == 1
    resumed = run("generate", "--resume")
    assert "Traceback" not in resumed.stderr
    assert "there is no unfinished order to resume" in resumed.stderr
