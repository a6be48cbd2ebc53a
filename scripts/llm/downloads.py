"""Models to download: those listed in ``data/models.toml``, or any GGUF file on the hub."""

from __future__ import annotations

import hashlib
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import StorageError, UsageError
from scripts.core.file_lock import try_lock
from scripts.core.filenames import sanitize_filename
from scripts.core.input_files import read_input_text

_MAX_BYTES = 1 << 20  # of the table of models
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_ADDRESS = re.compile(
    rf"(?:https://huggingface\.co/)?(?P<repo>{_PART}/{_PART})/(?:(?:blob|resolve)/main/)?"
    rf"(?P<file>{_PART}\.gguf)(?:\?download=true)?"
)
ProgressCallback = Callable[[int, int], None]
"""Called with the bytes downloaded so far and the total size in bytes."""

FREE_SPACE_MARGIN = 200_000_000  # bytes to keep free on the disk
MIN_NAME_LENGTH = 3  # characters; a stray key must not start a download of gigabytes


@dataclass(frozen=True)
class ModelDownload:
    """Model that can be downloaded: from the Hugging Face hub, or in packages by pip.

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
    packages : tuple of str
        Requirements of the packages that hold the parts of the file, in order; empty for the hub.
    """

    name: str
    repo: str
    file: str
    size: int = 0
    sha256: str = ""
    license: str = ""
    good_for: str = ""
    packages: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Where it comes from, for messages."""
        return "the package index" if self.packages else f"huggingface.co/{self.repo}"


def load_downloads(path: Path) -> list[ModelDownload]:
    """Read the entries of ``data/models.toml`` with a source; none when it does not exist.

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
                str(r.get("repo", "")),
                str(r["file"]),
                int(r.get("bytes", 0)),
                str(r.get("sha256", "")),
                str(r.get("licence", "")),
                str(r.get("good_for", "")),
                tuple(map(str, r.get("packages", ()))),
            )
            for r in rows
            if "repo" in r or "packages" in r
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


def check_existing(target: Path, size: int, digest: str) -> Path:
    """Check that a file which is there already is the model, and return it.

    Parameters
    ----------
    target : Path
    size : int
        Bytes of the model.
    digest : str
        Its SHA-256 in hexadecimal; empty when unknown.

    Raises
    ------
    StorageError
        When it is another file.
    """
    if target.stat().st_size != size or (digest and file_sha256(target) != digest):
        raise StorageError(
            f"{target}: another file of this name already exists; move it away and try again"
        )
    return target


def check_free_space(folder: Path, needed: int) -> None:
    """Check that a download fits on the disk of `folder`.

    Raises
    ------
    StorageError
    """
    free = shutil.disk_usage(folder).free
    if free < needed + FREE_SPACE_MARGIN:
        raise StorageError(
            f"{folder}: not enough disk space: {needed / 1e9:.1f} GB are needed, "
            f"{free / 1e9:.1f} GB are free; free some space and try again"
        )


def file_sha256(path: Path) -> str:
    """Compute the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def download_lock(part: Path) -> Iterator[None]:
    """Lock the download of a file against other processes.

    Raises
    ------
    StorageError
        When another process downloads it.
    """
    lock = try_lock(part.with_name(part.name + ".lock"))
    if lock is None:
        raise StorageError(
            f"{part.parent}: another window is downloading this model; wait until it has finished"
        )
    try:
        yield
    finally:
        lock.remove()
