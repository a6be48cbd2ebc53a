"""The model's half of the work: from an order to the recipe of a song."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from scripts.batch.order import Order
from scripts.composer.compose import Composer, Composition, sequence_count, thread_count
from scripts.composer.grammar import build_sheet_grammar
from scripts.composer.titles import make_title
from scripts.composer.writer import Writer
from scripts.core import paths
from scripts.core.child import ChildProcess
from scripts.core.errors import Cancelled, ModelError, UsageError
from scripts.core.settings import Settings
from scripts.core.stages import Report
from scripts.llm.chat import load_model_profile
from scripts.llm.client import ModelProcess
from scripts.llm.gguf_file import GgufInfo
from scripts.llm.registry import find_model
from scripts.llm.sheet_machine import max_sheet_length
from scripts.production.recipe import Recipe, read_recipe
from scripts.request.spec import SongRequest, SongSpec, build_spec
from scripts.score.piece import Piece
from scripts.styles.style import Style, load_styles
from scripts.synth.fonts import find_soundfont

LONGEST_WAV = 6 * 3600  # seconds; a WAV file ends at 4 GiB
LARGEST_PARTS = (8, 8, 8)  # bars of the largest sheet that a later song may need
MAX_TAKES = 5  # compositions of a song that comes out similar to another one
_WRITER_CONTEXT = 2048  # tokens
_PROMPT_TOKENS = 1024  # kept for the prompt
_TAKE_SEED_STEP = 1_000_003  # added to the seed for each take
_TAKE_TEMPERATURE_STEP = 0.25  # added to the temperature for each take
_log = logging.getLogger(__name__)


class ComposingService:
    """Keeps one model loaded over songs and orders; a context manager.

    Parameters
    ----------
    settings : Settings
    cancelled : callable
        Asked often; True stops the work.
    worker : ChildProcess, optional
        A model's process that has been started already.

    Attributes
    ----------
    give_up : Event
        Set to give up the song that is being composed.
    """

    def __init__(
        self,
        settings: Settings,
        cancelled: Callable[[], bool] = lambda: False,
        worker: ChildProcess | None = None,
    ) -> None:
        self.settings, self._cancelled = settings, cancelled
        self.give_up = threading.Event()
        self._worker = worker
        self.styles = load_styles(paths.DATA / "styles")
        self._models: list[ModelProcess] = []
        self._composer: Composer | None = None
        self._usable_models: set[str] = set()
        self._loaded_model, self._loaded_context = "", 0

    def with_recipe_request(self, order: Order) -> Order:
        """Return the order; a song that is made again takes the wishes of its recipe."""
        if order.file is None or not order.is_recipe:
            return order
        return replace(order, request=read_recipe(order.file, self.styles).request)

    def check(self, order: Order) -> tuple[str, ...]:
        """Check an order before any work; warnings for the user.

        Raises
        ------
        MusicGenError
            When a wish cannot be met, or the model cannot be used.
        """
        if order.songs > 1 and order.is_recipe:
            raise UsageError("a recipe makes one song; leave out --songs")
        spec = self.spec(order, 1)
        if {"wav", "stems"} & {*order.extra_formats} and spec.length > LONGEST_WAV:
            raise UsageError("a WAV file holds at most 6 hours; leave wav and stems out of --also")
        if order.file is None and order.model not in self._usable_models:
            find_model(order.model, paths.MODELS)
            self._usable_models.add(order.model)
        _, warning = find_soundfont(paths.SOUNDFONTS)
        return (*([warning] if warning else []), *spec.warnings)

    def spec(self, order: Order, number: int, take: int = 0) -> SongSpec:
        """Decide song `number` (from 1); each `take` has another seed."""
        seed = order.seed + number - 1 + take * _TAKE_SEED_STEP
        if order.file is None:
            return build_spec(order.request, self.styles, seed)
        if not order.is_recipe:
            return _piece_spec(_read_piece(order.file), order.request, self.styles, seed)
        recipe = read_recipe(order.file, self.styles)
        if recipe.file is None:
            return recipe.build_spec(self.styles)
        return _piece_spec(recipe.load_piece(), recipe.request, self.styles, recipe.seed)

    def compose_song(self, order: Order, number: int, take: int, report: Report) -> Recipe:
        """Compose song `number`: all that is needed to render it."""
        if order.file is not None and order.is_recipe:
            return read_recipe(order.file, self.styles)
        spec = self.spec(order, number, take)
        step = take % MAX_TAKES * _TAKE_TEMPERATURE_STEP
        temperature = min(2.0, order.temperature + step)
        if order.file is not None:
            notes = _read_notes(order.file)
            return Recipe(order.request, spec.seed, temperature, file=order.file, notes=notes)
        composition = self.compose(order, spec, temperature, report)
        return Recipe(order.request, spec.seed, temperature, composition)

    def compose(
        self, order: Order, spec: SongSpec, temperature: float, report: Report
    ) -> Composition:
        """Compose the lead sheet for `spec`; starts the model when it is not running."""
        report("compose", 0.0, "")
        try:
            composer = self._composer_for(order, spec)
            return composer.compose(
                spec, temperature, lambda done, text: report("compose", done, text)
            )
        except (ModelError, Cancelled):
            self.close()
            raise

    def title(self, recipe: Recipe, number: int) -> str:
        """Make the `number`-th other title for a song, by rule, so that it is there at once."""
        spec = recipe.build_spec(self.styles)
        title = make_title(
            replace(spec, seed=spec.seed + number * _TAKE_SEED_STEP), paths.DATA / "titles.toml"
        )
        return title if number < 20 else f"{title} No. {number - 18}"

    def close(self) -> None:
        """Stop the model's processes."""
        for model in self._models:
            model.close()
        self._models, self._composer = [], None

    def __enter__(self) -> ComposingService:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._worker:
            self._worker.stop()

    def _composer_for(self, order: Order, spec: SongSpec) -> Composer:
        """Return a composer with the order's model and enough context for the brief."""
        largest = replace(spec, parts=max(spec.parts, LARGEST_PARTS, key=sum), chords=())
        # At worst every token is one character.
        context = max(
            2048, min(max_sheet_length(build_sheet_grammar(largest)) + _PROMPT_TOKENS, 8192)
        )
        if order.model != self._loaded_model or context > self._loaded_context:
            self.close()
        if self._composer is None:
            info = find_model(order.model, paths.MODELS)
            self._loaded_model, self._loaded_context = order.model, context
            model = self._start(info, context, sequence_count(info.parameters))
            self._composer = Composer(model, info, paths.DATA, self._writer(info))
        return self._composer

    def _writer(self, composer: GgufInfo) -> Writer | None:
        """Return the model for titles that the settings name, unless it is the composer."""
        if not self.settings.writer:
            return None
        info = find_model(self.settings.writer, paths.MODELS)
        if composer.path.resolve() == info.path.resolve():
            return None
        notes = load_model_profile(paths.DATA / "models.toml", info.path.name)
        return Writer(self._start(info, _WRITER_CONTEXT), info.name, notes, paths.DATA)

    def _start(self, info: GgufInfo, context: int, lanes: int = 1) -> ModelProcess:
        threads = thread_count(info.parameters, self.settings.threads)
        worker, self._worker = self._worker, None
        _log.info("starting model %s: %d tokens, %d threads", info.path.name, context, threads)
        model = ModelProcess(
            info.path, context, threads, lanes, worker, cancelled=self._is_cancelled
        )
        self._models.append(model)
        return model

    def _is_cancelled(self) -> bool:
        return self._cancelled() or self.give_up.is_set()


@lru_cache(maxsize=1)
def _read_notes(file: Path) -> bytes:
    from scripts.score.open_piece import read_notation_file

    return read_notation_file(file)


@lru_cache(maxsize=1)
def _read_piece(file: Path) -> Piece:
    from scripts.score.open_piece import parse_piece

    return parse_piece(_read_notes(file), file.name)


def _piece_spec(
    piece: Piece, wishes: SongRequest, styles: Mapping[str, Style], seed: int
) -> SongSpec:
    from scripts.request.imported import build_piece_spec

    return build_piece_spec(piece, wishes, styles, seed).spec
