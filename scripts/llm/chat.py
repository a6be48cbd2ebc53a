"""How a question is put to a chat model: from its own template, else from a table."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.core.errors import UsageError

TUNE_HEADER = "tune-header-1"  # written by training/export.py into the starter's metadata


@dataclass(frozen=True)
class Prompt:
    """A finished prompt.

    Parameters
    ----------
    text : str
    special : bool
        Whether control tokens written in `text` are to be read as such.
    bos : bool
        Whether the tokenizer adds its begin-of-sequence token.
    """

    text: str
    special: bool
    bos: bool


@dataclass(frozen=True)
class ModelNotes:
    """What ``data/models.toml`` says about a model.

    Parameters
    ----------
    template : str
        ``{prompt}`` stands for the question; empty when the file's own template serves.
    roles : tuple of str
        ``composer`` writes sheets, ``writer`` writes titles.
    """

    template: str = ""
    roles: tuple[str, ...] = ("composer", "writer")


def load_notes(path: Path, name: str) -> ModelNotes:
    """Find the row of ``data/models.toml`` whose ``match`` begins or ends a word of the model's
    file `name`."""
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["model"]
        for row in rows:
            words = re.escape(str(row["match"]))
            if re.search(rf"(?<![A-Za-z0-9]){words}|{words}(?![A-Za-z0-9.])", name, re.IGNORECASE):
                return ModelNotes(
                    str(row.get("template", "")), tuple(row.get("roles", ("composer", "writer")))
                )
    except FileNotFoundError:
        pass
    except (tomllib.TOMLDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}; mend the file or delete it") from error
    return ModelNotes()


def chat_prompt(
    question: str, reply_start: str, notes: ModelNotes, metadata: dict[str, Any], bos: str, eos: str
) -> Prompt:
    """Wrap `question` for a model and begin its reply with `reply_start`."""
    template = str(metadata.get("tokenizer.chat_template", ""))
    if template:
        rendered = _render(template, question, bos, eos)
        if rendered:
            starts = bool(bos) and rendered.startswith(bos)
            return Prompt(rendered + reply_start, special=True, bos=not starts)
    if notes.template:
        text = notes.template.replace("{prompt}", question) + reply_start
        return Prompt(text, special=True, bos=True)
    return Prompt(question + "\n\n" + reply_start, special=False, bos=True)


def _render(template: str, question: str, bos: str, eos: str) -> str:
    """The model's Jinja template, run in a sandbox; empty when it fails."""
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    try:
        return str(
            environment.from_string(template).render(
                messages=[{"role": "user", "content": question}],
                add_generation_prompt=True,
                bos_token=bos,
                eos_token=eos,
            )
        )
    except (TemplateError, TypeError, ValueError, KeyError, AttributeError):
        return ""
