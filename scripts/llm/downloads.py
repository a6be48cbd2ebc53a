"""The models that the finder offers, and what "models add" may be told."""

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


SHORTEST = 3  # letters of a name; a stray key must not start a download of gigabytes


@dataclass(frozen=True)
class Offer:
    """A model on the Hugging Face hub.

    Parameters
    ----------
    name : str
    repo, file : str
        ``OWNER/NAME`` and the file in it.
    size : int
        Bytes, about; 0 when unknown.
    sha256 : str
        Empty when unknown.
    licence, good_for : str
    """

    name: str
    repo: str
    file: str
    size: int = 0
    sha256: str = ""
    licence: str = ""
    good_for: str = ""


def load_offers(path: Path) -> list[Offer]:
    """The rows of ``data/models.toml`` that say where a model is to be had."""
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
        raise UsageError(f"{path}: {error}; mend the file or delete it") from error


def find_offer(words: str, offers: list[Offer]) -> Offer:
    """The offer that `words` mean: a name, the beginning of one, or a file on the hub.

    Raises
    ------
    UsageError
        When they mean none, or several.
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
        f'"{wanted[:60]}" is not one of {names}; any other model is named '
        "OWNER/REPOSITORY/FILE.gguf"
    )
