"""Models to download: those listed in ``data/models.toml``, or any GGUF file on the hub."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import UsageError
from scripts.core.filenames import legal_name

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_ADDRESS = re.compile(
    rf"(?:https://huggingface\.co/)?(?P<repo>{_PART}/{_PART})/(?:(?:blob|resolve)/main/)?"
    rf"(?P<file>{_PART}\.gguf)(?:\?download=true)?"
)


SHORTEST = 3  # characters; a stray key must not start a download of gigabytes


@dataclass(frozen=True)
class Offer:
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
    licence, good_for : str
        For the list of models.
    """

    name: str
    repo: str
    file: str
    size: int = 0
    sha256: str = ""
    licence: str = ""
    good_for: str = ""


def load_offers(path: Path) -> list[Offer]:
    """Read the entries of ``data/models.toml`` that have a ``repo``; none when it does not exist.

    Raises
    ------
    UsageError
        When the file is invalid.
    """
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("model", [])
        return [
            Offer(
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


def find_offer(words: str, offers: list[Offer]) -> Offer:
    """Find the model that `words` name.

    Parameters
    ----------
    words : str
        Beginning of a name or file name in `offers` (at least :data:`SHORTEST` characters,
        in upper or lower case), ``OWNER/REPOSITORY/FILE.gguf``, or a file's address on
        huggingface.co.
    offers : list of Offer

    Returns
    -------
    Offer
        One of `offers`; for a file on the hub a new one, of unknown size and checksum.

    Raises
    ------
    UsageError
        When no model or several match.
    """
    wanted = words.strip()
    address = _ADDRESS.fullmatch(wanted)
    if address and legal_name(address["file"]) == address["file"]:
        return Offer(address["file"], address["repo"], address["file"])
    near = [
        o
        for o in offers
        if len(wanted) >= SHORTEST
        and any(name.casefold().startswith(wanted.casefold()) for name in (o.name, o.file))
    ]
    if len(near) == 1:
        return near[0]
    names = ", ".join(o.name for o in offers)
    raise UsageError(
        f'unknown model "{wanted[:60]}": expected one of {names}, or '
        "OWNER/REPOSITORY/FILE.gguf for any other"
    )
