"""``launcher.py doctor``: checks everything needed to make and play songs."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from scripts.cli.console import print_json, print_line
from scripts.cli.models import describe_model
from scripts.core import paths
from scripts.core.atomic_files import nearest_existing_folder
from scripts.core.errors import MusicGenError
from scripts.core.log import LOG_FILE_NAME
from scripts.core.settings import Settings
from scripts.core.system import estimate_model_memory, physical_memory
from scripts.installer.startup_check import check_startup
from scripts.library.folder import scan_folder
from scripts.llm.gpu import AUTO, find_gpus_elsewhere
from scripts.llm.reader import open_reader
from scripts.llm.registry import find_model

_MIN_FREE_BYTES = 50 << 20  # bytes


class Check(NamedTuple):
    """Result of one check.

    Parameters
    ----------
    name : str
    is_ok : bool
    details : str
    is_required : bool
        Whether songs cannot be made when the check fails.
    """

    name: str
    is_ok: bool
    details: str
    is_required: bool = False


def doctor(args: argparse.Namespace, settings: Settings) -> int:
    """Print one line per check; status 1 when a needed check fails."""
    checks = run_checks(settings)
    for check in checks:
        if args.json:
            print_json(check=check.name, ok=check.is_ok, words=check.details)
        else:
            print_line(f"[{'ok' if check.is_ok else '!!'}] {check.name}: {check.details}")
    if args.report:
        from scripts.cli.report import write_report

        path = write_report(settings, checks)
        if args.json:
            print_json(event="report", path=str(path))
        else:
            print_line(f"Report: {path}")
    return 0 if all(check.is_ok for check in checks if check.is_required) else 1


def run_checks(settings: Settings) -> list[Check]:
    """Run all checks."""
    return [
        _check_python(),
        _check_folder(),
        _attempt("packages", _start_packages),
        _attempt("ffmpeg", _find_ffmpeg),
        _check_model(settings),
        _check_reader(settings),
        _check_gpu(settings),
        _check_output(),
        _check_sound(),
        _check_console(),
        Check("log", True, str(paths.LOG / LOG_FILE_NAME)),
    ]


def _attempt(name: str, action: Callable[[], str]) -> Check:
    """Run a needed check: `action` returns the details or raises a MusicGenError."""
    try:
        return Check(name, True, action(), True)
    except MusicGenError as error:
        return Check(name, False, str(error), True)


def _check_python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    is_64_bit = sys.maxsize > 2**32
    is_ok = sys.version_info >= (3, 11) and is_64_bit
    return Check("python", is_ok, f"{version}, {'64' if is_64_bit else '32'}-bit", True)


def _check_folder() -> Check:
    root = paths.ROOT
    names = ("OneDrive", "OneDriveConsumer", "OneDriveCommercial")
    if any(root.is_relative_to(os.environ[n]) for n in names if os.environ.get(n)):
        details = (
            f"{root} is in OneDrive, which uploads every song and keeps files open; "
            r"move the program to a folder such as C:\Music"
        )
        return Check("folder", False, details)
    return Check("folder", True, str(root))


def _start_packages() -> str:
    check_startup(Path(sys.executable))
    return "all packages load, and the starter model generates text"


def _find_ffmpeg() -> str:
    from scripts.audio.mp3 import ffmpeg_path

    return ffmpeg_path()


def _check_model(settings: Settings) -> Check:
    try:
        info = find_model(settings.model, paths.MODELS)
    except MusicGenError as error:
        return Check("model", False, str(error), True)
    memory = physical_memory()
    details = f"{info.path.name}: {describe_model(info)}"
    if memory and estimate_model_memory(info.file_bytes) > memory:
        details += f"; too large for {memory / 1e9:.1f} GB of memory"
        return Check("model", False, details, True)
    return Check("model", True, details, True)


def _check_reader(settings: Settings) -> Check:
    """Start the embedding model and let it understand a sentence."""
    reader = open_reader(settings.reader)
    if reader is None:
        details = "there is no reader.gguf in models/: sentences are understood by words alone"
        return Check("reader", False, details)
    try:
        reader.rank("it is raining")
        reading = reader.read_mood("it is raining")
    except MusicGenError as error:
        return Check("reader", False, str(error))
    finally:
        reader.close()
    if reading is None:
        details = (
            f"{reader.info.path.name} understands sentences, but no moods: reader.moods is missing"
        )
        return Check("reader", True, details)
    return Check("reader", True, f"{reader.info.path.name} understands sentences and moods")


def _check_gpu(settings: Settings) -> Check:
    gpus = find_gpus_elsewhere()
    if gpus is None:
        return Check("gpu", False, "the graphics processors cannot be listed; models run without")
    if not gpus:
        return Check("gpu", True, "none that llama.cpp can use here; models run on the processor")
    listed = ", ".join(f"{gpu.name}, {gpu.free / 1e9:.1f} GB free" for gpu in gpus)
    layers = settings.gpu_layers
    share = "as many layers as fit" if layers == AUTO else f"{layers} layers of a model"
    return Check("gpu", True, f"{listed}; {share} run there (setting gpu_layers)")


def _check_output() -> Check:
    folder = paths.OUTPUT
    nearest = nearest_existing_folder(folder)
    free = shutil.disk_usage(nearest).free
    probe = nearest / ".llm-music-gen-probe"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Check("output", False, f"cannot write in {folder}: {error.strerror}", True)
    songs = len(scan_folder(folder)) if folder.is_dir() else 0
    details = f"{folder}, {songs} songs, {free / 1e9:.1f} GB free"
    return Check("output", free > _MIN_FREE_BYTES, details, True)


def _check_sound() -> Check:
    from scripts.audio.outputs import MiniaudioOutput, open_output

    output, notice = open_output("auto")
    if isinstance(output, MiniaudioOutput):
        output.close()
    return Check("sound", output.name != "null", notice or f"plays through {output.name}")


def _check_console() -> Check:
    size = shutil.get_terminal_size()
    details = f"{size.columns} x {size.lines}, {sys.stdout.encoding}"
    return Check("console", size.columns >= 60 and size.lines >= 16, details)
