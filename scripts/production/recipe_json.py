"""Recipes as JSON data: written into a song's ``.json``, and read back whatever is in there."""

from __future__ import annotations

import base64
import errno
import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from scripts.composer.compose import Composition
from scripts.composer.narrations import MAX_NARRATION_LENGTH
from scripts.core.errors import NotationError, StorageError
from scripts.core.input_files import find_beside, is_regular_file, read_input_text
from scripts.core.json_fields import INVALID_DATA
from scripts.core.text import clean_line, is_unicode
from scripts.production.recipe import Recipe
from scripts.request.build import build_spec
from scripts.request.parse import SECTIONS
from scripts.request.request_json import request_from_json, request_to_json
from scripts.request.spec import SongSpec
from scripts.score.abc_reader import read_abc
from scripts.score.abc_writer import write_abc
from scripts.score.piece import MAX_FILE_BYTES
from scripts.styles.style import Style

_MAX_DETAILS_BYTES = 4_000_000
_MAX_NOTES_BYTES = 1 << 20  # of an imported file, compressed, that a recipe may contain


class _CompositionData(msgspec.Struct, omit_defaults=True):
    """JSON form of a :class:`Composition`."""

    sheet: Annotated[str, Meta(max_length=500_000)]
    title: str
    model: str
    tries: int
    cost: float
    tokens: int
    seconds: float
    words_by: str
    form: Annotated[list[str], Meta(min_length=1, max_length=80)]
    riff: Annotated[str, Meta(max_length=20_000)] = ""
    narration: Annotated[str, Meta(max_length=2000)] = ""


class _RecipeData(msgspec.Struct, omit_defaults=True):
    """JSON form of a :class:`Recipe`."""

    wishes: dict[str, Any]
    seed: Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
    temperature: Annotated[float, Meta(ge=0, le=4)]
    order: str = ""
    number: int = 1
    file: str | None = None
    notes: Annotated[str, Meta(max_length=2 * _MAX_NOTES_BYTES)] | None = None
    written: _CompositionData | None = None


def recipe_to_json(recipe: Recipe) -> dict[str, Any]:
    """Convert to JSON data; imported notes are compressed, or left out if too large."""
    notes = _compress_notes(recipe.notes)
    file = (
        None if recipe.file is None else clean_line(recipe.file.name) if notes else str(recipe.file)
    )
    data = _RecipeData(
        request_to_json(recipe.request),
        recipe.seed,
        recipe.temperature,
        recipe.order,
        recipe.number,
        file,
        notes,
        _composition_data(recipe.composition) if recipe.composition else None,
    )
    # Earlier versions expect these two also when they have their defaults.
    return {"order": "", "number": 1, **msgspec.to_builtins(data)}


def recipe_from_json(data: Any, styles: Mapping[str, Style]) -> Recipe:
    """Parse the recipe in a song's ``.json``.

    Raises
    ------
    NotationError
        When it is not a valid recipe.
    UsageError
        When its request cannot be fulfilled.
    """
    try:
        found = msgspec.convert(data, _RecipeData)
    except (*INVALID_DATA, RecursionError) as error:
        raise NotationError(
            f"invalid recipe: {error}; the song cannot be rendered from it"
        ) from error
    if found.file is not None and not is_unicode(found.file):
        raise NotationError("invalid recipe: the name of its file is not valid Unicode")
    request = request_from_json(found.wishes)
    if (found.written is None) == (found.file is None):
        raise NotationError("invalid recipe: expected either a composition or an imported file")
    return Recipe(
        request,
        found.seed,
        found.temperature,
        _parse_composition(found.written, build_spec(request, styles, found.seed))
        if found.written
        else None,
        Path(found.file) if found.file is not None else None,
        clean_line(found.order, 80),
        found.number,
        _decompress_notes(found.notes) if found.notes and found.file is not None else b"",
    )


def read_recipe(path: Path, styles: Mapping[str, Style]) -> Recipe:
    """Read the recipe in the ``.json`` beside a song.

    Raises
    ------
    NotationError
        When the file contains no valid recipe, or is over 4 MB.
    StorageError
        When the file cannot be read.
    UsageError
        When its notes are in a file that does not lie beside it.
    """
    try:
        data = json.loads(read_input_text(path, _MAX_DETAILS_BYTES))["recipe"]
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise NotationError(
                f"{path.name}: over 4 MB; choose the .json beside a song"
            ) from error
        raise StorageError(
            f"cannot read {path}: {error.strerror}; check the name and your permissions"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotationError(
            f"{path.name}: the file contains no recipe; choose the .json beside a song made by "
            "this program, or read a job file with 'generate --job-file'"
        ) from error
    recipe = recipe_from_json(data, styles)
    if recipe.file is None:
        return recipe
    # The file may come from a stranger. With the notes in it, only the name of theirs is used.
    name = str(recipe.file)
    base = clean_line(PureWindowsPath(name).name) or "notes"
    if recipe.notes:
        return replace(recipe, file=Path(base))
    # Songs with very large notes have an absolute path; the notes may lie beside them.
    beside = find_beside(path, base)
    return replace(recipe, file=beside if is_regular_file(beside) else find_beside(path, name))


def _compress_notes(notes: bytes) -> str | None:
    packed = zlib.compress(notes, 9)
    if not notes or len(packed) > _MAX_NOTES_BYTES:
        return None
    return base64.b64encode(packed).decode("ascii")


def _decompress_notes(text: str) -> bytes:
    """Decompress stored notes, up to the largest size of an imported file."""
    try:
        unpacker = zlib.decompressobj()
        notes = unpacker.decompress(base64.b64decode(text, validate=True), MAX_FILE_BYTES)
    except (zlib.error, ValueError) as error:
        raise NotationError(f"invalid recipe: the stored notes are damaged ({error})") from error
    if not unpacker.eof:
        raise NotationError("invalid recipe: the stored notes are damaged or too long")
    return notes


def _composition_data(composition: Composition) -> _CompositionData:
    return _CompositionData(
        write_abc(composition.sheet),
        composition.sheet.title,
        composition.model,
        composition.tries,
        composition.cost,
        composition.tokens,
        composition.seconds,
        composition.words_by,
        list(composition.form),
        write_abc(composition.riff) if composition.riff else "",
        composition.narration,
    )


def _parse_composition(data: _CompositionData, spec: SongSpec) -> Composition:
    unknown = [name for name in data.form if name not in SECTIONS]
    if unknown:
        raise NotationError(f'invalid recipe: unknown section "{unknown[0][:20]}"')
    model = clean_line(data.model, 200)
    sheet = replace(
        read_abc(data.sheet),
        key=spec.key,
        tempo=spec.tempo,
        title=data.title[:400],
        styles=tuple(spec.styles),
        origin=model,
    )
    return Composition(
        sheet,
        model,
        data.tries,
        data.cost,
        data.tokens,
        data.seconds,
        clean_line(data.words_by, 200),
        tuple(data.form),
        replace(read_abc(data.riff), key=spec.key) if data.riff else None,
        narration=clean_line(data.narration, MAX_NARRATION_LENGTH),
    )
