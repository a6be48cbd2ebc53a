"""A language model of others: Gemma 3 270M, from the packages of the extra ``realmodel``."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from scripts.core import paths
from scripts.llm.downloads import ModelDownload, file_sha256, load_downloads


def find_entry() -> ModelDownload:
    """Its entry in ``data/models.toml``."""
    return next(d for d in load_downloads(paths.DATA / "models.toml") if d.name == "Gemma")


def write_real_model(folder: Path) -> Path | None:
    """Put the model together in `folder`; None where its packages are not installed."""
    entry = find_entry()
    target = folder / entry.file
    with target.open("wb") as out:
        for package in entry.packages:
            spec = find_spec(package.partition("==")[0].replace("-", "_"))
            if spec is None or spec.origin is None:
                return None
            (part,) = Path(spec.origin).parent.glob("data/*.gguf.part*")
            with part.open("rb") as file:
                shutil.copyfileobj(file, out)
    assert file_sha256(target) == entry.sha256
    return target
