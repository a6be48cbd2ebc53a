"""The first half of the work: briefs, and the model that writes for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from scripts.batch.order import AGAIN, Order
from scripts.composer.compose import Composer, Composition, lanes_for, threads_for
from scripts.composer.grammar import sheet_grammar
from scripts.composer.titles import make_title
from scripts.composer.writer import Writer
from scripts.core import paths
from scripts.core.child import Child
from scripts.core.errors import Cancelled, ModelError, UsageError
from scripts.core.settings import Settings
from scripts.core.stages import Report
from scripts.llm.chat import load_notes
from scripts.llm.client import ModelProcess
from scripts.llm.gguf_file import GgufInfo
from scripts.llm.registry import find_model
from scripts.llm.sheet_machine import longest
from scripts.production.recipe import Recipe, kept_recipe
from scripts.request.spec import Brief, Wishes, make_brief
from scripts.score.piece import Piece
from scripts.styles.style import Style, load_styles
from scripts.synth.fonts import find_soundfont

LONGEST_WAV = 6 * 3600  # seconds; a WAV file ends at 4 GiB
LARGEST = (8, 8, 8)  # parts of the longest sheet that a later song may need
_WRITER_CONTEXT = 2048
_PROMPT_ROOM = 1024  # tokens kept for the prompt
_NEXT_TAKE = 1_000_003  # to the seed, when a song came out like another one
TAKES = 5  # of a song that comes out like another one of its batch
_HOTTER = 0.25  # to the temperature at each of them


class Studio:
    """Keeps one model loaded over songs and orders; a context manager.

    Parameters
    ----------
    settings : Settings
    cancelled : callable
        Asked often; True stops the work.
    worker : Child, optional
        A model's process that has been started already.
    """

    def __init__(
        self,
        settings: Settings,
        cancelled: Callable[[], bool] = lambda: False,
        worker: Child | None = None,
    ) -> None:
        self.settings, self._cancelled = settings, cancelled
        self.drop = threading.Event()  # set to give up the song that is being written
        self._worker = worker
        self.styles = load_styles(paths.DATA / "styles")
        self._models: list[ModelProcess] = []
        self._composer: Composer | None = None
        self._there: set[str] = set()  # models that can be used
        self._asked, self._context = "", 0  # what the model that runs was started for

    def cancelled(self) -> bool:
        """Whether the song that is being written is wanted no more."""
        return self._cancelled() or self.drop.is_set()

    def as_made(self, order: Order) -> Order:
        """The order; of a song that is made again, with its own wishes."""
        if order.file is None or not _is_again(order):
            return order
        return replace(order, wishes=kept_recipe(order.file, self.styles).wishes)

    def check(self, order: Order) -> tuple[str, ...]:
        """Guesses that the user should know of; what cannot be met is told before any work.

        Raises
        ------
        MusicGenError
            When a wish cannot be met, or the model cannot be used.
        """
        if order.songs > 1 and _is_again(order):
            raise UsageError("a song is made again once; leave --songs out")
        brief = self.brief(order, 1)
        if {"wav", "stems"} & {*order.also} and brief.length > LONGEST_WAV:
            raise UsageError("a WAV file ends at 6 hours; leave wav and stems out of --also")
        if order.file is None and order.model not in self._there:
            find_model(order.model, paths.MODELS)
            self._there.add(order.model)
        _, told = find_soundfont(paths.SOUNDFONTS)
        return (*([told] if told else []), *brief.notes)

    def brief(self, order: Order, number: int, take: int = 0) -> Brief:
        """The brief of song `number` (from 1); another `take` has another seed."""
        seed = order.seed + number - 1 + take * _NEXT_TAKE
        if order.file is not None and _is_again(order):
            again = kept_recipe(order.file, self.styles)
            return (
                again.brief(self.styles)
                if again.file is None
                else _brief_for(again.piece(), again.wishes, self.styles, again.seed)
            )
        if order.file is not None:
            return _brief_for(_opened(order.file), order.wishes, self.styles, seed)
        return make_brief(order.wishes, self.styles, seed)

    def write(self, order: Order, number: int, take: int, report: Report) -> Recipe:
        """All that is needed to play song `number`; the model writes it."""
        if order.file is not None and _is_again(order):
            return kept_recipe(order.file, self.styles)
        brief = self.brief(order, number, take)
        temperature = min(2.0, order.temperature + take % TAKES * _HOTTER)
        if order.file is not None:
            return Recipe(
                order.wishes, brief.seed, temperature, file=order.file, notes=_read(order.file)
            )
        written = self.compose(order, brief, temperature, report)
        return Recipe(order.wishes, brief.seed, temperature, written)

    def compose(
        self, order: Order, brief: Brief, temperature: float, report: Report
    ) -> Composition:
        """The lead sheet for `brief`; starts the model when it is not running."""
        report("compose", 0.0, "")
        try:
            composer = self._ready(order, brief)
            return composer.compose(
                brief, temperature, lambda done, text: report("compose", done, text)
            )
        except (ModelError, Cancelled):
            self.close()
            raise

    def title(self, recipe: Recipe, number: int) -> str:
        """Another title for a song, the `number`-th; by rule, for it must be there at once."""
        brief = recipe.brief(self.styles)
        title = make_title(
            replace(brief, seed=brief.seed + number * _NEXT_TAKE), paths.DATA / "titles.toml"
        )
        return title if number < 20 else f"{title} No. {number - 18}"

    def close(self) -> None:
        """Stop the model's process."""
        for model in self._models:
            model.close()
        self._models, self._composer = [], None

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._worker:
            self._worker.stop()

    def _ready(self, order: Order, brief: Brief) -> Composer:
        """A composer with the order's model, and room for the brief."""
        # One token may be one character at worst.
        grammar = sheet_grammar(replace(brief, parts=max(brief.parts, LARGEST, key=sum), chords=()))
        context = max(2048, min(longest(grammar) + _PROMPT_ROOM, 8192))
        if order.model != self._asked or context > self._context:
            self.close()
        if self._composer is None:
            info = find_model(order.model, paths.MODELS)
            self._asked, self._context = order.model, context
            model = self._start(info, context, lanes_for(info.parameters))
            self._composer = Composer(model, info, paths.DATA, self._writer(info))
        return self._composer

    def _writer(self, composer: GgufInfo) -> Writer | None:
        """The settings' own writer of words, when it is another model than the composer."""
        if not self.settings.writer:
            return None
        info = find_model(self.settings.writer, paths.MODELS)
        if composer.path.resolve() == info.path.resolve():
            return None
        notes = load_notes(paths.DATA / "models.toml", info.path.name)
        return Writer(self._start(info, _WRITER_CONTEXT), info.name, notes, paths.DATA)

    def _start(self, info: GgufInfo, context: int, lanes: int = 1) -> ModelProcess:
        threads = threads_for(info.parameters, self.settings.threads)
        worker, self._worker = self._worker, None
        model = ModelProcess(info.path, context, threads, lanes, worker, cancelled=self.cancelled)
        self._models.append(model)
        return model


def _is_again(order: Order) -> bool:
    """Whether a song is made again, from its ``.json``."""
    return order.file is not None and order.file.suffix.lower() == AGAIN


@lru_cache(maxsize=1)
def _read(file: Path) -> bytes:
    from scripts.score.open_piece import read_notes

    return read_notes(file)


@lru_cache(maxsize=1)
def _opened(file: Path) -> Piece:
    from scripts.score.open_piece import read_piece

    return read_piece(_read(file), file.name)


def _brief_for(piece: Piece, wishes: Wishes, styles: Mapping[str, Style], seed: int) -> Brief:
    from scripts.request.imported import brief_for

    return brief_for(piece, wishes, styles, seed).brief
