"""Benchmark of the model: alone, and beside other work on the same computer."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from scripts.composer.compose import Composer
from scripts.composer.grammar import build_sheet_grammar
from scripts.core import paths
from scripts.core.settings import Settings
from scripts.core.system import process_memory
from scripts.jukebox.player import Player
from scripts.jukebox.queue import Queue
from scripts.library.songs import read_song
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import plan_decoding
from scripts.llm.gguf_file import GgufInfo
from scripts.llm.registry import find_guide
from scripts.llm.reply import Reply
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec
from scripts.styles.style import load_styles

_BUSY_PROGRAMS = 2
_BATCH_SONGS = 6
_ROUNDS = 2  # of writing candidates, for each rate
_CONTEXT = 4096  # tokens


def measure_model(info: GgufInfo, settings: Settings) -> dict[str, float | str]:
    """Measure a model as the program runs it, with its guide.

    Returns
    -------
    dict
        By description: seconds from the start of its process to the first sheet, memory in MB,
        tokens per second alone, and as ratios to it beside two busy programs, beside playing and
        in a batch; tokens of the second song's prompt, and how many were decoded before.
    """
    guide = find_guide(info, paths.MODELS) if settings.guide else None
    plan = plan_decoding(info.parameters, settings.threads)
    styles = load_styles(paths.DATA / "styles")
    songs = [build_spec(SongRequest("pop", length="1"), styles, seed) for seed in range(1, 99)]
    started = time.perf_counter()
    with ModelProcess(info.path, _CONTEXT, plan, guide) as process:
        composer = Composer(process, info, paths.DATA, guide=settings.guide if guide else None)
        composer.compose(songs[0], settings.temperature, lambda done, text: None)
        rows: dict[str, float | str] = {"first_sheet_seconds": time.perf_counter() - started}
        measure = _Rate(composer, settings.temperature, iter(songs[1:]))
        alone = measure()
        rows["prompt_tokens"] = measure.last.prompt_tokens
        rows["prompt_tokens_decoded_before"] = measure.last.cached_tokens
        with _busy_programs():
            busy = measure()
        with tempfile.TemporaryDirectory() as folder, _playing(Path(folder)):
            playing = measure()
        alone = (alone + measure()) / 2
        rows["model_megabytes"] = process_memory(process.pid) / 1e6
    rows["tokens_per_second_alone"] = alone
    rows["beside_two_busy_programs_to_alone"] = busy / alone
    rows["beside_playing_to_alone"] = playing / alone
    rows["in_a_batch_to_alone"] = _measure_batch_rate(info.path) / alone
    return rows


class _Rate:
    """Measures tokens per second of writing candidates for one song after another."""

    def __init__(self, composer: Composer, temperature: float, songs: Iterator[SongSpec]) -> None:
        self._composer, self._temperature, self._songs = composer, temperature, songs
        self.last: Reply

    def __call__(self) -> float:
        tokens, seconds = 0, 0.0
        for _ in range(_ROUNDS):
            song = next(self._songs)
            composer = self._composer
            self.last = composer.model.write_sheet(
                composer.build_sheet_prompt(song),
                build_sheet_grammar(song),
                composer.profile.sheet_sampling(self._temperature, song.seed),
                composer.model.plan.candidates,
                lambda done, text: None,
                composer.guidance(song),
            )
            tokens, seconds = tokens + self.last.tokens, seconds + self.last.seconds
        return tokens / seconds


@contextlib.contextmanager
def _busy_programs() -> Iterator[None]:
    """Keep other programs computing while the block runs."""
    programs = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(_BUSY_PROGRAMS)
    ]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


@contextlib.contextmanager
def _playing(folder: Path) -> Iterator[None]:
    """Play a song in real time, silently, while the block runs."""
    _generate(folder, "--songs", "1", "--length", "1")
    player = Player(Queue([read_song(path) for path in folder.glob("*.mp3")]), "null", 1.0)
    player.start()
    try:
        yield
    finally:
        player.close()


def _measure_batch_rate(model: Path) -> float:
    """Tokens per second of decoding in a batch, while other songs are rendered."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _generate(folder, "--songs", str(_BATCH_SONGS), "--length", "1", "--model", str(model))
        recipes = [
            json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["recipe"]["written"]
            for path in folder.glob("*.mp3")
        ]
    tokens = sum(recipe["tokens"] for recipe in recipes)
    return float(tokens / sum(recipe["seconds"] for recipe in recipes))


def _generate(folder: Path, *arguments: str) -> None:
    subprocess.run(
        [
            *(sys.executable, str(paths.ROOT / "launcher.py"), "generate", "pop"),
            *("--out", str(folder), *arguments),
        ],
        check=True,
        capture_output=True,
    )
