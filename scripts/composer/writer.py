"""Title and form of a song, chosen by a chat model or by rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from scripts.composer.narrations import MAX_NARRATION_LENGTH
from scripts.composer.prompts import describe_spec
from scripts.composer.titles import make_title
from scripts.llm.chat import Prompt
from scripts.llm.questions import Questions, quote_text
from scripts.request.spec import SongSpec
from scripts.styles.variants import form_variants

MAX_TITLE_LENGTH = 40
_TITLE_ATTEMPTS = 4
_MAX_TEXT_LENGTH = 300  # characters of the user's sentence in a prompt
_LANGUAGES = {  # by their own names, as models know them
    "en": "English",
    "fr": "Français",
    "de": "Deutsch",
    "es": "Español",
    "it": "Italiano",
    "pt": "Português",
}
_SEED_STEP = 101  # between attempts; neighbouring songs have neighbouring seeds


@dataclass(frozen=True)
class Writer:
    """A model that writes titles and chooses forms.

    Parameters
    ----------
    name : str
        Name under which the model is credited.
    questions : Questions
        Asks the model.
    """

    name: str
    questions: Questions

    def write_title(self, spec: SongSpec, temperature: float) -> str:
        """Write a title of at most 40 characters; empty if only examples of the prompt come."""
        sampling = self.questions.profile.word_sampling(temperature, spec.seed)
        prompt = self._prompt("title", spec, "")
        examples = _folded_lines(prompt)
        for attempt in range(_TITLE_ATTEMPTS):
            title = self.questions.model.write_title(
                prompt,
                MAX_TITLE_LENGTH,
                replace(sampling, seed=spec.seed + attempt * _SEED_STEP),
                lambda done, text: None,
            )
            if not any(example in title.casefold() for example in examples):
                return title
        return ""

    def write_narration(self, spec: SongSpec, text: str, temperature: float) -> str:
        """Write what is shown over the light; empty if it would be an example of the prompt.

        Parameters
        ----------
        spec : SongSpec
            With a feeling.
        text : str
            What the user said.
        temperature : float
        """
        assert spec.feeling
        values = {
            "text": quote_text(text, _MAX_TEXT_LENGTH),
            "language": _LANGUAGES.get(spec.feeling.language, _LANGUAGES["en"]),
            "mood": spec.styles[0],
        }
        prompt = self.questions.ask("narration", values)
        sampling = self.questions.profile.word_sampling(temperature, spec.seed)
        written = self.questions.model.write_sentence(prompt, MAX_NARRATION_LENGTH, sampling)
        return "" if written.casefold() in _folded_lines(prompt) else written

    def choose_form(self, spec: SongSpec, temperature: float) -> tuple[str, ...]:
        """Let the model choose among the forms that suit the style (:func:`form_variants`)."""
        forms = form_variants(spec.form)
        letters = "ABCDEFGH"[: len(forms)]
        listed = "\n".join(
            f"{letter}: {' '.join(form)}" for letter, form in zip(letters, forms, strict=True)
        )
        answer = self.questions.model.choose(
            self._prompt("plan", spec, listed),
            tuple(letters),
            self.questions.profile.word_sampling(temperature, spec.seed),
        )
        return forms[letters.index(answer)]

    def _prompt(self, template: str, spec: SongSpec, forms: str) -> Prompt:
        return self.questions.ask(template, {**describe_spec(spec), "forms": forms})


def _folded_lines(prompt: Prompt) -> set[str]:
    """Lines of a prompt without capitals; those of a base model contain examples."""
    return {line.casefold() for line in prompt.text.splitlines() if line}


def choose_title_and_form(
    spec: SongSpec, writer: Writer | None, temperature: float, form_requested: bool, data: Path
) -> tuple[str, tuple[str, ...], str]:
    """Choose title and form.

    Parameters
    ----------
    spec : SongSpec
    writer : Writer or None
        The model to ask; None uses word lists and the form of `spec`.
    temperature : float
        Sampling temperature.
    form_requested : bool
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
        return make_title(spec, data / "titles.toml"), spec.form, "rules"
    form = spec.form if form_requested else writer.choose_form(spec, temperature)
    title = writer.write_title(spec, temperature) or make_title(spec, data / "titles.toml")
    return title, form, writer.name
