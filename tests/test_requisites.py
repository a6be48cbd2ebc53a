"""The installer: when it has work to do, and how it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import requisites
from tests.conftest import ROOT


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(requisites, "VENV", tmp_path)
    monkeypatch.setattr(requisites, "STAMP", tmp_path / "llm-music-gen.json")
    python = requisites.python_of(tmp_path)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return tmp_path


def stamp(venv: Path, **changes: str) -> None:
    (venv / "llm-music-gen.json").write_text(
        json.dumps({**requisites.wanted(tests=True), **changes}))


def test_an_environment_without_stamp_is_not_ready(venv: Path) -> None:
    assert not requisites.ready()


def test_a_stamped_environment_is_ready(venv: Path) -> None:
    stamp(venv)
    assert requisites.ready() and requisites.ready(tests=True)


@pytest.mark.parametrize("field", ["packages", "llama", "python"])
def test_changed_requirements_are_installed_anew(venv: Path, field: str) -> None:
    stamp(venv, **{field: "something else"})
    assert not requisites.ready()


def test_tests_need_more_than_the_program(venv: Path) -> None:
    stamp(venv, tests="")
    assert requisites.ready() and not requisites.ready(tests=True)


def test_a_damaged_stamp_or_a_vanished_python_means_not_ready(venv: Path) -> None:
    for text in ("{", "[]", ""):
        (venv / "llm-music-gen.json").write_text(text)
        assert not requisites.ready()
    stamp(venv)
    requisites.python_of(venv).unlink()
    assert not requisites.ready()


def test_without_compiler_and_wheel_it_says_what_to_install(venv: Path,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "")
    monkeypatch.setattr(requisites, "_run", lambda *a, **k: failed)
    monkeypatch.setattr(requisites.shutil, "which", lambda name: None)
    with pytest.raises(requisites.Trouble, match="compiler"):
        requisites._llama()


def test_words_that_are_off_get_one_line() -> None:
    done = subprocess.run([sys.executable, "requisites.py", "--everything"], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "--everything" in done.stderr
