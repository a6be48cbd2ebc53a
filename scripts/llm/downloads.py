"""Models to download: those listed in ``data/models.toml``, or any GGUF file on the hub."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import UsageError
from scripts.core.filenames import sanitize_filename
from scripts.core.input_files import read_input_text

_MAX_BYTES = 1 << 20  # of the table of models
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_ADDRESS = re.compile(
    rf"(?:https://huggingface\.co/)?(?P<repo>{_PART}/{_PART})/(?:(?:blob|resolve)/main/)?"
    rf"(?P<file>{_PART}\.gguf)(?:\?download=true)?"
)


MIN_NAME_LENGTH = 3  # characters; a stray key must not start a download of gigabytes


@dataclass(frozen=True)
class ModelDownload:
    """Model on the Hugging Face hub that can be downloaded.

    Parameters
    ----------
    name : str
        What the user calls it.
    repo, file : str
        ``OWNER/NAME`` and the file in it.
    size : int
        Approximate size in bytes; 0 when unknown.
    sha256 : str
        Checksum in hexadecimal; empty when unknown.
    license, good_for : str
        For the list of models.
    """

    name: str
    repo: str
    file: str
    size: int = 0
    sha256: str = ""
    license: str = ""
    good_for: str = ""


def load_downloads(path: Path) -> list[ModelDownload]:
    """Read the entries of ``data/models.toml`` that have a ``repo``; none when it does not exist.

    Raises
    ------
    UsageError
        When the file is invalid.
    """
    try:
        rows = tomllib.loads(read_input_text(path, _MAX_BYTES)).get("model", [])
        return [
            ModelDownload(
                str(r["name"]),
                str(r["repo"]),
                str(r["file"]),
                int(r.get("bytes", 0)),
                str(r.get("sha256", "")),
                str(r.get("licence", "")),
                str(r.get("good_for", "")),
            )
            for r in rows
            if "repo" in r
        ]
    except FileNotFoundError:
        return []
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"cannot read {path}: {error}; fix the file or delete it") from error


def find_download(query: str, downloads: list[ModelDownload]) -> ModelDownload:
    """Find the model that `query` names.

    Parameters
    ----------
    query : str
        Beginning of a name or file name in `downloads` (at least :data:`MIN_NAME_LENGTH`
        characters, in upper or lower case), ``OWNER/REPOSITORY/FILE.gguf``, or a file's address
        on huggingface.co.
    downloads : list of ModelDownload

    Returns
    -------
    ModelDownload
        One of `downloads`; for a file on the hub a new one, of unknown size and checksum.

    Raises
    ------
    UsageError
        When no model or several match.
    """
    wanted = query.strip()
    address = _ADDRESS.fullmatch(wanted)
    if address and sanitize_filename(address["file"]) == address["file"]:
        return ModelDownload(address["file"], address["repo"], address["file"])
    near = [
        o
        for o in downloads
        if len(wanted) >= MIN_NAME_LENGTH
        and any(name.casefold().startswith(wanted.casefold()) for name in (o.name, o.file))
    ]
    if len(near) == 1:
        return near[0]
    names = ", ".join(o.name for o in downloads)
    raise UsageError(
        f'unknown model "{wanted[:60]}": expected one of {names}, or '
        "OWNER/REPOSITORY/FILE.gguf for any other"
    )
