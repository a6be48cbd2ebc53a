"""The recipe of a song: all that it takes to play it to files, the same ones every time."""

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
_LONGEST_SHEET = 500_000
_LARGEST_FILE = 4_000_000  # bytes
_LONGEST_NOTES = 1 << 20  # bytes, packed, of somebody's notes that are kept


@dataclass(frozen=True)
class Recipe:
    """What was wished for, and what was written for it.

    Parameters
    ----------
    wishes : Wishes
    seed : int
    temperature : float
    written : Composition, optional
        What the model wrote; None where somebody's own notes are played.
    file : Path, optional
        Those notes.
    notes : bytes
        What is in that file, so that the song can be made again without it; empty where it is
        too large to be kept.
    order : str
        The order that the song belongs to; may be empty.
    number : int
        Its number in the order, from 1.
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
        """Somebody's own notes.

        Raises
        ------
        MusicGenError
            When they cannot be read.
        """
        from scripts.score.open_piece import open_piece, read_piece

        assert self.file
        return read_piece(self.notes, self.file.name) if self.notes else open_piece(self.file)

    def brief(self, styles: Mapping[str, Style]) -> Brief:
        """The song's decisions, with the form that the model chose.

        Raises
        ------
        UsageError
            When the styles of the recipe are not known here.
        """
        brief = make_brief(self.wishes, styles, self.seed)
        return replace(brief, form=self.written.form) if self.written else brief

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
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
    """The wishes that differ from what is usual, and the styles."""
    usual = asdict(Wishes(""))
    return {k: v for k, v in asdict(wishes).items() if k == "styles" or v != usual[k]}


_KINDS: dict[str, tuple[type, ...]] = {
    "tempo": (int, float),
    "tuning": (int, float),
    "binaural": (int, float),
    "loop": (bool,),
}


def wishes_from_json(data: Any) -> Wishes:
    """Wishes from plain data; whether they can be met is for :func:`make_brief` to say.

    Raises
    ------
    UsageError
        When a field is not known, or is not of its kind.
    """
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("styles"), str)
        or not data["styles"].strip()
    ):
        raise UsageError("there are no styles; a song needs them")
    known = {f.name for f in fields(Wishes)}
    for name, value in data.items():
        if name not in known:
            raise UsageError(
                f'"{str(name)[:20]}" is not known; a song can have ' + ", ".join(sorted(known))
            )
        kinds = _KINDS.get(name, (str,))
        good = isinstance(value, kinds) and (bool in kinds) == isinstance(value, bool)
        if not good or (isinstance(value, str) and len(value) > _LONGEST_WISH):
            raise UsageError(f"{name}: {str(value)[:40]!r} is not {_KIND_WORDS[kinds]}")
    return Wishes(**data)


_KIND_WORDS: dict[tuple[type, ...], str] = {
    (int, float): "a number",
    (bool,): "true or false",
    (str,): "a short text",
}


def recipe_from_json(data: Any, styles: Mapping[str, Style]) -> Recipe:
    """A recipe from plain data, such as a song's ``.json`` holds.

    Raises
    ------
    NotationError
        When it is none.
    UsageError
        When its wishes cannot be met.
    """
    try:
        wishes = wishes_from_json(data["wishes"])
        seed, temperature = int(data["seed"]), float(data["temperature"])
        number, order = int(data.get("number", 1)), str(data.get("order", ""))[:80]
        if not 0 <= temperature <= 4 or not 0 <= seed < 1 << 63:
            raise NotationError("the recipe's numbers are out of range")
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
            f"the recipe is damaged ({type(error).__name__}); the song cannot be made from it"
        ) from error
    if (written is None) == (file is None):
        raise NotationError("the recipe has no notes; the song cannot be made from it")
    return Recipe(wishes, seed, temperature, written, file, order, number, notes)


def kept_recipe(path: Path, styles: Mapping[str, Style]) -> Recipe:
    """The recipe in the ``.json`` beside a song.

    Raises
    ------
    NotationError
        When there is none in it.
    StorageError
        When it cannot be read.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise NotationError(f"{path.name}: it is too large for a song's details")
        data = json.loads(path.read_text(encoding="utf-8"))["recipe"]
    except OSError as error:
        raise StorageError(
            f"{path}: it cannot be read ({error.strerror}); check the name"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotationError(
            f"{path.name}: there is no recipe in it; the .json beside a song of "
            "this program has one"
        ) from error
    return recipe_from_json(data, styles)


def _unpacked(text: str) -> bytes:
    """Notes that were kept; no more than a file of notes may have."""
    if len(text) > 2 * _LONGEST_NOTES:
        raise NotationError("the recipe's notes are too long")
    try:
        unpacker = zlib.decompressobj()
        notes = unpacker.decompress(base64.b64decode(text, validate=True), LARGEST_FILE)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not unpacker.eof:
        raise NotationError("the recipe's notes are damaged, or too long")
    return notes


def _composition(data: Any, brief: Brief) -> Composition:
    text, title = data["sheet"], data["title"]
    if not isinstance(text, str) or not isinstance(title, str) or len(text) > _LONGEST_SHEET:
        raise NotationError("the recipe has no sheet; the song cannot be made from it")
    form = tuple(data["form"])
    if not form or len(form) > 80 or any(name not in SECTIONS for name in form):
        raise NotationError("the recipe's form is not known; the song cannot be made from it")
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
