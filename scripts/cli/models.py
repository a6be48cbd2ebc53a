"""The model finder: lists models on the Hugging Face hub and fetches one when asked."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from scripts.cli.console import print_json
from scripts.core import paths
from scripts.core.atomic_files import nearest_folder
from scripts.core.errors import MusicGenError
from scripts.core.formatting import percent_bar
from scripts.core.system import memory_for_model
from scripts.core.theme import ASCII
from scripts.llm.downloads import Offer, find_offer, load_offers
from scripts.llm.hub import fetch

_RULE, _THIN = ASCII.rule * 80, ASCII.thin * 80


def add_model(words: str, as_json: bool) -> int:
    """``models add NAME``: fetch one model and say where it is."""
    offer = find_offer(words, load_offers(paths.DATA / "models.toml"))
    path = _fetch(offer, as_json)
    if as_json:
        print_json(event="model", path=str(path), name=offer.name)
    else:
        print(path)
    return 0


def find_models(as_json: bool) -> int:
    """``models find``: list what can be had; at a console, ask which to fetch."""
    offers = load_offers(paths.DATA / "models.toml")
    if as_json:
        for o in offers:
            print_json(
                name=o.name,
                repo=o.repo,
                file=o.file,
                bytes=o.size,
                licence=o.licence,
                good_for=o.good_for,
                there=(paths.MODELS / o.file).exists(),
            )
        return 0
    print("\n".join(listing(offers, paths.MODELS)))
    while sys.stdin.isatty() and sys.stdout.isatty():
        try:
            answer = input(f"Selection; Fetch a Model = 1-{len(offers)}, Finish = Enter: ")
        except EOFError:
            return 0
        if answer.strip().lower() in ("", "x", "b"):
            return 0
        chosen = [o for n, o in enumerate(offers, 1) if answer.strip() == str(n)]
        if not chosen:
            print(f"Llm-Music-Gen: Please type a number from 1 to {len(offers)}, or Enter.")
            continue
        try:
            path = _fetch(chosen[0], as_json=False)
            print(
                f"{path.name} is in models. Choose it in the program: 3. Configure Options, "
                "4. Model."
            )
        except MusicGenError as error:
            print(f"Llm-Music-Gen: {error}")
    return 0


def listing(offers: list[Offer], models: Path) -> list[str]:
    """The finder's screen: name, size, licence and use of each model."""
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
    for number, o in enumerate(offers, 1):
        there = ", is there already" if (models / o.file).exists() else ""
        lines += [
            f"    {number}. {o.name}: {o.file}{there}",
            f"       about {o.size / 1e9:.1f} GB, {memory_for_model(o.size) / 1e9:.0f} GB of "
            f"memory, licence {o.licence}",
            f"       good for {o.good_for}",
        ]
    free = shutil.disk_usage(nearest_folder(models)).free
    return [*lines, "", f"    {free / 1e9:.1f} GB free in {models}", _THIN]


def _fetch(offer: Offer, as_json: bool) -> Path:
    shown = _Shown(offer, as_json)
    try:
        return fetch(offer, paths.MODELS, shown.report)
    finally:
        shown.end()


class _Shown:
    """A bar for people, JSON for programs; at most ten a second."""

    def __init__(self, offer: Offer, as_json: bool) -> None:
        self.offer, self.as_json = offer, as_json
        self.bar = sys.stderr.isatty() and not as_json
        self._begun: tuple[float, int] | None = None
        self._told = 0.0
        if not as_json:
            print(
                f"Llm-Music-Gen: Fetching {offer.file} from huggingface.co/{offer.repo}",
                file=sys.stderr,
            )

    def report(self, there: int, size: int) -> None:
        now = time.monotonic()
        if self._begun is None:
            self._begun = (now, there)
        if now - self._told < 0.1 and there < size:
            return
        self._told = now
        if self.as_json:
            print_json(event="progress", bytes=there, size=size)
        elif self.bar:
            seconds, bytes_ = now - self._begun[0], there - self._begun[1]
            speed = f", {bytes_ / seconds / 1e6:.1f} MB/s" if seconds > 1 else ""
            print(
                f"\r{percent_bar(there / size)}, {there / 1e9:.2f} of {size / 1e9:.2f} GB{speed}  ",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def end(self) -> None:
        if self.bar:
            print(file=sys.stderr)
