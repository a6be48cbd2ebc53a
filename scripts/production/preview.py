"""The first seconds of a song, to hear at once whether it is what was meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from scripts.arranger.arrange import arrange
from scripts.audio.mp3 import encode_stream, write_tags
from scripts.core import paths
from scripts.core.audio_format import RATE, Stereo
from scripts.core.errors import Cancelled
from scripts.production.produce import song_tags
from scripts.production.recipe import Recipe
from scripts.styles.style import load_styles
from scripts.synth.fonts import find_soundfont
from scripts.synth.instruments import load_instruments
from scripts.synth.render import render

PREVIEW_SECONDS = 20.0
_FADE_SECONDS = 1.0
_BITRATE = 128  # kbit/s


def render_preview(recipe: Recipe, out: Path, cancelled: Callable[[], bool]) -> None:
    """Render the first :data:`PREVIEW_SECONDS` of a composed song to an MP3.

    Parameters
    ----------
    recipe : Recipe
        With a composition.
    out : Path
    cancelled : callable
        Checked for every block.

    Raises
    ------
    Cancelled
        When `cancelled` returns True.
    StorageError
        When the file cannot be written.
    """
    assert recipe.composition
    spec = recipe.build_spec(load_styles(paths.DATA / "styles"))
    song = arrange(spec, recipe.composition.sheet, paths.DATA, recipe.composition.riff)
    instruments = load_instruments(paths.DATA / "instruments")
    blocks = render(song, instruments, find_soundfont(paths.SOUNDFONTS)[0])
    encode_stream(_first_seconds(blocks, cancelled), out, _BITRATE, lambda frames: None)
    write_tags(out, song_tags(spec, recipe.composition, "the first seconds of a song"))


def _first_seconds(blocks: Iterator[Stereo], cancelled: Callable[[], bool]) -> Iterator[Stereo]:
    """Cut off after the preview, with a fade at its end."""
    left, fade = round(PREVIEW_SECONDS * RATE), round(_FADE_SECONDS * RATE)
    for block in blocks:
        if cancelled():
            raise Cancelled("stopped")
        part = block[:left]
        frames_to_end = left - np.arange(len(part))
        gain = np.minimum(1.0, frames_to_end / fade).astype(np.float32)
        yield part * gain[:, None]
        left -= len(part)
        if left <= 0:
            return
