"""The reader: an embedding model that finds the style or mood of a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.errors import ModelError
from scripts.llm.gguf_file import read_token_texts
from scripts.llm.reader import EmbeddingProcess, Reader, find_reader, open_reader
from scripts.llm.reader_file import format_classifier, load_classifier
from scripts.request.interpret.meaning import NOTHING, MeaningClassifier, fit_classifier
from tests.conftest import ROOT, STARTER, VOCABS


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    found = open_reader()
    assert found
    yield found
    found.close()


@pytest.mark.parametrize(
    ("sentence", "moods"),
    [
        ("my dog died yesterday", {"sad", "nostalgic"}),
        ("wir haben das Spiel gewonnen!", {"victorious", "euphoric"}),
        ("quelqu'un marche derrière moi dans le noir", {"suspense", "panic", "anxious"}),
        ("un beso bajo la luna", {"romantic", "dreamy"}),
        ("le vecchie foto di quando ero bambino", {"nostalgic"}),
        ("deitado na rede sem fazer nada", {"relaxed", "chill"}),
        ("я очень скучаю по тебе", {"sad", "romantic", "nostalgic"}),
    ],
)
def test_a_sentence_is_nearest_to_its_mood(reader: Reader, sentence: str, moods: set[str]) -> None:
    assert reader.rank(sentence)[0][0] in moods


@pytest.mark.parametrize("text", ["qwrtz plmkn", "vbnghjt", "blorptang frobnicate", "0x7fa3 zzkt"])
def test_gibberish_asks_for_no_music(reader: Reader, text: str) -> None:
    assert reader.rank(text)[0][0] == NOTHING


def test_probabilities_add_up_to_one(reader: Reader) -> None:
    ranked = reader.rank("a quiet evening")
    assert sum(p for _, p in ranked) == pytest.approx(1, abs=1e-4)
    assert [p for _, p in ranked] == sorted((p for _, p in ranked), reverse=True)


def test_a_long_text_is_cut_off_at_the_context(reader: Reader) -> None:
    assert reader.rank("rain " * 2000)


def test_known_words_are_words_of_many_languages(reader: Reader) -> None:
    assert {"house", "horse", "maison", "haus", "noche"} <= reader.known_words()
    assert not {"gutar", "clarnet", "relaxente"} & reader.known_words()


def test_the_shipped_classifier_belongs_to_the_shipped_phrases(reader: Reader) -> None:
    assert load_classifier(ROOT / "models" / "reader.meanings", reader.fingerprint)


def test_a_language_model_is_no_reader(tmp_path: Path) -> None:
    (tmp_path / "starter.gguf").symlink_to(STARTER)
    assert find_reader((tmp_path,)) is None


def test_any_embedding_model_can_be_the_reader(tmp_path: Path) -> None:
    (tmp_path / "starter.gguf").symlink_to(STARTER)
    (tmp_path / "other.gguf").symlink_to(VOCABS / "ggml-vocab-bert-bge.gguf")
    found = find_reader((tmp_path, ROOT / "models"), "other")
    assert found
    assert found.path.name == "other.gguf"


def test_a_model_without_weights_is_an_error_in_one_line() -> None:
    with (
        EmbeddingProcess(VOCABS / "ggml-vocab-bert-bge.gguf", "", 1) as process,
        pytest.raises(ModelError, match="ggml-vocab-bert-bge"),
    ):
        process.embed(["hello"])


def test_other_phrases_are_learned_at_the_first_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phrases = tmp_path / "meanings.toml"
    phrases.write_text(
        '[sad]\nen = ["I cry", "tears fall", "she left me"]\n'
        '[metal]\nen = ["loud engines", "steel and fire", "hammers on iron"]\n',
        encoding="utf-8",
    )
    monkeypatch.setattr("scripts.core.paths.READER_CACHE", tmp_path / "cache")
    info = find_reader((ROOT / "models",))
    assert info
    for _ in range(2):  # the second one reads what the first one stored
        reader = Reader(info, phrases)
        assert reader.rank("I cry, tears fall")[0][0] == "sad"
        reader.close()
    assert len(list((tmp_path / "cache").iterdir())) == 1


def make_classifier() -> MeaningClassifier:
    rng = np.random.default_rng(1)
    centers = {"a": rng.normal(size=8), "b": rng.normal(size=8), "c": rng.normal(size=8)}
    labels = [name for name in centers for _ in range(20)]
    vectors = np.stack([centers[name] + 0.2 * rng.normal(size=8) for name in labels])
    return fit_classifier(vectors.astype(np.float32), labels)


def test_a_classifier_is_read_as_it_was_written(tmp_path: Path) -> None:
    classifier, path = make_classifier(), tmp_path / "x.meanings"
    path.write_text(format_classifier(classifier, "mark"), encoding="utf-8")
    found = load_classifier(path, "mark")
    assert found
    vector = np.ones(8, dtype=np.float32)
    assert found.rank(vector) == classifier.rank(vector)
    assert load_classifier(path, "another mark") is None


@given(data=st.binary(max_size=300), at=st.integers(0, 600))
def test_a_damaged_classifier_is_not_used(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int
) -> None:
    path = tmp_path_factory.mktemp("classifier") / "x.meanings"
    whole = format_classifier(make_classifier(), "mark").encode()
    path.write_bytes(whole[:at] + data + whole[at + len(data) + 1 :])
    found = load_classifier(path, "mark")
    assert found is None or len(found.bias) == len(found.labels)


def test_the_vocabulary_of_a_model_is_read() -> None:
    tokens = read_token_texts(VOCABS / "ggml-vocab-llama-spm.gguf")
    assert len(tokens) == 32_000
    assert "▁music" in tokens
