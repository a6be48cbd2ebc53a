"""Rendering of a recipe to files, in any process of this or another computer."""

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
from scripts.core.stages import StageCallback
from scripts.library.song_files import SongFiles
from scripts.production.produce import Production, RenderOptions
from scripts.production.recipe import Recipe
from scripts.production.recipe_json import recipe_from_json
from scripts.production.render_job import RenderJob
from scripts.request.spec import SongSpec
from scripts.styles.style import Style, load_styles
from scripts.synth.fonts import find_soundfont
from scripts.synth.instruments import Instrument, load_instruments

MAX_REMOTE_BYTES = 1 << 30  # largest total size of a song's files that is sent back


@lru_cache(maxsize=1)
def load_tables() -> tuple[dict[str, Style], Mapping[str, Instrument]]:
    """Styles and instruments, read once."""
    return load_styles(paths.DATA / "styles"), load_instruments(paths.DATA / "instruments")


def render_song(job: RenderJob, report: StageCallback, cancelled: Callable[[], bool]) -> str:
    """Render a song and give its files their final names.

    Parameters
    ----------
    job : RenderJob
    report : callable
        Called with the stage, the fraction done (0 to 1) and a text.
    cancelled : callable
        Checked for every block.

    Returns
    -------
    str
        Path of the MP3.

    Raises
    ------
    MusicGenError
        When the song cannot be rendered; no incomplete file is left under a final name.
    """
    styles, instruments = load_tables()
    recipe = recipe_from_json(job.recipe, styles)
    spec, composition, arrangement = _arrange_recipe(recipe, styles, instruments)
    options = RenderOptions(
        job.bitrate,
        job.extra_formats,
        find_soundfont(paths.SOUNDFONTS)[0],
        job.threads,
        Path(job.live) if job.live else None,
    )
    files = SongFiles(Path(job.out), composition.sheet.title)
    try:
        song = Production(spec, composition, arrangement, recipe, instruments).produce(
            files, options, report, cancelled
        )
    except StorageError:
        if cancelled():  # Ctrl+C also reaches ffmpeg, which then fails
            raise Cancelled("stopped") from None
        raise
    finally:
        files.tidy()
    return str(song.path)


def render_song_to_bytes(job: RenderJob) -> dict[str, bytes]:
    """Render a song on another computer of the cluster.

    Returns
    -------
    dict of str to bytes
        Contents of the files by suffix, such as ``.mp3``.

    Raises
    ------
    MusicGenError
        When the song cannot be rendered, or is too large to send.
    """
    with tempfile.TemporaryDirectory(prefix="llm-music-gen-") as folder:
        path = Path(render_song(replace(job, out=folder), lambda *_: None, lambda: False))
        made = {p.name.removeprefix(path.stem): p for p in Path(folder).iterdir()}
        if sum(p.stat().st_size for p in made.values()) > MAX_REMOTE_BYTES:
            raise StorageError(
                f"cannot send {path.name}: its files are over {MAX_REMOTE_BYTES >> 30} GB; "
                "render it without --cluster"
            )
        return {ending: p.read_bytes() for ending, p in made.items()}


def _arrange_recipe(
    recipe: Recipe, styles: dict[str, Style], instruments: Mapping[str, Instrument]
) -> tuple[SongSpec, Composition, SongArrangement]:
    if recipe.file is not None:
        return _arrange_imported(recipe, styles, instruments)
    assert recipe.composition
    spec = recipe.build_spec(styles)
    written = recipe.composition
    return spec, written, arrange(spec, written.sheet, paths.DATA, written.riff)


def _arrange_imported(
    recipe: Recipe, styles: dict[str, Style], instruments: Mapping[str, Instrument]
) -> tuple[SongSpec, Composition, SongArrangement]:
    """Arrange an imported piece."""
    from scripts.arranger.imported import arrange_piece
    from scripts.request.imported import build_piece_spec

    assert recipe.file
    piece = recipe.load_piece()
    made = build_piece_spec(piece, recipe.request, styles, recipe.seed)
    octaves = {name: i.octave for name, i in instruments.items()}
    arrangement = arrange_piece(made.spec, made.piece, paths.DATA, octaves)
    sheet = replace(
        arrangement.sheet,
        title=piece.title or recipe.file.stem,
        tempo=made.spec.tempo,
        styles=made.spec.styles,
    )
    return (
        made.spec,
        Composition(
            sheet,
            piece.composer or recipe.file.name,
            0,
            0.0,
            0,
            0.0,
            recipe.file.name,
            made.spec.form,
        ),
        arrangement,
    )
