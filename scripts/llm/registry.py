"""GGUF files in ``models/``: list them with their roles, find one by name."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import ModelError
from scripts.core.input_files import is_regular_file, is_special_file
from scripts.llm.chat import TUNE_HEADER_KEY, load_model_profile
from scripts.llm.decoding_plan import TINY
from scripts.llm.gguf_file import (
    EMBEDDING_ARCHITECTURES,
    GgufInfo,
    read_gguf,
    read_language_model,
)

STARTER_FILE = "starter.gguf"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelEntry:
    """File in the models folder.

    Parameters
    ----------
    path : Path
    info : GgufInfo or None
        None when the file cannot be used.
    problem : str
        Why it cannot be used, or empty.
    roles : tuple of str
        See :class:`scripts.llm.chat.ModelProfile`; empty when it cannot be used.
    """

    path: Path
    info: GgufInfo | None
    problem: str
    roles: tuple[str, ...]


def list_models(folder: Path, profiles: Path) -> list[ModelEntry]:
    """List every ``.gguf`` file in `folder` and its direct subfolders, sorted by path.

    `profiles` is the path of ``data/models.toml``.
    """
    entries = []
    try:
        files = sorted({*folder.glob("*.gguf"), *folder.glob("*/*.gguf")})
    except OSError:
        files = []
    for path in files:
        try:
            info = read_gguf(path)
            if info.architecture in EMBEDDING_ARCHITECTURES:
                entries.append(ModelEntry(path, info, "", ("reader",)))
                continue
            info = read_language_model(path)
            roles = load_model_profile(profiles, path.name).roles
            entries.append(ModelEntry(path, info, "", roles))
        except ModelError as error:
            entries.append(ModelEntry(path, None, str(error), ()))
    return entries


def find_model(name: str, folder: Path) -> GgufInfo:
    """Find the model called `name` and read its header.

    Parameters
    ----------
    name : str
        Path of a file, a file in `folder` (with or without ``.gguf``), or part of the name of one;
        the first match is taken. Empty for the starter, or without it the first usable file.
    folder : Path
        The models folder.

    Raises
    ------
    ModelError
        When nothing matches (the message lists the files in `folder`), or the file cannot be used.
    """
    path = find_model_file(name, folder)
    if path is not None:
        return read_language_model(path)
    if not name:
        for path in sorted(folder.glob("*.gguf")):
            try:
                return read_language_model(path)
            except ModelError:
                continue
    there = ", ".join(p.name for p in sorted(folder.glob("*.gguf"))[:6]) or "none"
    wanted = f'no model "{name[:60]}"' if name else "no model"
    raise ModelError(
        f"{wanted} in {folder} (found: {there}); put a .gguf file there or name one with --model"
    )


def find_model_file(name: str, folder: Path) -> Path | None:
    """Find the file of a model without reading it; parameters as for :func:`find_model`.

    None when nothing matches, or for an empty name without the starter.
    """
    if not name:
        return folder / STARTER_FILE if is_regular_file(folder / STARTER_FILE) else None
    for path in (Path(name), folder / name, folder / f"{name}.gguf"):
        if is_regular_file(path) or is_special_file(path):
            return path
    near = [p for p in sorted(folder.glob("*.gguf")) if name.lower() in p.name.lower()]
    return near[0] if near else None


def find_guide(info: GgufInfo, folder: Path) -> Path | None:
    """Find the starter in `folder`, which guides a larger model.

    None for a model that is small or was trained on tunes, or when the starter cannot be used.
    """
    if TUNE_HEADER_KEY in info.metadata or info.parameters < TINY:
        return None
    try:
        return read_language_model(folder / STARTER_FILE).path
    except ModelError as error:
        _log.warning("%s writes without a guide: %s", info.path.name, error)
        return None
