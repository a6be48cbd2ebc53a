"""The installer on Windows: installing from a wheel folder, and its error messages."""

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
    make_runner,
    run_windows,
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
    """Second copy of the program, in another folder."""
    folder = copy_program(HOME / "Second (copy) & more")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def run_installer(program: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return run_windows(str(PYTHON), "requisites.py", *arguments, cwd=program, timeout=1200, **more)


def test_without_a_network_the_message_explains_offline_installation(other: Path) -> None:
    done = run_installer(other, **NO_NETWORK)
    assert done.returncode == 1, done.stdout
    message = done.stdout.strip().splitlines()[-1]
    assert message.startswith("requisites: cannot install the packages: there is no network")
    assert "--wheels DIR" in message
    assert "Traceback" not in done.stdout


def test_a_wheel_folder_is_filled_and_installs_without_a_network(
    installed: Path, other: Path
) -> None:
    wheels = HOME / "wheels für später"
    if not KEEP:
        shutil.rmtree(wheels, ignore_errors=True)
    filled = run_windows(
        ".venv/Scripts/python.exe",
        "requisites.py",
        "--save-wheels",
        windows_path(wheels),
        cwd=installed,
        timeout=900,
    )
    assert filled.returncode == 0, filled.stdout
    assert {p.suffix for p in wheels.iterdir()} == {".whl"}
    incomplete = HOME / "too few wheels"
    incomplete.mkdir(exist_ok=True)
    done = run_installer(other, "--wheels", windows_path(incomplete), **NO_NETWORK)
    assert done.returncode == 1, done.stdout
    assert "some packages are missing" in done.stdout, done.stdout
    done = run_installer(other, "--wheels", windows_path(wheels), **NO_NETWORK)
    assert done.returncode == 0, done.stdout
    assert "Ready after" in done.stdout, done.stdout
    generated = run_windows(
        str(PYTHON), "launcher.py", "generate", "Folk", "--length", "0.2", cwd=other, **NO_NETWORK
    )
    assert generated.returncode == 0, generated.stdout
    assert len(list((other / "output").glob("*.mp3"))) == 1, generated.stdout
    again = run_installer(other, **NO_NETWORK)
    assert again.returncode == 0
    assert "Everything works." in again.stdout


@pytest.fixture
def library(other: Path) -> Iterator[Path]:
    """``llama.dll`` of the second copy, restored afterwards."""
    path = other / ".venv" / "Lib" / "site-packages" / "llama_cpp" / "lib" / "llama.dll"
    if not path.exists():
        pytest.skip("the second copy is not installed")
    backup = path.with_suffix(".kept")
    shutil.copy(path, backup)
    yield path
    os.replace(backup, path)


def break_function(library: Path, function: str) -> None:
    """Write an illegal instruction at the start of a function of a DLL."""
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


def test_a_processor_without_avx_is_reported_without_crashing_the_installer(
    other: Path, library: Path
) -> None:
    break_function(library, "llama_model_load_from_file")
    done = run_installer(other, **NO_NETWORK)
    assert done.returncode == 1, done.stdout
    assert "lacks an instruction (AVX)" in done.stdout, done.stdout
    assert "Reinstalling" not in done.stdout  # it would not help
    doctor = run_windows(".venv/Scripts/python.exe", "launcher.py", "doctor", cwd=other)
    assert doctor.returncode == 1
    assert "lacks an instruction (AVX)" in doctor.stdout
    generated = run_windows(
        ".venv/Scripts/python.exe", "launcher.py", "generate", "Folk", cwd=other
    )
    assert generated.returncode == 1
    assert "AVX" in generated.stdout
    assert "Traceback" not in generated.stdout


def test_a_missing_redistributable_is_reported_with_its_address(
    other: Path, library: Path, tmp_path: Path
) -> None:
    """``llama.dll`` needs a missing library, on a Windows without the Redistributable."""
    needed = library.parent / "libstdc++-6.dll"
    hidden = needed.with_suffix(".hidden")
    os.replace(needed, hidden)
    runner = make_runner(tmp_path, 'export WINEDLLOVERRIDES="$WINEDLLOVERRIDES;msvcp140="')
    try:
        done = run_windows(str(PYTHON), "requisites.py", cwd=other, runner=runner, **NO_NETWORK)
    finally:
        os.replace(hidden, needed)
    assert done.returncode == 1, done.stdout
    assert "Visual C++ Redistributable is missing" in done.stdout, done.stdout
    assert "https://aka.ms/vs/17/release/vc_redist.x64.exe" in done.stdout


def test_a_broken_package_is_reinstalled(installed: Path, other: Path) -> None:
    broken = other / ".venv" / "Lib" / "site-packages" / "pydub" / "__init__.py"
    broken.write_text("raise RuntimeError('torn')\n")
    failed = run_installer(other, **NO_NETWORK)
    assert failed.returncode == 1
    assert "there is no network" in failed.stdout
    assert broken.exists(), "the old environment must not be deleted when the new one fails"
    done = run_installer(other, "--wheels", windows_path(HOME / "wheels für später"), **NO_NETWORK)
    assert done.returncode == 0, done.stdout
    assert "pydub does not start" in done.stdout
    assert "Ready after" in done.stdout
