"""Composition: from an order to the recipe of a song, with the model loaded in between."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from scripts.batch.order import Order
from scripts.composer.compose import Composer, Composition
from scripts.composer.grammar import build_sheet_grammar
from scripts.composer.narrations import choose_narration
from scripts.composer.titles import make_title
from scripts.composer.writer import Writer
from scripts.core import paths
from scripts.core.child import ChildProcess
from scripts.core.errors import (
    Cancelled,
    ChatTemplateError,
    ModelError,
    MusicGenError,
    UsageError,
)
from scripts.core.interrupts import interrupt_at_once
from scripts.core.settings import Settings
from scripts.core.stages import StageCallback
from scripts.llm.chat import load_model_profile
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import DecodingPlan, plan_decoding
from scripts.llm.gguf_file import GgufInfo
from scripts.llm.questions import Questions
from scripts.llm.registry import find_guide, find_model
from scripts.llm.sheet_machine import max_sheet_length
from scripts.production.recipe import Recipe
from scripts.production.recipe_json import read_recipe
from scripts.request.build import build_spec
from scripts.request.mood_history import load_history
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec
from scripts.score.piece import Piece
from scripts.styles.lookup import FALLBACK_STYLE
from scripts.styles.style import Style, load_styles
from scripts.synth.fonts import find_soundfont

MAX_WAV_SECONDS = 6 * 3600  # seconds; a WAV file ends at 4 GiB
LARGEST_PARTS = (8, 8, 8)  # bars per part of the largest sheet to expect
MAX_VARIANTS = 5  # compositions of one song before it fails as too similar to another
_WRITER_CONTEXT = 2048  # tokens
_CONTEXTS = (4096, 8192)  # tokens
_ANY_LENGTH = "3"  # minutes, for the model that is loaded in advance
_PROMPT_TOKENS = 1024  # reserved for the prompt
_VARIANT_SEED_STEP = 1_000_003  # added to the seed per take
_VARIANT_TEMPERATURE_STEP = 0.25  # added to the temperature per take
_log = logging.getLogger(__name__)


class ComposingService:
    """Composes songs with a model that stays loaded across orders; a context manager.

    Parameters
    ----------
    settings : Settings
    cancelled : callable
        Called often; returns True to stop the work.
    worker : ChildProcess, optional
        Process for a model that has been started in advance.

    Attributes
    ----------
    cancelled : callable
        As above; may be replaced.
    song_cancelled : Event
        Set to cancel the song that is being composed.
    """

    def __init__(
        self,
        settings: Settings,
        cancelled: Callable[[], bool] = lambda: False,
        worker: ChildProcess | None = None,
    ) -> None:
        self.settings, self.cancelled = settings, cancelled
        self.song_cancelled = threading.Event()
        self._worker = worker
        self.styles = load_styles(paths.DATA / "styles")
        self._models: list[ModelProcess] = []
        self._composer: Composer | None = None
        self._usable_models: set[str] = set()
        self._broken_templates: dict[str, str] = {}  # why, by model
        self._loaded_model, self._loaded_context = "", 0

    def with_recipe_request(self, order: Order) -> Order:
        """Return the order; one for a recipe takes the request of that recipe."""
        if order.file is None or not order.is_recipe:
            return order
        return replace(order, request=read_recipe(order.file, self.styles).request)

    def check_order(self, order: Order) -> tuple[str, ...]:
        """Check an order before any work and return warnings for the user.

        Raises
        ------
        MusicGenError
            When the request cannot be fulfilled, or the model cannot be used.
        """
        if order.songs > 1 and order.is_recipe:
            raise UsageError("a recipe makes one song; leave out --songs")
        spec = self.build_spec(order, 1)
        if {"wav", "stems"} & {*order.extra_formats} and spec.length > MAX_WAV_SECONDS:
            raise UsageError("a WAV file holds at most 6 hours; leave wav and stems out of --also")
        if order.file is None and order.model not in self._usable_models:
            find_model(order.model, paths.MODELS)
            self._usable_models.add(order.model)
        _, warning = find_soundfont(paths.SOUNDFONTS)
        return (*([warning] if warning else []), *spec.warnings)

    def build_spec(self, order: Order, number: int, variant: int = 0) -> SongSpec:
        """Build the specification of song `number` (from 1); each `variant` has another seed."""
        seed = order.seed + number - 1 + variant * _VARIANT_SEED_STEP
        if order.file is None:
            return build_spec(order.request, self.styles, seed)
        if not order.is_recipe:
            return _build_imported_spec(_read_piece(order.file), order.request, self.styles, seed)
        recipe = read_recipe(order.file, self.styles)
        if recipe.file is None:
            return recipe.build_spec(self.styles)
        return _build_imported_spec(recipe.load_piece(), recipe.request, self.styles, recipe.seed)

    def compose_song(
        self, order: Order, number: int, variant: int, report: StageCallback
    ) -> Recipe:
        """Compose song `number` and return all that is needed to render it."""
        if order.file is not None and order.is_recipe:
            recipe = read_recipe(order.file, self.styles)
            if recipe.file is not None and not recipe.notes:
                recipe = replace(recipe, notes=_read_notation(recipe.file))
            return recipe
        spec = self.build_spec(order, number, variant)
        step = variant % MAX_VARIANTS * _VARIANT_TEMPERATURE_STEP
        temperature = min(2.0, order.temperature + step)
        if order.file is not None:
            notes = _read_notation(order.file)
            return Recipe(order.request, spec.seed, temperature, file=order.file, notes=notes)
        composition = self.compose_sheet(order, spec, temperature, report)
        return Recipe(order.request, spec.seed, temperature, composition)

    def compose_sheet(
        self, order: Order, spec: SongSpec, temperature: float, report: StageCallback
    ) -> Composition:
        """Compose the lead sheet for `spec`; starts the model if it is not running."""
        report("compose", 0.0, "")
        if order.model in self._broken_templates:
            raise ChatTemplateError(self._broken_templates[order.model])
        try:
            composer = self._composer_for(order.model, spec)
            composition = composer.compose(
                spec, temperature, lambda done, text: report("compose", done, text)
            )
            return self._with_narration(composition, composer.writer, order, spec)
        except (ModelError, Cancelled) as error:
            if isinstance(error, ChatTemplateError):
                self._broken_templates[order.model] = str(error)
            self.close()
            raise

    def _with_narration(
        self, composition: Composition, writer: Writer | None, order: Order, spec: SongSpec
    ) -> Composition:
        """Add a narration in the language of a feeling, by the model or else from phrase data."""
        if spec.feeling is None:
            return composition
        written = ""
        if writer is not None:
            written = writer.write_narration(spec, order.request.label, order.temperature)
        before = load_history(paths.MOOD_HISTORY).narration
        if not written or written == before:
            written = choose_narration(spec.feeling, spec.seed, paths.DATA / "narrations", before)
        return replace(composition, narration=written)

    def make_alternative_title(self, recipe: Recipe, number: int) -> str:
        """Make the `number`-th alternative title of a song by rules, without a model."""
        spec = recipe.build_spec(self.styles)
        title = make_title(
            replace(spec, seed=spec.seed + number * _VARIANT_SEED_STEP), paths.DATA / "titles.toml"
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

    def prepare(self, model: str) -> None:
        """Load a model in advance; an error is left to the order that needs it."""
        try:
            spec = build_spec(SongRequest(FALLBACK_STYLE, length=_ANY_LENGTH), self.styles, 0)
            self._composer_for(model, spec).model.wait_until_loaded()
        except MusicGenError:
            self.close()

    def _composer_for(self, model_name: str, spec: SongSpec) -> Composer:
        """Return a composer with the model of this name and enough context for `spec`."""
        largest = replace(spec, parts=max(spec.parts, LARGEST_PARTS, key=sum), chords=())
        # At worst every token is one character.
        needed = max_sheet_length(build_sheet_grammar(largest)) + _PROMPT_TOKENS
        context = _CONTEXTS[needed > _CONTEXTS[0]]  # two sizes, so that it is seldom loaded anew
        if model_name != self._loaded_model or context > self._loaded_context:
            self.close()
        if self._composer is None:
            info = find_model(model_name, paths.MODELS)
            self._loaded_model, self._loaded_context = model_name, context
            plan = plan_decoding(info.parameters, self.settings.threads)
            guide = find_guide(info, paths.MODELS) if self.settings.guide else None
            model = self._start_model(info, context, plan, guide)
            self._composer = Composer(
                model,
                info,
                paths.DATA,
                self._start_writer(info),
                self.settings.guide if guide else None,
            )
        return self._composer

    def _start_writer(self, composer: GgufInfo) -> Writer | None:
        """Start the model for titles that the settings name, unless it is the composing one."""
        if not self.settings.writer:
            return None
        info = find_model(self.settings.writer, paths.MODELS)
        if composer.path.resolve() == info.path.resolve():
            return None
        profile = load_model_profile(paths.DATA / "models.toml", info.path.name)
        plan = DecodingPlan.single(self.settings.threads)
        model = self._start_model(info, _WRITER_CONTEXT, plan)
        return Writer(info.name, Questions(model, profile, paths.DATA / "prompts"))

    def _start_model(
        self, info: GgufInfo, context: int, plan: DecodingPlan, guide: Path | None = None
    ) -> ModelProcess:
        worker, self._worker = self._worker, None
        _log.info("starting model %s: %d tokens, %s", info.path.name, context, plan)
        model = ModelProcess(
            info.path,
            context,
            plan,
            guide,
            self.settings.gpu_layers,
            worker,
            cancelled=self._is_cancelled,
        )
        self._models.append(model)
        return model

    def _is_cancelled(self) -> bool:
        return self.cancelled() or self.song_cancelled.is_set()


@lru_cache(maxsize=1)
def _read_notation(file: Path) -> bytes:
    from scripts.score.open_piece import read_notation_file

    return read_notation_file(file)


@lru_cache(maxsize=1)
def _read_piece(file: Path) -> Piece:
    from scripts.score.open_piece import parse_piece

    with interrupt_at_once():
        return parse_piece(_read_notation(file), file.name)


def _build_imported_spec(
    piece: Piece, request: SongRequest, styles: Mapping[str, Style], seed: int
) -> SongSpec:
    from scripts.request.imported import build_piece_spec

    return build_piece_spec(piece, request, styles, seed).spec
