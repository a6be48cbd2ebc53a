"""The GGUF files in ``models/``, and which of them does what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import ModelError
from scripts.llm.chat import load_notes
from scripts.llm.gguf_file import GgufInfo, language_model

STARTER = "starter.gguf"


@dataclass(frozen=True)
class ModelEntry:
    """A file of the models folder: its description, or what is wrong with it."""

    path: Path
    info: GgufInfo | None
    problem: str
    roles: tuple[str, ...]


def list_models(folder: Path, notes: Path) -> list[ModelEntry]:
    """Every ``.gguf`` below `folder` (two levels), by name."""
    entries = []
    try:
        files = sorted({*folder.glob("*.gguf"), *folder.glob("*/*.gguf")})
    except OSError:
        files = []
    for path in files:
        try:
            info = language_model(path)
            roles = load_notes(notes, path.name).roles
            entries.append(ModelEntry(path, info, "", roles))
        except ModelError as error:
            entries.append(ModelEntry(path, None, str(error), ()))
    return entries


def find_model(name: str, folder: Path) -> GgufInfo:
    """The model called `name` (a file, or a name in `folder`), or the starter when empty.

    Raises
    ------
    ModelError
        When there is none, saying what is there.
    """
    if name:
        for path in (Path(name), folder / name, folder / f"{name}.gguf"):
            if _is_file(path):
                return language_model(path)
        near = [p for p in sorted(folder.glob("*.gguf")) if name.lower() in p.name.lower()]
        if near:
            return language_model(near[0])
    elif (folder / STARTER).is_file():
        return language_model(folder / STARTER)
    else:
        for path in sorted(folder.glob("*.gguf")):
            try:
                return language_model(path)
            except ModelError:
                continue
    there = ", ".join(p.name for p in sorted(folder.glob("*.gguf"))[:6]) or "none"
    wanted = f'no model "{name[:60]}"' if name else "no model"
    raise ModelError(
        f"{wanted} in {folder} (there: {there}); put a .gguf file there or name one with --model"
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a null in it
        return False
