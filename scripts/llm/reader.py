"""The reader: an embedding model that tells which style or mood a sentence means."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from scripts.core import paths
from scripts.core.atomic_files import write_text
from scripts.core.child import ChildProcess
from scripts.core.errors import ModelError, StorageError
from scripts.core.toml import read_tables
from scripts.llm.chat import load_model_profile
from scripts.llm.genre_file import genres_beside, load_genres
from scripts.llm.gguf_file import (
    EMBEDDING_ARCHITECTURES,
    GgufInfo,
    read_gguf,
    read_token_texts,
)
from scripts.llm.model_client import ModelClient
from scripts.llm.mood_adapter import adapter_beside, load_head
from scripts.llm.reader_file import format_classifier, load_classifier
from scripts.lyrics.genre import GenreHead, join_features, stanzas
from scripts.lyrics.lyrics import Lyrics
from scripts.request.interpret.meaning import MeaningClassifier, Vectors, fit_classifier
from scripts.request.interpret.mood_head import MoodHead, MoodReading
from scripts.request.interpret.tokens import fold

READER_FILE = "reader.gguf"
_WORKER = "scripts.llm.embedding_worker"
_TIMEOUT = 60.0  # seconds for one request
_TEXTS_PER_REQUEST = 64
_WORD_START = "▁"  # of a SentencePiece token
_MIN_KNOWN_LENGTH = 4  # letters; shorter words are not corrected
_log = logging.getLogger(__name__)


class EmbeddingProcess(ModelClient):
    """An embedding model in a process of its own; a context manager.

    Parameters
    ----------
    path : Path
    prefix : str
        Text that the model expects before each text.
    threads : int
    adapter : Path, optional
        LoRA weights for the model.
    """

    def __init__(
        self,
        path: Path,
        prefix: str,
        threads: int,
        adapter: Path | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(path, ChildProcess(_WORKER), _TIMEOUT, cancelled)
        self._prefix = prefix
        self._child.send(
            {
                "op": "load",
                "path": str(path.resolve()),
                "threads": threads,
                "adapter": str(adapter.resolve()) if adapter else "",
            }
        )
        self._is_loaded = False

    def embed(self, texts: Sequence[str], adapted: bool = False) -> Vectors:
        """Embed texts, with the adapter if `adapted`.

        Returns
        -------
        ndarray of float32, shape (n, d)

        Raises
        ------
        ModelError
            When the model cannot be loaded or fails.
        """
        if not self._is_loaded:
            self._wait_for_result(lambda done, text: None)
            self._is_loaded = True
        parts = []
        for start in range(0, len(texts), _TEXTS_PER_REQUEST):
            part = [self._prefix + text for text in texts[start : start + _TEXTS_PER_REQUEST]]
            self._child.send({"op": "embed", "texts": part, "adapted": adapted})
            result = self._wait_for_result(lambda done, text: None)
            data = np.frombuffer(base64.b64decode(result["vectors"]), "<f4")
            parts.append(data.reshape(len(part), -1))
        return np.concatenate(parts).astype(np.float32)


class Reader:
    """Understands sentences; the model is started when it is first needed.

    Parameters
    ----------
    info : GgufInfo
        An embedding model.
    phrases : Path
        ``data/meanings.toml``.
    threads : int
    """

    def __init__(self, info: GgufInfo, phrases: Path, threads: int = 1) -> None:
        self.info, self._phrases, self._threads = info, phrases, threads

    def rank(self, text: str) -> list[tuple[str, float]]:
        """Styles and moods with their probabilities, the likeliest first."""
        vector = self._process.embed([text])[0]
        return self._classifier.rank(vector)

    def read_mood(self, text: str) -> MoodReading | None:
        """Mood, valence and arousal of a text; None if the model has no adapter for them."""
        if self._mood_head is None:
            return None
        return self._mood_head.read(self._process.embed([text], adapted=True)[0])

    def rank_genres(self, lyrics: Lyrics, language: str) -> list[tuple[str, float]]:
        """Genres of lyrics with their probabilities, the likeliest first; empty if not taught."""
        if self._genre_head is None:
            return []
        vectors = self._process.embed(stanzas(lyrics))
        return self._genre_head.rank(join_features(lyrics, language, vectors))

    def known_words(self) -> frozenset[str]:
        """Words of any language that are spelled correctly, folded."""
        return self._known_words

    def start(self) -> None:
        """Start the model in the background, so that the first answer comes sooner."""
        _ = self._process

    def close(self) -> None:
        """End the model's process if it runs."""
        if "_process" in self.__dict__:
            self._process.close()
            del self.__dict__["_process"]

    def fit(self) -> MeaningClassifier:
        """Learn the styles and moods from the phrases; takes seconds."""
        labels, texts = read_phrases(self._phrases)
        return fit_classifier(self._process.embed(texts), labels)

    @cached_property
    def fingerprint(self) -> str:
        """Identifies the model and the phrases that a classifier was made from."""
        facts = f"{self.info.name} {self.info.file_bytes} {self.info.parameters}"
        examples = repr(read_phrases(self._phrases))
        return hashlib.sha256((facts + examples).encode()).hexdigest()

    @cached_property
    def _process(self) -> EmbeddingProcess:
        profile = load_model_profile(paths.DATA / "models.toml", self.info.path.name)
        adapter = adapter_beside(self.info.path) if self._mood_head else None
        return EmbeddingProcess(self.info.path, profile.prefix, self._threads, adapter)

    @cached_property
    def _mood_head(self) -> MoodHead | None:
        return load_head(self.info)

    @cached_property
    def _genre_head(self) -> GenreHead | None:
        return load_genres(genres_beside(self.info.path), self.info.name)

    @cached_property
    def _classifier(self) -> MeaningClassifier:
        for path in (classifier_beside(self.info.path), self._cache):
            found = load_classifier(path, self.fingerprint)
            if found:
                return found
        fitted = self.fit()
        try:
            write_text(self._cache, format_classifier(fitted, self.fingerprint))
        except StorageError as error:
            _log.warning("%s cannot be kept: %s", self._cache.name, error)
        return fitted

    @property
    def _cache(self) -> Path:
        return paths.READER_CACHE / f"{self.fingerprint[:16]}.meanings"

    @cached_property
    def _known_words(self) -> frozenset[str]:
        starts = (t[1:] for t in read_token_texts(self.info.path) if t.startswith(_WORD_START))
        return frozenset(fold(t) for t in starts if len(t) >= _MIN_KNOWN_LENGTH and t.isalpha())


def classifier_beside(model: Path) -> Path:
    """Path of the classifier that ships with a model."""
    return model.with_suffix(".meanings")


def read_phrases(path: Path) -> tuple[list[str], list[str]]:
    """Read ``data/meanings.toml``: labels and phrases of equal length."""
    tables, _ = read_tables(path)
    pairs = [
        (label, str(phrase))
        for label, languages in tables.items()
        for phrases in languages.values()
        for phrase in phrases
    ]
    return [label for label, _ in pairs], [phrase for _, phrase in pairs]


def _gguf_files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.gguf"))
    except OSError:
        return []


def find_reader(folders: Sequence[Path], name: str = "") -> GgufInfo | None:
    """Find an embedding model: `name`, else ``reader.gguf``, else the first one.

    Parameters
    ----------
    folders : sequence of Path
        The models folders, first the user's own.
    name : str
        File name, with or without ``.gguf``.
    """
    wanted = {name.lower(), f"{name.lower()}.gguf"}
    files = [path for folder in folders for path in _gguf_files(folder)]
    files.sort(key=lambda p: (p.name.lower() not in wanted, p.name != READER_FILE))
    for path in files:
        try:
            info = read_gguf(path)
        except ModelError:
            continue
        if info.architecture in EMBEDDING_ARCHITECTURES:
            return info
    return None


def open_reader(name: str = "", threads: int = 1) -> Reader | None:
    """Open the reader, see :func:`find_reader`; None if there is no embedding model."""
    info = find_reader((paths.MODELS, paths.ROOT / "models"), name)
    return Reader(info, paths.DATA / "meanings.toml", threads) if info else None
