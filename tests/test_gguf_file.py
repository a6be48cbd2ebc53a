"""Reading GGUF metadata, and rejecting files that are not language models."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.core.errors import ModelError
from scripts.llm.gguf_file import read_gguf, read_language_model
from scripts.llm.registry import find_model, list_models
from tests.conftest import ROOT, STARTER, VOCABS


def test_the_metadata_of_the_starter_model_is_read() -> None:
    info = read_language_model(STARTER)
    assert info.architecture == "llama"
    assert info.quantization == "Q8_0"
    assert 4_000_000 < info.parameters < 16_000_000
    assert info.file_bytes <= 16 * 1024 * 1024


def test_a_text_file_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "notes.gguf"
    path.write_text("Dear diary, " * 10)
    with pytest.raises(ModelError, match="not a GGUF file"):
        read_language_model(path)


def test_an_embedding_model_is_rejected() -> None:
    with pytest.raises(ModelError, match="embedding model"):
        read_language_model(VOCABS / "ggml-vocab-bert-bge.gguf")


@pytest.mark.parametrize("fraction", [0.0001, 0.01, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_reported_as_truncated(tmp_path: Path, fraction: float) -> None:
    data = STARTER.read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(data[: int(len(data) * fraction)])
    with pytest.raises(ModelError, match="truncated"):
        read_language_model(path)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=12),
    cut=st.integers(0, 60_000),
)
def test_a_damaged_header_is_rejected_quickly(
    tmp_path: Path, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(STARTER.read_bytes()[:60_000])
    for at, value in changes:
        data[at] = value
    path = tmp_path / "damaged.gguf"
    path.write_bytes(bytes(data[:cut]))
    started = time.monotonic()
    with pytest.raises(ModelError):
        read_language_model(path)
    assert time.monotonic() - started < 5


def test_a_missing_model_is_reported_with_the_models_found(home: Path) -> None:
    with pytest.raises(ModelError, match=r"no model .*starter.gguf"):
        find_model("nothing-like-it", home / "models")
    with pytest.raises(ModelError, match="none"):
        find_model("", home)


def test_bad_files_are_listed_with_their_problem(home: Path) -> None:
    (home / "models" / "bad.gguf").write_text("no")
    entries = {e.path.name: e for e in list_models(home / "models", ROOT / "data/models.toml")}
    assert entries["starter.gguf"].roles == ("composer",)
    assert "not a GGUF" in entries["bad.gguf"].problem


def test_a_random_model_is_a_language_model(random_model: Callable[[str], Path]) -> None:
    assert read_gguf(random_model("llama-spm")).architecture == "llama"


@pytest.mark.parametrize("name", ["general.alignment", "general.file_type", "llama.context_length"])
@pytest.mark.parametrize("value", ["many", float("nan"), float("inf"), -7.0, True])
def test_a_metadata_value_of_the_wrong_type_is_ignored(
    tmp_path: Path, name: str, value: object
) -> None:
    path = tmp_path / "odd.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("llama")
    writers = {str: writer.add_string, float: writer.add_float64, bool: writer.add_bool}
    writers[type(value)](name, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert read_language_model(path).architecture == "llama"
