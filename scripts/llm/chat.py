"""Prompts for chat models: from the model's own chat template, else ``data/models.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from scripts.core.errors import UsageError
from scripts.core.input_files import read_input_text
from scripts.llm.sampling import Sampling

_MAX_BYTES = 1 << 20  # of the table of models
_SAMPLING_RANGES = {
    "temperature": (0, 2),
    "top_k": (0, 1_000_000),
    "top_p": (0.01, 1),
    "min_p": (0, 1),
    "repeat_penalty": (0.5, 2),
}
_LEAST_WORD_TEMPERATURE = 0.6
TUNE_HEADER_KEY = "llm_music_gen.prompt"  # metadata with the name of a model's prompt format
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
    shared_length : int
        Number of characters at the start that the prompts of other songs share.
    """

    text: str
    special: bool
    bos: bool
    shared_length: int = 0


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
    sampling : mapping of str to float
        What its authors recommend: parameters of :class:`Sampling` by name.
    """

    template: str = ""
    roles: tuple[str, ...] = ("composer", "writer")
    prefix: str = ""
    sampling: Mapping[str, float] = field(default_factory=dict)

    def word_sampling(self, temperature: float, seed: int) -> Sampling:
        """Parameters for words, such as titles; `temperature` unless the authors name one."""
        values = {"temperature": max(temperature, _LEAST_WORD_TEMPERATURE), **self.sampling}
        return replace(Sampling(seed=seed), **values)  # type: ignore[arg-type]

    def sheet_sampling(self, temperature: float, seed: int) -> Sampling:
        """Parameters for sheets: the temperature is the user's, the rest the authors'."""
        values = {"top_p": 0.97, "min_p": 0.03, **self.sampling, "temperature": temperature}
        return replace(Sampling(seed=seed), **values)  # type: ignore[arg-type]


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
                    _read_sampling(row.get("sampling", {})),
                )
    except FileNotFoundError:
        pass
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, UnicodeError) as error:
        raise UsageError(f"cannot read {path}: {error}; fix the file or delete it") from error
    return ModelProfile()


def _read_sampling(table: Mapping[str, Any]) -> dict[str, float]:
    """Check the parameters of a profile.

    Raises
    ------
    TypeError
        When one is unknown, not a number or out of range.
    """
    kinds = {f.name: int if f.name == "top_k" else float for f in fields(Sampling)}
    unknown = {*table} - {*kinds} | {*table} & {"seed"}
    if unknown:
        raise TypeError(f"unknown sampling parameter {min(unknown)!r}")
    found = {name: kinds[name](value) for name, value in table.items()}
    for name, value in found.items():
        low, high = _SAMPLING_RANGES[name]
        if not low <= value <= high:
            raise TypeError(f"invalid {name} {value:g}: expected {low:g} to {high:g}")
    return found


def build_chat_prompt(
    question: str,
    reply_start: str,
    profile: ModelProfile,
    rendered: str,
    bos: str,
    shared_start: str = "",
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
    shared_start : str
        Beginning of `question` that the questions about other songs share.
    """
    has_bos = False
    if rendered:
        has_bos = bool(bos) and rendered.startswith(bos)
        text = rendered
    elif profile.template:
        text = profile.template.replace("{prompt}", question)
    else:
        text = question + ("\n\n" if reply_start else "\n")
    at = text.find(shared_start)
    return Prompt(
        text + reply_start,
        special=bool(rendered or profile.template),
        bos=not has_bos,
        shared_length=at + len(shared_start) if shared_start and at >= 0 else 0,
    )
