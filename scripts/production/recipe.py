"""Recipe of a song: everything needed to render the same files again."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from scripts.composer.compose import Composition
from scripts.core.errors import MusicGenError, NotationError, StorageError, UsageError
from scripts.request.spec import SECTIONS, SongRequest, SongSpec, build_spec
from scripts.score.abc_reader import read_abc
from scripts.score.abc_writer import write_abc
from scripts.score.piece import MAX_FILE_BYTES, Piece
from scripts.styles.style import Style

_MAX_TEXT_LENGTH = 2000  # characters
_MAX_SHEET_LENGTH = 500_000  # characters
_MAX_DETAILS_BYTES = 4_000_000  # bytes
_MAX_NOTES_BYTES = 1 << 20  # bytes of an imported file, compressed, that a recipe may contain


@dataclass(frozen=True)
class Recipe:
    """Request for a song, with the composition or imported file that answers it.

    Parameters
    ----------
    request : SongRequest
    seed : int
        0 to 2**63 - 1.
    temperature : float
        0 to 4.
    composition : Composition, optional
        Composition by the model; None for imported music.
    file : Path, optional
        Imported file.
    notes : bytes
        Contents of that file, so that the song can be rendered again without it; empty if it is
        too large to store.
    order : str
        Id of the order that the song belongs to; may be empty.
    number : int
        Number of the song in the order, from 1.
    """

    request: SongRequest
    seed: int
    temperature: float
    composition: Composition | None = None
    file: Path | None = None
    order: str = ""
    number: int = 1
    notes: bytes = b""

    def load_piece(self) -> Piece:
        """Read the imported piece, from the stored notes or from the file.

        Raises
        ------
        MusicGenError
            When it cannot be read.
        """
        from scripts.score.open_piece import open_piece, parse_piece

        assert self.file
        return parse_piece(self.notes, self.file.name) if self.notes else open_piece(self.file)

    def build_spec(self, styles: Mapping[str, Style]) -> SongSpec:
        """Build the song's brief, with the form that the model chose.

        Raises
        ------
        UsageError
            When a style of the recipe is not in `styles`.
        """
        spec = build_spec(self.request, styles, self.seed)
        return replace(spec, form=self.composition.form) if self.composition else spec

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON data; imported notes are compressed, or left out if too large."""
        data: dict[str, Any] = {
            "wishes": request_to_json(self.request),
            "seed": self.seed,
            "temperature": self.temperature,
            "order": self.order,
            "number": self.number,
        }
        if self.file:
            data["file"] = str(self.file)
        packed = zlib.compress(self.notes, 9)
        if self.notes and len(packed) <= _MAX_NOTES_BYTES:
            data["notes"] = base64.b64encode(packed).decode("ascii")
        if self.composition:
            written = {f.name: getattr(self.composition, f.name) for f in fields(self.composition)}
            data["written"] = {
                **written,
                "sheet": write_abc(self.composition.sheet),
                "title": self.composition.sheet.title,
                "form": list(self.composition.form),
            }
        return data


def request_to_json(request: SongRequest) -> dict[str, Any]:
    """Convert to JSON data: the styles, and the fields that differ from their defaults."""
    usual = asdict(SongRequest(""))
    return {k: v for k, v in asdict(request).items() if k == "styles" or v != usual[k]}


_FIELD_TYPES: dict[str, tuple[type, ...]] = {
    "tempo": (int, float),
    "tuning": (int, float),
    "binaural": (int, float),
    "loop": (bool,),
}


def request_from_json(data: Any) -> SongRequest:
    """Parse JSON data; :func:`build_spec` validates the values.

    Raises
    ------
    UsageError
        When the styles are missing, a field is unknown, or a value has the wrong type or is too
        long.
    """
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("styles"), str)
        or not data["styles"].strip()
    ):
        raise UsageError('missing "styles"; name at least one style')
    known = {f.name for f in fields(SongRequest)}
    for name, value in data.items():
        if name not in known:
            raise UsageError(
                f'unknown field "{str(name)[:20]}"; expected one of ' + ", ".join(sorted(known))
            )
        kinds = _FIELD_TYPES.get(name, (str,))
        good = isinstance(value, kinds) and (bool in kinds) == isinstance(value, bool)
        if not good or (isinstance(value, str) and len(value) > _MAX_TEXT_LENGTH):
            raise UsageError(f"invalid {name} {str(value)[:40]!r}: expected {_TYPE_NAMES[kinds]}")
    return SongRequest(**data)


_TYPE_NAMES: dict[tuple[type, ...], str] = {
    (int, float): "a number",
    (bool,): "true or false",
    (str,): "a text of at most 2,000 characters",
}


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
        request = request_from_json(data["wishes"])
        seed, temperature = int(data["seed"]), float(data["temperature"])
        number, order = int(data.get("number", 1)), str(data.get("order", ""))[:80]
        if not 0 <= temperature <= 4 or not 0 <= seed < 1 << 63:
            raise NotationError(
                "invalid recipe: expected a temperature of 0 to 4 and a seed of 0 to 2**63 - 1"
            )
        file = Path(data["file"]) if isinstance(data.get("file"), str) else None
        notes = _decompress_notes(data["notes"]) if file is not None and "notes" in data else b""
        written = (
            _parse_composition(data["written"], build_spec(request, styles, seed))
            if "written" in data
            else None
        )
    except MusicGenError:
        raise
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise NotationError(
            f"the recipe is damaged ({type(error).__name__}); the song cannot be rendered from it"
        ) from error
    if (written is None) == (file is None):
        raise NotationError("invalid recipe: expected either a composition or an imported file")
    return Recipe(request, seed, temperature, written, file, order, number, notes)


def read_recipe(path: Path, styles: Mapping[str, Style]) -> Recipe:
    """Read the recipe in the ``.json`` beside a song.

    Raises
    ------
    NotationError
        When the file contains no valid recipe, or is over 4 MB.
    StorageError
        When the file cannot be read.
    """
    try:
        if path.stat().st_size > _MAX_DETAILS_BYTES:
            raise NotationError(f"{path.name}: over 4 MB; choose the .json beside a song")
        data = json.loads(path.read_text(encoding="utf-8"))["recipe"]
    except OSError as error:
        raise StorageError(
            f"cannot read {path}: {error.strerror}; check the name and your permissions"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotationError(
            f"{path.name}: the file contains no recipe; choose the .json beside a song "
            "made by this program"
        ) from error
    return recipe_from_json(data, styles)


def _decompress_notes(text: str) -> bytes:
    """Decompress stored notes, up to the largest size of an imported file."""
    if len(text) > 2 * _MAX_NOTES_BYTES:
        raise NotationError("invalid recipe: the stored notes are too long")
    try:
        unpacker = zlib.decompressobj()
        notes = unpacker.decompress(base64.b64decode(text, validate=True), MAX_FILE_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not unpacker.eof:
        raise NotationError("invalid recipe: the stored notes are damaged or too long")
    return notes


def _parse_composition(data: Any, spec: SongSpec) -> Composition:
    text, title = data["sheet"], data["title"]
    if not isinstance(text, str) or not isinstance(title, str) or len(text) > _MAX_SHEET_LENGTH:
        raise NotationError("invalid recipe: the lead sheet is missing or too long")
    form = tuple(data["form"])
    if not form or len(form) > 80 or any(name not in SECTIONS for name in form):
        raise NotationError("invalid recipe: the form is empty, too long or unknown")
    model = str(data["model"])[:200]
    sheet = replace(
        read_abc(text),
        key=spec.key,
        tempo=spec.tempo,
        title=title[:400],
        styles=tuple(spec.styles),
        origin=model,
    )
    return Composition(
        sheet,
        model,
        int(data["tries"]),
        float(data["cost"]),
        int(data["tokens"]),
        float(data["seconds"]),
        str(data["words_by"])[:200],
        form,
    )
