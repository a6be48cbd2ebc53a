"""Models whose path a build of llama.cpp cannot open."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from scripts.core.cpu import NO_AVX_MESSAGE
from scripts.core.errors import ModelError
from scripts.llm import decoder
from scripts.llm.decoding_plan import DecodingPlan
from tests.conftest import STARTER


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "Größe 音楽"
    folder.mkdir()
    shutil.copy(STARTER, folder / "starter.gguf")
    shutil.copy(STARTER, folder / "stück.gguf")
    return folder


def limit_paths_to_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make llama.cpp open ASCII paths only, as some builds for Windows do."""
    real = decoder.llama_cpp.Llama

    def load(model_path: str, **options: Any) -> Any:
        if not model_path.isascii():
            raise ValueError(f"Failed to load model from file: {model_path}")
        return real(model_path=model_path, **options)

    monkeypatch.setattr(decoder.llama_cpp, "Llama", load)


def test_a_model_in_a_folder_with_a_non_ascii_name_is_opened(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_paths_to_ascii(monkeypatch)
    working_folder = Path.cwd()
    loaded = decoder.Decoder(model_folder / "starter.gguf", 64, DecodingPlan.single(1))
    assert loaded.vocabulary_size > 100
    assert Path.cwd() == working_folder


def test_a_model_whose_own_name_is_not_ascii_is_reported(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_paths_to_ascii(monkeypatch)
    with pytest.raises(ModelError, match="plain letters"):
        decoder.Decoder(model_folder / "stück.gguf", 64, DecodingPlan.single(1))


def test_a_missing_processor_instruction_is_reported_while_loading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(**_: Any) -> Any:
        raise OSError("[WinError -1073741795] Windows Error 0xc000001d")

    monkeypatch.setattr(decoder.llama_cpp, "Llama", load)
    with pytest.raises(ModelError, match="AVX") as caught:
        decoder.Decoder(STARTER, 64, DecodingPlan.single(1))
    assert str(caught.value) == NO_AVX_MESSAGE
