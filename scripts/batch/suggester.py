"""A chat model of the user's own suggests what a request leaves open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from scripts.core.errors import MusicGenError, UsageError
from scripts.core.settings import Settings
from scripts.llm.chat import ModelProfile, load_model_profile
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import DecodingPlan
from scripts.llm.gguf_file import GgufInfo
from scripts.llm.questions import Questions, quote_text
from scripts.llm.registry import STARTER_FILE, find_model
from scripts.llm.sampling import Sampling
from scripts.request.build import build_spec
from scripts.request.instrument_names import load_orchestration, parse_excluded
from scripts.request.interpret.interpretation import (
    DEFAULT,
    SAID,
    SUGGESTED,
    Interpretation,
    Source,
)
from scripts.request.interpret.mood_head import MoodReading
from scripts.styles.lookup import FALLBACK_STYLE
from scripts.styles.moods import Mood
from scripts.styles.style import Style

_ANY_LENGTH = "3"  # minutes, to check a request that leaves its length open
_CONTEXT = 2048  # tokens
_OPEN = "any"  # value that leaves a field to the style
_MIN_OPEN_FIELDS = 2  # of a request whose style was said, for which a model is loaded
_CONFIDENCE = 0.5  # of what is suggested
_MOODS_TO_CHOOSE = 3
_MAX_TEXT_LENGTH = 500  # characters of the request in the prompt


class Suggester:
    """Asks a chat model; it is loaded for one answer and closed again.

    Parameters
    ----------
    info : GgufInfo
    profile : ModelProfile
    threads : int
    styles : mapping of str to Style
    data : Path
        The ``data`` folder, with the prompt.

    Attributes
    ----------
    cancelled : callable
        Called often; True stops waiting for the model.
    """

    def __init__(
        self,
        info: GgufInfo,
        profile: ModelProfile,
        threads: int,
        styles: Mapping[str, Style],
        data: Path,
    ) -> None:
        self.info, self._profile, self._threads = info, profile, threads
        self._styles, self._data = styles, data
        self.cancelled: Callable[[], bool] = lambda: False

    def suggest(self, understood: Interpretation) -> Interpretation:
        """Fill the fields that are still open; what was said or understood stays.

        An answer that does not go with what was said is left out.

        Raises
        ------
        ModelError
            When the model cannot be loaded or fails.
        """
        choices = open_choices(understood, self._styles)
        if not choices:
            return understood
        answer = self._ask("suggest", _describe(understood, choices), choices)
        suggested = apply_suggestions(understood, answer)
        try:
            length = suggested.request.length or _ANY_LENGTH
            build_spec(replace(suggested.request, length=length), self._styles, 0)
        except UsageError:
            return understood
        return suggested

    def choose_mood(self, text: str, reading: MoodReading, moods: Mapping[str, Mood]) -> str:
        """Choose among the three likeliest moods of a text.

        Raises
        ------
        ModelError
            When the model cannot be loaded or fails.
        """
        names = [name for name, _ in reading.ranked[:_MOODS_TO_CHOOSE]]
        words = {moods[name].english: name for name in names}
        values = {"text": quote_text(text, _MAX_TEXT_LENGTH), "moods": " or ".join(words)}
        answer = self._ask("mood", values, {"mood": tuple(words)})
        return words[answer["mood"]]

    def _ask(
        self, template: str, values: Mapping[str, str], choices: Mapping[str, tuple[str, ...]]
    ) -> dict[str, str]:
        """Load the model and let it choose a value for each field."""
        with ModelProcess(
            self.info.path,
            _CONTEXT,
            DecodingPlan.single(self._threads),
            cancelled=self.cancelled,
        ) as model:
            questions = Questions(model, self._profile, self._data / "prompts")
            prompt = questions.ask(template, values)
            return model.write_object(prompt, choices, Sampling(temperature=0.0))


def _describe(understood: Interpretation, choices: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    text = understood.request.text or understood.request.styles
    return {
        "text": quote_text(text, _MAX_TEXT_LENGTH),
        "styles": ", ".join(understood.styles),
        "fields": "\n".join(f"{name}: {', '.join(v)}" for name, v in choices.items()),
    }


def find_suggester(
    settings: Settings, model: str, styles: Mapping[str, Style], models: Path, data: Path
) -> Suggester | None:
    """Find the user's chat model: the setting ``writer``, else the selected model.

    None if there is none that can chat (the starter cannot), or the user wants no suggestions.
    """
    name = settings.writer or model or settings.model
    if not name or not settings.suggestions:
        return None
    try:
        info = find_model(name, models)
        profile = load_model_profile(data / "models.toml", info.path.name)
    except MusicGenError:
        return None  # reported when songs are made
    can_chat = bool(info.metadata.get("tokenizer.chat_template") or profile.template)
    if info.path.name == STARTER_FILE or "writer" not in profile.roles or not can_chat:
        return None
    return Suggester(info, profile, settings.threads, styles, data)


def open_choices(
    understood: Interpretation, styles: Mapping[str, Style]
) -> dict[str, tuple[str, ...]]:
    """Values to choose from, for each field that is open; none for a plain list of styles."""
    request, sources = understood.request, understood.sources
    if not request.text:
        return {}
    choices: dict[str, tuple[str, ...]] = {}
    if sources["styles"].origin == DEFAULT:
        choices["style"] = tuple(sorted(styles))
    if "tempo" not in sources:
        choices["tempo"] = (_OPEN, "slow", "medium", "fast")
    if "energy" not in sources:
        choices["energy"] = (_OPEN, "low", "high")
    if "instruments" not in sources:
        choices["lead"] = (_OPEN, *_possible_leads(request.without or ""))
    is_worth_asking = sources["styles"].origin != SAID or len(choices) >= _MIN_OPEN_FIELDS
    return choices if is_worth_asking else {}


def _possible_leads(without: str) -> list[str]:
    """Instruments that can play the lead and share no sound with those that are excluded."""
    known = load_orchestration().instruments
    excluded = [known[name] for name in parse_excluded(without) if name in known]
    banned = {sound for instrument in excluded for sound in instrument.sounds}
    return [n for n, asked in known.items() if not asked.role and not banned & {*asked.sounds}]


def apply_suggestions(understood: Interpretation, answer: Mapping[str, str]) -> Interpretation:
    """Add the values that a model chose, as suggested ones."""
    request, sources = understood.request, dict(understood.sources)
    styles = understood.styles
    source = Source(SUGGESTED, "", _CONFIDENCE)
    fields = {"tempo": "pace", "energy": "energy", "lead": "instruments"}
    for name, value in answer.items():
        if value == _OPEN:
            continue
        if name == "style":
            request, styles = replace(request, styles=value), (value,)
            sources["styles"] = source
        else:
            changes = {fields[name]: value}
            request = replace(request, **changes)  # type: ignore[arg-type]
            sources["instruments" if name == "lead" else name] = source
    chosen = [value for value in answer.values() if value != _OPEN]
    notes = understood.notes
    if "style" in answer:  # the note about the default is no longer true
        notes = tuple(note for note in notes if not note.endswith(f"; using {FALLBACK_STYLE}"))
    if chosen:
        notes = (*notes, f"suggested: {', '.join(chosen)}")
    return replace(understood, request=request, styles=styles, sources=sources, notes=notes)
