"""Renders a recipe to files: the half of the work that any process on any computer can do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from scripts.arranger.arrange import SongArrangement, arrange
from scripts.composer.compose import Composition
from scripts.core import paths
from scripts.core.errors import Cancelled, StorageError
from scripts.core.stages import Report
from scripts.library.song_files import SongFiles
from scripts.production.produce import Format, Production
from scripts.production.recipe import Recipe, recipe_from_json
from scripts.production.render_job import RenderJob
from scripts.request.spec import Brief
from scripts.styles.style import Style, load_styles
from scripts.synth.fonts import find_soundfont
from scripts.synth.instruments import Instrument, load_instruments

MAX_REMOTE_BYTES = 1 << 30  # of one song's files


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, Style], Mapping[str, Instrument]]:
    return load_styles(paths.DATA / "styles"), load_instruments(paths.DATA / "instruments")


def render_song(job: RenderJob, report: Report, cancelled: Callable[[], bool]) -> str:
    """Render a song and name its files; the path of the MP3.

    Raises
    ------
    MusicGenError
        When it fails; no unfinished file has a final name then.
    """
    styles, instruments = _tables()
    recipe = recipe_from_json(job.recipe, styles)
    brief, composition, arrangement = _arranged(recipe, styles, instruments)
    form = Format(job.bitrate, job.extra_formats, find_soundfont(paths.SOUNDFONTS)[0], job.threads)
    files = SongFiles(Path(job.out), composition.sheet.title)
    try:
        song = Production(brief, composition, arrangement, recipe, instruments).produce(
            files, form, report, cancelled
        )
    except StorageError:
        if cancelled():  # Ctrl+C reaches ffmpeg too, which then fails
            raise Cancelled("stopped") from None
        raise
    finally:
        files.tidy()
    return str(song.path)


def render_song_to_bytes(job: RenderJob) -> dict[str, bytes]:
    """Render a song on another computer; the content of its files by suffix."""
    with tempfile.TemporaryDirectory(prefix="llm-music-gen-") as folder:
        path = Path(render_song(replace(job, out=folder), lambda *_: None, lambda: False))
        made = {p.name.removeprefix(path.stem): p for p in Path(folder).iterdir()}
        if sum(p.stat().st_size for p in made.values()) > MAX_REMOTE_BYTES:
            raise StorageError(
                f"{path.name}: over {MAX_REMOTE_BYTES >> 30} GB are not sent from one "
                "computer to another; make such pieces without --cluster"
            )
        return {ending: p.read_bytes() for ending, p in made.items()}


def _arranged(
    recipe: Recipe, styles: dict[str, Style], instruments: Mapping[str, Instrument]
) -> tuple[Brief, Composition, SongArrangement]:
    if recipe.file is not None:
        return _given(recipe, styles, instruments)
    assert recipe.written
    brief = recipe.brief(styles)
    return brief, recipe.written, arrange(brief, recipe.written.sheet, paths.DATA)


def _given(
    recipe: Recipe, styles: dict[str, Style], instruments: Mapping[str, Instrument]
) -> tuple[Brief, Composition, SongArrangement]:
    """A song around somebody's notes."""
    from scripts.arranger.imported import arrange_piece
    from scripts.request.imported import brief_for

    assert recipe.file
    piece = recipe.piece()
    made = brief_for(piece, recipe.wishes, styles, recipe.seed)
    octaves = {name: i.octave for name, i in instruments.items()}
    arrangement = arrange_piece(made.brief, made.piece, paths.DATA, octaves)
    sheet = replace(
        arrangement.sheet,
        title=piece.title or recipe.file.stem,
        tempo=made.brief.tempo,
        styles=made.brief.styles,
    )
    return (
        made.brief,
        Composition(
            sheet,
            piece.composer or recipe.file.name,
            0,
            0.0,
            0,
            0.0,
            recipe.file.name,
            made.brief.form,
        ),
        arrangement,
    )
