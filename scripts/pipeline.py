"""Makes songs: from a brief to files under their final names."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from scripts import paths
from scripts.arranger.arrange import SongArrangement, arrange
from scripts.awake import awake
from scripts.brief import Brief, Wishes, make_brief
from scripts.child import Child
from scripts.composer.compose import Composer, Composition, lanes_for, threads_for
from scripts.composer.rules import sheet_grammar
from scripts.composer.writer import Writer
from scripts.errors import (
    Cancelled,
    HeldError,
    ModelError,
    MusicGenError,
    StorageError,
    UsageError,
)
from scripts.files import check_folder
from scripts.library.song_files import SongFiles, recover
from scripts.library.songs import Song
from scripts.llm.chat import load_notes
from scripts.llm.client import ModelProcess
from scripts.llm.gguf_file import GgufInfo
from scripts.llm.registry import find_model
from scripts.llm.sheet_machine import longest
from scripts.progress import Report
from scripts.settings import Settings
from scripts.styles.style import load_styles
from scripts.synth.fonts import find_soundfont
from scripts.synth.instruments import load_instruments

STAGES = ("compose", "render", "convert")
HOPELESS = 3  # failures in a row after which an order is given up
LONGEST_WAV = 6 * 3600  # seconds; a WAV file ends at 4 GiB
LARGEST = (8, 8, 8)  # parts of the longest sheet that a later song of an order may need
_WRITER_CONTEXT = 2048
_PROMPT_ROOM = 1024  # tokens kept for the prompt


@dataclass(frozen=True)
class Order:
    """What to make.

    Parameters
    ----------
    wishes : Wishes
    songs : int
    seed : int
        Song n has the seed plus n.
    model : str
        Name or file; empty chooses.
    temperature : float
    out : Path
    bitrate : int
        kbit/s.
    also : tuple of str
        Files to keep beside the MP3 and the ABC: ``wav``, ``mid``, ``musicxml``, ``stems``.
    file : Path, optional
        Somebody's notes (ABC, MIDI, MusicXML) to play instead of asking a model.
    """

    wishes: Wishes
    songs: int
    seed: int
    model: str
    temperature: float
    out: Path
    bitrate: int = 192
    also: tuple[str, ...] = ()
    file: Path | None = None


class Studio:
    """Keeps the model loaded over the songs of an order; a context manager.

    Parameters
    ----------
    order : Order
    settings : Settings
    cancelled : callable
        Asked often; True stops the work.
    worker : Child, optional
        A model's process that has been started already.
    """

    def __init__(self, order: Order, settings: Settings,
                 cancelled: Callable[[], bool] = lambda: False, worker: Child | None = None
                 ) -> None:
        self.order, self.settings, self.cancelled = order, settings, cancelled
        self._worker = worker
        self.styles = load_styles(paths.DATA / "styles")
        self.instruments = load_instruments(paths.DATA / "instruments")
        self.soundfont, told = find_soundfont(paths.SOUNDFONTS)
        self.notes = (told,) if told else ()
        self.piece = None
        if order.file:
            from scripts.score.open_piece import open_piece
            self.piece = open_piece(order.file)
        brief = self.brief(0)  # a wish that cannot be met is told before a model is started
        if {"wav", "stems"} & {*order.also} and brief.length > LONGEST_WAV:
            raise UsageError("a WAV file ends at 6 hours; leave wav and stems out of --also")
        self.info = None if self.piece else find_model(order.model, paths.MODELS)
        self._models: list[ModelProcess] = []
        self._composer: Composer | None = None

    def brief(self, number: int) -> Brief:
        """The brief of song `number` (from 0)."""
        seed = self.order.seed + number
        if self.piece is not None:
            from scripts.piece_brief import brief_for
            return brief_for(self.piece, self.order.wishes, self.styles, seed).brief
        return make_brief(self.order.wishes, self.styles, seed)

    def compose(self, brief: Brief, report: Report) -> Composition:
        """The lead sheet for `brief`; starts the model when it is not running."""
        report("compose", 0.0, "")
        try:
            composer = self._ready(brief)
            return composer.compose(brief, self.order.temperature,
                                    lambda done, text: report("compose", done, text))
        except ModelError:
            self.close()
            raise

    def make(self, number: int, report: Report) -> Song:
        """Make song `number` and put its files in place.

        Raises
        ------
        MusicGenError
            Nothing unfinished is left under a final name.
        """
        brief, composition, arrangement = self._given(number, report) if self.piece \
            else self._written(number, report)
        from scripts.production import Format, Production
        form = Format(self.order.bitrate, self.order.also, self.soundfont)
        files = SongFiles(self.order.out, composition.sheet.title)
        try:
            return Production(brief, composition, arrangement, self.order.temperature,
                              self.instruments).produce(files, form, report, self.cancelled)
        except StorageError:
            if self.cancelled():  # Ctrl+C reaches ffmpeg too, which then fails
                raise Cancelled("stopped") from None
            raise
        finally:
            files.tidy()

    def _written(self, number: int, report: Report
                 ) -> tuple[Brief, Composition, SongArrangement]:
        """A song that the model writes."""
        brief = self.brief(number)
        composition = self.compose(brief, report)
        brief = replace(brief, form=composition.form)
        return brief, composition, arrange(brief, composition.sheet, paths.DATA)

    def _given(self, number: int, report: Report) -> tuple[Brief, Composition, SongArrangement]:
        """A song around somebody's notes."""
        from scripts.arranger.given import arrange_piece
        from scripts.piece_brief import brief_for
        assert self.piece and self.order.file
        report("compose", 0.0, "")
        made = brief_for(self.piece, self.order.wishes, self.styles, self.order.seed + number)
        octaves = {name: i.octave for name, i in self.instruments.items()}
        arrangement = arrange_piece(made.brief, made.piece, paths.DATA, octaves)
        title = self.piece.title or self.order.file.stem
        sheet = replace(arrangement.sheet, title=title, tempo=made.brief.tempo,
                        styles=made.brief.styles)
        report("compose", 1.0, "")
        return made.brief, Composition(
            sheet, self.piece.composer or self.order.file.name, 0, 0.0, 0, 0.0,
            self.order.file.name, made.brief.form), arrangement

    def close(self) -> None:
        """Stop the model's process."""
        for model in self._models:
            model.close()
        self._models, self._composer = [], None

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ready(self, brief: Brief) -> Composer:
        assert self.info is not None
        if self._composer is None:
            # One token may be one character at worst.
            grammar = sheet_grammar(replace(brief, parts=max(brief.parts, LARGEST, key=sum),
                                            chords=()))
            need = longest(grammar) + _PROMPT_ROOM
            context = max(2048, min(need, 8192))
            model = self._start(self.info, context, lanes_for(self.info.parameters))
            # While the model loads and writes, what plays its notes is loaded too.
            threading.Thread(target=_load_production, daemon=True).start()
            self._composer = Composer(model, self.info, paths.DATA, self._writer())
        return self._composer

    def _writer(self) -> Writer | None:
        """The settings' own writer of words, when it is another model than the composer."""
        if not self.settings.writer:
            return None
        info = find_model(self.settings.writer, paths.MODELS)
        if self.info and info.path.resolve() == self.info.path.resolve():
            return None
        notes = load_notes(paths.DATA / "models.toml", info.path.name)
        return Writer(self._start(info, _WRITER_CONTEXT), info.name, notes, paths.DATA)

    def _start(self, info: GgufInfo, context: int, lanes: int = 1) -> ModelProcess:
        threads = threads_for(info.parameters, self.settings.threads)
        worker, self._worker = self._worker, None
        model = ModelProcess(info.path, context, threads, lanes, worker, cancelled=self.cancelled)
        self._models.append(model)
        return model


def _load_production() -> None:
    """Import what renders and encodes, which takes a second."""
    import scripts.production  # noqa: F401


class Listener(Protocol):
    """Who hears how an order comes along. Songs are counted from 0."""

    def noted(self, note: str) -> None:
        """A guess was made about what the user means."""

    def report(self, number: int, stage: str, done: float, text: str) -> None:
        """A stage of :data:`STAGES` has come to `done` (0 to 1)."""

    def finished(self, number: int, song: Song) -> None:
        """A song has its final name."""

    def failed(self, number: int, reason: str) -> None:
        """A song could not be made."""


def make_songs(order: Order, settings: Settings, listener: Listener,
               cancelled: Callable[[], bool], worker: Child | None = None) -> int:
    """Make every song of an order; a failed one does not stop the others.

    Returns
    -------
    int
        How many songs failed.
    """
    failures = in_a_row = 0
    with Studio(order, settings, cancelled, worker) as studio, awake():
        check_folder(order.out)
        recover(order.out, time.time())
        for note in (*studio.notes, *studio.brief(0).notes):
            listener.noted(note)
        for number in range(order.songs):
            if cancelled():
                raise Cancelled("stopped")
            try:
                song = studio.make(number, partial(listener.report, number))
            except MusicGenError as error:
                # A full disk is full for the next song too; a file held open is one file.
                if isinstance(error, (Cancelled, StorageError)) \
                        and not isinstance(error, HeldError):
                    raise
                failures += 1
                in_a_row += 1
                listener.failed(number, str(error))
                if in_a_row >= HOPELESS:
                    break
                continue
            in_a_row = 0
            listener.finished(number, song)
        recover(order.out, time.time())  # what was held open may have been let go
    return failures
