"""Questions to a model, from the templates in ``data/prompts``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from scripts.core.errors import UsageError
from scripts.core.input_files import read_input_text
from scripts.llm.chat import ModelProfile, Prompt, build_chat_prompt
from scripts.llm.client import ModelProcess

_MAX_BYTES = 1 << 16  # of a template
_EXAMPLES = "base"  # folder of the templates with examples


class Questions:
    """Asks one model.

    A chat model gets an instruction in its own format. A base model, which only continues a text,
    gets examples instead.

    Parameters
    ----------
    model : ModelProcess
    profile : ModelProfile
        The model's entry in ``models.toml``.
    folder : Path
        The templates: ``NAME.txt``, and ``base/NAME.txt`` for base models.
    """

    def __init__(self, model: ModelProcess, profile: ModelProfile, folder: Path) -> None:
        self.model, self.profile, self.folder = model, profile, folder

    def ask(self, name: str, values: Mapping[str, str], reply_start: str = "") -> Prompt:
        """Build the prompt of a question.

        Parameters
        ----------
        name : str
            Of the template.
        values : mapping of str to str
            Replacements of ``{NAME}``; other text in braces stays as it is.
        reply_start : str
            How the reply begins.

        Raises
        ------
        UsageError
            If the template cannot be read or is not UTF-8.
        ChatTemplateError
            When the model's chat template cannot be used.
        """
        template = read_template(self.folder / f"{name}.txt")
        question = fill_template(template, values)
        rendered = self.model.render_chat_template(question)
        if not rendered and not self.profile.template:
            template = read_template(self.folder / _EXAMPLES / f"{name}.txt")
            question = fill_template(template, values)
        start = template.partition("{")[0]
        return build_chat_prompt(
            question, reply_start, self.profile, rendered, self.model.bos, start
        )


def read_template(path: Path) -> str:
    """Read a template.

    Raises
    ------
    UsageError
        If the file cannot be read or is not UTF-8.
    """
    try:
        return read_input_text(path, _MAX_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the prompt template {path}; restore the file") from error


def quote_text(text: str, limit: int) -> str:
    """At most `limit` characters of a user's text, to stand between quotation marks in a prompt."""
    return json.dumps(text[:limit], ensure_ascii=False)[1:-1]


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """Replace each ``{NAME}`` that has a value."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), template)
