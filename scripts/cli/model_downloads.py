"""``launcher.py models find`` and ``models add``: the model finder."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.cli.console import StatusLine, print_json, print_message
from scripts.core import paths
from scripts.core.atomic_files import nearest_existing_folder
from scripts.core.errors import MusicGenError
from scripts.core.formatting import percent_bar
from scripts.core.settings import Settings
from scripts.core.system import estimate_model_memory
from scripts.core.theme import ASCII
from scripts.llm.downloads import ModelDownload, find_download, load_downloads
from scripts.llm.hub import download_model
from scripts.llm.package_models import download_packages

_RULE, _THIN_RULE = ASCII.rule * 80, ASCII.thin_rule * 80
_REPORT_INTERVAL = 0.1  # seconds between progress reports


def add(args: argparse.Namespace, settings: Settings) -> int:
    """Download a model and print its path."""
    download = find_download(args.name, load_downloads(paths.DATA / "models.toml"))
    path = _download(download, args.json)
    if args.json:
        print_json(event="model", path=str(path), name=download.name)
    else:
        print(path)
    return 0


def find(args: argparse.Namespace, settings: Settings) -> int:
    """List the models that can be downloaded; in a terminal, ask which to download."""
    downloads = load_downloads(paths.DATA / "models.toml")
    if args.json:
        for download in downloads:
            print_json(
                name=download.name,
                repo=download.repo,
                file=download.file,
                bytes=download.size,
                licence=download.license,
                good_for=download.good_for,
                there=(paths.MODELS / download.file).exists(),
            )
        return 0
    print("\n".join(finder_screen(downloads, paths.MODELS)))
    while sys.stdin.isatty() and sys.stdout.isatty():
        try:
            answer = input(
                f"Selection; Fetch a Model = 1-{len(downloads)}, Finish = Enter: "
            ).strip()
        except EOFError:
            return 0
        if answer.lower() in ("", "x", "b"):
            return 0
        _download_choice(answer, downloads)
    return 0


def _download_choice(answer: str, downloads: Sequence[ModelDownload]) -> None:
    chosen = [download for number, download in enumerate(downloads, 1) if answer == str(number)]
    if not chosen:
        print(f"Llm-Music-Gen: Please type a number from 1 to {len(downloads)}, or Enter.")
        return
    try:
        path = _download(chosen[0], as_json=False)
        print(
            f"{path.name} is in models. Choose it in the program: 3. Configure Options, 4. Model."
        )
    except MusicGenError as error:
        print(f"Llm-Music-Gen: {error}")


def finder_screen(downloads: Sequence[ModelDownload], models: Path) -> list[str]:
    """Return the lines of the finder's screen: name, size, license and use of each model."""
    lines = [
        "",
        _RULE,
        "    Llm-Music-Gen: Model Finder",
        _RULE,
        "",
        "    The starter model is built in. These are larger, by others, and are",
        "    downloaded only when you ask for one.",
        "",
    ]
    for number, download in enumerate(downloads, 1):
        exists = ", already downloaded" if (models / download.file).exists() else ""
        lines += [
            f"    {number}. {download.name}: {download.file}{exists}",
            f"       about {download.size / 1e9:.1f} GB, "
            f"{estimate_model_memory(download.size) / 1e9:.1f} GB of memory, "
            f"license {download.license}",
            f"       good for {download.good_for}",
        ]
    free = shutil.disk_usage(nearest_existing_folder(models)).free
    return [*lines, "", f"    {free / 1e9:.1f} GB free in {models}", _THIN_RULE]


def _download(download: ModelDownload, as_json: bool) -> Path:
    progress = _DownloadProgress(as_json)
    if not as_json:
        print_message(f"Downloading {download.file} from {download.source}")
    fetch = download_packages if download.packages else download_model
    try:
        return fetch(download, paths.MODELS, progress.report)
    finally:
        progress.bar.finish()


class _DownloadProgress:
    """Shows a download: a bar for people, JSON for programs."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.bar = StatusLine()
        self._start: tuple[float, int] | None = None  # time and bytes
        self._last = 0.0

    def report(self, done: int, size: int) -> None:
        """Report that `done` of `size` bytes have been downloaded."""
        now = time.monotonic()
        if self._start is None:
            self._start = (now, done)
        if now - self._last < _REPORT_INTERVAL and done < size:
            return
        self._last = now
        if self.as_json:
            print_json(event="progress", bytes=done, size=size)
            return
        seconds, received = now - self._start[0], done - self._start[1]
        speed = f", {received / seconds / 1e6:.1f} MB/s" if seconds > 1 else ""
        self.bar.draw(f"{percent_bar(done / size)}, {done / 1e9:.2f} of {size / 1e9:.2f} GB{speed}")
