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
from scripts.core.system import memory_for_model
from scripts.core.theme import ASCII
from scripts.llm.downloads import ModelDownload, find_download, load_downloads
from scripts.llm.hub import download_model

_RULE, _THIN = ASCII.rule * 80, ASCII.thin_rule * 80
_INTERVAL = 0.1  # seconds between reports


def add(args: argparse.Namespace, settings: Settings) -> int:
    """Download one model and print its path."""
    offer = find_download(args.name, load_downloads(paths.DATA / "models.toml"))
    path = _download(offer, args.json)
    if args.json:
        print_json(event="model", path=str(path), name=offer.name)
    else:
        print(path)
    return 0


def find(args: argparse.Namespace, settings: Settings) -> int:
    """List the models that can be downloaded; at a console, ask which to download."""
    offers = load_downloads(paths.DATA / "models.toml")
    if args.json:
        for offer in offers:
            print_json(
                name=offer.name,
                repo=offer.repo,
                file=offer.file,
                bytes=offer.size,
                licence=offer.license,
                good_for=offer.good_for,
                there=(paths.MODELS / offer.file).exists(),
            )
        return 0
    print("\n".join(finder_screen(offers, paths.MODELS)))
    while sys.stdin.isatty() and sys.stdout.isatty():
        try:
            answer = input(f"Selection; Fetch a Model = 1-{len(offers)}, Finish = Enter: ").strip()
        except EOFError:
            return 0
        if answer.lower() in ("", "x", "b"):
            return 0
        _download_choice(answer, offers)
    return 0


def _download_choice(answer: str, offers: Sequence[ModelDownload]) -> None:
    chosen = [offer for number, offer in enumerate(offers, 1) if answer == str(number)]
    if not chosen:
        print(f"Llm-Music-Gen: Please type a number from 1 to {len(offers)}, or Enter.")
        return
    try:
        path = _download(chosen[0], as_json=False)
        print(
            f"{path.name} is in models. Choose it in the program: 3. Configure Options, 4. Model."
        )
    except MusicGenError as error:
        print(f"Llm-Music-Gen: {error}")


def finder_screen(offers: Sequence[ModelDownload], models: Path) -> list[str]:
    """Return the screen of the finder: name, size, license and use of each model."""
    lines = [
        "",
        _RULE,
        "    Llm-Music-Gen: Model Finder",
        _RULE,
        "",
        "    The starter model is built in. These are larger, by others, and are",
        "    fetched from huggingface.co only when you ask for one.",
        "",
    ]
    for number, offer in enumerate(offers, 1):
        exists = ", is there already" if (models / offer.file).exists() else ""
        lines += [
            f"    {number}. {offer.name}: {offer.file}{exists}",
            f"       about {offer.size / 1e9:.1f} GB, {memory_for_model(offer.size) / 1e9:.0f} GB "
            f"of memory, license {offer.license}",
            f"       good for {offer.good_for}",
        ]
    free = shutil.disk_usage(nearest_existing_folder(models)).free
    return [*lines, "", f"    {free / 1e9:.1f} GB free in {models}", _THIN]


def _download(offer: ModelDownload, as_json: bool) -> Path:
    progress = _DownloadProgress(as_json)
    if not as_json:
        print_message(f"Downloading {offer.file} from huggingface.co/{offer.repo}")
    try:
        return download_model(offer, paths.MODELS, progress.report)
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
        """Show that `done` of `size` bytes are there."""
        now = time.monotonic()
        if self._start is None:
            self._start = (now, done)
        if now - self._last < _INTERVAL and done < size:
            return
        self._last = now
        if self.as_json:
            print_json(event="progress", bytes=done, size=size)
            return
        seconds, received = now - self._start[0], done - self._start[1]
        speed = f", {received / seconds / 1e6:.1f} MB/s" if seconds > 1 else ""
        self.bar.draw(f"{percent_bar(done / size)}, {done / 1e9:.2f} of {size / 1e9:.2f} GB{speed}")
