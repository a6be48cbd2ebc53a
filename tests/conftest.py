"""Shared fixtures: a temporary home folder, the starter model, models with random weights."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from scripts.core import paths
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import plan_decoding
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec
from scripts.score.abc_reader import read_abc
from scripts.score.sheet import LeadSheet
from scripts.styles.style import Style, load_styles
from tests.support.random_models import write_random_model

# Reproducible examples and no deadline: test machines may be busy.
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.load_profile("fixed")

ROOT = Path(__file__).resolve().parent.parent
STARTER = ROOT / "models" / "starter.gguf"
VOCABS = ROOT / ".venv" / "vocabs"

TUNE = """X:1
T:A Tune
M:4/4
L:1/8
K:Em
"Em"e2g2b2g2|"C"e2c2G2c2|"D"d2f2a2f2|"Em"e4B4|
"Em"e2g2b2g2|"C"e2c2G2c2|"D"d2f2a2d2|"Em"e8||
"G"b2d'2b2g2|"C"c'2b2a2g2|"D"f2a2d2f2|"Em"g2f2e4|
"G"b2d'2b2g2|"C"c'2b2a2g2|"D"f2a2d2f2|"Em"e8|]
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that start the program as slow."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        code = getattr(getattr(item, "function", None), "__code__", None)
        if "run" in fixtures or (code and "start" in code.co_names):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def styles() -> dict[str, Style]:
    return load_styles(paths.DATA / "styles")


@pytest.fixture
def spec(styles: dict[str, Style]) -> Callable[..., SongSpec]:
    def make(styles_text: str = "Chill, Dubstep", seed: int = 3, **options: object) -> SongSpec:
        return build_spec(SongRequest(styles_text, **options), styles, seed)  # type: ignore[arg-type]

    return make


@pytest.fixture
def tune() -> LeadSheet:
    return read_abc(TUNE)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder that contains only the starter model."""
    (tmp_path / "models").mkdir()
    shutil.copy(STARTER, tmp_path / "models" / "starter.gguf")
    monkeypatch.setattr(paths, "HOME", tmp_path)
    monkeypatch.setattr(paths, "MODELS", tmp_path / "models")
    monkeypatch.setattr(paths, "OUTPUT", tmp_path / "output")
    for name, file in (
        ("SETTINGS", "persistent.json"),
        ("SESSION", "jukebox.json"),
        ("LIBRARY", "library.db"),
        ("ORDERS", "jobs.db"),
        ("LOG", "log"),
        ("PLAYLISTS", "playlists.json"),
        ("READER_CACHE", "reader"),
        ("SPEED", "speed.json"),
        ("PREVIEW", "preview"),
        ("LIVE", "live"),
        ("MOOD_HISTORY", "moods.json"),
        ("HISTORY", "history.json"),
        ("WISHES", "wishes.json"),
    ):
        monkeypatch.setattr(paths, name, tmp_path / "data" / file)
    return tmp_path


@pytest.fixture
def run(home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command of the program in its own process, with the home of the test."""

    def run_command(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LLM_MUSIC_GEN_HOME": str(home)}
        return subprocess.run(
            [sys.executable, "-m", "scripts.cli", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=300,
            stdin=subprocess.DEVNULL,
            **options,
        )  # type: ignore

    return run_command


@pytest.fixture(scope="session")
def starter() -> ModelProcess:
    with ModelProcess(STARTER, 4096, plan_decoding(5_000_000, 1)) as model:
        yield model


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes a GGUF model with small random weights and a real tokenizer; returns its path."""
    folder = tmp_path_factory.mktemp("random-models")

    def make(name: str) -> Path:
        path = folder / f"{name}.gguf"
        if not path.exists():
            write_random_model(VOCABS / f"ggml-vocab-{name}.gguf", path)
        return path

    return make
