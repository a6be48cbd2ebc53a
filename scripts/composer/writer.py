"""Title and form of a song, chosen by a chat model or by rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scripts.composer.prompts import fill, read_template
from scripts.composer.titles import make_title
from scripts.llm.chat import ModelNotes, Prompt, chat_prompt
from scripts.llm.client import ModelProcess
from scripts.llm.sampling import Sampling
from scripts.request.spec import Brief

LONGEST_TITLE = 32


@dataclass(frozen=True)
class Writer:
    """A chat model that writes titles and chooses forms.

    Parameters
    ----------
    model : ModelProcess
    name : str
        Name under which the model is credited.
    notes : ModelNotes
        The model's entry in ``models.toml``.
    data : Path
        The ``data`` folder, with the prompts.
    """

    model: ModelProcess
    name: str
    notes: ModelNotes
    data: Path

    def title(self, brief: Brief, temperature: float) -> str:
        """Write a title of at most 32 characters."""
        sampling = Sampling(temperature=max(temperature, 0.6), seed=brief.seed)
        return self.model.write_line(
            self._prompt("title", brief, ""), LONGEST_TITLE, sampling, lambda done, text: None
        )

    def form(self, brief: Brief, temperature: float) -> tuple[str, ...]:
        """Let the model choose among the forms that suit the style (:func:`forms_for`)."""
        forms = forms_for(brief)
        letters = "ABCDEFGH"[: len(forms)]
        listed = "\n".join(
            f"{letter}: {' '.join(form)}" for letter, form in zip(letters, forms, strict=True)
        )
        answer = self.model.choose(
            self._prompt("plan", brief, listed),
            tuple(letters),
            Sampling(temperature=temperature, seed=brief.seed),
        )
        return forms[letters.index(answer)]

    def _prompt(self, template: str, brief: Brief, forms: str) -> Prompt:
        question = fill(read_template(self.data / "prompts", template), brief)
        return chat_prompt(
            question.replace("{forms}", forms),
            "",
            self.notes,
            self.model.metadata,
            self.model.bos,
            self.model.eos,
        )


def forms_for(brief: Brief) -> tuple[tuple[str, ...], ...]:
    """Return the form of `brief` and variations of it, without duplicates.

    The variations leave out bridge and solo, add a solo, add a bridge, or begin with the chorus.
    """
    form = brief.form
    plain = tuple(s for s in form if s not in ("bridge", "solo"))
    last = form[-1:] if form[-1] == "outro" else ()
    body = form[: len(form) - len(last)]
    main = next((s for s in body if s in ("chorus", "drop")), "verse")
    options = [
        form,
        plain,
        (*body, "solo", main, *last),
        (*body, "bridge", main, *last),
        (*body[:1], main, *body[1:], *last),
    ]
    return tuple(dict.fromkeys(options))


def words_for(
    brief: Brief, writer: Writer | None, temperature: float, form_asked: bool, data: Path
) -> tuple[str, tuple[str, ...], str]:
    """Choose title and form.

    Parameters
    ----------
    brief : Brief
    writer : Writer or None
        The model to ask; None uses word lists and the form of `brief`.
    temperature : float
        Sampling temperature.
    form_asked : bool
        Whether the user requested the form, which is kept then.
    data : Path
        The ``data`` folder, with ``titles.toml``.

    Returns
    -------
    title : str
    form : tuple of str
        Section names.
    words_by : str
        Name of the writer, or ``rules``.
    """
    if writer is None:
        return make_title(brief, data / "titles.toml"), brief.form, "rules"
    form = brief.form if form_asked else writer.form(brief, temperature)
    return writer.title(brief, temperature), form, writer.name
