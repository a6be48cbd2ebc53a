"""Models whose path a build of llama.cpp cannot open."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from scripts.core.cpu import NO_AVX
from scripts.core.errors import ModelError
from scripts.llm import decoder
from tests.conftest import STARTER


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "Größe 音楽"
    folder.mkdir()
    shutil.copy(STARTER, folder / "starter.gguf")
    shutil.copy(STARTER, folder / "stück.gguf")
    return folder


def of_its_code_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """llama.cpp as some builds for Windows are: only plain letters in what it is given."""
    real = decoder.llama_cpp.Llama

    def load(model_path: str, **more: Any) -> Any:
        if not model_path.isascii():
            raise ValueError(f"Failed to load model from file: {model_path}")
        return real(model_path=model_path, **more)

    monkeypatch.setattr(decoder.llama_cpp, "Llama", load)


def test_a_model_in_a_folder_of_other_letters_is_opened_from_within(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_its_code_page(monkeypatch)
    here = Path.cwd()
    assert decoder.Decoder(place / "starter.gguf", 64, 1).vocabulary_size > 100
    assert Path.cwd() == here


def test_a_model_whose_own_name_cannot_be_opened_is_told(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_its_code_page(monkeypatch)
    with pytest.raises(ModelError, match="plain letters"):
        decoder.Decoder(place / "stück.gguf", 64, 1)


def test_an_instruction_that_the_processor_lacks_is_told_while_loading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(**_: Any) -> Any:
        raise OSError("[WinError -1073741795] Windows Error 0xc000001d")

    monkeypatch.setattr(decoder.llama_cpp, "Llama", load)
    with pytest.raises(ModelError, match="AVX") as caught:
        decoder.Decoder(STARTER, 64, 1)
    assert str(caught.value) == NO_AVX
