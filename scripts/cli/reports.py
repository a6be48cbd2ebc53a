"""Commands that only look: models, styles, doctor."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from scripts.cli.console import print_json, print_line
from scripts.core import paths
from scripts.core.atomic_files import nearest_folder
from scripts.core.errors import MusicGenError, UsageError
from scripts.core.settings import Settings
from scripts.core.system import memory_for_model, physical_memory
from scripts.installer.startup_check import check_start
from scripts.library.folder import songs_in
from scripts.llm.gguf_file import GgufInfo, language_model
from scripts.llm.registry import find_model, list_models
from scripts.styles.style import load_styles


def models(args: argparse.Namespace, settings: Settings) -> int:
    """List the models, or check one file."""
    if args.action == "check":
        if args.name is None:
            raise UsageError("models check needs a file: launcher.py models check FILE.gguf")
        info = language_model(Path(args.name))
        if args.json:
            print_json(**_row(info))
        else:
            print_line(f"{info.name}: {_describe(info)}")
        return 0
    for entry in list_models(paths.MODELS, paths.DATA / "models.toml"):
        if args.json:
            print_json(
                file=entry.path.name,
                problem=entry.problem,
                roles=list(entry.roles),
                **(_row(entry.info) if entry.info else {}),
            )
        elif entry.info:
            print_line(f"{entry.path.name}: {_describe(entry.info)}; {' and '.join(entry.roles)}")
        else:
            print_line(f"{entry.path.name}: {entry.problem}")
    return 0


def styles(args: argparse.Namespace, settings: Settings) -> int:
    """List the styles."""
    for style in load_styles(paths.DATA / "styles").values():
        if args.json:
            print_json(
                name=style.name,
                kind=style.kind,
                genre=style.genre,
                tempo=list(style.tempo),
                words=list(style.words),
                instruments={r: t.instrument for r, t in style.tracks.items()},
            )
        else:
            tempo = f"{style.tempo[0]:g}-{style.tempo[1]:g}"
            print_line(
                f"{style.name:<14} {style.kind:<6} {tempo:>8} bpm  "
                f"{', '.join(w for w in style.words if w.isascii())}"
            )
    return 0


def doctor(args: argparse.Namespace, settings: Settings) -> int:
    """Look at everything a song needs; one line each, status 1 when something is missing."""
    checks = [
        _python(),
        _folder(),
        _packages(),
        _ffmpeg(),
        _model(settings),
        _output_folder(),
        _sound(),
        _console(),
    ]
    for name, ok, words in checks:
        if args.json:
            print_json(check=name, ok=ok, words=words)
        else:
            print_line(f"[{'ok' if ok else '!!'}] {name}: {words}")
    needed = {"python", "packages", "ffmpeg", "model", "output"}
    return 0 if all(ok for name, ok, _ in checks if name in needed) else 1


def _row(info: GgufInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "architecture": info.architecture,
        "quantisation": info.quantisation,
        "parameters": info.parameters,
        "context": info.context,
        "bytes": info.file_bytes,
    }


def _describe(info: GgufInfo) -> str:
    size = info.parameters
    count = f"{size / 1e9:.1f} billion" if size > 1e9 else f"{size / 1e6:.1f} million"
    return (
        f"{info.architecture}, {count} weights, {info.quantisation}, "
        f"{info.file_bytes / 1e6:,.0f} MB, context {info.context:,}"
    )


def _python() -> tuple[str, bool, str]:
    version = ".".join(map(str, sys.version_info[:3]))
    return (
        "python",
        sys.version_info >= (3, 11) and sys.maxsize > 2**32,
        f"{version}, {'64' if sys.maxsize > 2**32 else '32'}-bit",
    )


def _folder() -> tuple[str, bool, str]:
    root = paths.ROOT
    clouds = {
        os.environ[n]
        for n in ("OneDrive", "OneDriveConsumer", "OneDriveCommercial")
        if os.environ.get(n)
    }
    if any(root.is_relative_to(cloud) for cloud in clouds):
        return (
            "folder",
            False,
            (
                f"{root} lies in OneDrive, which uploads every song and holds "
                r"files open; a folder such as C:\Music is better"
            ),
        )
    return "folder", True, str(root)


def _packages() -> tuple[str, bool, str]:
    try:
        check_start(Path(sys.executable))
    except MusicGenError as error:
        return "packages", False, str(error)
    return "packages", True, "all of them start, and the starter model writes"


def _ffmpeg() -> tuple[str, bool, str]:
    from scripts.audio.mp3 import ffmpeg_path

    try:
        return "ffmpeg", True, ffmpeg_path()
    except MusicGenError as error:
        return "ffmpeg", False, str(error)


def _model(settings: Settings) -> tuple[str, bool, str]:
    try:
        info = find_model(settings.model, paths.MODELS)
    except MusicGenError as error:
        return "model", False, str(error)
    memory = physical_memory()
    words = f"{info.path.name}: {_describe(info)}"
    if memory and memory_for_model(info.file_bytes) > memory:
        return "model", False, f"{words}; too large for {memory / 1e9:.1f} GB of memory"
    return "model", True, words


def _output_folder() -> tuple[str, bool, str]:
    folder = paths.OUTPUT
    there = nearest_folder(folder)
    free = shutil.disk_usage(there).free
    probe = there / ".llm-music-gen-probe"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return "output", False, f"{folder} may not be written ({error.strerror})"
    songs = len(songs_in(folder)) if folder.is_dir() else 0
    return "output", free > 50 << 20, f"{folder}, {songs} songs, {free / 1e9:.1f} GB free"


def _sound() -> tuple[str, bool, str]:
    from scripts.audio.outputs import MiniaudioOutput, open_output

    output, note = open_output("auto")
    if isinstance(output, MiniaudioOutput):
        output.close()
    return "sound", output.name != "null", note or f"plays through {output.name}"


def _console() -> tuple[str, bool, str]:
    size = shutil.get_terminal_size()
    return (
        "console",
        size.columns >= 60 and size.lines >= 16,
        f"{size.columns} x {size.lines}, {sys.stdout.encoding}",
    )
