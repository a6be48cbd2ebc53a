"""Prompts for chat models: from the model's own chat template, else ``data/models.toml``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import UsageError
from scripts.core.input_files import read_input_text

_MAX_BYTES = 1 << 20  # of the table of models
TUNE_HEADER_FORMAT = "tune-header-1"  # the starter's prompt format; training/export.py writes it


@dataclass(frozen=True)
class Prompt:
    """Prompt text and how to tokenize it.

    Parameters
    ----------
    text : str
    special : bool
        Whether the tokenizer parses control tokens written in `text`.
    bos : bool
        Whether the tokenizer adds its begin-of-sequence token.
    """

    text: str
    special: bool
    bos: bool


@dataclass(frozen=True)
class ModelProfile:
    """A model's entry in ``data/models.toml``: prompt template and roles.

    Parameters
    ----------
    template : str
        Prompt for a file without a chat template of its own; ``{prompt}`` stands for the question.
    roles : tuple of str
        ``composer`` writes sheets, ``harmonist`` also chooses their chords, ``writer`` writes
        titles and plans; ``reader`` understands sentences.
    prefix : str
        What an embedding model expects before each text.
    """

    template: str = ""
    roles: tuple[str, ...] = ("composer", "writer")
    prefix: str = ""


def load_model_profile(path: Path, name: str) -> ModelProfile:
    """Find the first entry of ``data/models.toml`` that matches a model.

    Parameters
    ----------
    path : Path
        The TOML file.
    name : str
        File name of the model. An entry matches when its ``match`` begins or ends a word of
        `name`, ignoring case.

    Returns
    -------
    ModelProfile
        The defaults when nothing matches or the TOML file does not exist.

    Raises
    ------
    UsageError
        When the TOML file is invalid.
    """
    try:
        rows = tomllib.loads(read_input_text(path, _MAX_BYTES))["model"]
        for row in rows:
            words = re.escape(str(row["match"]))
            if re.search(rf"(?<![A-Za-z0-9]){words}|{words}(?![A-Za-z0-9.])", name, re.IGNORECASE):
                return ModelProfile(
                    str(row.get("template", "")),
                    tuple(row.get("roles", ("composer", "writer"))),
                    str(row.get("prefix", "")),
                )
    except FileNotFoundError:
        pass
    except (tomllib.TOMLDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}; fix the file or delete it") from error
    return ModelProfile()


def build_chat_prompt(
    question: str, reply_start: str, profile: ModelProfile, rendered: str, bos: str
) -> Prompt:
    """Build a model's prompt for `question`, ending with the start of the reply.

    Parameters
    ----------
    question, reply_start : str
    profile : ModelProfile
        Its template is used when `rendered` is empty; without either the question stands alone.
    rendered : str
        The question in the model's own chat template, or empty
        (:func:`scripts.llm.chat_template.render_chat_template`).
    bos : str
        Text of the begin-of-sequence token.
    """
    if rendered:
        starts = bool(bos) and rendered.startswith(bos)
        return Prompt(rendered + reply_start, special=True, bos=not starts)
    if profile.template:
        text = profile.template.replace("{prompt}", question) + reply_start
        return Prompt(text, special=True, bos=True)
    return Prompt(question + "\n\n" + reply_start, special=False, bos=True)
