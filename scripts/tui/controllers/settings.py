"""Controller of Configure Options: validates settings as they are typed and saves them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scripts.audio.outputs import device_names
from scripts.core import paths
from scripts.core.errors import MusicGenError, UsageError
from scripts.core.settings import checked, save_settings
from scripts.core.system import memory_for_model, physical_memory
from scripts.core.theme import THEMES
from scripts.llm.gguf_file import GgufInfo
from scripts.llm.registry import find_model, list_models
from scripts.request.spec import parse_length
from scripts.tui.screens.options import AUTOMATIC, ROWS, option_text
from scripts.tui.state import Field, State

_NUMBERS = ("thread_fraction", "temperature", "volume", "crossfade")


class Choosing:
    """Changes and saves settings.

    Parameters
    ----------
    state : State
    changed : callable
        Called with the name of each setting that was changed.
    """

    def __init__(self, state: State, changed: Callable[[str], None]) -> None:
        self.state, self._changed = state, changed
        self._there: tuple[str, ...] = ()

    def open(self, name: str) -> None:
        """Ask for a setting, or switch one with few choices to the next."""
        label, hint = ROWS[name]
        if name == "auto_play":
            self.set(name, not self.state.settings.auto_play)
        elif name == "theme":
            names = list(THEMES)
            now = names.index(self.state.settings.theme)
            self.set(name, names[(now + 1) % len(names)])
        else:
            self.state.field = Field(f"{label} ({hint}):", name)
            if name in AUTOMATIC:
                there = model_offers() if name == "model" else device_names()
                self._there = AUTOMATIC[name], *there
                self._offer(self.state.field)

    def typed(self, field: Field) -> None:
        """Validate the text typed so far, or update the suggestions."""
        field.problem = ""
        if field.name in AUTOMATIC:
            self._offer(field)
        elif field.text.strip():
            try:
                checked(self.state.settings, field.name, value_of(field.name, field.text.strip()))
            except UsageError as error:
                field.problem = str(error)

    def answer(self, field: Field, text: str) -> None:
        """Apply the answer as the new value.

        Raises
        ------
        UsageError
            When the value is invalid; the question stays open.
        """
        if field.name in AUTOMATIC and field.offers:
            chosen = field.offers[field.chosen]
            text = (
                ""
                if chosen == AUTOMATIC[field.name]
                else chosen.partition(": ")[0]
                if field.name == "model"
                else chosen
            )
        elif field.name == "device":
            raise UsageError(f'no such sound device: "{text[:40]}"; choose one from the list')
        self.set(field.name, value_of(field.name, text))
        self.state.field = None
        self.state.message = (
            f"{ROWS[field.name][0]}: {option_text(self.state.settings, field.name)}"
        )

    def _offer(self, field: Field) -> None:
        """Suggest the choices that contain the text typed so far."""
        word = field.text.strip().casefold()
        field.offers = tuple(name for name in self._there if word in name.casefold())
        field.chosen = min(field.chosen, max(0, len(field.offers) - 1))

    def set(self, name: str, value: Any) -> None:
        """Change a setting and save it.

        Raises
        ------
        UsageError
            When the value is invalid.
        """
        self.state.settings = checked(self.state.settings, name, value)
        try:
            save_settings(paths.SETTINGS, self.state.settings)
        except MusicGenError as error:
            self.state.message = str(error)
        self._changed(name)


def value_of(name: str, text: str) -> Any:
    """Parse the typed text of a setting.

    Numbers may be fractions (``5/6``) or have a unit (``40%``, ``2.5 s``). A volume without a
    decimal point is a percentage.

    Raises
    ------
    UsageError
        When it is not a number or a song length, or there is no such model.
    """
    if name == "song_length":
        parse_length(text)
        return text
    if name == "model":
        if text:
            try:
                find_model(text, paths.MODELS)
            except MusicGenError as error:
                raise UsageError(str(error)) from error
        return text
    if name in _NUMBERS:
        try:
            top, slash, bottom = text.partition("/")
            number = float(top) / float(bottom) if slash else float(text.rstrip("%s "))
        except (ValueError, ZeroDivisionError):
            raise UsageError(f'"{text[:20]}" is not a number') from None
        if name == "volume" and "." not in text and "/" not in text:  # 1 means 1 %
            number /= 100
        return number
    return text if name == "device" else text.lower()


def model_offers() -> tuple[str, ...]:
    """Installed models as choices: path and description, or why a file is unusable."""
    found = list_models(paths.MODELS, paths.DATA / "models.toml")
    return tuple(
        f"{entry.path.relative_to(paths.MODELS).as_posix()}: "
        f"{model_words(entry.info) if entry.info else entry.problem}"
        for entry in found
    )


def model_words(info: GgufInfo) -> str:
    """Describe a model: size, architecture, quantization, and whether it fits in memory."""
    parameters = info.parameters / 1e9
    size = f"{parameters:.1f} B" if parameters >= 1 else f"{info.parameters / 1e6:.0f} M"
    memory = physical_memory()
    fits = (
        ""
        if not memory
        else ", fits in memory"
        if memory_for_model(info.file_bytes) < memory
        else ", does not fit in memory"
    )
    return f"{size} weights, {info.architecture}, {info.quantisation}{fits}"
