"""The installer on Windows: from a folder of wheels, and what it says when something is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.windows.conftest import KEEP
from tests.windows.lab import (
    HOME,
    PYTHON,
    copy_program,
    special_runner,
    windows,
    windows_path,
)

NO_NETWORK = {
    "PIP_INDEX_URL": "https://registry.invalid/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_CONFIG_FILE": "nul",
    "PIP_FIND_LINKS": "",
    "PIP_TIMEOUT": "3",
}


@pytest.fixture(scope="module")
def other() -> Iterator[Path]:
    """A second copy, in another folder."""
    folder = copy_program(HOME / "Second (copy) & more")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def installer(program: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return windows(str(PYTHON), "requisites.py", *words, cwd=program, timeout=1200, **more)


def test_without_a_network_it_says_so_and_how_to_do_without(other: Path) -> None:
    done = installer(other, **NO_NETWORK)
    assert done.returncode == 1, done.stdout
    said = done.stdout.strip().splitlines()[-1]
    assert said.startswith("requisites: cannot install the packages: there is no network")
    assert "--wheels DIR" in said
    assert "Traceback" not in done.stdout


def test_a_folder_of_wheels_is_filled_and_installs_without_a_network(
    installed: Path, other: Path
) -> None:
    wheels = HOME / "wheels für später"
    if not KEEP:
        shutil.rmtree(wheels, ignore_errors=True)
    filled = windows(
        ".venv/Scripts/python.exe",
        "requisites.py",
        "--save-wheels",
        windows_path(wheels),
        cwd=installed,
        timeout=900,
    )
    assert filled.returncode == 0, filled.stdout
    assert {p.suffix for p in wheels.iterdir()} == {".whl"}
    short = HOME / "too few wheels"
    short.mkdir(exist_ok=True)
    done = installer(other, "--wheels", windows_path(short), **NO_NETWORK)
    assert done.returncode == 1, done.stdout
    assert "some packages are missing" in done.stdout, done.stdout
    done = installer(other, "--wheels", windows_path(wheels), **NO_NETWORK)
    assert done.returncode == 0, done.stdout
    assert "Ready after" in done.stdout, done.stdout
    made = windows(
        str(PYTHON), "launcher.py", "generate", "Folk", "--length", "0.2", cwd=other, **NO_NETWORK
    )
    assert made.returncode == 0, made.stdout
    assert len(list((other / "output").glob("*.mp3"))) == 1, made.stdout
    again = installer(other, **NO_NETWORK)
    assert again.returncode == 0
    assert "Everything works." in again.stdout


@pytest.fixture
def library(other: Path) -> Iterator[Path]:
    """llama.dll of the second copy, put back afterwards."""
    path = other / ".venv" / "Lib" / "site-packages" / "llama_cpp" / "lib" / "llama.dll"
    if not path.exists():
        pytest.skip("the second copy is not installed")
    kept = path.with_suffix(".kept")
    shutil.copy(path, kept)
    yield path
    os.replace(kept, path)


def forbid(library: Path, function: str) -> None:
    """Put an instruction that no processor knows at the start of a function of a DLL."""
    tables = subprocess.run(
        ["x86_64-w64-mingw32-objdump", "-p", "-h", str(library)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    ordinal = re.search(rf"\[ *(\d+)\] (?:\+base\[ *\d+\] +[0-9a-f]+ )?{function}$", tables, re.M)
    assert ordinal, "it is not exported"
    address = re.search(rf"\[ *{ordinal[1]}\] \+base\[ *\d+\] ([0-9a-f]+) Export RVA", tables)
    base = re.search(r"ImageBase\s+([0-9a-f]+)", tables)
    text = re.search(r"\.text +[0-9a-f]+ +([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+)", tables)
    assert address
    assert base
    assert text
    start = int(address[1], 16) + int(base[1], 16) - int(text[1], 16) + int(text[2], 16)
    data = bytearray(library.read_bytes())
    data[start : start + 2] = b"\x0f\x0b"
    library.write_bytes(data)


def test_a_processor_without_avx_is_told_and_does_not_take_the_installer_along(
    other: Path, library: Path
) -> None:
    forbid(library, "llama_model_load_from_file")
    done = installer(other, **NO_NETWORK)
    assert done.returncode == 1, done.stdout
    assert "lacks an instruction (AVX)" in done.stdout, done.stdout
    assert "Reinstalling" not in done.stdout  # it would not help
    looked = windows(".venv/Scripts/python.exe", "launcher.py", "doctor", cwd=other)
    assert looked.returncode == 1
    assert "lacks an instruction (AVX)" in looked.stdout
    tried = windows(".venv/Scripts/python.exe", "launcher.py", "generate", "Folk", cwd=other)
    assert tried.returncode == 1
    assert "AVX" in tried.stdout
    assert "Traceback" not in tried.stdout


def test_a_missing_redistributable_is_told_with_its_address(
    other: Path, library: Path, tmp_path: Path
) -> None:
    """llama.dll needs a library that is not there, on a Windows without Microsoft's."""
    needed = library.parent / "libstdc++-6.dll"
    hidden = needed.with_suffix(".hidden")
    os.replace(needed, hidden)
    runner = special_runner(tmp_path, 'export WINEDLLOVERRIDES="$WINEDLLOVERRIDES;msvcp140="')
    try:
        done = windows(str(PYTHON), "requisites.py", cwd=other, runner=runner, **NO_NETWORK)
    finally:
        os.replace(hidden, needed)
    assert done.returncode == 1, done.stdout
    assert "Visual C++ Redistributable is missing" in done.stdout, done.stdout
    assert "https://aka.ms/vs/17/release/vc_redist.x64.exe" in done.stdout


def test_a_broken_package_is_installed_anew(installed: Path, other: Path) -> None:
    broken = other / ".venv" / "Lib" / "site-packages" / "pydub" / "__init__.py"
    broken.write_text("raise RuntimeError('torn')\n")
    failed = installer(other, **NO_NETWORK)
    assert failed.returncode == 1
    assert "there is no network" in failed.stdout
    assert broken.exists(), "what was there is not thrown away for nothing"
    done = installer(other, "--wheels", windows_path(HOME / "wheels für später"), **NO_NETWORK)
    assert done.returncode == 0, done.stdout
    assert "pydub does not start" in done.stdout
    assert "Ready after" in done.stdout
