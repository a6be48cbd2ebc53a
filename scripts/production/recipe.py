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
from scripts.request.spec import SECTIONS, Brief, Wishes, make_brief
from scripts.score.abc_reader import read_abc
from scripts.score.abc_writer import write_abc
from scripts.score.piece import LARGEST_FILE, Piece
from scripts.styles.style import Style

_LONGEST_WISH = 2000  # characters
_LONGEST_SHEET = 500_000  # characters
_LARGEST_FILE = 4_000_000  # bytes
_LONGEST_NOTES = 1 << 20  # bytes of an imported file, compressed, that a recipe may contain


@dataclass(frozen=True)
class Recipe:
    """Request for a song, with the composition or imported file that answers it.

    Parameters
    ----------
    wishes : Wishes
    seed : int
        0 to 2**63 - 1.
    temperature : float
        0 to 4.
    written : Composition, optional
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

    wishes: Wishes
    seed: int
    temperature: float
    written: Composition | None = None
    file: Path | None = None
    order: str = ""
    number: int = 1
    notes: bytes = b""

    def piece(self) -> Piece:
        """Read the imported piece, from the stored notes or from the file.

        Raises
        ------
        MusicGenError
            When it cannot be read.
        """
        from scripts.score.open_piece import open_piece, read_piece

        assert self.file
        return read_piece(self.notes, self.file.name) if self.notes else open_piece(self.file)

    def brief(self, styles: Mapping[str, Style]) -> Brief:
        """Build the song's brief, with the form that the model chose.

        Raises
        ------
        UsageError
            When a style of the recipe is not in `styles`.
        """
        brief = make_brief(self.wishes, styles, self.seed)
        return replace(brief, form=self.written.form) if self.written else brief

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON data; imported notes are compressed, or left out if too large."""
        data: dict[str, Any] = {
            "wishes": wishes_to_json(self.wishes),
            "seed": self.seed,
            "temperature": self.temperature,
            "order": self.order,
            "number": self.number,
        }
        if self.file:
            data["file"] = str(self.file)
        packed = zlib.compress(self.notes, 9)
        if self.notes and len(packed) <= _LONGEST_NOTES:
            data["notes"] = base64.b64encode(packed).decode("ascii")
        if self.written:
            written = {f.name: getattr(self.written, f.name) for f in fields(self.written)}
            data["written"] = {
                **written,
                "sheet": write_abc(self.written.sheet),
                "title": self.written.sheet.title,
                "form": list(self.written.form),
            }
        return data


def wishes_to_json(wishes: Wishes) -> dict[str, Any]:
    """Convert to JSON data: the styles, and the fields that differ from their defaults."""
    usual = asdict(Wishes(""))
    return {k: v for k, v in asdict(wishes).items() if k == "styles" or v != usual[k]}


_KINDS: dict[str, tuple[type, ...]] = {
    "tempo": (int, float),
    "tuning": (int, float),
    "binaural": (int, float),
    "loop": (bool,),
}


def wishes_from_json(data: Any) -> Wishes:
    """Parse JSON data; :func:`make_brief` validates the values.

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
    known = {f.name for f in fields(Wishes)}
    for name, value in data.items():
        if name not in known:
            raise UsageError(
                f'unknown field "{str(name)[:20]}"; expected one of ' + ", ".join(sorted(known))
            )
        kinds = _KINDS.get(name, (str,))
        good = isinstance(value, kinds) and (bool in kinds) == isinstance(value, bool)
        if not good or (isinstance(value, str) and len(value) > _LONGEST_WISH):
            raise UsageError(f"invalid {name} {str(value)[:40]!r}: expected {_KIND_WORDS[kinds]}")
    return Wishes(**data)


_KIND_WORDS: dict[tuple[type, ...], str] = {
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
        wishes = wishes_from_json(data["wishes"])
        seed, temperature = int(data["seed"]), float(data["temperature"])
        number, order = int(data.get("number", 1)), str(data.get("order", ""))[:80]
        if not 0 <= temperature <= 4 or not 0 <= seed < 1 << 63:
            raise NotationError(
                "invalid recipe: expected a temperature of 0 to 4 and a seed of 0 to 2**63 - 1"
            )
        file = Path(data["file"]) if isinstance(data.get("file"), str) else None
        notes = _unpacked(data["notes"]) if file is not None and "notes" in data else b""
        written = (
            _composition(data["written"], make_brief(wishes, styles, seed))
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
    return Recipe(wishes, seed, temperature, written, file, order, number, notes)


def kept_recipe(path: Path, styles: Mapping[str, Style]) -> Recipe:
    """Read the recipe in the ``.json`` beside a song.

    Raises
    ------
    NotationError
        When the file contains no valid recipe, or is over 4 MB.
    StorageError
        When the file cannot be read.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
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


def _unpacked(text: str) -> bytes:
    """Decompress stored notes, up to the largest size of an imported file."""
    if len(text) > 2 * _LONGEST_NOTES:
        raise NotationError("invalid recipe: the stored notes are too long")
    try:
        unpacker = zlib.decompressobj()
        notes = unpacker.decompress(base64.b64decode(text, validate=True), LARGEST_FILE)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not unpacker.eof:
        raise NotationError("invalid recipe: the stored notes are damaged or too long")
    return notes


def _composition(data: Any, brief: Brief) -> Composition:
    text, title = data["sheet"], data["title"]
    if not isinstance(text, str) or not isinstance(title, str) or len(text) > _LONGEST_SHEET:
        raise NotationError("invalid recipe: the lead sheet is missing or too long")
    form = tuple(data["form"])
    if not form or len(form) > 80 or any(name not in SECTIONS for name in form):
        raise NotationError("invalid recipe: the form is empty, too long or unknown")
    model = str(data["model"])[:200]
    sheet = replace(
        read_abc(text),
        key=brief.key,
        tempo=brief.tempo,
        title=title[:400],
        styles=tuple(brief.styles),
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
