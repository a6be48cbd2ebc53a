"""Files from strangers on Windows: devices, pipes, network shares, hostile models."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import VOCABS
from tests.support.random_models import write_random_model
from tests.windows.lab import make_home, run_windows, windows_path

Python = Callable[..., subprocess.CompletedProcess[str]]


def run_command(installed: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_windows(
        ".venv/Scripts/python.exe",
        "launcher.py",
        *arguments,
        cwd=installed,
        LLM_MUSIC_GEN_HOME=windows_path(home),
    )


@pytest.mark.parametrize(
    "name", ["CON", "NUL", "nul.abc", r"\\.\pipe\x", r"\\.\CON", r"\\?\pipe\x"]
)
def test_a_device_is_refused_by_every_reader(name: str, installed: Path) -> None:
    home = make_home("hostile")
    for arguments in (
        ("render", name),
        ("generate", "--job-file", name),
        ("models", "check", name),
    ):
        done = run_command(installed, home, *arguments)
        assert done.returncode in (1, 2), (arguments, done.stdout)
        assert "Traceback" not in done.stdout
        assert "llm-music-gen: " in done.stdout


@pytest.mark.parametrize(
    "file",
    [
        r"\\server\share\tune.abc",
        r"\\.\pipe\x",
        r"C:\windows\win.ini",
        r"..\tune.abc",
        "CON",
        "c:x",
    ],
)
def test_a_recipe_reads_only_what_lies_beside_it(file: str, installed: Path) -> None:
    home = make_home("mail")
    recipe = {"wishes": {"styles": "plain"}, "seed": 1, "temperature": 0.7, "file": file}
    path = home / "mail.json"
    path.write_text(json.dumps({"recipe": recipe}), encoding="utf-8")
    done = run_command(installed, home, "render", windows_path(path))
    assert done.returncode != 0
    assert "expected one in its own folder" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_job_file_names_no_model_on_a_network_share(installed: Path) -> None:
    home = make_home("jobs")
    path = home / "jobs.json"
    order = {"styles": "pop", "songs": 1, "model": r"\\server\share\model.gguf"}
    path.write_text(json.dumps([order]), encoding="utf-8")
    done = run_command(installed, home, "generate", "--job-file", windows_path(path))
    assert done.returncode == 2
    assert "expected one in its own folder" in done.stdout


@pytest.mark.parametrize(
    "template",
    ["{{ 1/0 }}", '{{ "a" * 3000000000 }}', "{% for a in range(90000) %}{% for b in range(90000) %}"
     "{% endfor %}{% endfor %}"],
    ids=["division", "memory", "time"],
)  # fmt: skip
def test_a_hostile_model_is_one_line(template: str, installed: Path) -> None:
    home = make_home("stranger")
    model = home / "models" / "stranger.gguf"
    write_random_model(VOCABS / "ggml-vocab-llama-spm.gguf", model, chat_template=template)
    done = run_command(installed, home, "generate", "pop", "--length", "0.2", "--model", "stranger")
    assert done.returncode == 1, done.stdout
    assert "stranger.gguf: its chat template" in done.stdout
    assert "Traceback" not in done.stdout


def test_the_memory_of_a_process_is_known(python: Python) -> None:
    done = python(
        "import os\nfrom scripts.core.system import process_memory\n"
        "before = process_memory(os.getpid())\nblock = bytearray(200 << 20)\n"
        "print('grew', (process_memory(os.getpid()) - before) >> 20)\n"
    )
    grew = int(done.stdout.split("grew")[1].split()[0])
    assert 150 <= grew <= 400
