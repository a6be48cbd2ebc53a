"""Makes a folder that runs anywhere: the program, its packages and a Python of its own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from scripts.core.errors import SetupError
from scripts.installer.environment import ROOT, python_in
from scripts.installer.subprocesses import print_status, run_in_foreground

_PROGRAM = (
    "Llm-Music-Gen.bat",
    "launcher.py",
    "requisites.py",
    "requirements.txt",
    "requirements.lock",
    "requirements-llama.lock",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "NOTICES.md",
    "docs",
    "scripts",
)
_DATA_FOLDERS = ("grooves", "instruments", "narrations", "prompts", "styles", "words")
_MODELS = ("starter.*", "reader.*")
_NOT_PYTHON = shutil.ignore_patterns(
    "__pycache__", "site-packages", "test", "tests", "idlelib", "turtledemo", "tkinter", "*.pdb"
)
_NOT_AT_TOP = {"tcl", "include", "libs", "Tools", "Doc", "share", "Scripts", "NEWS.txt"}
# Of the Microsoft Visual C++ Redistributable, which a fresh Windows does not have.
_RUNTIME_LIBRARIES = (
    *("msvcp140.dll", "msvcp140_1.dll", "msvcp140_2.dll", "vcruntime140.dll"),
    *("vcruntime140_1.dll", "vcomp140.dll", "concrt140.dll"),
)
_SYSTEM_PREFIXES = ("/usr", "/usr/local")


def make_portable(folder: Path, wheels: Path | None) -> None:
    """Make the folder; its own ``requisites.py`` installs the packages into its Python.

    Parameters
    ----------
    folder : Path
        Must not exist, or be empty.
    wheels : Path, optional
        Folder of wheels to install from, without a network.

    Raises
    ------
    SetupError
        When this Python cannot be copied, or a step fails.
    """
    base = Path(sys.base_prefix)
    if str(base) in _SYSTEM_PREFIXES or (os.name == "nt" and "WindowsApps" in base.parts):
        raise SetupError(
            f"the Python in {base} belongs to the system and cannot be copied; run this with "
            "one from python.org or pyenv"
        )
    if folder.is_file():
        raise SetupError(f"{folder} is a file; name a new folder")
    if folder.exists() and any(folder.iterdir()):
        raise SetupError(f"{folder} is not empty; name a new folder")
    try:
        print_status(f"Copying the program to {folder}")
        _copy_program(folder)
        print_status(f"Copying the Python in {base}")
        _copy_python(base, folder / "python")
    except OSError as error:
        raise SetupError(
            f"{error.filename}: {error.strerror}; free some space, or choose another folder"
        ) from error
    command = [str(python_in(folder / "python")), "-s", str(folder / "requisites.py")]
    status = run_in_foreground([*command, *(["--wheels", str(wheels)] if wheels else [])], folder)
    if status:
        raise SetupError(f"the packages could not be installed into {folder}; see above")
    _remove_unused(folder)


def _copy_program(folder: Path) -> None:
    """Copy what belongs to the program, without the user's songs, settings and models."""
    folder.mkdir(parents=True, exist_ok=True)
    caches = shutil.ignore_patterns("__pycache__")
    for name in _PROGRAM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=caches)
        else:
            shutil.copy2(source, folder / name)
    (folder / "data").mkdir()
    (folder / "models").mkdir()
    for name in _DATA_FOLDERS:
        shutil.copytree(ROOT / "data" / name, folder / "data" / name)
    for path in (ROOT / "data").glob("*.toml"):
        shutil.copy2(path, folder / "data")
    for pattern in _MODELS:
        for path in (ROOT / "models").glob(pattern):
            shutil.copy2(path, folder / "models")


def _copy_python(base: Path, target: Path) -> None:
    """Copy the interpreter and its standard library."""
    if os.name == "nt":
        target.mkdir()
        for path in base.iterdir():
            if path.is_dir() and path.name not in _NOT_AT_TOP:
                shutil.copytree(path, target / path.name, ignore=_NOT_PYTHON)
            elif path.is_file() and path.name not in _NOT_AT_TOP:
                shutil.copy2(path, target)
        system = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32"
        for name in _RUNTIME_LIBRARIES:
            if (system / name).is_file() and not (target / name).exists():
                shutil.copy2(system / name, target)
        return
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (target / "bin").mkdir(parents=True)
    shutil.copy2(base / "bin" / version, target / "bin" / "python3")
    shutil.copytree(base / "lib" / version, target / "lib" / version, ignore=_NOT_PYTHON)
    for path in (base / "lib").glob("libpython*"):
        shutil.copy2(path, target / "lib", follow_symlinks=False)


def _remove_unused(folder: Path) -> None:
    """Remove compiled files, what the build has left, and music21's 66 MB of scores."""
    scores = [
        path
        for corpus in folder.glob("python/**/site-packages/music21/corpus")
        for path in corpus.iterdir()
        if path.is_dir() and not any(path.glob("*.py"))
    ]
    for path in [*folder.rglob("__pycache__"), folder / "python" / "sdist", *scores]:
        shutil.rmtree(path, ignore_errors=True)
